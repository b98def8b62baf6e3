//! Accounts as moderators see them, and what they do about them.

use serde_json::{Value, json};

use super::paging::{self, ADMIN};
use super::{Routed, invalid, missing, not_allowed, overrides};
use crate::clock::now;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::users::DELETE_USER_DATA;
use crate::webhooks::Event;
use crate::world::{AccountIx, HOME, World};

pub(super) fn answer(state: &State, call: &Call, by: AccountIx, path: &[&str]) -> Routed {
    let mut world = state.world();
    let find = |world: &World, id: &str| world.servers[HOME].account_ids.get(id).copied().ok_or_else(missing);
    Some(match (call.method.as_str(), path) {
        ("GET", []) => {
            let v2 = call.path.starts_with("/api/v2");
            let wanted = match v2 {
                true => by_filters(&world, call),
                false => by_flags(&world, call),
            };
            wanted.map(|wanted| {
                let key = |ix: &AccountIx| paging::number(&world.servers[HOME].accounts[*ix]);
                let rows = wanted.into_iter().map(|ix| (key(&ix), ix)).collect();
                let (found, link) = paging::page(&world, call, ADMIN, &rows, paging::number);
                let found: Value = found.iter().map(|(_, ix)| render::admin_account(&world, *ix)).collect();
                paging::linked(Reply::json(&found), link)
            })
        }
        ("GET", [id]) => find(&world, id).map(|ix| Reply::json(&render::admin_account(&world, ix))),
        ("DELETE", [id]) => find(&world, id).and_then(|ix| {
            let may = world.users.get(&by).is_some_and(|user| user.role.may(DELETE_USER_DATA));
            if !world.accounts[ix].suspended || !may {
                return Err(not_allowed());
            }
            world.remove_account(ix);
            Ok(Reply::json(&json!({})))
        }),
        ("POST", [id, what]) => find(&world, id).and_then(|ix| change(state, &mut world, call, by, ix, what)),
        _ => return None,
    })
}

fn change(
    state: &State,
    world: &mut World,
    call: &Call,
    by: AccountIx,
    ix: AccountIx,
    what: &str,
) -> Result<Reply, Reply> {
    if matches!(what, "approve" | "reject" | "enable") && !world.users.contains_key(&ix) {
        return Err(Reply::error(403, "Forbidden"));
    }
    let pending = world.users.get(&ix).is_some_and(|user| !user.approved);
    match what {
        "approve" if pending => {
            if let Some(user) = world.users.get_mut(&ix) {
                user.approved = true;
            }
            announce_approval(state, world, ix);
        }
        "reject" if pending => {
            world.remove_account(ix);
            return Ok(Reply::json(&json!({})));
        }
        "approve" | "reject" => return Err(not_allowed()),
        "enable" => {
            if let Some(user) = world.users.get_mut(&ix) {
                user.disabled = false;
            }
        }
        "unsilence" => world.accounts[ix].silenced = false,
        "unsensitive" => world.accounts[ix].sensitized = false,
        "unsuspend" if world.accounts[ix].suspended => world.accounts[ix].suspended = false,
        "unsuspend" => return Err(not_allowed()),
        "action" => return act(state, world, call, by, ix),
        _ => return Err(Reply::error(404, "The page you are looking for could not be found")),
    }
    if what.starts_with("un") {
        state.happened(Event::AccountUpdated, render::admin_account(world, ix));
    }
    Ok(Reply::json(&render::admin_account(world, ix)))
}

/// Told when somebody is both confirmed and approved, whichever came last.
pub(crate) fn announce_approval(state: &State, world: &World, ix: AccountIx) {
    if world.users.get(&ix).is_some_and(|user| user.confirmed && user.approved) {
        state.happened(Event::AccountApproved, render::admin_account(world, ix));
    }
}

/// Any action but a warning settles every open report against the account; a warning only the one it names.
fn act(state: &State, world: &mut World, call: &Call, by: AccountIx, ix: AccountIx) -> Result<Reply, Reply> {
    let kind = call.param("type").unwrap_or_default();
    if !matches!(kind, "none" | "disable" | "sensitive" | "silence" | "suspend") {
        return Err(invalid("Type is not included in the list"));
    }
    if !overrides(world, by, ix) {
        return Err(not_allowed());
    }
    let named = call.param("report_id").map(paging::number);
    if named.is_some_and(|id| !world.moderation.reports.contains_key(&id)) {
        return Err(missing());
    }
    match kind {
        "disable" => {
            if let Some(user) = world.users.get_mut(&ix) {
                user.disabled = true;
            }
        }
        "sensitive" => world.accounts[ix].sensitized = true,
        "silence" => world.accounts[ix].silenced = true,
        "suspend" => world.accounts[ix].suspended = true,
        _ => {}
    }
    let mut settled = Vec::new();
    for (id, report) in &mut world.moderation.reports {
        let meant = if kind == "none" {
            named == Some(*id)
        } else {
            report.target == ix
        };
        if meant && report.action_taken_at.is_none() {
            report.action_taken_at = Some(now());
            report.action_taken_by = Some(by);
            report.updated_at = now();
            settled.push(*id);
        }
    }
    for id in settled {
        state.happened(Event::ReportUpdated, super::admin_report(world, id));
    }
    if !matches!(kind, "none" | "disable") && world.users.contains_key(&ix) {
        state.happened(Event::AccountUpdated, render::admin_account(world, ix));
    }
    Ok(Reply::json(&json!({})))
}

/// v1: the mere presence of a parameter counts. Local and active when nothing is asked.
fn by_flags(world: &World, call: &Call) -> Result<Vec<AccountIx>, Reply> {
    let has = |name: &str| call.param(name).is_some_and(|value| !value.is_empty());
    let status = ["active", "pending", "disabled", "silenced", "suspended"];
    let status = status.into_iter().rfind(|name| has(name)).unwrap_or("active");
    Ok(people(world, call)
        .filter(|ix| (world.accounts[*ix].server != HOME) == (has("remote") && !has("local")))
        .filter(|ix| stands(world, *ix, status))
        .filter(|ix| !has("staff") || staff(world, *ix))
        .collect())
}

/// v2: values count, and nothing is assumed.
fn by_filters(world: &World, call: &Call) -> Result<Vec<AccountIx>, Reply> {
    let unknown = |what: &str, value: &str| Reply::error(400, &format!("Unknown {what}: {value}"));
    let given = |name: &str| call.param(name).filter(|value| !value.is_empty());
    let origin = match given("origin") {
        None => None,
        Some("local") => Some(true),
        Some("remote") => Some(false),
        Some(other) => return Err(unknown("origin", other)),
    };
    let known = ["active", "pending", "disabled", "silenced", "suspended", "sensitized"];
    let status = given("status");
    if let Some(other) = status.filter(|status| !known.contains(status)) {
        return Err(unknown("status", other));
    }
    let roles = call.list("role_ids");
    let role = |ix: AccountIx| world.users.get(&ix).map(|user| user.role.id.to_string());
    Ok(people(world, call)
        .filter(|ix| origin.is_none_or(|local| (world.accounts[*ix].server == HOME) == local))
        .filter(|ix| status.is_none_or(|status| stands(world, *ix, status)))
        .filter(|ix| given("permissions") != Some("staff") || staff(world, *ix))
        .filter(|ix| roles.is_empty() || role(*ix).is_some_and(|id| roles.contains(&id.as_str())))
        .collect())
}

/// `active` means no more than "not suspended".
fn stands(world: &World, ix: AccountIx, status: &str) -> bool {
    let (who, user) = (&world.accounts[ix], world.users.get(&ix));
    let suspended = world.account_suspended(ix);
    match status {
        "active" => !suspended,
        "pending" => user.is_some_and(|user| !user.approved),
        "disabled" => user.is_some_and(|user| user.disabled) && !suspended,
        "silenced" => who.silenced,
        "sensitized" => who.sensitized,
        _ => suspended,
    }
}

/// Whose role shows that they run the place.
fn staff(world: &World, ix: AccountIx) -> bool {
    world.users.get(&ix).is_some_and(|user| user.role.id != -99)
}

/// Names by their beginning, addresses too; domains as a whole.
fn people<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = AccountIx> + 'a {
    let given = |name: &'static str| call.param(name).filter(|value| !value.is_empty());
    let starts = |text: &str, start: &str| text.to_lowercase().starts_with(&start.to_lowercase());
    world.people().filter(move |ix| {
        let (who, user) = (&world.accounts[*ix], world.users.get(ix));
        given("username").is_none_or(|start| starts(&who.username, start))
            && given("display_name").is_none_or(|start| starts(&who.display_name, start))
            && given("by_domain").is_none_or(|domain| world.servers[who.server].host == domain)
            && given("email").is_none_or(|start| user.is_some_and(|user| starts(&user.email, start)))
            && given("ip").is_none_or(|ip| user.is_some_and(|user| user.ips.iter().any(|(used, _)| used == ip)))
    })
}
