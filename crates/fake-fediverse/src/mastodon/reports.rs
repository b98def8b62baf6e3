//! Filing a report.

use serde_json::{Value, json};

use super::{Routed, admin, auth, instance};
use crate::clock::{iso, now};
use crate::moderation::Report;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::webhooks::Event;
use crate::world::{AccountIx, HOME, World};

pub(super) fn answer(state: &State, call: &Call) -> Routed {
    if call.method != http::Method::POST {
        return None;
    }
    Some(Ok(file(state, call)))
}

/// The report as it was filed, or why not.
pub(crate) fn file(state: &State, call: &Call) -> Reply {
    let filed = auth::user(state, call, &["write", "write:reports"]).and_then(|by| {
        let mut world = state.world();
        let report = read(&world, call, by)?;
        let id = world.row();
        world.moderation.reports.insert(id, report);
        state.happened(Event::ReportCreated, admin::admin_report(&world, id));
        Ok(Reply::json(&shown(&world, id)))
    });
    filed.unwrap_or_else(|refusal| refusal)
}

/// One wrong status and nothing is filed.
fn read(world: &World, call: &Call, by: AccountIx) -> Result<Report, Reply> {
    let missing = || Reply::error(404, "Record not found");
    let invalid = |what: &str| Reply::error(422, &format!("Validation failed: {what}"));
    let home = &world.servers[HOME];
    let target = call
        .param("account_id")
        .and_then(|id| home.account_ids.get(id))
        .copied();
    let target = target.filter(|ix| !world.account_suspended(*ix)).ok_or_else(missing)?;
    let mut statuses = Vec::new();
    for id in call.list("status_ids") {
        let ix = home.ids.get(id).copied();
        let own = |ix: &usize| world.statuses[*ix].author == target && world.visible(HOME, *ix, Some(by));
        statuses.push(ix.filter(own).ok_or_else(missing)?);
    }
    let comment = call.param("comment").unwrap_or_default();
    if comment.chars().count() > 1000 {
        return Err(invalid("Comment is too long (maximum is 1000 characters)"));
    }
    let rules: Vec<String> = call.list("rule_ids").into_iter().map(str::to_owned).collect();
    let category = match call.param("category").unwrap_or("other") {
        _ if !rules.is_empty() => "violation",
        known @ ("spam" | "legal" | "violation" | "other") => known,
        // No validation stands before the database here.
        _ => return Err(Reply::html("<h1>We're sorry, but something went wrong on our end.</h1>").status(500)),
    };
    let known = |id: &String| {
        let rules = instance::rules();
        rules
            .as_array()
            .is_some_and(|rules| rules.iter().any(|rule| rule["id"] == **id))
    };
    if category == "violation" && (rules.is_empty() || !rules.iter().all(known)) {
        return Err(invalid("Rule ids does not reference valid rules"));
    }
    Ok(Report {
        by,
        target,
        statuses,
        rules,
        category: category.to_owned(),
        comment: comment.to_owned(),
        forwarded: call.flag("forward") && world.accounts[target].server != HOME,
        created_at: now(),
        updated_at: now(),
        action_taken_at: None,
        action_taken_by: None,
        assigned: None,
    })
}

/// A Report, as who filed it sees it.
fn shown(world: &World, id: u64) -> Value {
    let report = &world.moderation.reports[&id];
    let ids: Vec<_> = report.statuses.iter().filter_map(|ix| world.id(HOME, *ix)).collect();
    json!({
        "id": id.to_string(), "action_taken": false, "action_taken_at": null, "category": report.category,
        "comment": report.comment, "forwarded": report.forwarded, "created_at": iso(report.created_at),
        "status_ids": (!ids.is_empty()).then_some(ids),
        "rule_ids": (!report.rules.is_empty()).then_some(&report.rules),
        "collection_ids": [], "target_account": render::account(world, HOME, report.target),
    })
}
