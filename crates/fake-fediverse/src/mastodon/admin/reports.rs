//! Reports as moderators see them.

use serde_json::{Value, json};

use super::paging::{self, ADMIN};
use super::{Routed, invalid, missing};
use crate::clock::{iso, now};
use crate::mastodon::instance;
use crate::moderation::Report;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::webhooks::Event;
use crate::world::{AccountIx, HOME, World};

pub(super) fn answer(state: &State, call: &Call, by: AccountIx, path: &[&str]) -> Routed {
    let mut world = state.world();
    let id = path.first().map(|id| paging::number(id));
    if id.is_some_and(|id| !world.moderation.reports.contains_key(&id)) {
        return Some(Err(missing()));
    }
    let new = instance::api_version(state) >= 10;
    Some(match (call.method.as_str(), id, path.get(1)) {
        ("GET", None, None) => {
            let of = |name: &str, ix: AccountIx| {
                let wanted = call.param(name).filter(|id| !id.is_empty());
                wanted.is_none_or(|id| world.servers[HOME].accounts[ix] == id)
            };
            let open = |report: &Report| report.action_taken_at.is_none();
            let reports = world.moderation.reports.iter();
            let rows = reports
                .filter(|(_, report)| of("account_id", report.by) && of("target_account_id", report.target))
                .filter(|(_, report)| wanted(call, new, open(report)))
                .map(|(id, _)| (*id, ()))
                .collect();
            let (found, link) = paging::page(&world, call, ADMIN, &rows, paging::number);
            let found: Value = found.iter().map(|(id, ())| admin_report(&world, *id)).collect();
            Ok(paging::linked(Reply::json(&found), link))
        }
        ("GET", Some(id), None) => Ok(Reply::json(&admin_report(&world, id))),
        ("PUT" | "PATCH", Some(id), None) => edit(&mut world, call, id),
        ("POST", Some(id), Some(what)) => {
            let report = world.moderation.reports.get_mut(&id)?;
            match *what {
                "assign_to_self" => report.assigned = Some(by),
                "unassign" => report.assigned = None,
                "resolve" => {
                    report.action_taken_at.get_or_insert_with(now);
                    report.action_taken_by = Some(by);
                }
                "reopen" => {
                    report.action_taken_at = None;
                    report.action_taken_by = None;
                }
                _ => return None,
            }
            report.updated_at = now();
            let body = admin_report(&world, id);
            state.happened(Event::ReportUpdated, body.clone());
            Ok(Reply::json(&body))
        }
        _ => return None,
    })
}

/// Until 4.5 the mere presence of `resolved` counts; from 4.6 on its value, and `unresolved` beside it.
fn wanted(call: &Call, new: bool, open: bool) -> bool {
    if !new {
        let closed = call.param("resolved").is_some_and(|value| !value.is_empty());
        return open != closed;
    }
    match (call.flag("resolved"), call.flag("unresolved")) {
        (true, true) => true,
        (true, false) => !open,
        _ => open,
    }
}

fn edit(world: &mut World, call: &Call, id: u64) -> Result<Reply, Reply> {
    let Some(report) = world.moderation.reports.get_mut(&id) else {
        return Err(missing());
    };
    let category = call.param("category").unwrap_or(&report.category).to_owned();
    if !matches!(category.as_str(), "spam" | "legal" | "violation" | "other") {
        return Err(invalid("Category is not included in the list"));
    }
    let rules: Vec<String> = match call.list("rule_ids") {
        ids if ids.is_empty() => report.rules.clone(),
        ids => ids.into_iter().map(str::to_owned).collect(),
    };
    if !rules.is_empty() && category != "violation" {
        return Err(invalid("Rule ids does not reference valid rules"));
    }
    report.category = category;
    report.rules = rules;
    report.updated_at = now();
    Ok(Reply::json(&admin_report(world, id)))
}

/// An Admin::Report; null when there is none.
pub(crate) fn admin_report(world: &World, id: u64) -> Value {
    let Some(report) = world.moderation.reports.get(&id) else {
        return Value::Null;
    };
    let who = |ix: Option<AccountIx>| ix.map(|ix| render::admin_account(world, ix));
    let rules: Value = instance::rules()
        .as_array()
        .into_iter()
        .flatten()
        .filter(|rule| report.rules.iter().any(|id| rule["id"] == **id))
        .cloned()
        .collect();
    json!({
        "id": id.to_string(),
        "action_taken": report.action_taken_at.is_some(),
        "action_taken_at": report.action_taken_at.map(iso),
        "category": report.category,
        "comment": report.comment,
        "forwarded": report.forwarded,
        "created_at": iso(report.created_at),
        "updated_at": iso(report.updated_at),
        "account": who(Some(report.by)),
        "target_account": who(Some(report.target)),
        "assigned_account": who(report.assigned),
        "action_taken_by_account": who(report.action_taken_by),
        "statuses": render::statuses(world, HOME, &report.statuses, None),
        "rules": rules,
        "collections": [],
    })
}
