//! Blocks of domains.

use serde_json::{Value, json};

use super::paging::{self, ADMIN, DOMAIN_BLOCKS};
use super::{Routed, invalid, missing};
use crate::clock::{iso, now};
use crate::moderation::{DomainBlock, digest, normalised};
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, World, covers};

pub(super) fn answer(state: &State, call: &Call, by: AccountIx, path: &[&str]) -> Routed {
    let world = &mut state.world();
    let old = state.scenario.api_version < 2;
    Some(match (call.method.as_str(), path) {
        ("GET", []) => {
            let blocks = world.domain_blocks.iter().enumerate();
            let rows = blocks.map(|(n, block)| (block.id, n)).collect();
            let rules = if old { ADMIN } else { DOMAIN_BLOCKS };
            let (found, link) = paging::page(world, call, rules, &rows, paging::number);
            let found: Value = found.iter().map(|(_, n)| block(&world.domain_blocks[*n])).collect();
            Ok(paging::linked(Reply::json(&found), link))
        }
        ("POST", []) => create(world, call, by, old),
        (method @ ("GET" | "PUT" | "PATCH" | "DELETE"), [id]) => {
            let at = world
                .domain_blocks
                .iter()
                .position(|block| block.id.to_string() == **id);
            at.ok_or_else(missing).and_then(|at| match method {
                "GET" => Ok(Reply::json(&block(&world.domain_blocks[at]))),
                "DELETE" => {
                    world.domain_blocks.remove(at);
                    Ok(Reply::json(&json!({})))
                }
                _ => {
                    let mut changed = world.domain_blocks[at].clone();
                    change(&mut changed, call)?;
                    world.domain_blocks[at] = changed;
                    sever(world, at);
                    Ok(Reply::json(&block(&world.domain_blocks[at])))
                }
            })
        }
        _ => return None,
    })
}

fn create(world: &mut World, call: &Call, by: AccountIx, old: bool) -> Result<Reply, Reply> {
    let given = call.param("domain").unwrap_or_default();
    if given.trim().is_empty() {
        return Err(invalid("Domain can't be blank"));
    }
    let domain = normalised(given).ok_or_else(|| invalid("Domain is not a valid domain name"))?;
    let mut new = DomainBlock::new(0, domain.clone(), "silence", now());
    new.created_by = Some(by);
    change(&mut new, call)?;
    // The rule that holds for the domain now: the most specific one.
    let rule = world
        .domain_blocks
        .iter()
        .filter(|block| covers(&block.domain, &domain))
        .max_by_key(|block| block.domain.len());
    if let Some(rule) = rule.filter(|rule| old || rule.domain == domain || !new.stricter_than(rule)) {
        let body = json!({
            "error": format!("You have already imposed stricter limits on {domain}."),
            "existing_domain_block": block(rule),
        });
        return Err(Reply::json(&body).status(422));
    }
    new.id = world.row();
    let body = block(&new);
    world.domain_blocks.push(new);
    sever(world, world.domain_blocks.len() - 1);
    Ok(Reply::json(&body))
}

/// Suspending a domain ends all follows in both directions, for good.
fn sever(world: &mut World, at: usize) {
    let DomainBlock { domain, severity, .. } = world.domain_blocks[at].clone();
    if severity != "suspend" {
        return;
    }
    let gone: Vec<_> = world
        .followed
        .iter()
        .copied()
        .filter(|ix| covers(&domain, &world.servers[world.accounts[*ix].server].host))
        .collect();
    world.followed.retain(|ix| !gone.contains(ix));
    world.moderation.follows.retain(|other, _| !covers(&domain, other));
}

/// Only what was sent.
fn change(block: &mut DomainBlock, call: &Call) -> Result<(), Reply> {
    if let Some(severity) = call.param("severity") {
        if !matches!(severity, "silence" | "suspend" | "noop") {
            return Err(invalid("Severity is not included in the list"));
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
