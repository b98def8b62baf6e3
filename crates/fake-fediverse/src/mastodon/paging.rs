//! Pages and their `Link` header.

use std::collections::BTreeMap;

use crate::request::{Call, Reply, escape};
use crate::world::{HOME, StatusIx, World};

/// When a page names the one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Whenever it is not empty, as timelines do.
    Always,
    /// Only when it is full.
    IfFull,
}

/// How a list is paged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) default: usize,
    pub(crate) most: usize,
    pub(crate) next: Next,
    /// `min_id` or `since_id`.
    pub(crate) prev: &'static str,
}

pub(crate) const TIMELINE: Rules = Rules {
    default: 20,
    most: 40,
    next: Next::Always,
    prev: "min_id",
};
pub(crate) const STATUSES: Rules = Rules {
    next: Next::IfFull,
    ..TIMELINE
};
pub(crate) const ACCOUNTS: Rules = Rules {
    default: 40,
    most: 80,
    next: Next::IfFull,
    prev: "since_id",
};
pub(crate) const ADMIN: Rules = Rules {
    default: 100,
    most: 200,
    next: Next::IfFull,
    prev: "min_id",
};
pub(crate) const DOMAIN_BLOCKS: Rules = Rules { most: 500, ..ADMIN };

/// One page of `rows`, newest first, and its `Link`.
pub(crate) fn page<T: Copy>(
    world: &World,
    call: &Call,
    rules: Rules,
    rows: &BTreeMap<u64, T>,
    cursor: impl Fn(&str) -> u64,
) -> (Vec<(u64, T)>, Option<String>) {
    let limit = call.limit(rules.default, rules.most);
    let bound = |name: &str| call.param(name).filter(|text| !text.is_empty()).map(&cursor);
    let max = bound("max_id").unwrap_or(u64::MAX);
    let min = bound("min_id").filter(|_| rules.prev == "min_id");
    let low = min.or_else(|| bound("since_id")).map_or(0, |low| low.saturating_add(1));
    let within = rows.range(low.min(max)..max).map(|(key, value)| (*key, *value));
    let found: Vec<_> = if min.is_some() {
        // The page directly above, still newest first.
        let mut found: Vec<_> = within.take(limit).collect();
        found.reverse();
        found
    } else {
        within.rev().take(limit).collect()
    };
    let link = found.first().zip(found.last()).map(|(first, last)| {
        let mut links = Vec::new();
        if rules.next == Next::Always || found.len() == limit {
            links.push(link(world, call, "max_id", last.0, "next"));
        }
        links.push(link(world, call, rules.prev, first.0, "prev"));
        links.join(", ")
    });
    (found, link)
}

fn link(world: &World, call: &Call, cursor: &str, value: u64, rel: &str) -> String {
    let mut params: Vec<(String, String)> = call
        .params
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "max_id" | "min_id" | "since_id" | "access_token"))
        .cloned()
        .collect();
    params.push((cursor.to_owned(), value.to_string()));
    params.sort();
    let query: Vec<_> = params
        .iter()
        .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
        .collect();
    format!(
        "<{}{}?{}>; rel=\"{rel}\"",
        world.servers[call.server].base,
        call.path,
        query.join("&")
    )
}

/// Reads a cursor that is a number, any number.
pub(crate) fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// Statuses by their order at home.
pub(crate) fn by_order(world: &World, found: impl Iterator<Item = StatusIx>) -> BTreeMap<u64, StatusIx> {
    by_order_at(world, HOME, found)
}

/// Statuses by their order at a server.
pub(crate) fn by_order_at(
    world: &World,
    server: usize,
    found: impl Iterator<Item = StatusIx>,
) -> BTreeMap<u64, StatusIx> {
    found.map(|ix| (world.order(server, ix), ix)).collect()
}

/// Puts the header on.
pub(crate) fn linked(reply: Reply, link: Option<String>) -> Reply {
    match link {
        Some(link) => reply.header("link", link),
        None => reply,
    }
}
