//! What local users replied to, on the whole server.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use job::{JobContext, JobError};
use mastodon::Cursor;
use model::{Account, Status, StatusId};

use super::Found;

/// A longer line of one's own replies is not followed.
const LONGEST: usize = 100;

/// The parents of what local accounts wrote in the last `hours`: replies to themselves and replies that dropped the
/// mention too, since the parent is taken by its id.
pub(crate) async fn joined(cx: &JobContext, hours: u32) -> Result<Found, JobError> {
    let client = &cx.login()?.client;
    let since = cx.clock.now() - TimeDelta::hours(i64::from(hours));
    let mut found = Found::new(client.host());
    let mut parents: HashSet<StatusId> = HashSet::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        cx.check_stop()?;
        let page = client.local_accounts(cursor.as_ref()).await?;
        for account in page.items.iter().filter(|account| wrote_since(account, since)) {
            replied_to(cx, account, since, &mut parents).await?;
        }
        // A page may be empty with more to come: where the server does not leave out who is not local, we do.
        if page.next.is_none() || page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    climb(cx, parents, &mut found).await?;
    Ok(found)
}

/// Takes what was replied to. Where that is a local user's own reply, however old, what they replied to is meant.
async fn climb(cx: &JobContext, mut ids: HashSet<StatusId>, found: &mut Found) -> Result<(), JobError> {
    let client = &cx.login()?.client;
    let mut seen = ids.clone();
    for _ in 0..LONGEST {
        let mut above = HashSet::new();
        let all: Vec<_> = ids.into_iter().collect();
        for some in all.chunks(20) {
            cx.check_stop()?;
            let now = cx.clock.now();
            for status in &client.statuses(some).await? {
                found.take(status, now);
                let local = status.account.as_ref().is_some_and(Account::is_local);
                if local && let Some(parent) = &status.in_reply_to_id {
                    above.insert(parent.clone());
                }
            }
        }
        above.retain(|id| seen.insert(id.clone()));
        if above.is_empty() {
            break;
        }
        ids = above;
    }
    Ok(())
}

async fn replied_to(
    cx: &JobContext,
    account: &Account,
    since: DateTime<Utc>,
    parents: &mut HashSet<StatusId>,
) -> Result<(), JobError> {
    let client = &cx.login()?.client;
    let mut cursor: Option<Cursor> = None;
    loop {
        cx.check_stop()?;
        let page = match client.account_statuses(&account.id, cursor.as_ref()).await {
            // Deleted or suspended since the list was read.
            Err(mastodon::Error::NotFound { .. } | mastodon::Error::Gone { .. }) => return Ok(()),
            answer => answer?,
        };
        let young = |status: &&Status| status.created_at.is_none_or(|time| time >= since);
        parents.extend(
            page.items
                .iter()
                .filter(young)
                .filter_map(|status| status.in_reply_to_id.clone()),
        );
        let older = page
            .items
            .iter()
            .any(|status| status.created_at.is_some_and(|time| time < since));
        if older || page.items.is_empty() || page.next.is_none() || page.next == cursor {
            return Ok(());
        }
        cursor = page.next;
    }
}

/// `last_status_at` is a day on some software and a time on other; whoever does not tell is asked.
fn wrote_since(account: &Account, since: DateTime<Utc>) -> bool {
    let Some(text) = &account.last_status_at else {
        return true;
    };
    text.get(..10)
        .and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok())
        .is_none_or(|day| day >= since.date_naive() - TimeDelta::days(1))
}
