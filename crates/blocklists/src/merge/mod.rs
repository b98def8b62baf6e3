//! What all lists say together. The order of lists and rows never matters: lists are asked by name, and rows that
//! speak of one domain are put together before they vote.

mod comments;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use model::Severity;
use serde::{Deserialize, Serialize};

use crate::{
    guard::{Guard, Refusal},
    list::{Flags, Row, Stance},
    name::{Name, with_parents},
    signature::sha256,
};

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
    /// Lists of which no good copy was ever read.
    pub unread: Vec<&'a str>,
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

/// No row: the end of a chain.
const END: u32 = u32::MAX;

/// All rows by domain: each group is a chain through `links`.
struct Groups<'a> {
    index: HashMap<&'a str, u32>,
    heads: Vec<(&'a str, u32)>,
    links: Vec<Link<'a>>,
}

#[derive(Clone, Copy)]
struct Link<'a> {
    row: &'a Row<'a>,
    list: u32,
    by_digest: bool,
    is_leaving: bool,
    next: u32,
}

impl<'a> Groups<'a> {
    fn add(&mut self, domain: &'a str, mut link: Link<'a>) {
        let at = u32::try_from(self.links.len()).unwrap_or(END);
        if let Some(group) = self.index.get(domain) {
            let head = &mut self.heads[*group as usize].1;
            link.next = *head;
            *head = at;
        } else {
            let group = u32::try_from(self.heads.len()).unwrap_or(END);
            self.index.insert(domain, group);
            self.heads.push((domain, at));
        }
        self.links.push(link);
    }

    fn chain(&self, head: u32) -> impl Iterator<Item = &Link<'a>> {
        let mut at = head;
        std::iter::from_fn(move || {
            let link = self.links.get(at as usize)?;
            at = link.next;
            Some(link)
        })
    }
}

/// One list's vote on one domain.
struct Vote<'a> {
    say: Say,
    flags: Flags,
    public_comment: &'a str,
    private_comment: &'a str,
}

/// Merges lists. `known` are domains by which hidden names can be told beside those that lists name: peers, and
/// what is blocked already.
pub fn merge<'a>(voters: &[Voter<'a>], merging: &Merging, guard: &Guard, known: &[&'a str]) -> Merged<'a> {
    let mut voters: Vec<Voter<'a>> = voters.to_vec();
    voters.sort_by_key(|voter| voter.name);
    let mut merged = Merged {
        lists: voters.iter().map(|voter| voter.name).collect(),
        unread: voters
            .iter()
            .filter(|voter| !voter.is_read && voter.role == Role::Block)
            .map(|voter| voter.name)
            .collect(),
        ..Merged::default()
    };
    let groups = group(&voters, known, &mut merged);
    let bounds = Bounds::of(&voters, &groups);
    let total: u64 = voters
        .iter()
        .filter(|it| it.role == Role::Block)
        .map(|it| u64::from(it.weight))
        .sum();
    let needed = merging.needs(total);

    let mut votes: Vec<Vote<'a>> = Vec::new();
    let mut exempt: Vec<(&'a str, u32)> = Vec::new();
    for (domain, head) in &groups.heads {
        let is_doubled = vote(&groups, *head, &voters, merging, &mut votes);
        if votes.is_empty() {
            continue;
        }
        if let Some(list) = is_doubled {
            merged.doubled.push((Cow::Borrowed(*domain), list));
        }
        if let Some(refusal) = guard.refuses(domain) {
            let lists = votes.iter().map(|vote| vote.say.list).collect();
            merged.refused.push((Cow::Borrowed(*domain), refusal, lists));
            continue;
        }
        let Some(mut severity) = decide(&votes, &voters, merging, needed) else {
            merged.outvoted += 1;
            continue;
        };
        if let Some(list) = bounds.allowed(domain) {
            merged.allowed.push((Cow::Borrowed(*domain), list));
            continue;
        }
        if let Some((most, list)) = bounds.most(domain) {
            if most == Severity::Noop {
                merged.allowed.push((Cow::Borrowed(*domain), list));
                continue;
            }
            severity = severity.min(most);
        }
        if let Some((allowed, list)) = bounds.below(domain) {
            match merging.covering {
                Covering::Hold => {
                    merged.covering.push((Cow::Borrowed(*domain), allowed));
                    continue;
                }
                Covering::Exempt => exempt.push((allowed, list)),
            }
        }
        merged.entries.push(Entry {
            domain: Cow::Borrowed(*domain),
            severity,
            flags: flags(&votes, merging.method),
            public_comment: comment(votes.iter().map(|vote| vote.public_comment)),
            private_comment: comment(votes.iter().map(|vote| vote.private_comment)),
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
    merged.entries.sort_unstable_by(|a, b| a.domain.cmp(&b.domain));
    merged.entries.dedup_by(|a, b| a.domain == b.domain);
    merged.refused.sort_unstable();
    merged.allowed.sort_unstable();
    merged.covering.sort_unstable();
    merged.doubled.sort_unstable();
}

/// Puts rows together by domain, hidden ones by their digest.
fn group<'a>(voters: &[Voter<'a>], known: &[&'a str], merged: &mut Merged<'a>) -> Groups<'a> {
    let rows: usize = voters.iter().map(|voter| voter.rows.len() + voter.leaving.len()).sum();
    let mut groups = Groups {
        index: HashMap::with_capacity(rows / 4 + 16),
        heads: Vec::with_capacity(rows / 4 + 16),
        links: Vec::with_capacity(rows),
    };
    let mut hidden: Vec<([u8; 32], Link<'a>)> = Vec::new();
    for (list, voter) in (0..).zip(voters) {
        let all = voter
            .rows
            .iter()
            .map(|row| (row, false))
            .chain(voter.leaving.iter().map(|row| (row, true)));
        for (row, is_leaving) in all {
            let link = Link {
                row,
                list,
                by_digest: false,
                is_leaving,
                next: END,
            };
            match &row.name {
                Name::Plain(domain) => groups.add(domain, link),
                Name::Hidden(name) => match name.digest {
                    Some(digest) => hidden.push((digest, link)),
                    None => merged.hidden += 1,
                },
            }
        }
    }
    if !hidden.is_empty() {
        let wanted: HashSet<[u8; 32]> = hidden.iter().map(|(digest, _)| *digest).collect();
        let mut found: HashMap<[u8; 32], &'a str> = HashMap::new();
        for domain in groups
            .heads
            .iter()
            .map(|(domain, _)| *domain)
            .chain(known.iter().copied())
        {
            let digest = sha256(domain.as_bytes());
            if wanted.contains(&digest) {
                found.insert(digest, domain);
            }
        }
        for (digest, mut link) in hidden {
            let fits = |domain: &&&str| matches!(&link.row.name, Name::Hidden(name) if name.may_be(domain));
            match found.get(&digest).filter(fits) {
                Some(domain) => {
                    link.by_digest = true;
                    groups.add(domain, link);
                }
                None => merged.hidden += 1,
            }
        }
    }
    groups
}

/// Allow lists and vetoes.
struct Bounds<'a> {
    allow: HashMap<&'a str, u32>,
    /// Strict parents of allowed domains.
    above: HashMap<&'a str, (&'a str, u32)>,
    most: HashMap<&'a str, (Severity, u32)>,
}

impl<'a> Bounds<'a> {
    fn of(voters: &[Voter<'a>], groups: &Groups<'a>) -> Self {
        let mut bounds = Self {
            allow: HashMap::new(),
            above: HashMap::new(),
            most: HashMap::new(),
        };
        if voters.iter().all(|voter| voter.role == Role::Block) {
            return bounds;
        }
        for (domain, head) in &groups.heads {
            for link in groups.chain(*head) {
                if link.row.stance == Stance::Retracted {
                    continue;
                }
                match voters[link.list as usize].role {
                    Role::Block => {}
                    Role::Allow => {
                        let list = bounds.allow.entry(domain).or_insert(link.list);
                        *list = link.list.min(*list);
                    }
                    Role::Veto => {
                        let severity = match link.row.stance {
                            Stance::Block(severity) => severity,
                            Stance::Clear | Stance::Retracted => Severity::Noop,
                        };
                        let most = bounds.most.entry(domain).or_insert((severity, link.list));
                        *most = (*most).min((severity, link.list));
                    }
                }
            }
        }
        let allowed: BTreeMap<&'a str, u32> = bounds.allow.iter().map(|(domain, list)| (*domain, *list)).collect();
        for (domain, list) in allowed {
            for parent in with_parents(domain).skip(1) {
                bounds.above.entry(parent).or_insert((domain, list));
            }
        }
        bounds
    }

    fn allowed(&self, domain: &str) -> Option<u32> {
        if self.allow.is_empty() {
            return None;
        }
        with_parents(domain).find_map(|name| self.allow.get(name).copied())
    }

    fn most(&self, domain: &str) -> Option<(Severity, u32)> {
        if self.most.is_empty() {
            return None;
        }
        with_parents(domain)
            .filter_map(|name| self.most.get(name).copied())
            .min()
    }

    /// An allowed domain below this one.
    fn below(&self, domain: &str) -> Option<(&'a str, u32)> {
        self.above.get(domain).copied()
    }
}

/// Collects the votes on one domain, one per list, by list; gives a list that speaks with two tongues.
fn vote<'a>(
    groups: &Groups<'a>,
    head: u32,
    voters: &[Voter<'a>],
    merging: &Merging,
    votes: &mut Vec<Vote<'a>>,
) -> Option<u32> {
    votes.clear();
    let mut doubled = None;
    for link in groups.chain(head) {
        let Stance::Block(severity) = link.row.stance else {
            continue;
        };
        if voters[link.list as usize].role != Role::Block {
            continue;
        }
        let new = Vote {
            say: Say {
                list: link.list,
                severity,
                by_digest: link.by_digest,
                is_leaving: link.is_leaving,
            },
            flags: link.row.flags,
            public_comment: &link.row.public_comment,
            private_comment: &link.row.private_comment,
        };
        let Some(vote) = votes.iter_mut().find(|vote| vote.say.list == link.list) else {
            votes.push(new);
            continue;
        };
        // What is leaving holds up a weakening, whatever the method; otherwise the method decides.
        let is_leaving = vote.say.is_leaving || new.say.is_leaving;
        if vote.say.severity != severity && !is_leaving {
            doubled = Some(link.list);
        }
        let harder = severity > vote.say.severity;
        let replace = match (
            severity == vote.say.severity,
            is_leaving || merging.method != Method::Min,
        ) {
            // The same: decided by what stands in the rows, not by where they stand.
            (true, _) => {
                (new.public_comment, new.private_comment, key(new.flags))
                    > (vote.public_comment, vote.private_comment, key(vote.flags))
            }
            (false, hardest) => harder == hardest,
        };
        if replace {
            *vote = new;
        }
    }
    votes.sort_unstable_by_key(|vote| vote.say.list);
    doubled
}

fn key(flags: Flags) -> (Option<bool>, Option<bool>, Option<bool>) {
    (flags.reject_media, flags.reject_reports, flags.obfuscate)
}

fn decide(votes: &[Vote<'_>], voters: &[Voter<'_>], merging: &Merging, needed: u64) -> Option<Severity> {
    let weight = |at_least: Severity| -> u64 {
        let harder = votes.iter().filter(|vote| vote.say.severity >= at_least);
        harder
            .map(|vote| u64::from(voters[vote.say.list as usize].weight))
            .sum()
    };
    let severities = votes.iter().map(|vote| vote.say.severity);
    match merging.method {
        Method::Consensus => [Severity::Suspend, Severity::Silence, Severity::Noop]
            .into_iter()
            .find(|severity| weight(*severity) >= needed),
        _ if weight(Severity::Noop) < needed => None,
        Method::Max => severities.max(),
        Method::Min => severities.min(),
    }
}

/// A flag is what the lists say that state it.
fn flags(votes: &[Vote<'_>], method: Method) -> Flags {
    let of = |flag: fn(&Flags) -> Option<bool>| {
        let mut stated = votes.iter().filter_map(|vote| flag(&vote.flags));
        let first = stated.next()?;
        Some(match method {
            Method::Min => stated.fold(first, |all, this| all && this),
            Method::Max | Method::Consensus => stated.fold(first, |any, this| any || this),
        })
    };
    Flags {
        reject_media: of(|flags| flags.reject_media),
        reject_reports: of(|flags| flags.reject_reports),
        obfuscate: of(|flags| flags.obfuscate),
    }
}

#[cfg(test)]
mod tests;
