//! Followers, mutes, filters and the like: read whole, compared with what was there.

use std::collections::BTreeMap;

use job::{JobContext, JobError, Login, Summary};
use mastodon::{Cursor, Shelf};
use model::{AccountId, ListId};
use serde_json::Value;
use store::archive::entries;

use crate::{
    gather,
    item::{full_acct, id},
};

/// Pages of one list at most: a list that never ends is no list.
const MOST_PAGES: usize = 20_000;

/// Takes a snapshot of every list that the token may read.
pub(crate) async fn lists(cx: &JobContext) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let mut summary = Summary::default();
    let plain = [
        ("followers", Shelf::Followers(&me.id)),
        ("following", Shelf::Following(&me.id)),
        ("mutes", Shelf::Mutes),
        ("blocks", Shelf::Blocks),
        ("domain_blocks", Shelf::DomainBlocks),
        ("followed_tags", Shelf::FollowedTags),
        ("filters", Shelf::Filters),
        ("lists", Shelf::Lists),
    ];
    let mut people: BTreeMap<String, String> = BTreeMap::new();
    for (name, shelf) in plain {
        let bodies = snapshot(cx, login, name, shelf, &mut summary).await?;
        for body in bodies.iter().flatten() {
            let value: Value = serde_json::from_str(body).unwrap_or_default();
            if let (Some(id), Some(acct)) = (id(&value["id"]), value["acct"].as_str()) {
                people.insert(id, full_acct(acct, &login.server));
            }
        }
        if name == "lists" {
            for body in bodies.unwrap_or_default() {
                let value: Value = serde_json::from_str(&body).unwrap_or_default();
                let Some(list) = id(&value["id"]).map(ListId::new) else {
                    continue;
                };
                let title = value["title"].as_str().unwrap_or_default();
                let name = format!("list:{title}");
                snapshot(cx, login, &name, Shelf::ListAccounts(&list), &mut summary).await?;
            }
        }
    }
    notes(cx, login, &people, &mut summary).await?;
    Ok(summary)
}

/// The private notes on the people of these lists, which stand on none.
async fn notes(
    cx: &JobContext,
    login: &Login,
    people: &BTreeMap<String, String>,
    summary: &mut Summary,
) -> Result<(), JobError> {
    let ids: Vec<AccountId> = people.keys().map(|id| AccountId::new(id.clone())).collect();
    let mut entries = Vec::new();
    for chunk in ids.chunks(40) {
        cx.check_stop()?;
        let bodies = match login.client.raw_relationships(chunk).await {
            Ok(bodies) => bodies,
            Err(
                mastodon::Error::Scope { .. } | mastodon::Error::Forbidden { .. } | mastodon::Error::NotFound { .. },
            ) => {
                summary.add("not_shown", 1);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for body in bodies {
            let value: Value = serde_json::from_str(&body).unwrap_or_default();
            let noted = value["note"].as_str().is_some_and(|note| !note.trim().is_empty());
            if let Some(acct) = id(&value["id"]).and_then(|id| people.get(&id)).filter(|_| noted) {
                entries.push((acct.clone(), body));
            }
        }
    }
    let taken = entries::snapshot(&cx.store, &login.name, "notes", &entries, cx.clock.now()).await?;
    summary.add("lists", 1);
    summary.add("entries", taken.entries);
    summary.add("added", taken.added);
    summary.add("removed", taken.removed);
    Ok(())
}

/// Reads a list to its end, and only then compares: half a list would look like many who left.
async fn snapshot(
    cx: &JobContext,
    login: &Login,
    name: &str,
    shelf: Shelf<'_>,
    summary: &mut Summary,
) -> Result<Option<Vec<String>>, JobError> {
    let mut bodies = Vec::new();
    let mut cursor: Option<Cursor> = None;
    for _ in 0..MOST_PAGES {
        cx.check_stop()?;
        let page = match login.client.shelf(shelf, cursor.as_ref()).await {
            Ok(page) => page,
            // Not granted, or this software has no such list.
            Err(
                mastodon::Error::Scope { .. } | mastodon::Error::Forbidden { .. } | mastodon::Error::NotFound { .. },
            ) => {
                summary.add("not_shown", 1);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let empty = page.items.is_empty();
        bodies.extend(page.items);
        cursor = page.next.filter(|_| !empty);
        if cursor.is_none() {
            break;
        }
    }
    let entries: Vec<(String, String)> = bodies
        .iter()
        .filter_map(|body| Some((key(&login.server, body)?, body.clone())))
        .collect();
    let taken = entries::snapshot(&cx.store, &login.name, name, &entries, cx.clock.now()).await?;
    summary.add("lists", 1);
    summary.add("entries", taken.entries);
    summary.add("added", taken.added);
    summary.add("removed", taken.removed);
    Ok(Some(bodies))
}

/// Who or what an entry is: an acct, a domain, a tag's name, a list's or filter's title and id.
fn key(server: &str, body: &str) -> Option<String> {
    let value: Value = serde_json::from_str(body).ok()?;
    if let Some(domain) = value.as_str() {
        return Some(domain.to_lowercase());
    }
    let acct = value["acct"].as_str().map(|acct| full_acct(acct, server));
    let name = value["name"].as_str().map(str::to_lowercase);
    acct.or(name).or_else(|| id(&value["id"]))
}
