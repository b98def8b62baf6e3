//! Whose follows a suspension would end, by name: for those who want to tell them before it does.

use std::collections::BTreeSet;

use job::{JobContext, JobError, Login};
use mastodon::{Cursor, Error, Page};
use model::{Account, AccountId};
use serde::Serialize;

use crate::name::is_within;

/// Accounts of a domain that are looked at, two requests each.
const MOST: usize = 200;

/// Pages of one account's follows.
const MOST_PAGES: usize = 10;

/// Local people with ties to a domain and what is below it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Affected {
    /// Which domain.
    pub domain: String,
    /// They follow somebody there.
    pub following: BTreeSet<String>,
    /// Somebody there follows them.
    pub followed: BTreeSet<String>,
    /// Accounts of the domain that were looked at.
    pub looked_at: usize,
    /// Whether those were all. Somebody who hides their follows is not seen in any case.
    pub is_whole: bool,
}

/// Asks the server who has ties to a domain. Scopes `admin:read:accounts` and `read:accounts`.
///
/// # Errors
/// When the token may not, or the server cannot be asked.
pub async fn affected(cx: &JobContext, login: &Login, domain: &str) -> Result<Affected, JobError> {
    let client = &login.client;
    let mut found = Affected {
        domain: domain.to_owned(),
        is_whole: true,
        ..Affected::default()
    };
    let mut hosts: BTreeSet<String> = BTreeSet::from([domain.to_owned()]);
    let peers = client.peers().await?.unwrap_or_default();
    hosts.extend(
        peers
            .iter()
            .filter_map(|peer| crate::config::domain(peer))
            .filter(|peer| is_within(peer, domain)),
    );
    for host in hosts {
        let mut after: Option<Cursor> = None;
        loop {
            let page = client.known_accounts(&host, after.as_ref()).await?;
            for account in page.items {
                cx.check_stop()?;
                if found.looked_at >= MOST {
                    found.is_whole = false;
                    return Ok(found);
                }
                found.looked_at += 1;
                ties_of(cx, login, &account.id, &mut found).await?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// The local ones among an account's followers and those it follows.
async fn ties_of(cx: &JobContext, login: &Login, id: &AccountId, found: &mut Affected) -> Result<(), JobError> {
    for follows in [true, false] {
        let mut after: Option<Cursor> = None;
        for n in 0.. {
            cx.check_stop()?;
            let asked = match follows {
                true => login.client.followers(id, after.as_ref()).await,
                false => login.client.following(id, after.as_ref()).await,
            };
            let page = match asked {
                Ok(page) => page,
                // Gone since it was listed.
                Err(Error::NotFound { .. } | Error::Gone { .. }) => break,
                Err(error) => return Err(error.into()),
            };
            let Page { items, next, .. } = page;
            let local = items.into_iter().filter(Account::is_local).map(|account| account.acct);
            match follows {
                true => found.following.extend(local),
                false => found.followed.extend(local),
            }
            after = next;
            if after.is_none() {
                break;
            }
            if n >= MOST_PAGES {
                found.is_whole = false;
                break;
            }
        }
    }
    Ok(())
}
