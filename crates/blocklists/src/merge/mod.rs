//! What all lists say together. The order of lists and rows never matters: lists are asked by name, and rows that
//! speak of one domain are put together before they vote.

mod bounds;
mod comments;
mod groups;
mod hash;
mod votes;

use std::borrow::Cow;

use model::Severity;
use serde::{Deserialize, Serialize};

use crate::{
    guard::{Guard, Refusal},
    list::{Flags, Row},
};
use bounds::Bounds;
use groups::Groups;
use votes::{Vote, decide, flags, vote};

pub use comments::{LONGEST_COMMENT, comment};

/// What a list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Its rows are votes for a block.
    #[default]
    Block,
    /// Its domains, and what is below them, are never blocked.
    Allow,
    /// Its rows bound how hard a domain, and what is below it, may be blocked.
    Veto,
}

/// A list at the vote.
#[derive(Debug, Clone, Copy)]
pub struct Voter<'a> {
    /// Its name in the config.
    pub name: &'a str,
    /// How many votes it has.
    pub weight: u32,
    /// What it is for.
    pub role: Role,
    /// What it says.
    pub rows: &'a [Row<'a>],
    /// What it said until lately: it counts until the list has kept silent about it for long enough.
    pub leaving: &'a [Row<'a>],
    /// Whether a good copy of it was ever read. One that was not has a vote all the same: nobody knows which.
    pub is_read: bool,
}

/// How votes become a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The hardest that a list wants.
    #[default]
    Max,
    /// The softest.
    Min,
    /// The hardest that enough lists want, or exceed.
    Consensus,
}

/// What to do with a block that would cover an allowed domain below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covering {
    /// It is left out, and reported.
    #[default]
    Hold,
    /// It is made, with an exception (severity `noop`) for the allowed domain.
    Exempt,
}

/// How to merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Merging {
    /// How votes become a block.
    pub method: Method,
    /// Votes that a domain needs.
    pub votes: u32,
    /// The same as a share of all votes, in percent.
    pub percent: u32,
    /// Blocks that cover an allowed domain.
    pub covering: Covering,
}

impl Merging {
    /// Votes that a domain needs where lists have `total` together.
    pub fn needs(&self, total: u64) -> u64 {
        let share = (total * u64::from(self.percent)).div_ceil(100);
        u64::from(self.votes).max(share).max(1)
    }

    /// Whether the result depends on how many lists there are.
    pub fn counts(&self) -> bool {
        self.method == Method::Consensus || self.votes > 1 || self.percent > 0
    }
}

/// What one list says of one domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Say {
    /// Which list, by its place in [`Merged::lists`].
    pub list: u32,
    /// What it wants.
    pub severity: Severity,
    /// It hides the name, and its digest told.
    pub by_digest: bool,
    /// It says so no longer, but not for long enough.
    pub is_leaving: bool,
}

/// A domain to be blocked.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// Which.
    pub domain: Cow<'a, str>,
    /// How hard.
    pub severity: Severity,
    /// And what else.
    pub flags: Flags,
    /// For everybody.
    pub public_comment: Cow<'a, str>,
    /// For moderators.
    pub private_comment: Cow<'a, str>,
    /// Who wants it.
    pub says: Vec<Say>,
    /// An exception below a block, for an allowed domain.
    pub exempts: bool,
}

/// What all lists say together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Merged<'a> {
    /// The lists' names, sorted.
    pub lists: Vec<&'a str>,
    /// Domains to be blocked, sorted.
    pub entries: Vec<Entry<'a>>,
    /// Domains that the guard refuses, with the lists that named them.
    pub refused: Vec<(Cow<'a, str>, Refusal, Vec<u32>)>,
    /// Domains that an allow list spares, with that list.
    pub allowed: Vec<(Cow<'a, str>, u32)>,
    /// Blocks left out because they cover an allowed domain, with that domain.
    pub covering: Vec<(Cow<'a, str>, &'a str)>,
    /// Domains with fewer votes than needed.
    pub outvoted: usize,
    /// Hidden names that nobody could resolve.
    pub hidden: usize,
    /// Block lists of which no good copy was ever read.
    pub unread: Vec<&'a str>,
    /// Allow lists and vetoes of which none was: nobody knows yet whom they spare.
    pub unread_bounds: Vec<&'a str>,
    /// Domains that one list names twice with two severities, with that list.
    pub doubled: Vec<(Cow<'a, str>, u32)>,
}

impl Merged<'_> {
    /// Whether votes cannot be counted because a list was never read.
    pub fn is_held(&self, merging: &Merging) -> bool {
        merging.counts() && !self.unread.is_empty()
    }

    /// The entry of a domain.
    pub fn get(&self, domain: &str) -> Option<&Entry<'_>> {
        self.entries
            .binary_search_by(|entry| (*entry.domain).cmp(domain))
            .ok()
            .and_then(|at| self.entries.get(at))
    }
}

/// The first sixteen bytes as a number that sorts like them.
fn beginning(domain: &str) -> u128 {
    let bytes = domain.as_bytes();
    let mut first = [0; 16];
    let length = bytes.len().min(16);
    first[..length].copy_from_slice(&bytes[..length]);
    u128::from_be_bytes(first)
}

/// Merges lists. `known` are domains by which hidden names can be told beside those that lists name: peers, and
/// what is blocked already.
pub fn merge<'a>(voters: &[Voter<'a>], merging: &Merging, guard: &Guard, known: &[&'a str]) -> Merged<'a> {
    let mut voters: Vec<Voter<'a>> = voters.to_vec();
    voters.sort_by_key(|voter| voter.name);
    let unread = |blocks: bool| {
        let unread = voters
            .iter()
            .filter(|it| !it.is_read && (it.role == Role::Block) == blocks);
        unread.map(|voter| voter.name).collect()
    };
    let mut merged = Merged {
        lists: voters.iter().map(|voter| voter.name).collect(),
        unread: unread(true),
        unread_bounds: unread(false),
        ..Merged::default()
    };
    let groups = Groups::of(&voters, known);
    merged.hidden = groups.hidden;
    let bounds = Bounds::of(&voters, &groups);
    let total: u64 = voters
        .iter()
        .filter(|it| it.role == Role::Block)
        .map(|it| u64::from(it.weight))
        .sum();
    let needed = merging.needs(total);

    // Few lists have any.
    let with_private = voters.iter().any(|voter| {
        voter
            .rows
            .iter()
            .chain(voter.leaving)
            .any(|row| !row.private_comment.is_empty())
    });
    let mut votes: Vec<Vote<'a>> = Vec::new();
    let mut exempt: Vec<(&'a str, u32)> = Vec::new();
    for (domain, links) in groups.iter() {
        let is_doubled = vote(links, &voters, merging, &mut votes);
        if votes.is_empty() {
            continue;
        }
        if let Some(list) = is_doubled {
            merged.doubled.push((Cow::Borrowed(domain), list));
        }
        if let Some(refusal) = guard.refuses(domain) {
            let lists = votes.iter().map(|vote| vote.say.list).collect();
            merged.refused.push((Cow::Borrowed(domain), refusal, lists));
            continue;
        }
        let Some(mut severity) = decide(&votes, &voters, merging, needed) else {
            merged.outvoted += 1;
            continue;
        };
        if let Some(list) = bounds.allowed(domain) {
            merged.allowed.push((Cow::Borrowed(domain), list));
            continue;
        }
        if let Some((most, list)) = bounds.most(domain) {
            if most == Severity::Noop {
                merged.allowed.push((Cow::Borrowed(domain), list));
                continue;
            }
            severity = severity.min(most);
        }
        if let Some((allowed, list)) = bounds.below(domain) {
            match merging.covering {
                Covering::Hold => {
                    merged.covering.push((Cow::Borrowed(domain), allowed));
                    continue;
                }
                Covering::Exempt => exempt.push((allowed, list)),
            }
        }
        merged.entries.push(Entry {
            domain: Cow::Borrowed(domain),
            severity,
            flags: flags(&votes, merging.method),
            public_comment: comment(votes.iter().map(|vote| vote.public_comment)),
            private_comment: match with_private {
                true => comment(votes.iter().map(|vote| &*vote.row.private_comment)),
                false => Cow::Borrowed(""),
            },
            says: votes.iter().map(|vote| vote.say).collect(),
            exempts: false,
        });
    }
    for (domain, list) in exempt {
        merged.entries.push(exception(domain, list));
    }
    sort(&mut merged);
    merged
}

fn exception(domain: &str, list: u32) -> Entry<'_> {
    Entry {
        domain: Cow::Borrowed(domain),
        severity: Severity::Noop,
        flags: Flags::default(),
        public_comment: Cow::Borrowed(""),
        private_comment: Cow::Borrowed(""),
        says: vec![Say {
            list,
            severity: Severity::Noop,
            by_digest: false,
            is_leaving: false,
        }],
        exempts: true,
    }
}

fn sort(merged: &mut Merged<'_>) {
    by_domain(&mut merged.entries);
    merged.entries.dedup_by(|a, b| a.domain == b.domain);
    merged.refused.sort_unstable();
    merged.allowed.sort_unstable();
    merged.covering.sort_unstable();
    merged.doubled.sort_unstable();
}

/// Sorts entries. Comparing numbers is quicker than following pointers, and few names are alike for so long.
fn by_domain(entries: &mut [Entry<'_>]) {
    let mut order: Vec<(u128, usize)> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (beginning(&entry.domain), at))
        .collect();
    order.sort_unstable_by(|a, b| {
        a.0.cmp(&b.0)
            .then_with(|| entries[a.1].domain.cmp(&entries[b.1].domain))
    });
    // Round by round: what stands at the beginning of one moves on until its own place comes up.
    for begin in 0..order.len() {
        let mut to = begin;
        loop {
            let from = std::mem::replace(&mut order[to].1, to);
            if from == begin {
                break;
            }
            entries.swap(to, from);
            to = from;
        }
    }
}

#[cfg(test)]
mod tests;
