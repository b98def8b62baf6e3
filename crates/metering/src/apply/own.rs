//! What only a token of ours shows: a server's own numbers, what statuses brought, who follows whom.

use std::collections::HashSet;

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use mastodon::{Cursor, Error};
use model::Account;
use store::{
    cursors,
    measures::{self, Measure},
    metered_accounts::{self, New},
    metered_followers::{self, Follower},
    metered_statuses::{self, Status},
};

use crate::Config;

/// Where it stands when the followers of a login were last walked through.
const FOLLOWERS: &str = "metering.followers";

/// Asks a server of ours for its numbers: those that all can see, and where the token may, those of its admins.
pub(crate) async fn server(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let now = cx.clock.now();
    let mut numbers = login.client.own_numbers().await?;
    let since = (now - TimeDelta::days(i64::from(config.server.days))).date_naive();
    match login.client.admin_numbers(since, now.date_naive()).await {
        Ok(more) => numbers.extend(more),
        // Not an admin, not Mastodon, or too old for it: the public numbers are something.
        Err(
            Error::Scope { .. }
            | Error::Forbidden { .. }
            | Error::NotFound { .. }
            | Error::NoToken { .. }
            | Error::Invalid { .. }
            | Error::NotJson { .. },
        ) => {}
        Err(error) => return Err(error.into()),
    }
    // Of now, by the hour: a second run in one is the same point.
    let hour = now.timestamp().div_euclid(3600) * 3600;
    let rows: Vec<Measure> = numbers
        .into_iter()
        .map(|number| Measure {
            server: login.server.clone(),
            key: number.key,
            at: number.at.unwrap_or(hour),
            value: number.value,
        })
        .collect();
    measures::save(&cx.store, &rows).await?;
    let mut summary = Summary::default();
    summary.add("numbers", rows.len());
    Ok(summary)
}

/// Looks at the newest statuses of the login's owner.
pub(crate) async fn posts(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let owner = login.client.verify_credentials().await?.account;
    let mut summary = Summary::default();
    let (mut left, mut cursor) = (config.posts.length as usize, None::<Cursor>);
    while left > 0 {
        cx.check_stop()?;
        let page = login.client.counted_statuses(&owner.id, cursor.as_ref()).await?;
        let rows: Vec<Status> = page
            .items
            .into_iter()
            .take(left)
            .map(|status| Status {
                login: login.name.clone(),
                status_id: status.id,
                url: status.url,
                created_at: status.created_at,
                tags: status.tags,
                replies: status.replies,
                reblogs: status.reblogs,
                favourites: status.favourites,
                seen_at: cx.clock.now(),
            })
            .collect();
        left = left.saturating_sub(rows.len().max(1));
        summary.add("looked_at", rows.len());
        summary.add("changed", metered_statuses::save(&cx.store, &rows).await?);
        if page.next.is_none() || page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    Ok(summary)
}

/// Walks through the followers of the login's owner. Only a walk to the end can tell who left.
pub(crate) async fn followers(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let owner = login.client.verify_credentials().await?.account;
    let now = cx.clock.now();
    let walk = now.timestamp();
    // Of the first walk nobody knows who came when, nor of one that goes on after it broke off.
    let walked = cursors::load(&cx.store, FOLLOWERS, &login.name).await?;
    let came_at = walked.map(|_| now);
    let mut summary = Summary::default();
    let (mut seen, mut cursor, mut whole) = (0, None::<Cursor>, false);
    while seen < config.followers.most as usize {
        cx.check_stop()?;
        let page = login.client.followers(&owner.id, cursor.as_ref()).await?;
        let rows: Vec<Follower> = page
            .items
            .iter()
            .map(|account| Follower {
                login: login.name.clone(),
                account_id: account.id.to_string(),
                acct: account.acct.clone(),
                uri: identity(account).unwrap_or_default(),
                seen: walk,
                came_at,
                left_at: None,
            })
            .collect();
        metered_followers::see(&cx.store, &rows).await?;
        seen += rows.len();
        cx.progress.advance(rows.len() as u64);
        match page.next {
            Some(next) if !rows.is_empty() && Some(&next) != cursor.as_ref() => cursor = Some(next),
            _ => {
                whole = true;
                break;
            }
        }
    }
    summary.add("followers", seen);
    // A server that suddenly shows nobody hides them, or is ill.
    if whole && seen > 0 {
        summary.add(
            "left",
            metered_followers::mark_left(&cx.store, &login.name, walk, now).await?,
        );
    }
    if seen > 0 {
        cursors::save(&cx.store, FOLLOWERS, &login.name, &walk.to_string(), now).await?;
    }
    if came_at.is_some() {
        let came = metered_followers::came(&cx.store, &login.name, now, 100_000).await?;
        summary.add("came", came.len());
    }
    Ok(summary)
}

/// Adds the accounts that the login's owner follows, and those of the server that let themselves be found. What the
/// server says of them is enough to know them: nobody else is asked.
pub(crate) async fn sources(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let most = config.sources.most as usize;
    let mut summary = Summary::default();
    let mut known = HashSet::new();
    if config.sources.followed {
        let owner = login.client.verify_credentials().await?.account;
        let mut cursor = None::<Cursor>;
        while known.len() < most {
            cx.check_stop()?;
            let page = login.client.following(&owner.id, cursor.as_ref()).await?;
            let end = page.items.is_empty() || page.next.is_none() || page.next == cursor;
            for account in &page.items {
                if known.insert(account.id.clone()) {
                    summary.add("added", u64::from(take(cx, account, "followed").await?));
                }
            }
            if end {
                break;
            }
            cursor = page.next;
        }
    }
    if config.sources.server {
        let mut offset = 0;
        while offset < most {
            cx.check_stop()?;
            let page = login.client.directory(offset).await?;
            for account in page.iter().filter(|account| account.is_local()) {
                summary.add("added", u64::from(take(cx, account, "server").await?));
            }
            if page.is_empty() {
                break;
            }
            offset += page.len();
        }
    }
    Ok(summary)
}

/// Whether an account is new. One without a name of its own across servers cannot be followed for long.
async fn take(cx: &JobContext, account: &Account, group: &str) -> Result<bool, JobError> {
    let login = cx.login()?;
    let Some(uri) = account.uri.as_ref().or(account.url.as_ref()) else {
        return Ok(false);
    };
    let local = account.is_local();
    let new = New {
        uri: uri.to_string(),
        url: account.url.as_ref().unwrap_or(uri).to_string(),
        acct: if local {
            format!("{}@{}", account.acct, login.server)
        } else {
            account.acct.clone()
        },
        name: String::new(),
        // Its own server is asked; where that has its API elsewhere is found out by asking it.
        host: if local {
            login.server.clone()
        } else {
            uri.host().to_string()
        },
        remote_id: local.then(|| account.id.to_string()),
        source: if local { "server" } else { "followed" }.to_owned(),
        groups: vec![group.to_owned()],
    };
    let added = metered_accounts::add_unless_removed(&cx.store, &new, cx.clock.now()).await?;
    Ok(added)
}

fn identity(account: &Account) -> Option<String> {
    account.uri.as_ref().or(account.url.as_ref()).map(ToString::to_string)
}
