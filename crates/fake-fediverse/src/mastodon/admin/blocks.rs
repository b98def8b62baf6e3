//! The smaller lists: domains allowed, and blocks of mail domains, addresses and networks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::paging::{self, ADMIN, DOMAIN_BLOCKS, Rules};
use super::{Routed, invalid, missing};
use crate::clock::{after, iso, now};
use crate::moderation::{DomainAllow, EmailDomainBlock, IpBlock, canonical, digest, normalised};
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::World;

pub(super) fn answer(state: &State, call: &Call, section: &str, path: &[&str]) -> Routed {
    let mut world = state.world();
    if (call.method.as_str(), section, path) == ("POST", "canonical_email_blocks", &["test"]) {
        return Some(test(&world, call));
    }
    let id = path.first().map(|id| paging::number(id));
    Some(match (call.method.as_str(), id) {
        ("GET", None) => Ok(list(state, &world, call, section)),
        ("GET", Some(id)) => shown(state, &world, section, id)
            .map(|body| Reply::json(&body))
            .ok_or_else(missing),
        ("POST", None) => {
            let row = world.row();
            let made = match section {
                "domain_allows" => allow(&mut world, call, row),
                "email_domain_blocks" => mail_domain(&mut world, call, row),
                "ip_blocks" => network(&mut world, call, row, false),
                _ => address(&mut world, call, row),
            };
            made.and_then(|row| shown(state, &world, section, row).ok_or_else(missing))
                .map(|body| Reply::json(&body))
        }
        ("PUT" | "PATCH", Some(id)) if section == "ip_blocks" => match world.moderation.ip_blocks.contains_key(&id) {
            true => network(&mut world, call, id, true)
                .and_then(|row| shown(state, &world, section, row).ok_or_else(missing))
                .map(|body| Reply::json(&body)),
            false => Err(missing()),
        },
        ("DELETE", Some(id)) => {
            let lists = &mut world.moderation;
            let gone = match section {
                "domain_allows" => lists.domain_allows.remove(&id).is_some(),
                "email_domain_blocks" => lists.email_domain_blocks.remove(&id).is_some(),
                "ip_blocks" => lists.ip_blocks.remove(&id).is_some(),
                _ => lists.canonical_email_blocks.remove(&id).is_some(),
            };
            if gone {
                Ok(Reply::json(&json!({})))
            } else {
                Err(missing())
            }
        }
        _ => return None,
    })
}

fn list(state: &State, world: &World, call: &Call, section: &str) -> Reply {
    let lists = &world.moderation;
    let keys: Vec<u64> = match section {
        "domain_allows" => lists.domain_allows.keys().copied().collect(),
        "email_domain_blocks" => lists.email_domain_blocks.keys().copied().collect(),
        "ip_blocks" => lists.ip_blocks.keys().copied().collect(),
        _ => lists.canonical_email_blocks.keys().copied().collect(),
    };
    let rows: BTreeMap<u64, ()> = keys.into_iter().map(|key| (key, ())).collect();
    let rules: Rules = match section {
        "domain_allows" if state.scenario.api_version >= 2 => DOMAIN_BLOCKS,
        _ => ADMIN,
    };
    let (found, link) = paging::page(world, call, rules, &rows, paging::number);
    let found: Value = found
        .iter()
        .filter_map(|(id, ())| shown(state, world, section, *id))
        .collect();
    paging::linked(Reply::json(&found), link)
}

fn shown(state: &State, world: &World, section: &str, id: u64) -> Option<Value> {
    let lists = &world.moderation;
    let name = id.to_string();
    Some(match section {
        "domain_allows" => {
            let allow = lists.domain_allows.get(&id)?;
            json!({ "id": name, "domain": allow.domain, "created_at": iso(allow.created_at) })
        }
        "email_domain_blocks" => {
            let block = lists.email_domain_blocks.get(&id)?;
            let day = |n: i64| {
                json!({ "day": (now().timestamp() / 86_400 - n) .saturating_mul(86_400).to_string(),
                                       "accounts": "0", "uses": "0" })
            };
            let mut out = json!({ "id": name, "domain": block.domain, "created_at": iso(block.created_at),
                                  "history": (0..7).map(day).collect::<Value>() });
            if state.scenario.api_version >= 2 {
                out["allow_with_approval"] = json!(block.allow_with_approval);
            }
            out
        }
        "ip_blocks" => {
            let block = lists.ip_blocks.get(&id)?;
            json!({ "id": name, "ip": block.ip, "severity": block.severity, "comment": block.comment,
                    "created_at": iso(block.created_at), "expires_at": block.expires_at.map(iso) })
        }
        _ => json!({ "id": name, "canonical_email_hash": lists.canonical_email_blocks.get(&id)? }),
    })
}

/// Allowing what is allowed gives the row there is.
fn allow(world: &mut World, call: &Call, row: u64) -> Result<u64, Reply> {
    let domain = domain(call)?;
    let rows = &mut world.moderation.domain_allows;
    if let Some((row, _)) = rows.iter().find(|(_, allow)| allow.domain == domain) {
        return Ok(*row);
    }
    rows.insert(
        row,
        DomainAllow {
            domain,
            created_at: now(),
        },
    );
    Ok(row)
}

fn mail_domain(world: &mut World, call: &Call, row: u64) -> Result<u64, Reply> {
    let domain = domain(call)?;
    let rows = &mut world.moderation.email_domain_blocks;
    if rows.values().any(|block| block.domain == domain) {
        return Err(invalid("Domain has already been taken"));
    }
    rows.insert(
        row,
        EmailDomainBlock {
            domain,
            allow_with_approval: call.flag("allow_with_approval"),
            created_at: now(),
        },
    );
    Ok(row)
}

fn domain(call: &Call) -> Result<String, Reply> {
    match call.param("domain").unwrap_or_default() {
        "" => Err(invalid("Domain can't be blank")),
        given => normalised(given).ok_or_else(|| invalid("Domain is not a valid domain name")),
    }
}

/// A new block, or a change of the one in `row`.
fn network(world: &mut World, call: &Call, row: u64, change: bool) -> Result<u64, Reply> {
    let rows = &mut world.moderation.ip_blocks;
    let was = rows.get(&row).cloned();
    let ip = match (call.param("ip").filter(|ip| !ip.is_empty()), &was) {
        (Some(text), _) => cidr(text).ok_or_else(|| invalid("Ip is not a valid IP address"))?,
        (None, Some(was)) => was.ip.clone(),
        (None, None) => return Err(invalid("Ip can't be blank")),
    };
    let severity = match (call.param("severity"), &was) {
        (Some(text @ ("sign_up_requires_approval" | "sign_up_block" | "no_access")), _) => text.to_owned(),
        (None, Some(was)) => was.severity.clone(),
        (None, None) => return Err(invalid("Severity can't be blank")),
        (Some(_), _) => return Err(invalid("Severity is not included in the list")),
    };
    if rows.iter().any(|(other, block)| *other != row && block.ip == ip) {
        return Err(invalid("Ip has already been taken"));
    }
    let expires_at = match call.param("expires_in").and_then(|text| text.parse::<i64>().ok()) {
        Some(seconds) => Some(after(seconds)),
        None => was.as_ref().and_then(|was| was.expires_at),
    };
    let comment = call.param("comment").map(str::to_owned);
    rows.insert(
        row,
        IpBlock {
            ip,
            severity,
            comment: comment.unwrap_or_else(|| was.as_ref().map(|was| was.comment.clone()).unwrap_or_default()),
            created_at: was.filter(|_| change).map_or_else(now, |was| was.created_at),
            expires_at,
        },
    );
    Ok(row)
}

/// With a prefix, and nothing behind it.
fn cidr(text: &str) -> Option<String> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    Some(match address.trim().parse::<IpAddr>().ok()? {
        IpAddr::V4(ip) => {
            let prefix: u32 = if prefix.is_empty() {
                32
            } else {
                prefix.parse().ok().filter(|n| *n <= 32)?
            };
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            format!("{}/{prefix}", std::net::Ipv4Addr::from(u32::from(ip) & mask))
        }
        IpAddr::V6(ip) => {
            let prefix: u32 = if prefix.is_empty() {
                128
            } else {
                prefix.parse().ok().filter(|n| *n <= 128)?
            };
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            format!("{}/{prefix}", std::net::Ipv6Addr::from(u128::from(ip) & mask))
        }
    })
}

fn address(world: &mut World, call: &Call, row: u64) -> Result<u64, Reply> {
    let given = call.param("canonical_email_hash").map(str::to_owned);
    let hash = given.or_else(|| Some(digest(&canonical(call.param("email")?))));
    let hash = hash.ok_or_else(|| invalid("Canonical email hash can't be blank"))?;
    let rows = &mut world.moderation.canonical_email_blocks;
    if rows.values().any(|other| *other == hash) {
        return Err(invalid("Canonical email hash has already been taken"));
    }
    rows.insert(row, hash);
    Ok(row)
}

/// Which blocks an address would meet.
fn test(world: &World, call: &Call) -> Result<Reply, Reply> {
    let text = "param is missing or the value is empty or invalid: email";
    let email = call.param("email").ok_or_else(|| Reply::error(400, text))?;
    let hash = digest(&canonical(email));
    let rows = world.moderation.canonical_email_blocks.iter();
    let found: Value = rows
        .filter(|(_, other)| **other == hash)
        .map(|(id, hash)| json!({ "id": id.to_string(), "canonical_email_hash": hash }))
        .collect();
    Ok(Reply::json(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_spelled_with_their_prefix() {
        for (given, kept) in [
            ("198.51.100.7", Some("198.51.100.7/32")),
            ("198.51.100.7/24", Some("198.51.100.0/24")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("2001:db8::1/32", Some("2001:db8::/32")),
            ("2001:DB8::1", Some("2001:db8::1/128")),
            ("198.51.100.7/33", None),
            ("nothing", None),
        ] {
            assert_eq!(cidr(given).as_deref(), kept, "{given}");
        }
    }
}
