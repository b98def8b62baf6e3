//! Follows: whom to count for, and what a count means for a block.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use mastodon::Ties;
use model::Severity;
use store::block_entries::State;

use super::{Cap, Facts, Hold, Own, decide::is_covered};
use crate::{merge::Entry, name::with_parents};

/// Whether follows were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// For every candidate.
    Done,
    /// Nobody asked for it.
    NotAsked,
    /// The token may not, or the server cannot.
    Refused,
}

/// Domains whose follows matter for the plan and are not counted yet: those that would be blocked, or blocked harder,
/// and that the server may have met.
pub fn candidates(facts: &Facts<'_>) -> Vec<String> {
    let entries = facts.merged.entries.iter();
    entries
        .filter(|entry| entry.severity > Severity::Noop && !facts.ties.contains_key(&*entry.domain))
        .filter(|entry| {
            let live = facts.live.get(&*entry.domain);
            let own = facts.own.get(&*entry.domain);
            let ours = own.is_some_and(Own::is_ours);
            match live {
                None => match own.map(|own| own.state) {
                    None => true,
                    Some(State::Covered) => !is_covered(facts, entry),
                    Some(State::Quarantined) => false,
                    Some(_) => facts.policy.recreate,
                },
                Some(block) => {
                    block.is() < entry.severity
                        && (ours || facts.policy.weaker_local == crate::config::WeakerLocal::Raise)
                }
            }
        })
        .filter(|entry| may_be_met(facts, &entry.domain))
        .map(|entry| entry.domain.to_string())
        .collect()
}

/// Whether the server may have met a domain or something below it. Its list of peers leaves out whom it blocks.
fn may_be_met(facts: &Facts<'_>, domain: &str) -> bool {
    if facts.live.contains_key(domain) {
        return true;
    }
    facts.met.as_ref().is_none_or(|met| met.contains(domain))
}

/// Peers and all that they are below, so that one look tells: large servers have a hundred thousand.
pub fn met<'p>(peers: impl IntoIterator<Item = &'p String>) -> BTreeSet<String> {
    let names = peers.into_iter().flat_map(|peer| with_parents(peer));
    names.map(str::to_owned).collect()
}

/// How hard a block may be, given the follows it would cut.
pub(super) struct Softened {
    pub(super) severity: Severity,
    pub(super) ties: Option<Ties>,
    pub(super) cap: Option<Cap>,
    pub(super) hold: Option<Hold>,
}

/// Softens a new or harder block; `now` is how hard it is already.
pub(super) fn soften(facts: &Facts<'_>, entry: &Entry<'_>, now: Option<Severity>) -> Softened {
    let policy = facts.policy;
    let wanted = entry.severity;
    let plain = Softened {
        severity: wanted,
        ties: None,
        cap: None,
        hold: None,
    };
    if wanted == Severity::Noop || !may_be_met(facts, &entry.domain) {
        return plain;
    }
    let Some(ties) = facts.ties.get(&*entry.domain).copied() else {
        let why = match facts.counting {
            _ if wanted <= policy.max_followed_severity => return plain,
            Counting::NotAsked => "its follows were not counted",
            Counting::Refused => {
                "its follows cannot be counted: the token needs admin:read and the right to see the dashboard"
            }
            Counting::Done => "its follows were not counted yet",
        };
        return Softened {
            hold: Some(Hold::human(why)),
            ..plain
        };
    };
    let total = ties.follows + ties.followers;
    let mut softened = Softened {
        ties: Some(ties),
        ..plain
    };
    if total > 0 && wanted > policy.max_followed_severity {
        // The time counts from when people could hear of it, not from when we first thought of it.
        let since = facts
            .own
            .get(&*entry.domain)
            .and_then(|own| own.told_at)
            .unwrap_or(facts.now);
        let until = policy
            .stage
            .and_then(|stage| since.checked_add_signed(TimeDelta::from_std(stage).ok()?));
        if until.is_none_or(|until| until > facts.now) {
            let least = now.unwrap_or(Severity::Noop);
            softened.severity = policy.max_followed_severity.max(least);
            softened.cap = Some(Cap { wanted, until });
        }
    }
    if total > policy.alone_follows {
        softened.hold = Some(Hold::human(format!(
            "{total} follows; without a human it may be {}",
            policy.alone_follows
        )));
    }
    softened
}
