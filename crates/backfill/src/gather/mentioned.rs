//! Authors and mentioned accounts of timelines.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use job::{JobContext, JobError};
use mastodon::{Client, Cursor, Page};
use model::{Account, AccountId, ListId, Status};
use store::backfills;

use super::{Found, key};
use crate::{
    config::Mentioned,
    plan::{self, Due},
};

/// A status of the last hour may add accounts beyond the first few.
const YOUNG: TimeDelta = TimeDelta::hours(1);

/// The accounts met: whole ones, and those of whom only the id is known.
#[derive(Default)]
struct Met {
    order: Vec<String>,
    whole: HashMap<String, Account>,
    named: HashMap<String, AccountId>,
    /// Accounts collected.
    count: usize,
    local: u64,
}

impl Met {
    fn read(&mut self, status: &Status, settings: &Mentioned, now: DateTime<Utc>) {
        let young = status.created_at.is_some_and(|time| now - time < YOUNG);
        let most = if young {
            settings.most_accounts
        } else {
            settings.accounts
        };
        for status in std::iter::once(status).chain(status.reblog.as_deref()) {
            if self.count >= most.min(settings.most_accounts) {
                return;
            }
            if let Some(author) = &status.account {
                self.add(&author.acct, |met, key| {
                    met.whole.insert(key, author.clone());
                });
            }
            for mention in &status.mentions {
                self.add(&mention.acct, |met, key| {
                    met.named.insert(key, mention.id.clone());
                });
            }
        }
    }

    fn add(&mut self, acct: &str, keep: impl FnOnce(&mut Self, String)) {
        let key = key(acct);
        if !key.contains('@') {
            self.local += 1;
            return;
        }
        let new = !self.whole.contains_key(&key) && !self.named.contains_key(&key);
        if new {
            self.order.push(key.clone());
            self.count += 1;
        }
        keep(self, key);
    }
}

/// Authors, boosted authors and mentioned accounts of the home timeline and of each list. A mention says nothing of
/// whether its account wants to be left alone, so those not known yet are read whole before anything is decided.
pub(crate) async fn mentioned(cx: &JobContext, settings: &Mentioned) -> Result<Found, JobError> {
    let login = cx.login()?;
    let client = &login.client;
    let mut met = Met::default();
    read(cx, client, None, settings, &mut met).await?;
    match client.lists().await {
        Ok(lists) => {
            for list in lists {
                // Each list has its own few.
                met.count = 0;
                read(cx, client, Some(&list.id), settings, &mut met).await?;
            }
        }
        // The home timeline alone, then.
        Err(mastodon::Error::Scope { .. } | mastodon::Error::Forbidden { .. } | mastodon::Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }

    let now = cx.clock.now();
    let remembered: HashSet<String> = backfills::load(&cx.store, &login.server, &met.order)
        .await?
        .into_iter()
        .filter(|row| plan::due(Some(row), now) == Due::Remembered)
        .map(|row| row.acct)
        .collect();
    let ids: Vec<AccountId> = met
        .order
        .iter()
        .filter(|acct| !met.whole.contains_key(*acct) && !remembered.contains(*acct))
        .filter_map(|acct| met.named.get(acct).cloned())
        .collect();
    cx.check_stop()?;
    for account in client.accounts(&ids).await? {
        met.whole.insert(key(&account.acct), account);
    }
    let mut found = Found {
        local: met.local,
        ..Found::default()
    };
    for acct in &met.order {
        if let Some(account) = met.whole.remove(acct) {
            found.take(account);
        }
    }
    Ok(found)
}

async fn read(
    cx: &JobContext,
    client: &Client,
    list: Option<&ListId>,
    settings: &Mentioned,
    met: &mut Met,
) -> Result<(), JobError> {
    let (mut looked_at, mut cursor): (usize, Option<Cursor>) = (0, None);
    while looked_at < settings.length && met.count < settings.most_accounts {
        cx.check_stop()?;
        let page: Page<Status> = match list {
            Some(list) => client.list_timeline(list, cursor.as_ref()).await?,
            None => client.home_timeline(cursor.as_ref()).await?,
        };
        let now = cx.clock.now();
        for status in page.items.iter().take(settings.length - looked_at) {
            looked_at += 1;
            met.read(status, settings, now);
        }
        if page.items.is_empty() || page.next.is_none() || page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    Ok(())
}
