//! Search, and the resolving of addresses: the one way to make home fetch something.

use std::sync::Arc;

use serde_json::{Value, json};

use super::auth;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, HOME, StatusIx, World};

/// Three empty lists: what every failure looks like.
pub(crate) fn nothing() -> Reply {
    found(json!([]), json!([]))
}

fn found(accounts: Value, statuses: Value) -> Reply {
    Reply::json(&json!({ "accounts": accounts, "statuses": statuses, "hashtags": [], "collections": [] }))
}

/// `GET /api/v2/search`.
pub(super) async fn search(state: &Arc<State>, call: &Call) -> Reply {
    let user = match auth::public(state, call, &["read", "read:search"]) {
        Ok(user) => user,
        Err(refusal) => return refusal,
    };
    let resolve = call.flag("resolve");
    if user.is_none() && (resolve || call.param("offset").is_some()) {
        let what = if resolve {
            "that resolve remote resources are"
        } else {
            "pagination is"
        };
        return Reply::error(
            401,
            &format!("Search queries {what} not supported without authentication"),
        );
    }
    let Some(q) = call.param("q").map(str::trim).filter(|q| !q.is_empty()) else {
        return Reply::error(400, "param is missing or the value is empty or invalid: q");
    };
    if call.param("limit").is_some_and(|limit| limit.starts_with('-')) {
        return Reply::error(400, "param is missing or the value is empty or invalid: limit");
    }
    let of_type = |kind: &str| {
        call.param("type")
            .is_none_or(|wanted| wanted.is_empty() || wanted == kind)
    };
    if q.starts_with("http://") || q.starts_with("https://") {
        let takes = state.knobs().resolve_takes;
        if resolve && !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        return address(state, q, resolve, user, &of_type);
    }
    let world = state.world();
    let accounts: Value = if of_type("accounts") {
        by_name(&world, q, resolve)
            .into_iter()
            .take(call.limit(20, 40))
            .map(|ix| render::account(&world, HOME, ix))
            .collect()
    } else {
        json!([])
    };
    found(accounts, json!([]))
}

fn by_name(world: &World, q: &str, resolve: bool) -> Vec<AccountIx> {
    if q.trim_start_matches('@').contains('@') {
        let all = world.find_account(HOME, q).into_iter();
        return all.filter(|ix| resolve || known(world, *ix)).collect();
    }
    let start = q.trim_start_matches('@').to_lowercase();
    world
        .people()
        .filter(|ix| world.accounts[*ix].username.starts_with(&start) && known(world, *ix))
        .collect()
}

fn known(world: &World, ix: AccountIx) -> bool {
    let who = &world.accounts[ix];
    who.server == HOME || who.statuses.iter().any(|status| world.knows(HOME, *status))
}

fn address(
    state: &Arc<State>,
    q: &str,
    resolve: bool,
    user: Option<AccountIx>,
    of_type: &dyn Fn(&str) -> bool,
) -> Reply {
    let mut world = state.world();
    let Some(ix) = world.find(q).or_else(|| copy_at_home(&world, q)) else {
        let account = (0..world.accounts.len()).find(|ix| world.actor_uri(*ix) == q || world.profile_url(*ix) == q);
        return match account.filter(|ix| of_type("accounts") && (resolve || known(&world, *ix))) {
            Some(ix) => found(json!([render::account(&world, HOME, ix)]), json!([])),
            None => nothing(),
        };
    };
    let local = world.origin(ix) == HOME || copy_at_home(&world, q).is_some();
    if resolve && !local {
        // The network comes first, even for what is known; an address for people costs a second fetch.
        world.remote_fetches += if world.statuses[ix].uri == q { 1 } else { 2 };
        let down = state.faults().down(world.origin(ix));
        if down || !world.fetchable(ix) {
            return nothing();
        }
        import(state, &mut world, ix);
    }
    if !of_type("statuses") || !world.visible(HOME, ix, user) {
        return nothing();
    }
    found(json!([]), json!([render::status(&world, HOME, ix, user)]))
}

/// Home takes a status, and (at once or later) the ancestors it lacks.
fn import(state: &Arc<State>, world: &mut World, ix: StatusIx) {
    let later = state.knobs().ancestors_after;
    match later {
        None => {
            world.learn_upwards(HOME, ix);
        }
        Some(later) => {
            world.learn(HOME, ix);
            let Some(parent) = world.statuses[ix].parent.filter(|parent| world.fetchable(*parent)) else {
                return;
            };
            let state = Arc::clone(state);
            tokio::spawn(async move {
                tokio::time::sleep(later).await;
                state.world().learn_upwards(HOME, parent);
            });
        }
    }
}

/// `/@user@other/ID` and `/@user/ID` of home name its own copy.
fn copy_at_home(world: &World, q: &str) -> Option<StatusIx> {
    let rest = q.strip_prefix(world.servers[HOME].base.as_str())?;
    let id = rest.strip_prefix("/@")?.split('/').nth(1)?;
    world.servers[HOME].ids.get(id).copied()
}
