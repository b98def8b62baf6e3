//! Moderation: accounts and domain blocks.

use serde_json::{Value, json};

use super::paging::{self, ADMIN, DOMAIN_BLOCKS};
use super::{Routed, auth};
use crate::clock::{iso, now};
use crate::ids;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::users::{MANAGE_FEDERATION, MANAGE_REPORTS, MANAGE_USERS};
use crate::world::{AccountIx, DomainBlock, HOME, World, covers};

pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let get = call.method == http::Method::GET;
    Some(match path {
        ["accounts"] if get => {
            auth::admin(state, call, &["admin:read", "admin:read:accounts"], MANAGE_USERS).and_then(|_| {
                let world = state.world();
                let v2 = call.path.starts_with("/api/v2");
                let wanted = if v2 {
                    by_filters(&world, call)?
                } else {
                    by_flags(&world, call)
                };
                let rows = wanted
                    .into_iter()
                    .map(|ix| (paging::number(&world.servers[HOME].accounts[ix]), ix))
                    .collect();
                let (found, link) = paging::page(&world, call, ADMIN, &rows, paging::number);
                let found: Value = found.iter().map(|(_, ix)| render::admin_account(&world, *ix)).collect();
                Ok(paging::linked(Reply::json(&found), link))
            })
        }
        ["accounts", id] if get => auth::admin(state, call, &["admin:read", "admin:read:accounts"], MANAGE_USERS)
            .and_then(|_| {
                let world = state.world();
                let ix = world.servers[HOME].account_ids.get(*id).copied();
                let ix = ix.ok_or_else(|| Reply::error(404, "Record not found"))?;
                Ok(Reply::json(&render::admin_account(&world, ix)))
            }),
        ["reports"] if get => auth::admin(state, call, &["admin:read", "admin:read:reports"], MANAGE_REPORTS)
            .map(|_| Reply::json(&json!([]))),
        ["domain_allows"] if get => auth::admin(
            state,
            call,
            &["admin:read", "admin:read:domain_allows"],
            MANAGE_FEDERATION,
        )
        .map(|_| Reply::json(&json!([]))),
        ["domain_blocks", rest @ ..] => {
            let scopes = if get {
                ["admin:read", "admin:read:domain_blocks"]
            } else {
                ["admin:write", "admin:write:domain_blocks"]
            };
            return match auth::admin(state, call, &scopes, MANAGE_FEDERATION) {
                Ok(_) => domain_blocks(&mut state.world(), call, rest),
                Err(refusal) => Some(Err(refusal)),
            };
        }
        _ => return None,
    })
}

/// v1: the mere presence of a parameter counts. Local and active when nothing is asked.
fn by_flags(world: &World, call: &Call) -> Vec<AccountIx> {
    let has = |name: &str| call.param(name).is_some();
    let remote = has("remote") && !has("local");
    let none = ["pending", "disabled", "silenced"].iter().any(|name| has(name));
    (0..world.accounts.len())
        .filter(|ix| (world.accounts[*ix].server != HOME) == remote && !none)
        .filter(|ix| has("suspended") == world.is_suspended(world.accounts[*ix].server))
        .filter(|ix| !has("staff") || staff(world, *ix))
        .filter(|ix| named(world, call, *ix))
        .collect()
}

/// v2: values count, and nothing is assumed.
fn by_filters(world: &World, call: &Call) -> Result<Vec<AccountIx>, Reply> {
    let unknown = |what: &str, value: &str| Reply::error(400, &format!("Unknown {what}: {value}"));
    let origin = match call.param("origin") {
        None | Some("") => None,
        Some("local") => Some(true),
        Some("remote") => Some(false),
        Some(other) => return Err(unknown("origin", other)),
    };
    let suspended = match call.param("status") {
        None | Some("") => None,
        Some("active") => Some(false),
        Some("suspended") => Some(true),
        Some("pending" | "disabled" | "silenced" | "sensitized") => return Ok(Vec::new()),
        Some(other) => return Err(unknown("status", other)),
    };
    Ok((0..world.accounts.len())
        .filter(|ix| origin.is_none_or(|local| (world.accounts[*ix].server == HOME) == local))
        .filter(|ix| suspended.is_none_or(|wanted| world.is_suspended(world.accounts[*ix].server) == wanted))
        .filter(|ix| call.param("permissions") != Some("staff") || staff(world, *ix))
        .filter(|ix| named(world, call, *ix))
        .collect())
}

/// Whose role shows that they run the place.
fn staff(world: &World, ix: AccountIx) -> bool {
    world.users.get(&ix).is_some_and(|user| user.role.id != -99)
}

fn named(world: &World, call: &Call, ix: AccountIx) -> bool {
    let who = &world.accounts[ix];
    call.param("username")
        .is_none_or(|start| who.username.starts_with(start))
        && call
            .param("by_domain")
            .is_none_or(|domain| world.servers[who.server].host == domain)
}

fn domain_blocks(world: &mut World, call: &Call, path: &[&str]) -> Routed {
    let missing = || Reply::error(404, "Record not found");
    Some(match (call.method.as_str(), path) {
        ("GET", []) => {
            let rows = world
                .domain_blocks
                .iter()
                .enumerate()
                .map(|(n, block)| (block.id, n))
                .collect();
            let (found, link) = paging::page(world, call, DOMAIN_BLOCKS, &rows, paging::number);
            let found: Value = found.iter().map(|(_, n)| block(&world.domain_blocks[*n])).collect();
            Ok(paging::linked(Reply::json(&found), link))
        }
        ("POST", []) => create(world, call),
        (method @ ("GET" | "PUT" | "DELETE"), [id]) => {
            let at = world
                .domain_blocks
                .iter()
                .position(|block| block.id.to_string() == **id);
            at.ok_or_else(missing).and_then(|at| match method {
                "GET" => Ok(Reply::json(&block(&world.domain_blocks[at]))),
                "PUT" => {
                    change(&mut world.domain_blocks[at], call)?;
                    Ok(Reply::json(&block(&world.domain_blocks[at])))
                }
                _ => {
                    world.domain_blocks.remove(at);
                    Ok(Reply::json(&json!({})))
                }
            })
        }
        _ => return None,
    })
}

fn strictness(severity: &str) -> u8 {
    match severity {
        "suspend" => 2,
        "silence" => 1,
        _ => 0,
    }
}

fn create(world: &mut World, call: &Call) -> Result<Reply, Reply> {
    let domain = call
        .param("domain")
        .map(|domain| domain.trim().trim_end_matches('/').to_lowercase())
        .filter(|domain| !domain.is_empty())
        .ok_or_else(|| Reply::error(422, "Validation failed: Domain can't be blank"))?;
    let mut new = DomainBlock {
        id: world.row(),
        domain: domain.clone(),
        severity: "silence".to_owned(),
        reject_media: false,
        reject_reports: false,
        private_comment: None,
        public_comment: None,
        obfuscate: false,
        created_at: now(),
    };
    change(&mut new, call)?;
    let existing = world.domain_blocks.iter().find(|block| {
        block.domain == domain
            || (covers(&block.domain, &domain) && strictness(&block.severity) >= strictness(&new.severity))
    });
    if let Some(existing) = existing {
        let body = json!({
            "error": format!("You have already imposed stricter limits on {domain}."),
            "existing_domain_block": block(existing),
        });
        return Err(Reply::json(&body).status(422));
    }
    let body = block(&new);
    world.domain_blocks.push(new);
    Ok(Reply::json(&body))
}

fn change(block: &mut DomainBlock, call: &Call) -> Result<(), Reply> {
    if let Some(severity) = call.param("severity") {
        if !matches!(severity, "silence" | "suspend" | "noop") {
            return Err(Reply::error(
                422,
                "Validation failed: Severity is not included in the list",
            ));
        }
        severity.clone_into(&mut block.severity);
    }
    for (name, field) in [
        ("reject_media", &mut block.reject_media),
        ("reject_reports", &mut block.reject_reports),
        ("obfuscate", &mut block.obfuscate),
    ] {
        if call.param(name).is_some() {
            *field = call.flag(name);
        }
    }
    for (name, field) in [
        ("private_comment", &mut block.private_comment),
        ("public_comment", &mut block.public_comment),
    ] {
        if let Some(text) = call.param(name) {
            *field = Some(text.to_owned());
        }
    }
    Ok(())
}

fn block(block: &DomainBlock) -> Value {
    json!({
        "id": block.id.to_string(), "domain": block.domain, "digest": digest(&block.domain),
        "created_at": iso(block.created_at), "severity": block.severity, "reject_media": block.reject_media,
        "reject_reports": block.reject_reports, "private_comment": block.private_comment,
        "public_comment": block.public_comment, "obfuscate": block.obfuscate,
    })
}

/// 64 hex characters that stand for a domain. Real servers take SHA-256.
pub(crate) fn digest(domain: &str) -> String {
    let seed = domain.bytes().fold(7, |sum, byte| ids::mix(sum, u64::from(byte)));
    (0..4).map(|n| format!("{:016x}", ids::mix(seed, n))).collect()
}
