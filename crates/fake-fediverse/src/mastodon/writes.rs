//! Writes about things that do not exist: the scope is looked at first, then the thing is not found. What exists is
//! written elsewhere.

use super::{Routed, auth};
use crate::request::{Call, Reply};
use crate::state::State;
use crate::users::{MANAGE_REPORTS, MANAGE_USERS};

/// Trends and hashtags.
const MANAGE_TAXONOMIES: u64 = 0x100;

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    use http::Method;
    let (top, scope, permission) = match (&call.method, path) {
        (&Method::POST, ["v1", "reports"]) => ("write", "write:reports", 0),
        (&Method::PUT, ["v1", "statuses", _]) => ("write", "write:statuses", 0),
        (&Method::PUT, ["v1", "media", _]) => ("write", "write:media", 0),
        (&Method::PUT, ["v1", "lists", _]) => ("write", "write:lists", 0),
        (&Method::PUT, ["v2", "filters", _]) => ("write", "write:filters", 0),
        (&Method::POST, ["v1", "statuses", _, "bookmark"]) => ("write", "write:bookmarks", 0),
        (&Method::POST, ["v1", "statuses", _, "favourite"]) => ("write", "write:favourites", 0),
        (&Method::POST, ["v1", "accounts", _, "pin"]) => ("write", "write:accounts", 0),
        (&Method::POST, ["v1", "accounts", _, "follow"]) => ("write", "write:follows", 0),
        (&Method::POST, ["v1", "accounts", _, "block"]) => ("write", "write:blocks", 0),
        (&Method::POST, ["v1", "accounts", _, "mute"]) => ("write", "write:mutes", 0),
        (&Method::GET, ["v1", "admin", "tags"]) => ("admin:read", "admin:read", MANAGE_TAXONOMIES),
        (&Method::PUT, ["v1", "admin", "tags", _]) => ("admin:write", "admin:write", MANAGE_TAXONOMIES),
        (&Method::POST, ["v1", "admin", "accounts", _, _]) => ("admin:write", "admin:write:accounts", MANAGE_USERS),
        (&Method::POST, ["v1", "admin", "reports", _, _]) => ("admin:write", "admin:write:reports", MANAGE_REPORTS),
        _ => return None,
    };
    let scopes = [top, scope];
    let known = match path[1] {
        "admin" => auth::admin(state, call, &scopes, permission),
        _ => auth::user(state, call, &scopes),
    };
    Some(known.and_then(|_| Err(Reply::error(404, "Record not found"))))
}
