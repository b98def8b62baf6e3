//! Blocks of domains: there is one kind, suspension, whatever is asked for.

use std::time::Instant;

use serde_json::{Value, json};

use super::{bad, missing};
use crate::clock::{iso, now};
use crate::moderation::DomainBlock;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{AccountIx, HOME, World};

pub(super) fn answer(state: &State, call: &Call, by: AccountIx, path: &[&str]) -> Reply {
    let world = &mut state.world();
    let at = |world: &World, id: &str| world.domain_blocks.iter().position(|block| block.id.to_string() == id);
    match (call.method.as_str(), path) {
        ("GET", []) => {
            let export = call.flag("export");
            let short = |block: &DomainBlock| json!({ "domain": block.domain, "public_comment": block.public_comment });
            let blocks = world.domain_blocks.iter();
            Reply::json(
                &blocks
                    .map(|block| if export { short(block) } else { shown(world, block) })
                    .collect(),
            )
        }
        ("POST", []) => create(state, world, call, by),
        ("GET", [id]) => match at(world, id) {
            Some(at) => Reply::json(&shown(world, &world.domain_blocks[at])),
            None => Reply::error(500, "Internal Server Error"),
        },
        ("PUT", [id]) => {
            let Some(at) = at(world, id) else {
                return missing("domain block");
            };
            let comments = ["private_comment", "public_comment", "obfuscate"];
            if comments.iter().all(|name| call.param(name).is_none()) {
                return bad("no updateable fields provided");
            }
            comment(&mut world.domain_blocks[at], call);
            Reply::json(&shown(world, &world.domain_blocks[at]))
        }
        ("DELETE", [id]) => {
            let Some(at) = at(world, id) else {
                return missing("domain block");
            };
            let domain = world.domain_blocks[at].domain.clone();
            if let Some(busy) = busy(state, world, &domain) {
                return busy;
            }
            let block = world.domain_blocks.remove(at);
            Reply::json(&shown(world, &block))
        }
        _ => missing("page"),
    }
}

fn create(state: &State, world: &mut World, call: &Call, by: AccountIx) -> Reply {
    let given = call.param("domain").unwrap_or_default().trim().to_lowercase();
    if given.is_empty() {
        return bad("empty domain provided");
    }
    let odd = |letter: char| letter.is_whitespace() || "*/@".contains(letter);
    if given.contains(odd) || given.split('.').any(str::is_empty) {
        return Reply::error(500, "Internal Server Error");
    }
    if let Some(there) = world.domain_blocks.iter().find(|block| block.domain == given) {
        return Reply::json(&shown(world, there));
    }
    if let Some(busy) = busy(state, world, &given) {
        return busy;
    }
    let mut block = DomainBlock::new(world.row(), given, "suspend", now());
    block.created_by = Some(by);
    comment(&mut block, call);
    let body = shown(world, &block);
    world.domain_blocks.push(block);
    Reply::json(&body)
}

/// A change of a domain runs for a while, and none may follow meanwhile.
fn busy(state: &State, world: &mut World, domain: &str) -> Option<Reply> {
    let takes = state.knobs().admin_action_takes;
    let before = world.moderation.changed.insert(domain.to_owned(), Instant::now());
    let since = before.map(|at| at.elapsed()).filter(|since| *since < takes)?;
    Some(Reply::error(
        409,
        &format!(
            "Conflict: an action on {domain} is currently running (duration {since:?}) which conflicts with the \
             attempted action: wait until it is done"
        ),
    ))
}

fn comment(block: &mut DomainBlock, call: &Call) {
    for (name, field) in [
        ("private_comment", &mut block.private_comment),
        ("public_comment", &mut block.public_comment),
    ] {
        if let Some(text) = call.param(name) {
            *field = Some(text.to_owned());
        }
    }
    if call.param("obfuscate").is_some() {
        block.obfuscate = call.flag("obfuscate");
    }
}

fn shown(world: &World, block: &DomainBlock) -> Value {
    json!({
        "domain": block.domain, "public_comment": block.public_comment.as_deref().unwrap_or_default(),
        "id": block.id.to_string(), "obfuscate": block.obfuscate,
        "private_comment": block.private_comment.as_deref().unwrap_or_default(),
        "created_by": block.created_by.map(|ix| &world.servers[HOME].accounts[ix]),
        "created_at": iso(block.created_at),
    })
}

/// What strangers may see: no digest.
pub(super) fn public(world: &World) -> Reply {
    let shown = |block: &DomainBlock| {
        json!({ "domain": block.public_domain(), "suspended_at": iso(block.created_at),
                "comment": block.public_comment.as_deref().unwrap_or_default(), "severity": "suspend" })
    };
    Reply::json(&world.domain_blocks.iter().map(shown).collect())
}
