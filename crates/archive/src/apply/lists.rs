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
    let mut people = People::new();
    let mut lists: BTreeMap<String, Vec<ListId>> = BTreeMap::new();
    for (name, shelf) in plain {
        let see = |value: &Value| {
            if name == "lists" {
                let title = value["title"].as_str().unwrap_or_default().to_owned();
                lists
                    .entry(title)
                    .or_default()
                    .extend(id(&value["id"]).map(ListId::new));
            }
        };
        let mut entries = Vec::new();
        if read(cx, login, shelf, &mut people, &mut entries, see, &mut summary).await? {
            snapshot(cx, login, name, &entries, &mut summary).await?;
        }
    }
    for (title, ids) in lists.into_iter().filter(|(_, ids)| !ids.is_empty()) {
        // Two lists may have one title, and are one here: who is on any of them. Compared one after the other, each would
        // take the other's people off it.
        let mut entries = Vec::new();
        let mut whole = true;
        for list in &ids {
            let shelf = Shelf::ListAccounts(list);
            whole &= read(cx, login, shelf, &mut people, &mut entries, |_| (), &mut summary).await?;
        }
        if whole {
            snapshot(cx, login, &format!("list:{title}"), &entries, &mut summary).await?;
        }
    }
    notes(cx, login, &people, &mut summary).await?;
    Ok(summary)
}

/// Who was met, by the server's id: their accts.
type People = BTreeMap<String, String>;

/// The private notes on the people of these lists, which stand on none.
async fn notes(cx: &JobContext, login: &Login, people: &People, summary: &mut Summary) -> Result<(), JobError> {
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
    snapshot(cx, login, "notes", &entries, summary).await
}

/// Reads a list to its end, and only then is it compared: half a list would look like many who left. Gives whether the
/// server shows it.
async fn read(
    cx: &JobContext,
    login: &Login,
    shelf: Shelf<'_>,
    people: &mut People,
    entries: &mut Vec<(String, String)>,
    mut see: impl FnMut(&Value),
    summary: &mut Summary,
) -> Result<bool, JobError> {
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
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        cursor = page.next.filter(|_| !page.items.is_empty());
        for body in page.items {
            let value: Value = serde_json::from_str(&body).unwrap_or_default();
            see(&value);
            if let (Some(id), Some(acct)) = (id(&value["id"]), value["acct"].as_str()) {
                people.insert(id, full_acct(acct, &login.server));
            }
            entries.extend(key(&login.server, &value).map(|key| (key, body)));
        }
        if cursor.is_none() {
            break;
        }
    }
    Ok(true)
}

/// Compares a whole list with what was on it.
async fn snapshot(
    cx: &JobContext,
    login: &Login,
    name: &str,
    entries: &[(String, String)],
    summary: &mut Summary,
) -> Result<(), JobError> {
    let taken = entries::snapshot(&cx.store, &login.name, name, entries, cx.clock.now()).await?;
    summary.add("lists", 1);
    summary.add("entries", taken.entries);
    summary.add("added", taken.added);
    summary.add("removed", taken.removed);
    Ok(())
}

/// Who or what an entry is: an acct, a domain, a tag's name, a list's or filter's title and id.
fn key(server: &str, value: &Value) -> Option<String> {
    if let Some(domain) = value.as_str() {
        return Some(domain.to_lowercase());
    }
    let acct = value["acct"].as_str().map(|acct| full_acct(acct, server));
    let name = value["name"].as_str().map(str::to_lowercase);
    acct.or(name).or_else(|| id(&value["id"]))
}
