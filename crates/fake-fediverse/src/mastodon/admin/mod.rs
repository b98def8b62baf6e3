//! Moderation: who is here, who is reported and what is blocked. One file per section of the admin API.

mod accounts;
mod blocks;
mod domain_blocks;
mod measures;
mod reports;

use serde_json::json;

pub(crate) use accounts::announce_approval;
pub(crate) use reports::admin_report;

use super::{Routed, auth, paging};
use crate::request::{Call, Reply};
use crate::state::State;
use crate::users::{MANAGE_BLOCKS, MANAGE_FEDERATION, MANAGE_REPORTS, MANAGE_USERS, VIEW_DASHBOARD};
use crate::world::AccountIx;

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let (section, rest) = path.split_first()?;
    let permissions = match *section {
        "accounts" => MANAGE_USERS,
        "reports" => MANAGE_REPORTS,
        "domain_blocks" | "domain_allows" => MANAGE_FEDERATION,
        "email_domain_blocks" | "ip_blocks" | "canonical_email_blocks" => MANAGE_BLOCKS,
        "measures" | "dimensions" | "retention" => VIEW_DASHBOARD,
        _ => return None,
    };
    let whole = permissions == VIEW_DASHBOARD;
    let kind = if call.method == http::Method::GET || whole {
        "read"
    } else {
        "write"
    };
    let (parent, own) = (format!("admin:{kind}"), format!("admin:{kind}:{section}"));
    let scopes = [parent.as_str(), own.as_str()];
    let user = match auth::admin(state, call, &scopes[..if whole { 1 } else { 2 }], permissions) {
        Ok(user) => user,
        Err(refusal) => return Some(Err(refusal)),
    };
    match *section {
        "accounts" => accounts::answer(state, call, user, rest),
        "reports" => reports::answer(state, call, user, rest),
        "domain_blocks" => domain_blocks::answer(state, call, user, rest),
        "measures" => measures::answer(state, call, rest),
        // Charts for people; nothing here reads them.
        "dimensions" | "retention" => Some(Ok(Reply::json(&json!([])))),
        _ => blocks::answer(state, call, section, rest),
    }
}

fn missing() -> Reply {
    Reply::error(404, "Record not found")
}

fn not_allowed() -> Reply {
    Reply::error(403, "This action is not allowed")
}

fn invalid(what: &str) -> Reply {
    Reply::error(422, &format!("Validation failed: {what}"))
}

/// Whether somebody's role stands above somebody else's. Nobody stands above those they are equal to.
fn overrides(world: &crate::world::World, by: AccountIx, target: AccountIx) -> bool {
    let position = |ix: &AccountIx| world.users.get(ix).map(|user| user.role.position);
    position(&target).is_none_or(|target| position(&by).is_some_and(|by| by > target))
}
