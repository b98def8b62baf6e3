//! The part of the Mastodon API that strangers may read, in each software's dialect.

use serde_json::{Value, json};

use crate::ids;
use crate::mastodon::accounts;
use crate::render;
use crate::request::{Call, Reply};
use crate::scenario::Software;
use crate::state::State;
use crate::world::{ServerIx, StatusIx, Visibility, World};

pub(super) fn answer(state: &State, call: &Call, software: Software, path: &[&str]) -> Reply {
    match (software, path) {
        (Software::Other, _) => return Reply::error(404, "Not Found"),
        (Software::GoToSocial, ["v1" | "v2", "instance"]) => {}
        (Software::GoToSocial, _) => return Reply::error(401, "Unauthorized: token not supplied"),
        _ => {}
    }
    if call.method != http::Method::GET {
        return Reply::error(401, "The access token is invalid");
    }
    let world = state.world();
    match path {
        ["v1", "statuses"] => batch(&world, call, software),
        ["v1", "statuses", id] => match find(&world, call.server, software, id) {
            Ok(ix) => Reply::json(&render::status(&world, call.server, ix, None)),
            Err(refusal) => refusal,
        },
        ["v1", "statuses", id, "context"] => match find(&world, call.server, software, id) {
            Ok(ix) => Reply::json(&context(&world, call.server, software, ix)),
            Err(refusal) => refusal,
        },
        ["v1", "accounts", "lookup"] => match call.param("acct").and_then(|a| world.find_account(call.server, a)) {
            Some(ix) => Reply::json(&render::account(&world, call.server, ix)),
            None => missing(software, "account"),
        },
        ["v1", "accounts", id, rest @ ..] => {
            let by_name = || {
                world
                    .find_account(call.server, id)
                    .filter(|_| software == Software::Akkoma)
            };
            let account = world.servers[call.server]
                .account_ids
                .get(*id)
                .copied()
                .or_else(by_name);
            match (account, rest) {
                (Some(ix), []) => Reply::json(&render::account(&world, call.server, ix)),
                (Some(ix), ["statuses"]) => accounts::statuses(&world, call, call.server, ix, None),
                _ => missing(software, "account"),
            }
        }
        ["v1" | "v2", "instance"] => Reply::json(&instance(&world, call.server, software, path[0] == "v2")),
        ["v1", "instance", "peers"] => {
            let others = world.servers.iter().enumerate().filter(|(ix, _)| *ix != call.server);
            Reply::json(&others.map(|(_, server)| json!(server.host)).collect())
        }
        ["v2", "search"] | ["v1", "timelines", "home"] => Reply::error(401, "The access token is invalid"),
        _ => missing(software, "page"),
    }
}

fn missing(software: Software, what: &str) -> Reply {
    match software {
        Software::Akkoma => Reply::error(404, "Record not found"),
        Software::Mitra if what == "page" => Reply::empty(404),
        Software::Mitra => {
            let text = format!("{what} not found");
            Reply::json(&json!({ "error": text, "error_description": text })).status(404)
        }
        _ => Reply::error(404, "Record not found"),
    }
}

fn find(world: &World, server: ServerIx, software: Software, id: &str) -> Result<StatusIx, Reply> {
    let looks_like_uuid = id.len() == 36 && id.bytes().filter(|b| *b == b'-').count() == 4;
    if software == Software::Mitra && !looks_like_uuid {
        let text = "Path deserialize error: UUID parsing failed: invalid length";
        return Err(Reply::json(&json!({ "error": text, "error_description": text })).status(400));
    }
    world.servers[server]
        .ids
        .get(id)
        .copied()
        .filter(|ix| world.visible(server, *ix, None) && world.statuses[*ix].visibility != Visibility::Direct)
        .ok_or_else(|| missing(software, "post"))
}

/// Mastodon 4.3+: up to 20 at once, in no order.
fn batch(world: &World, call: &Call, software: Software) -> Reply {
    if !matches!(software, Software::Mastodon | Software::MastodonOld | Software::Akkoma) {
        return missing(software, "page");
    }
    let ids = call.list("id");
    if ids.len() > 20 && software != Software::Akkoma {
        return Reply::error(422, "Mastodon::ValidationError");
    }
    let mut found: Vec<_> = ids
        .into_iter()
        .filter_map(|id| find(world, call.server, software, id).ok())
        .collect();
    found.sort_unstable_by_key(|ix| ids::mix(*ix as u64, 43));
    found.dedup();
    Reply::json(&render::statuses(world, call.server, &found, None))
}

fn context(world: &World, server: ServerIx, software: Software, ix: StatusIx) -> Value {
    let (above, below) = match software {
        Software::Akkoma => flat(world, server, ix),
        Software::Mitra => (
            world.ancestors(server, ix, None, usize::MAX),
            world.descendants(server, ix, None, usize::MAX, usize::MAX),
        ),
        _ => (
            world.ancestors(server, ix, None, 40),
            world.descendants(server, ix, None, 60, 20),
        ),
    };
    json!({
        "ancestors": render::statuses(world, server, &above, None),
        "descendants": render::statuses(world, server, &below, None),
    })
}

/// The whole conversation, split at this status: older ones and newer ones, whoever answers whom.
fn flat(world: &World, server: ServerIx, ix: StatusIx) -> (Vec<StatusIx>, Vec<StatusIx>) {
    let root = world.statuses[ix].root;
    let mut all = world.descendants(server, root, None, usize::MAX, usize::MAX);
    if world.visible(server, root, None) {
        all.push(root);
    }
    all.retain(|other| *other != ix);
    all.sort_unstable_by_key(|other| world.order(server, *other));
    let here = world.order(server, ix);
    all.into_iter().partition(|other| world.order(server, *other) < here)
}

fn instance(world: &World, server: ServerIx, software: Software, v2: bool) -> Value {
    let there = &world.servers[server];
    let (name, version) = super::web::name_and_version(software);
    let version = match software {
        Software::Akkoma => format!("2.7.2 (compatible; Akkoma {version})"),
        Software::Mitra => format!("4.0.0 (compatible; Mitra {version})"),
        _ => version.to_owned(),
    };
    if v2 {
        let mut out = json!({
            "domain": there.host, "title": name, "version": version, "description": "", "languages": ["en"],
            "source_url": "https://example.invalid", "usage": { "users": { "active_month": 12 } },
            "configuration": {}, "registrations": { "enabled": false }, "contact": { "email": "" }, "rules": [],
        });
        if let Some(api) = match software {
            Software::Mastodon => Some(7),
            Software::MastodonOld => Some(2),
            _ => None,
        } {
            out["api_versions"] = json!({ "mastodon": api });
        }
        return out;
    }
    json!({
        "uri": there.host, "title": name, "version": version, "short_description": "", "description": "", "email": "",
        "urls": {}, "stats": { "user_count": 12, "status_count": there.copies.len(), "domain_count": 20 },
        "languages": ["en"], "registrations": false, "rules": [],
    })
}
