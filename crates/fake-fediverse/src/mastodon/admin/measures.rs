//! What a domain means to the people here, in numbers.

use serde_json::{Value, json};

use super::Routed;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{HOME, World, covers};

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    if call.method != http::Method::POST || !path.is_empty() {
        return None;
    }
    for name in ["start_at", "end_at"] {
        if call.param(name).is_none_or(str::is_empty) {
            let text = format!("param is missing or the value is empty or invalid: {name}");
            return Some(Err(Reply::error(400, &text)));
        }
    }
    let world = state.world();
    let all: Result<Vec<Value>, Reply> = call
        .list("keys")
        .into_iter()
        .filter_map(|key| measure(&world, call, key).transpose())
        .collect();
    Some(all.map(|all| Reply::json(&Value::Array(all))))
}

/// Unknown keys are skipped; a known one without its domain is an error.
fn measure(world: &World, call: &Call, key: &str) -> Result<Option<Value>, Reply> {
    if !key.starts_with("instance_") {
        return Ok(None);
    }
    let domain = call.param(&format!("{key}[domain]")).ok_or_else(|| {
        Reply::error(
            400,
            &format!("param is missing or the value is empty or invalid: {key}"),
        )
    })?;
    let below = call.flag(&format!("{key}[include_subdomains]"));
    let meant = |host: &str| if below { covers(domain, host) } else { host == domain };
    let there = |ix: &usize| meant(&world.servers[world.accounts[*ix].server].host);
    let others = world.moderation.follows.iter().filter(|(host, _)| meant(host));
    let total = match key {
        "instance_follows" => {
            world.followed.iter().filter(|ix| there(ix)).count() as u64 + others.map(|(_, (out, _))| *out).sum::<u64>()
        }
        "instance_followers" => others.map(|(_, (_, back))| *back).sum(),
        "instance_accounts" => world.people().filter(there).count() as u64,
        "instance_statuses" => {
            let known = world.servers[HOME].copies.keys();
            known.filter(|ix| there(&world.statuses[**ix].author)).count() as u64
        }
        "instance_reports" => world
            .moderation
            .reports
            .values()
            .filter(|report| there(&report.target))
            .count() as u64,
        "instance_media_attachments" => 0,
        _ => return Ok(None),
    };
    Ok(Some(
        json!({ "key": key, "unit": null, "total": total.to_string(), "data": [] }),
    ))
}
