//! Accounts: listed by name, with names as cursors, and not much that can be done about them.

use serde_json::{Value, json};

use super::{admin_account, bad, is_admin, missing};
use crate::request::{Call, Reply, escape};
use crate::state::State;
use crate::world::{AccountIx, HOME, World};

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Reply {
    let mut world = state.world();
    let find = |world: &World, id: &str| world.servers[HOME].account_ids.get(id).copied();
    match (call.method.as_str(), path) {
        ("GET", []) => list(&world, call),
        ("GET", [id]) => match find(&world, id) {
            Some(ix) => Reply::json(&admin_account(&world, ix)),
            None => missing("target account"),
        },
        ("POST", [id, what @ ("approve" | "reject" | "action")]) => {
            let Some(ix) = find(&world, id) else {
                return missing(&format!("user for account {id}"));
            };
            match *what {
                "approve" => approve(&mut world, id, ix),
                "reject" => reject(&mut world, id, ix),
                _ => act(&mut world, call, ix),
            }
        }
        ("DELETE", [_]) => Reply::typed("text/plain", "405 method not allowed".to_owned()).status(405),
        _ => missing("page"),
    }
}

/// Once more does no harm.
fn approve(world: &mut World, id: &str, ix: AccountIx) -> Reply {
    match world.users.get_mut(&ix) {
        Some(user) => user.approved = true,
        None => return missing(&format!("user for account {id}")),
    }
    Reply::json(&admin_account(world, ix))
}

fn reject(world: &mut World, id: &str, ix: AccountIx) -> Reply {
    match world.users.get(&ix) {
        None => missing(&format!("user for account {id}")),
        Some(user) if user.approved => Reply::error(
            422,
            &format!("Unprocessable Entity: account {id} has already been approved"),
        ),
        Some(_) => {
            let body = admin_account(world, ix);
            world.remove_account(ix);
            Reply::json(&body)
        }
    }
}

fn act(world: &mut World, call: &Call, ix: AccountIx) -> Reply {
    match call.param("type").unwrap_or_default() {
        "suspend" => {
            world.accounts[ix].suspended = true;
            Reply::json(&json!({ "message": "OK" }))
        }
        "" => bad("no type specified"),
        other => bad(&format!(
            "admin action type {other} is not supported for this endpoint, currently supported types are: [\"suspend\"]"
        )),
    }
}

/// What the list is sorted by: `/@alice`, `north.test/@frank`.
fn key(world: &World, ix: AccountIx) -> String {
    let who = &world.accounts[ix];
    let domain = if who.server == HOME {
        ""
    } else {
        &world.servers[who.server].host
    };
    format!("{domain}/@{}", who.username)
}

fn list(world: &World, call: &Call) -> Reply {
    let given = |name: &str| call.param(name).filter(|value| !value.is_empty());
    let v2 = call.path.starts_with("/api/v2");
    let on = |name: &str| matches!(call.param(name), Some("true" | "1"));
    let status = match v2 {
        true => given("status"),
        false => ["pending", "disabled", "silenced", "suspended"]
            .into_iter()
            .find(|name| on(name)),
    };
    if let Some(other) = status.filter(|s| !["active", "pending", "disabled", "silenced", "suspended"].contains(s)) {
        return bad(&format!("status {other} not recognized"));
    }
    let origin = match v2 {
        true => given("origin"),
        false if on("remote") => Some("remote"),
        false => on("local").then_some("local"),
    };
    let limit = match call.param("limit") {
        None => 50,
        Some(text) => match text.parse::<usize>() {
            Ok(0) => 50,
            Ok(limit) => limit.min(200),
            Err(_) => return bad("bad integer limit value"),
        },
    };
    let wanted = |ix: &AccountIx| {
        let (who, user) = (&world.accounts[*ix], world.users.get(ix));
        let suspended = world.account_suspended(*ix);
        origin.is_none_or(|origin| (origin == "local") == (who.server == HOME))
            && match status {
                Some("active") => !suspended,
                Some("pending") => user.is_some_and(|user| !user.approved),
                Some("disabled") => user.is_some_and(|user| user.disabled),
                Some("suspended") => suspended,
                Some(_) => false,
                None => true,
            }
            && given("username").is_none_or(|name| who.username == name)
            && given("email").is_none_or(|email| user.is_some_and(|user| user.email == email))
            && given("by_domain").is_none_or(|domain| world.servers[who.server].host == domain)
            && (given("permissions") != Some("staff") || is_admin(world, *ix))
    };
    let mut all: Vec<_> = world.people().filter(wanted).map(|ix| (key(world, ix), ix)).collect();
    all.sort();
    // A cursor that is no such name finds nothing, and nothing says so.
    let (after, before) = (given("max_id"), given("min_id"));
    let strange = [after, before]
        .into_iter()
        .flatten()
        .any(|cursor| !cursor.contains("/@"));
    all.retain(|(key, _)| {
        !strange && after.is_none_or(|name| key.as_str() > name) && before.is_none_or(|name| key.as_str() < name)
    });
    all.truncate(limit);
    let link = all.first().zip(all.last()).map(|(first, last)| {
        let base = format!("{}{}?limit={limit}", world.servers[HOME].base, call.path);
        let kept: String = [
            "origin",
            "status",
            "username",
            "email",
            "by_domain",
            "permissions",
            "pending",
            "local",
        ]
        .iter()
        .filter_map(|name| Some(format!("&{name}={}", escape(call.param(name)?))))
        .collect();
        format!(
            "<{base}&max_id={}{kept}>; rel=\"next\", <{base}&min_id={}{kept}>; rel=\"prev\"",
            escape(&last.0),
            escape(&first.0)
        )
    });
    let found: Value = all.iter().map(|(_, ix)| admin_account(world, *ix)).collect();
    match link {
        Some(link) => Reply::json(&found).header("link", link),
        None => Reply::json(&found),
    }
}
