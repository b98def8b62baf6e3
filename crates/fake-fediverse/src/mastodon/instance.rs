//! What home says about itself.

use serde_json::{Value, json};

use super::Routed;
use crate::moderation::{DomainBlock, digest};
use crate::render;
use crate::request::{Call, Reply};
use crate::scenario::{Builtin, Software};
use crate::state::State;
use crate::world::{HOME, World};

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    if call.method != http::Method::GET {
        return None;
    }
    let world = state.world();
    Some(Ok(match path {
        ["health"] => Reply::typed("text/plain; charset=utf-8", "OK".to_owned()),
        ["api", "v2", "instance"] => Reply::json(&v2(state, &world)),
        ["api", "v1", "instance"] => Reply::json(&v1(state, &world)).header("deprecation", "@1668384000".to_owned()),
        ["api", "v1", "instance", "peers"] => {
            // Not those it has blocked.
            let others = world.moderation.follows.keys().filter(|host| !world.suspends(host));
            let simulated = world
                .servers
                .iter()
                .enumerate()
                .skip(1)
                .filter(|(ix, _)| !world.is_suspended(*ix));
            let peers: Value = simulated
                .map(|(_, s)| &s.host)
                .chain(others)
                .map(|host| json!(host))
                .collect();
            Reply::json(&peers)
        }
        ["api", "v1", "instance", "domain_blocks"] if !state.knobs().publishes_blocks => Reply::empty(404),
        ["api", "v1", "instance", "domain_blocks"] => {
            let strictness = |severity: &str| ["noop", "silence", "suspend"].iter().position(|s| *s == severity);
            let mut blocks: Vec<_> = world
                .domain_blocks
                .iter()
                .filter(|block| block.severity != "noop")
                .collect();
            blocks.sort_by_key(|block| (strictness(&block.severity), &block.domain));
            let public = |block: &&DomainBlock| {
                json!({ "domain": block.public_domain(), "digest": digest(&block.domain),
                        "severity": block.severity, "comment": block.public_comment })
            };
            let blocks: Value = blocks.iter().map(public).collect();
            Reply::json(&blocks)
        }
        ["api", "v1", "instance", "rules"] => Reply::json(&rules()),
        ["api", "v1", "instance", "activity"] => {
            let week = |n: i64| {
                json!({ "week": (crate::clock::now().timestamp() - n * 604_800).to_string(),
                        "statuses": (40 + n).to_string(), "logins": "6", "registrations": "0" })
            };
            Reply::json(&(0..12).map(week).collect())
        }
        ["api", "v1", "instance", "extended_description" | "privacy_policy"] => {
            Reply::json(&json!({ "updated_at": "2026-01-01T00:00:00Z", "content": "" }))
        }
        ["api", "v1", "custom_emojis" | "announcements"] => Reply::json(&json!([])),
        _ => return None,
    }))
}

/// The version a server with these API versions calls itself.
pub(crate) fn version(state: &State) -> &'static str {
    if state.software(HOME) == Software::GoToSocial {
        return "0.20.0+git-57cb4fe";
    }
    match api_version(state) {
        0 | 1 => "4.2.23",
        2..=5 => "4.3.14",
        6 => "4.4.8",
        7..=9 => "4.5.9",
        10 => "4.6.0",
        _ => "4.6.5",
    }
}

/// A home that fetches replies itself is a 4.5 at least.
pub(crate) fn api_version(state: &State) -> u32 {
    match state.scenario.builtin {
        Builtin::Off => state.scenario.api_version,
        _ => state.scenario.api_version.max(7),
    }
}

pub(crate) fn rules() -> Value {
    json!([{ "id": "1", "text": "Be kind", "hint": "", "translations": {} },
           { "id": "2", "text": "No advertising", "hint": "Links to shops count.", "translations": {} }])
}

fn v2(state: &State, world: &World) -> Value {
    let home = &world.servers[HOME];
    let base = &home.base;
    let mut out = json!({
        "domain": home.host,
        "title": "Home of the fake fediverse",
        "version": version(state),
        "source_url": "https://github.com/mastodon/mastodon",
        "description": "A home server that is simulated",
        "usage": { "users": { "active_month": world.local_users.len() } },
        "thumbnail": { "url": format!("{base}/packs/preview.png"), "blurhash": null, "versions": {} },
        "icon": [{ "src": format!("{base}/packs/icon-36.png"), "size": "36x36" }],
        "languages": ["en"],
        "configuration": {
            "urls": { "streaming": base.replacen("http", "ws", 1), "status": null, "about": format!("{base}/about"),
                      "privacy_policy": format!("{base}/privacy-policy"), "terms_of_service": null },
            "vapid": { "public_key": "BLYrhdZ5vJUkQBb2dGqQ0p8eWc2nDgVZVQ4jQY6Rk1TnC0Yq9pQJmQb7v0uE2jTgXWm3yKkB9xk0cF0lqvQmJtM=" },
            "accounts": { "max_display_name_length": 30, "max_note_length": 500, "max_featured_tags": 10,
                          "max_pinned_statuses": 5, "max_profile_fields": 4, "profile_field_name_limit": 255,
                          "profile_field_value_limit": 255 },
            "statuses": { "max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23 },
            "media_attachments": { "description_limit": 1500, "image_matrix_limit": 33_177_600,
                                   "image_size_limit": 16_777_216,
                                   "supported_mime_types": ["image/jpeg", "image/png"], "video_frame_rate_limit": 120,
                                   "video_matrix_limit": 8_294_400, "video_size_limit": 103_809_024 },
            "polls": { "max_options": 4, "max_characters_per_option": 50, "min_expiration": 300,
                       "max_expiration": 2_629_746 },
            "translation": { "enabled": false },
            "timelines_access": {
                "live_feeds": { "local": "public", "remote": "public" },
                "hashtag_feeds": { "local": "public", "remote": "public" },
                "trending_link_feeds": { "local": "public", "remote": "public" } },
            "limited_federation": false,
        },
        "registrations": { "enabled": true, "approval_required": true, "reason_required": true, "message": null,
                           "min_age": null, "url": null },
        "contact": { "email": "admin@example.invalid", "account": render::account(world, HOME, world.contact()) },
        "rules": rules(),
    });
    let version = api_version(state);
    if version >= 2 && state.software(HOME) == Software::Mastodon {
        out["api_versions"] = json!({ "mastodon": version });
    }
    out
}

fn v1(state: &State, world: &World) -> Value {
    let home = &world.servers[HOME];
    json!({
        "uri": home.host, "title": "Home of the fake fediverse", "short_description": "A home server that is simulated",
        "description": "", "email": "admin@example.invalid", "version": version(state),
        "urls": { "streaming_api": home.base.replacen("http", "ws", 1) },
        "stats": { "user_count": world.local_users.len(), "status_count": home.copies.len(),
                   "domain_count": world.servers.len() - 1 },
        "thumbnail": format!("{}/packs/preview.png", home.base),
        "languages": ["en"], "registrations": true, "approval_required": true, "invites_enabled": false,
        "configuration": { "accounts": { "max_featured_tags": 10 },
            "statuses": { "max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23 },
            "media_attachments": { "supported_mime_types": ["image/jpeg"], "image_size_limit": 16_777_216,
                "image_matrix_limit": 33_177_600, "video_size_limit": 103_809_024, "video_frame_rate_limit": 120,
                "video_matrix_limit": 8_294_400 },
            "polls": { "max_options": 4, "max_characters_per_option": 50, "min_expiration": 300,
                "max_expiration": 2_629_746 } },
        "contact_account": render::account(world, HOME, world.contact()), "rules": rules(),
    })
}
