//! Accounts: the own one, others, and what they posted.

use serde_json::{Value, json};

use super::paging::{self, ACCOUNTS, STATUSES};
use super::{Routed, auth};
use crate::ids;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, HOME, Visibility, World};

const READ: [&str; 2] = ["read", "read:accounts"];

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    if call.method != http::Method::GET {
        return None;
    }
    Some(match path {
        ["verify_credentials"] => auth::user(state, call, &["profile", "read", "read:accounts"]).map(|user| {
            let world = state.world();
            Reply::json(&credentials(&world, user))
        }),
        ["lookup"] => auth::public(state, call, &READ).and_then(|_| {
            let world = state.world();
            let acct = call.param("acct").unwrap_or_default();
            let ix = world.find_account(HOME, acct).filter(|ix| !waits(&world, *ix));
            let ix = ix.ok_or_else(missing)?;
            Ok(Reply::json(&render::account(&world, HOME, ix)))
        }),
        ["relationships"] => auth::user(state, call, &["read", "read:follows"]).map(|_| {
            let world = state.world();
            let all: Value = call
                .list("id")
                .into_iter()
                .filter_map(|id| find(&world, id).ok())
                .map(|ix| relationship(&world, ix))
                .collect();
            Reply::json(&all)
        }),
        ["search"] => auth::user(state, call, &READ).map(|_| {
            let world = state.world();
            let q = call
                .param("q")
                .unwrap_or_default()
                .trim_start_matches('@')
                .to_lowercase();
            let all: Value = world
                .people()
                .filter(|ix| world.acct(HOME, *ix).starts_with(&q))
                .take(call.limit(40, 80))
                .map(|ix| render::account(&world, HOME, ix))
                .collect();
            Reply::json(&all)
        }),
        [] => auth::public(state, call, &READ).and_then(|_| {
            let ids = call.list("id");
            if state.scenario.api_version < 2 {
                return Err(missing());
            }
            if ids.len() > 40 {
                return Err(Reply::error(422, "Mastodon::ValidationError"));
            }
            let world = state.world();
            let mut all: Vec<_> = ids.into_iter().filter_map(|id| find(&world, id).ok()).collect();
            all.sort_unstable_by_key(|ix| ids::mix(*ix as u64, 17));
            let all: Value = all.into_iter().map(|ix| render::account(&world, HOME, ix)).collect();
            Ok(Reply::json(&all))
        }),
        [id] => auth::public(state, call, &READ).and_then(|_| {
            let world = state.world();
            Ok(Reply::json(&render::account(&world, HOME, find(&world, id)?)))
        }),
        [id, "statuses"] => auth::public(state, call, &["read", "read:statuses"]).and_then(|user| {
            let world = state.world();
            let ix = find(&world, id)?;
            Ok(statuses(&world, call, HOME, ix, user))
        }),
        [id, which @ ("followers" | "following")] => auth::public(state, call, &READ).and_then(|_| {
            let world = state.world();
            let ix = find(&world, id)?;
            let people = match *which {
                "following" if ix == world.me => world.followed.clone(),
                "followers" if ix == world.me => world.followers.clone(),
                "followers" if world.followed.contains(&ix) => vec![world.me],
                _ => Vec::new(),
            };
            // The cursor is the follow, not the account.
            let rows = people
                .into_iter()
                .enumerate()
                .map(|(n, who)| (n as u64 + 11, who))
                .collect();
            let (found, link) = paging::page(&world, call, ACCOUNTS, &rows, paging::number);
            let found: Value = found
                .iter()
                .map(|(_, who)| render::account(&world, HOME, *who))
                .collect();
            Ok(paging::linked(Reply::json(&found), link))
        }),
        [id, "featured_tags" | "lists" | "identity_proofs" | "endorsements"] => auth::public(state, call, &READ)
            .and_then(|_| {
                find(&state.world(), id)?;
                Ok(Reply::json(&json!([])))
            }),
        _ => return None,
    })
}

fn missing() -> Reply {
    Reply::error(404, "Record not found")
}

fn find(world: &World, id: &str) -> Result<AccountIx, Reply> {
    let ix = world.servers[HOME].account_ids.get(id).copied();
    ix.filter(|ix| !waits(world, *ix)).ok_or_else(missing)
}

/// Nobody sees who has not been let in yet.
fn waits(world: &World, ix: AccountIx) -> bool {
    world
        .users
        .get(&ix)
        .is_some_and(|user| !user.approved || !user.confirmed)
}

/// What an account posted, as far as this server knows it.
pub(crate) fn statuses(
    world: &World,
    call: &Call,
    server: usize,
    account: AccountIx,
    reader: Option<AccountIx>,
) -> Reply {
    let (no_replies, no_boosts) = (call.flag("exclude_replies"), call.flag("exclude_reblogs"));
    let nothing = call.flag("only_media") || call.param("tagged").is_some();
    let pinned = call.flag("pinned");
    let wanted = world.accounts[account].statuses.iter().copied().filter(|ix| {
        let status = &world.statuses[*ix];
        let self_reply = status.parent.is_none_or(|p| world.statuses[p].author == account);
        !nothing
            && (!pinned || world.pinned.contains(ix))
            && world.visible(server, *ix, reader)
            && (status.visibility != Visibility::Private || reader.is_some())
            && (!no_replies || self_reply)
            && (!no_boosts || status.boost_of.is_none())
    });
    let rows = paging::by_order_at(world, server, wanted);
    let ids = &world.servers[server].ids;
    let cursor = |text: &str| match ids.get(text) {
        Some(ix) => world.order(server, *ix),
        None => paging::number(text),
    };
    let (found, link) = paging::page(world, call, STATUSES, &rows, cursor);
    let found: Vec<_> = found.into_iter().map(|(_, ix)| ix).collect();
    paging::linked(Reply::json(&render::statuses(world, server, &found, reader)), link)
}

fn credentials(world: &World, user: AccountIx) -> Value {
    let who = &world.accounts[user];
    let mut out = render::account(world, HOME, user);
    out["source"] = json!({
        "privacy": "public", "sensitive": false, "language": "en", "note": who.note, "fields": [],
        "follow_requests_count": 0, "hide_collections": false, "discoverable": who.discoverable,
        "indexable": who.indexable, "attribution_domains": [], "quote_policy": "public",
    });
    out["role"] = render::role_of(world, user);
    out
}

fn relationship(world: &World, ix: AccountIx) -> Value {
    json!({
        "id": world.servers[HOME].accounts[ix], "following": world.followed.contains(&ix), "showing_reblogs": true,
        "notifying": false, "languages": null, "followed_by": false, "blocking": false, "blocked_by": false,
        "muting": false, "muting_notifications": false, "muting_expires_at": null, "requested": false,
        "requested_by": false, "domain_blocking": false, "endorsed": false, "note": "",
    })
}
