//! What the lists say of one domain, and what comes of it.

use model::Severity;

use super::{Merging, Method, Role, Say, Voter, groups::Link};
use crate::list::{Flags, Row, Stance};

/// One list's vote on one domain.
pub(super) struct Vote<'a> {
    pub(super) say: Say,
    pub(super) flags: Flags,
    pub(super) public_comment: &'a str,
    pub(super) row: &'a Row<'a>,
}

/// Collects the votes on one domain, one per list, by list; gives a list that speaks with two tongues.
pub(super) fn vote<'g, 'a: 'g>(
    links: impl Iterator<Item = &'g Link<'a>>,
    voters: &[Voter<'a>],
    merging: &Merging,
    votes: &mut Vec<Vote<'a>>,
) -> Option<u32> {
    votes.clear();
    let mut doubled = None;
    for link in links {
        let Stance::Block(severity) = link.stance else {
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
            flags: link.flags,
            public_comment: link.public_comment,
            row: link.row,
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
                (new.public_comment, &new.row.private_comment, key(new.flags))
                    > (vote.public_comment, &vote.row.private_comment, key(vote.flags))
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

pub(super) fn decide(votes: &[Vote<'_>], voters: &[Voter<'_>], merging: &Merging, needed: u64) -> Option<Severity> {
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
pub(super) fn flags(votes: &[Vote<'_>], method: Method) -> Flags {
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
