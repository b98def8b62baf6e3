//! Bookmarks, favourites, notifications, and the small lists that are empty here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::paging::{self, ACCOUNTS, Next, Rules, STATUSES};
use super::{Routed, auth, statuses};
use crate::clock::iso;
use crate::diary;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{HOME, StatusIx};

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    if call.method != http::Method::GET {
        return None;
    }
    Some(match path {
        ["v1", "bookmarks"] => marked(state, call, &["read", "read:bookmarks"], true),
        ["v1", "favourites"] => marked(state, call, &["read", "read:favourites"], false),
        ["v1", "notifications"] => notifications(state, call),
        ["v1", "notifications", "unread_count"] => {
            auth::user(state, call, &["read", "read:notifications"]).map(|_| Reply::json(&json!({ "count": 0 })))
        }
        ["v1", "blocks" | "domain_blocks"] => empty(state, call, &["read", "read:blocks"]),
        ["v1", "mutes"] => empty(state, call, &["read", "read:mutes"]),
        ["v1", "follow_requests"] => requests(state, call),
        ["v1", "followed_tags"] => empty(state, call, &["read", "read:follows"]),
        ["v1", "conversations"] => conversations(state, call),
        ["v1", "scheduled_statuses"] => empty(state, call, &["read", "read:statuses"]),
        ["v2", "filters"] | ["v1", "filters"] => empty(state, call, &["read", "read:filters"]),
        ["v1", "endorsements" | "featured_tags" | "suggestions"] => empty(state, call, &["read", "read:accounts"]),
        ["v1", "markers"] => auth::user(state, call, &["read", "read:statuses"]).map(|_| Reply::json(&json!({}))),
        ["v1", "preferences"] => auth::user(state, call, &["read", "read:accounts"]).map(|_| {
            Reply::json(&json!({
                "posting:default:visibility": "public", "posting:default:sensitive": false,
                "posting:default:language": null, "posting:default:quote_policy": "public",
                "reading:expand:media": "default", "reading:expand:spoilers": false, "reading:autoplay:gifs": true,
            }))
        }),
        ["v1", "trends", ..] | ["v1", "directory"] => Ok(Reply::json(&json!([]))),
        ["v1", "streaming", "health"] => Ok(Reply::typed("text/plain", "OK".to_owned())),
        _ => return None,
    })
}

fn empty(state: &State, call: &Call, scopes: &[&str]) -> Result<Reply, Reply> {
    auth::user(state, call, scopes).map(|_| Reply::json(&json!([])))
}

fn notifications(state: &State, call: &Call) -> Result<Reply, Reply> {
    let user = auth::user(state, call, &["read", "read:notifications"])?;
    let world = state.world();
    let types = call.list("types");
    let wanted = |kind: &str| types.is_empty() || types.contains(&kind);
    let mut rows = BTreeMap::new();
    if user == world.me {
        if wanted("follow") {
            rows.extend(world.notices.keys().map(|row| (*row, false)));
        }
        let told = world.diary.told.iter().filter(|(_, (_, kind, _))| wanted(kind));
        rows.extend(told.map(|(row, _)| (*row, true)));
    }
    let rules = Rules {
        next: Next::Always,
        ..ACCOUNTS
    };
    let rules = Rules {
        prev: "min_id",
        ..rules
    };
    let (found, link) = paging::page(&world, call, rules, &rows, paging::number);
    let body: Value = found
        .into_iter()
        .map(|(row, told)| {
            if told {
                return diary::notification(&world, row, world.diary.told[&row]);
            }
            let (who, at) = world.notices[&row];
            json!({ "id": row.to_string(), "type": "follow", "created_at": iso(at),
                    "account": render::account(&world, HOME, who) })
        })
        .collect();
    Ok(paging::linked(Reply::json(&body), link))
}

/// The cursor is the last status, not the conversation.
fn conversations(state: &State, call: &Call) -> Result<Reply, Reply> {
    let user = auth::user(state, call, &["read", "read:statuses"])?;
    let world = state.world();
    let none = BTreeMap::new();
    let rows = if user == world.me {
        &world.diary.conversations
    } else {
        &none
    };
    let (found, link) = paging::page(&world, call, STATUSES, rows, paging::number);
    let body: Value = found
        .into_iter()
        .map(|(_, (id, last))| {
            json!({ "id": id.to_string(), "unread": false,
                    "accounts": [render::account(&world, HOME, world.statuses[last].author)],
                    "last_status": render::status(&world, HOME, last, Some(user)) })
        })
        .collect();
    Ok(paging::linked(Reply::json(&body), link))
}

fn requests(state: &State, call: &Call) -> Result<Reply, Reply> {
    let user = auth::user(state, call, &["read", "read:follows"])?;
    let world = state.world();
    let asking = if user == world.me {
        world.requests.clone()
    } else {
        Vec::new()
    };
    // The cursor is the request, not the account.
    let rows = asking
        .into_iter()
        .enumerate()
        .map(|(n, who)| (n as u64 + 31, who))
        .collect();
    let (found, link) = paging::page(&world, call, ACCOUNTS, &rows, paging::number);
    let body: Value = found
        .into_iter()
        .map(|(_, who)| render::account(&world, HOME, who))
        .collect();
    Ok(paging::linked(Reply::json(&body), link))
}

/// The cursor is the row of the bookmark or favourite: not a status id, and not in the body.
fn marked(state: &State, call: &Call, scopes: &[&str], bookmarks: bool) -> Result<Reply, Reply> {
    let user = auth::user(state, call, scopes)?;
    let world = state.world();
    let none = BTreeMap::new();
    let rows: &BTreeMap<u64, StatusIx> = match (user == world.me, bookmarks) {
        (false, _) => &none,
        (true, true) => &world.bookmarks,
        (true, false) => &world.favourites,
    };
    let (found, link) = paging::page(&world, call, STATUSES, rows, paging::number);
    // What became invisible drops out after the page was cut.
    let found: Vec<_> = found
        .into_iter()
        .map(|(_, ix)| ix)
        .filter(|ix| world.visible(HOME, *ix, Some(user)))
        .collect();
    let body = render::statuses(&world, HOME, &found, Some(user));
    Ok(paging::linked(Reply::json(&body), link))
}

/// `POST /api/v1/statuses/:id/bookmark` and its kin.
pub(super) fn mark(state: &State, call: &Call, id: &str, what: &str) -> Result<Reply, Reply> {
    let bookmarks = what.ends_with("bookmark");
    let scope = if bookmarks {
        "write:bookmarks"
    } else {
        "write:favourites"
    };
    let user = auth::user(state, call, &["write", scope])?;
    let mut world = state.world();
    let ix = statuses::find(&world, id, Some(user))?;
    let row = world.row();
    let rows = if bookmarks {
        &mut world.bookmarks
    } else {
        &mut world.favourites
    };
    if what.starts_with("un") {
        rows.retain(|_, marked| *marked != ix);
    } else if !rows.values().any(|marked| *marked == ix) {
        rows.insert(row, ix);
    }
    Ok(Reply::json(&render::status(&world, HOME, ix, Some(user))))
}
