//! Reports: of one category, and assigned to nobody.

use serde_json::{Value, json};

use super::{admin_account, missing};
use crate::clock::now;
use crate::mastodon;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, HOME, World};

/// `POST /api/v1/reports`: whatever category was given is lost.
pub(super) fn file(state: &State, call: &Call) -> Reply {
    let reply = mastodon::file_report(state, call);
    let Ok(mut body) = serde_json::from_str::<Value>(&reply.body) else {
        return reply;
    };
    if reply.http_status != 200 {
        return reply;
    }
    let id = body["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0);
    if let Some(report) = state.world().moderation.reports.get_mut(&id) {
        "other".clone_into(&mut report.category);
    }
    body["category"] = json!("other");
    Reply::json(&body)
}

pub(super) fn answer(state: &State, call: &Call, by: AccountIx, path: &[&str]) -> Reply {
    let mut world = state.world();
    let id = path.first().and_then(|id| id.parse::<u64>().ok());
    match (call.method.as_str(), path) {
        ("GET", []) => {
            // Unset means all.
            let resolved = call.param("resolved").map(|_| call.flag("resolved"));
            let target = call.param("target_account_id");
            let reports = world.moderation.reports.iter().rev();
            let found: Value = reports
                .filter(|(_, report)| resolved.is_none_or(|wanted| report.action_taken_at.is_some() == wanted))
                .filter(|(_, report)| target.is_none_or(|id| world.servers[HOME].accounts[report.target] == id))
                .take(call.limit(20, 100))
                .map(|(id, _)| shown(&world, *id))
                .collect();
            Reply::json(&found)
        }
        ("GET", [_]) => match id.filter(|id| world.moderation.reports.contains_key(id)) {
            Some(id) => Reply::json(&shown(&world, id)),
            None => missing("report"),
        },
        ("POST", [_, "resolve"]) => {
            let Some((id, report)) = id.and_then(|id| Some((id, world.moderation.reports.get_mut(&id)?))) else {
                return missing("report");
            };
            report.action_taken_at = Some(now());
            report.action_taken_by = Some(by);
            Reply::json(&shown(&world, id))
        }
        ("PUT", [_]) => Reply::typed("text/plain", "405 method not allowed".to_owned()).status(405),
        _ => missing("page"),
    }
}

fn shown(world: &World, id: u64) -> Value {
    let mut out = mastodon::admin_report(world, id);
    if let Some(report) = world.moderation.reports.get(&id) {
        out["account"] = admin_account(world, report.by);
        out["target_account"] = admin_account(world, report.target);
        out["action_taken_by_account"] = json!(report.action_taken_by.map(|ix| admin_account(world, ix)));
    }
    out["category"] = json!("other");
    out["assigned_account"] = Value::Null;
    out["action_taken_comment"] = Value::Null;
    out
}
