//! A home that runs GoToSocial: what it answers otherwise than Mastodon does, most of it to moderators. The rest is
//! answered as by Mastodon.

mod accounts;
mod domain_blocks;
mod reports;

use serde_json::{Value, json};

use crate::clock::iso;
use crate::mastodon::auth::{self, Who};
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::users::ADMINISTRATOR;
use crate::world::{AccountIx, HOME, World};

/// `None`: as Mastodon.
pub(crate) fn answer(state: &State, call: &Call, path: &[&str]) -> Option<Reply> {
    if call.header("user-agent").is_none() {
        return Some(Reply::error(418, "I'm a teapot: no user-agent sent with request"));
    }
    let ["api", rest @ ..] = path else {
        return None;
    };
    let open = matches!(rest, ["v1" | "v2", "instance", ..] | ["v1", "apps", ..]);
    if !open && !matches!(auth::who(state, call), Who::Token(_)) {
        return Some(Reply::error(401, "Unauthorized: token not supplied"));
    }
    let post = call.method == http::Method::POST;
    Some(match rest {
        ["v1", "statuses" | "accounts"] if !post => {
            Reply::typed("text/plain", "405 method not allowed".to_owned()).status(405)
        }
        ["v1", "reports"] if post => reports::file(state, call),
        ["v1", "instance", "domain_blocks"] if state.knobs().publishes_blocks => domain_blocks::public(&state.world()),
        ["v1", "instance", "domain_blocks"] => Reply::error(401, "Unauthorized: blocks are not exposed"),
        ["v1" | "v2", "admin", section, rest @ ..] => admin(state, call, section, rest),
        ["v2", "notifications", ..]
        | ["v1", "notifications", "unread_count"]
        | ["v1", "instance", "activity"]
        | ["v1", "domain_blocks" | "endorsements" | "directory"] => missing("page"),
        _ => return None,
    })
}

fn admin(state: &State, call: &Call, section: &str, path: &[&str]) -> Reply {
    let kind = if call.method == http::Method::GET {
        "read"
    } else {
        "write"
    };
    let (parent, own) = (format!("admin:{kind}"), format!("admin:{kind}:{section}"));
    let Who::Token(token) = auth::who(state, call) else {
        return Reply::error(401, "Unauthorized: token not supplied");
    };
    if !token.allows(&[&parent, &own]) {
        return Reply::error(403, "Forbidden: token has insufficient scope permission");
    }
    let user = {
        let world = state.world();
        let admin = |ix: &AccountIx| is_admin(&world, *ix);
        match token.user.filter(admin) {
            Some(user) => user,
            None => {
                let id = token
                    .user
                    .map(|ix| world.servers[HOME].accounts[ix].clone())
                    .unwrap_or_default();
                return Reply::error(403, &format!("Forbidden: user {id} not an admin"));
            }
        }
    };
    match section {
        "accounts" => accounts::answer(state, call, path),
        "reports" => reports::answer(state, call, user, path),
        "domain_blocks" => domain_blocks::answer(state, call, user, path),
        _ => missing("page"),
    }
}

/// There are no moderators in between.
fn is_admin(world: &World, ix: AccountIx) -> bool {
    world
        .users
        .get(&ix)
        .is_some_and(|user| user.role.permissions & ADMINISTRATOR != 0)
}

fn missing(what: &str) -> Reply {
    Reply::error(404, &format!("Not Found: {what} not found"))
}

fn bad(what: &str) -> Reply {
    Reply::error(400, &format!("Bad Request: {what}"))
}

/// An account as its admins see it. Of remote ones nothing is known, and so they are neither confirmed nor approved.
fn admin_account(world: &World, ix: AccountIx) -> Value {
    let (who, user) = (&world.accounts[ix], world.users.get(&ix));
    let local = who.server == HOME;
    let suspended = world.account_suspended(ix);
    let ip = match user {
        Some(_) if suspended => Some("0.0.0.0"),
        // Forgotten as soon as it has served.
        Some(user) if !user.approved => user.ips.first().map(|(ip, _)| ip.as_str()),
        _ => None,
    };
    let role = match is_admin(world, ix) {
        true => json!({ "id": "admin", "name": "admin", "color": "", "permissions": "546033", "highlighted": true }),
        false => json!({ "id": "user", "name": "user", "color": "", "permissions": "0", "highlighted": false }),
    };
    let mut out = json!({
        "id": world.servers[HOME].accounts[ix],
        "username": who.username,
        "domain": (!local).then(|| &world.servers[who.server].host),
        "created_at": iso(who.created_at),
        "email": user.map_or("", |user| user.email.as_str()),
        "ip": ip,
        "ips": [],
        "locale": user.and_then(|user| user.locale.as_ref()).map_or("", String::as_str),
        "invite_request": user.and_then(|user| user.invite_request.as_ref()),
        "role": role,
        "confirmed": user.is_some_and(|user| user.confirmed),
        "approved": user.is_some_and(|user| user.approved),
        "disabled": user.is_some_and(|user| user.disabled),
        "silenced": false,
        "suspended": suspended,
        "account": render::account(world, HOME, ix),
    });
    if let Some(app) = user.and_then(|user| user.created_by_application_id.as_ref()) {
        out["created_by_application_id"] = json!(app);
    }
    out
}
