//! Statuses and their contexts.

use serde_json::{Value, json};

use super::{Routed, auth, collections, refreshes};
use crate::diary::Diary;
use crate::ids;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, HOME, StatusIx, World};

const READ: [&str; 2] = ["read", "read:statuses"];

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let get = call.method == http::Method::GET;
    Some(match path {
        [] if get => batch(state, call),
        [id] if get => one(state, call, id),
        [id, "context"] if get => context(state, call, id),
        [id, "history"] if get => history(state, call, id),
        [id, "source"] if get => auth::any_token(state, call).and_then(|_| {
            let world = state.world();
            let ix = find(&world, id, Some(world.me))?;
            Ok(Reply::json(
                &json!({ "id": id, "text": world.statuses[ix].content, "spoiler_text": "" }),
            ))
        }),
        [id, "favourited_by" | "reblogged_by" | "quotes"] if get => auth::public(state, call, &READ).and_then(|user| {
            find(&state.world(), id, user)?;
            Ok(Reply::json(&json!([])))
        }),
        [id, what @ ("bookmark" | "unbookmark" | "favourite" | "unfavourite")] if !get => {
            collections::mark(state, call, id, what)
        }
        _ => return None,
    })
}

/// A status that this reader may see.
pub(super) fn find(world: &World, id: &str, reader: Option<AccountIx>) -> Result<StatusIx, Reply> {
    world.servers[HOME]
        .ids
        .get(id)
        .copied()
        .filter(|ix| world.visible(HOME, *ix, reader))
        .ok_or_else(|| Reply::error(404, "Record not found"))
}

fn one(state: &State, call: &Call, id: &str) -> Result<Reply, Reply> {
    let user = auth::public(state, call, &READ)?;
    let world = state.world();
    let ix = find(&world, id, user)?;
    Ok(Reply::json(&render::status(&world, HOME, ix, user)))
}

/// Up to 20 at once, since 4.3, in no order.
fn batch(state: &State, call: &Call) -> Result<Reply, Reply> {
    if state.scenario.api_version < 2 {
        return Err(Reply::error(404, "The page you are looking for could not be found"));
    }
    let user = auth::public(state, call, &READ)?;
    let ids = call.list("id");
    if ids.len() > 20 {
        return Err(Reply::error(422, "Mastodon::ValidationError"));
    }
    let asked: Vec<_> = {
        let world = state.world();
        ids.iter().filter_map(|id| find(&world, id, user).ok()).collect()
    };
    for ix in asked {
        refreshes::settle(state, ix);
    }
    let world = state.world();
    let mut found: Vec<_> = ids.iter().filter_map(|id| find(&world, id, user).ok()).collect();
    found.sort_unstable_by_key(|ix| ids::mix(*ix as u64, 41));
    found.dedup();
    Ok(Reply::json(&render::statuses(&world, HOME, &found, user)))
}

fn context(state: &State, call: &Call, id: &str) -> Result<Reply, Reply> {
    let user = auth::public(state, call, &READ)?;
    let ix = find(&state.world(), id, user)?;
    refreshes::settle(state, ix);
    let started = match user {
        Some(_) => refreshes::begin(state, ix),
        None => None,
    };
    let world = state.world();
    let body = if world.statuses[ix].boost_of.is_some() {
        json!({ "ancestors": [], "descendants": [] })
    } else {
        let (above, below, depth) = match user {
            Some(_) => (4096, 4096, usize::MAX),
            None => (40, 60, 20),
        };
        json!({
            "ancestors": render::statuses(&world, HOME, &world.ancestors(HOME, ix, user, above), user),
            "descendants": render::statuses(&world, HOME, &world.descendants(HOME, ix, user, below, depth), user),
        })
    };
    let reply = Reply::json(&body);
    Ok(match started {
        Some(header) => reply.header("mastodon-async-refresh", header),
        None => reply,
    })
}

fn history(state: &State, call: &Call, id: &str) -> Result<Reply, Reply> {
    let user = auth::public(state, call, &READ)?;
    let world = state.world();
    let ix = find(&world, id, user)?;
    let versions = Value::from(Diary::history(&world, ix));
    Ok(Reply::json(&versions))
}
