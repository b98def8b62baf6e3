//! One pass over the accounts that a source named: concurrent across hosts, polite within one (which is `net`'s
//! business).

use std::collections::HashMap;

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use job::{
    JobContext, JobError, Round, Summary,
    origins::{self, Refused},
};
use mastodon::Client;
use model::Account;
use store::backfills::{self, Backfill};

use super::account;
use crate::{
    Config,
    gather::{self, Found},
    plan::{self, Due},
};

/// What all accounts of a pass share.
pub(crate) struct Pass<'a> {
    pub(crate) cx: &'a JobContext,
    pub(crate) config: &'a Config,
    pub(crate) client: &'a Client,
    pub(crate) server: String,
    /// The job's noun: `followings`.
    pub(crate) source: &'static str,
    /// Whether an account that was read is remembered for ever.
    pub(crate) for_ever: bool,
    pub(crate) refused: Refused,
    round: Round,
}

impl<'a> Pass<'a> {
    pub(crate) fn new(
        cx: &'a JobContext,
        config: &'a Config,
        source: &'static str,
        for_ever: bool,
    ) -> Result<Self, JobError> {
        let login = cx.login()?;
        Ok(Self {
            cx,
            config,
            client: &login.client,
            server: login.server.clone(),
            source,
            for_ever,
            refused: Refused::default(),
            round: Round::new(cx.stop.clone()),
        })
    }

    pub(crate) fn count(&self, counter: &'static str, by: impl TryInto<i64>) {
        self.round.count(counter, by);
    }

    pub(crate) fn summary(&self) -> Summary {
        self.round.summary()
    }

    pub(crate) fn halted(&self) -> bool {
        self.round.halted()
    }

    /// Takes an error of our own server; see [`Round::ends`].
    pub(crate) fn ends(&self, error: JobError) -> Result<(), JobError> {
        self.round.ends(error)
    }

    pub(crate) fn hold(&self) -> TimeDelta {
        TimeDelta::from_std(self.config.hold).unwrap_or(TimeDelta::hours(6))
    }

    pub(crate) fn remember(&self) -> TimeDelta {
        TimeDelta::from_std(self.config.remember).unwrap_or(TimeDelta::days(7))
    }

    /// An account that nothing is remembered of.
    pub(crate) fn blank(&self, acct: String) -> Backfill {
        Backfill {
            server: self.server.clone(),
            acct,
            source: self.source.to_owned(),
            cursor: None,
            listed: 0,
            wanted: 0,
            failures: 0,
            trouble: None,
            started_at: None,
            finished_at: None,
            next_at: None,
        }
    }
}

/// Looks after the accounts that a source named.
pub(crate) async fn run(pass: &Pass<'_>, found: Found) -> Result<Summary, JobError> {
    let cx = pass.cx;
    pass.count("looked_at", found.accounts.len());
    pass.count("local", found.local);
    let accts: Vec<String> = found
        .accounts
        .iter()
        .map(|account| gather::key(&account.acct))
        .collect();
    let mut rows: HashMap<String, Backfill> = backfills::load(&cx.store, &pass.server, &accts)
        .await?
        .into_iter()
        .map(|row| (row.acct.clone(), row))
        .collect();
    let mut due = Vec::new();
    for account in found.accounts {
        let acct = gather::key(&account.acct);
        let row = rows.remove(&acct);
        if due.len() >= pass.config.accounts_per_run {
            pass.count("later", 1);
        } else if let Some(row) = chosen(pass, &account, acct, row).await? {
            due.push((account, row));
        }
    }
    cx.progress.begin("accounts", u64::try_from(due.len()).ok());
    let failure = stream::iter(due)
        .map(|(account, row)| async move {
            if pass.halted() {
                return Ok(());
            }
            let done = account::read(pass, &account, row).await;
            cx.progress.advance(1);
            match done {
                Ok(()) => Ok(()),
                Err(error) => pass.ends(error),
            }
        })
        .buffer_unordered(pass.config.concurrency.max(1))
        .fold(None, |first, done| async move { first.or(done.err()) })
        .await;
    match failure {
        Some(error) => Err(error),
        None => cx.check_stop().map(|()| pass.summary()),
    }
}

/// The row to work on, if the account is to be read now.
async fn chosen(
    pass: &Pass<'_>,
    account: &Account,
    acct: String,
    row: Option<Backfill>,
) -> Result<Option<Backfill>, JobError> {
    let (cx, now) = (pass.cx, pass.cx.clock.now());
    let mut row = row;
    if let Some(row) = &mut row
        && origins::may_have_opened(cx, row.trouble.as_deref())
    {
        (row.trouble, row.next_at) = (None, Some(now));
    }
    let due = plan::due(row.as_ref(), now);
    if due == Due::Remembered {
        pass.count("remembered", 1);
        // Read whole as a follower, and followed since: that was its once.
        if let Some(row) = row.filter(|row| pass.for_ever && row.finished_at.is_some() && row.next_at.is_some())
            && row.trouble.is_none()
        {
            backfills::save(&cx.store, &Backfill { next_at: None, ..row }).await?;
        }
        return Ok(None);
    }
    let mut row = row.unwrap_or_else(|| pass.blank(acct));
    if let Some(reason) = plan::opted_out(pass.config, account) {
        pass.count("opted_out", 1);
        row.trouble = Some(reason.to_owned());
        (row.cursor, row.started_at) = (None, None);
        row.next_at = Some(now + pass.remember());
        backfills::save(&cx.store, &row).await?;
        return Ok(None);
    }
    if account.suspended {
        pass.count("blocked", 1);
        return Ok(None);
    }
    if due == Due::Start {
        (row.cursor, row.listed, row.wanted) = (None, 0, 0);
        row.started_at = Some(now);
    }
    Ok(Some(row))
}
