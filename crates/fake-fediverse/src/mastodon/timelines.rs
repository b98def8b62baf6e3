//! Timelines and lists.

use serde_json::{Value, json};

use super::paging::{self, ACCOUNTS, TIMELINE};
use super::{Routed, auth};
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, HOME, List, StatusIx, Visibility, World};

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let read = ["read", "read:statuses"];
    Some(match path {
        ["home"] => auth::user(state, call, &read).map(|user| {
            let common = state.knobs().common_timeline;
            let world = state.world();
            let mine = common || user == world.me;
            let entries: Vec<_> = world.timeline.values().copied().filter(|_| mine).collect();
            timeline(&world, call, entries.into_iter(), Some(user))
        }),
        ["public"] => auth::public(state, call, &read).map(|user| {
            let world = state.world();
            let (local, remote) = (call.flag("local"), call.flag("remote"));
            let wanted = |ix: &StatusIx| {
                let status = &world.statuses[*ix];
                let here = world.origin(*ix) == HOME;
                status.visibility == Visibility::Public
                    && status.boost_of.is_none()
                    && status.parent.is_none_or(|p| world.statuses[p].author == status.author)
                    && (!local || here)
                    && (!remote || !here)
            };
            let all = world.servers[HOME].copies.keys().copied().filter(wanted);
            timeline(&world, call, all, user)
        }),
        ["tag", name] => auth::public(state, call, &read).map(|user| {
            let world = state.world();
            let tag = format!("#{}", name.to_lowercase());
            let tagged = |ix: &StatusIx| world.statuses[*ix].content.to_lowercase().contains(&tag);
            let all = world.servers[HOME].copies.keys().copied().filter(tagged);
            timeline(&world, call, all, user)
        }),
        ["list", id] => auth::user(state, call, &["read", "read:lists"]).and_then(|user| {
            let world = state.world();
            let list = find(&world, id)?;
            let entries = world
                .timeline
                .values()
                .copied()
                .filter(|ix| list.members.contains(&world.statuses[*ix].author));
            Ok(timeline(&world, call, entries, Some(user)))
        }),
        _ => return None,
    })
}

fn timeline(world: &World, call: &Call, entries: impl Iterator<Item = StatusIx>, reader: Option<AccountIx>) -> Reply {
    let rows = paging::by_order(world, entries.filter(|ix| world.visible(HOME, *ix, reader)));
    let (found, link) = paging::page(world, call, TIMELINE, &rows, paging::number);
    let found: Vec<_> = found.into_iter().map(|(_, ix)| ix).collect();
    paging::linked(Reply::json(&render::statuses(world, HOME, &found, reader)), link)
}

/// `/api/v1/lists…`.
pub(super) fn lists(state: &State, call: &Call, path: &[&str]) -> Routed {
    if call.method != http::Method::GET {
        return None;
    }
    let user = auth::user(state, call, &["read", "read:lists"]);
    let world = state.world();
    Some(user.and_then(|_| match path {
        [] => Ok(Reply::json(&world.lists.iter().map(list).collect::<Value>())),
        [id] => Ok(Reply::json(&list(find(&world, id)?))),
        [id, "accounts"] => {
            let members = &find(&world, id)?.members;
            let rows = members.iter().map(|ix| (*ix as u64, *ix)).collect();
            let (found, link) = paging::page(&world, call, ACCOUNTS, &rows, paging::number);
            let found: Value = found.iter().map(|(_, ix)| render::account(&world, HOME, *ix)).collect();
            Ok(paging::linked(Reply::json(&found), link))
        }
        _ => Err(Reply::error(404, "Record not found")),
    }))
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a List, Reply> {
    world
        .lists
        .iter()
        .find(|list| list.id.to_string() == id)
        .ok_or_else(|| Reply::error(404, "Record not found"))
}

fn list(list: &List) -> Value {
    json!({ "id": list.id.to_string(), "title": list.title, "replies_policy": "list", "exclusive": false })
}
