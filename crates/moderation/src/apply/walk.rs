//! A walk through the accounts a server knows: its own people, and those of other servers. Who is new or wrote something
//! is looked at, page by page, within the server's paging budget, and from where the last run stopped.

use std::collections::HashMap;

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary, Walk};
use mastodon::Cursor;
use model::AccountId;
use rules::AccountFacts;
use serde_json::Value;
use store::seen::{self, SeenAccount};

use super::{Pass, pass::PATIENCE};
use crate::{gather::Shown, jobs::Room};

const JOB: &str = "moderation.accounts";

/// A run that comes a moment early is still this minute's.
const EARLY: TimeDelta = TimeDelta::seconds(5);

/// Longer than any pause between two runs.
const LONG: TimeDelta = TimeDelta::minutes(15);

/// Statuses of one account that are looked at: it costs one request, and no paging.
const LATELY: u32 = 20;

/// An account's statuses are asked for no oftener.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// One run over both walks.
pub(crate) async fn accounts(cx: &JobContext, room: &Room) -> Result<Summary, JobError> {
    let mut pass = Pass::begin_to_judge(cx, room).await?;
    let mut looks = room.config.accounts.looks;
    for (wanted, local) in [(room.config.accounts.local, true), (room.config.accounts.remote, false)] {
        if wanted {
            Box::pin(pass.walk(local, &mut looks)).await?;
        }
    }
    Ok(pass.summary)
}

impl Pass<'_> {
    async fn walk(&mut self, local: bool, looks: &mut u32) -> Result<(), JobError> {
        let scope = format!("{}/{}", self.server(), if local { "local" } else { "remote" });
        let now = self.now();
        let mut walk = Walk::load(&self.cx.store, JOB, &scope, now).await?;
        let every = TimeDelta::from_std(self.config.accounts.every).unwrap_or(LONG) - EARLY;
        let budget = self.config.accounts.paging_budget;
        let unfinished = walk.is_unfinished(now);
        let is_due = walk.next(every, budget).is_none_or(|at| now >= at);
        if !unfinished {
            walk.after = None;
        }
        if unfinished || !is_due {
            // The newest come first, whatever the walk is at, and cost nothing of the paging budget.
            self.page(&mut walk, local, None, looks).await?;
        }
        if !unfinished && !is_due {
            return Ok(walk.save(&self.cx.store, JOB, &scope, self.now()).await?);
        }
        if !unfinished {
            walk.begin(now);
        }
        let mut left = walk.pages_left(now, budget);
        loop {
            if walk.after.is_some() {
                if left == 0 {
                    return Ok(walk.save(&self.cx.store, JOB, &scope, self.now()).await?);
                }
                left -= 1;
            }
            let after = walk.after.clone().map(Cursor::stored);
            let next = self.page(&mut walk, local, after.as_ref(), looks).await?;
            walk.advance(next.map(|cursor| cursor.as_str().to_owned()));
            walk.save(&self.cx.store, JOB, &scope, self.now()).await?;
            if walk.after.is_none() {
                return Ok(());
            }
            self.cx.check_stop()?;
            self.read_rules_again().await?;
        }
    }

    /// Reads one page and judges who is on it.
    async fn page(
        &mut self,
        walk: &mut Walk,
        local: bool,
        after: Option<&Cursor>,
        looks: &mut u32,
    ) -> Result<Option<Cursor>, JobError> {
        self.cx.check_stop()?;
        let page = self.login.client.active_accounts(local, after).await?;
        walk.polled_at = Some(self.now());
        self.summary.add("accounts", page.items.len());
        self.cx.progress.advance(page.items.len() as u64);
        let shown = page.items.iter().filter_map(Shown::of_account);
        // A server that does not know the filter lists everybody.
        let shown: Vec<Shown> = shown.filter(|shown| shown.account.is_local() == local).collect();
        // Each minute shows the same people again, nearly all as they were: what is known of them is asked at once.
        let ids: Vec<String> = shown.iter().map(|shown| shown.account.id.clone()).collect();
        let known = seen::accounts(&self.cx.store, self.server(), &ids).await?.into_iter();
        let known: HashMap<String, SeenAccount> = known.map(|row| (row.account_id.clone(), row)).collect();
        for shown in shown {
            self.cx.check_stop()?;
            let known = known.get(&shown.account.id);
            Box::pin(self.account(shown, known, looks)).await?;
        }
        Ok(page.next)
    }

    async fn account(&mut self, shown: Shown, known: Option<&SeenAccount>, looks: &mut u32) -> Result<(), JobError> {
        let id = shown.account.id.clone();
        let looked_at = known.and_then(|known| known.looked_at);
        let wrote = shown.account.statuses_count != Some(0)
            && match (known, looked_at) {
                (Some(known), Some(at)) => {
                    self.now() - at >= AGAIN && count(&known.facts) != shown.account.statuses_count
                }
                _ => true,
            };
        if !wrote || shown.account.suspended {
            return Box::pin(self.judge_known(shown, known, false)).await;
        }
        if *looks == 0 {
            Box::pin(self.judge_known(shown, known, false)).await?;
            // The count that tells of it may have been written down just now.
            if looked_at.is_some() {
                seen::looked(&self.cx.store, self.server(), &id, None).await?;
            }
            return Ok(());
        }
        *looks -= 1;
        let statuses = self
            .login
            .client
            .newest_statuses(&AccountId::new(id.clone()), LATELY)
            .await;
        match statuses {
            Ok(statuses) => {
                self.unread = 0;
                self.summary.add("looked_at", 1);
                Box::pin(self.judge_known(shown.with(&statuses), known, false)).await?;
                Ok(seen::looked(&self.cx.store, self.server(), &id, Some(self.now())).await?)
            }
            // Gone between the page and now.
            Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => Ok(()),
            // One account that a server stumbles over keeps nobody from the others.
            Err(error @ (mastodon::Error::ServerDown { .. } | mastodon::Error::NotJson { .. }))
                if self.unread + 1 < PATIENCE =>
            {
                self.unread += 1;
                self.summary.add("unread", 1);
                tracing::debug!(%error, "cannot tell what somebody wrote");
                Box::pin(self.judge_known(shown, known, false)).await
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// How many statuses an account had when it was last written down.
fn count(facts: &Value) -> Option<u64> {
    serde_json::from_value::<AccountFacts>(facts.clone())
        .ok()
        .and_then(|facts| facts.statuses_count)
}
