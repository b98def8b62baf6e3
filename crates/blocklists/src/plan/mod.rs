//! What would change on one server, and why, and what stays and why. No I/O: facts in, plan out.
//!
//! Local decisions are sacred. A block is ours when we made it (or were told to adopt it) and it is as we left it;
//! every other one stays as it is.

pub(crate) mod decide;
mod report;
mod shape;
mod ties;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mastodon::{AdminDomainBlock, Ties};
use store::block_entries::State;

use crate::{
    config::{Policy, domain},
    merge::Merged,
    signature::sha256_hex,
};

pub use shape::{Action, Cap, Hold, Kind, Leaves, Note, Operation, Plan, Reason, StateChange, Topic};
pub use ties::{Counting, candidates, met};

/// What we know of a domain on the server, from our own records.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    /// Whose the block is.
    pub state: State,
    /// As the server showed it after our last change.
    pub written: Option<AdminDomainBlock>,
    /// As it was before our first one.
    pub before: Option<AdminDomainBlock>,
    /// Those whose follows a harder block would end can hear of it, since.
    pub told_at: Option<DateTime<Utc>>,
    /// The lists that it is held for.
    pub lists: BTreeSet<String>,
}

/// Everything a plan is made from.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The server's host.
    pub server: &'a str,
    /// Its policy.
    pub policy: &'a Policy,
    /// What the lists say together.
    pub merged: &'a Merged<'a>,
    /// What is wrong with lists, in words: shown, and already counted for in `merged`.
    pub doubts: Vec<String>,
    /// The server's blocks by normalised domain.
    pub live: BTreeMap<String, AdminDomainBlock>,
    /// Our records by domain.
    pub own: BTreeMap<String, Own>,
    /// Domains that the server has met, or something below them: see [`met`]; `None` where it does not tell.
    pub met: Option<BTreeSet<String>>,
    /// Ties counted so far.
    pub ties: BTreeMap<String, Ties>,
    /// Whether more could be counted.
    pub counting: Counting,
    /// Whether the server knows suspension alone.
    pub only_suspends: bool,
    /// Now.
    pub now: DateTime<Utc>,
}

/// The server's blocks by normalised domain. One whose domain cannot be read keeps its spelling: nobody's list names it.
pub fn by_domain(blocks: Vec<AdminDomainBlock>) -> BTreeMap<String, AdminDomainBlock> {
    blocks
        .into_iter()
        .map(|block| (domain(&block.domain).unwrap_or_else(|| block.domain.clone()), block))
        .collect()
}

/// Decides everything.
pub fn plan(facts: &Facts<'_>) -> Plan {
    let mut plan = Plan {
        server: facts.server.to_owned(),
        policy: facts.policy.name.clone(),
        counted_follows: facts.counting == Counting::Done,
        doubts: facts.doubts.clone(),
        blocks: facts.live.len(),
        ..Plan::default()
    };
    for list in facts.merged.unread.iter().chain(&facts.merged.unread_bounds) {
        plan.doubts.push(format!("{list} was never read"));
    }
    if facts.merged.is_held(&facts.policy.merging()) {
        plan.doubts
            .push("votes cannot be counted before every list was read once, so nothing changes".to_owned());
    } else {
        decide::wanted(facts, &mut plan);
        decide::unwanted(facts, &mut plan);
    }
    spare(facts.merged, &mut plan);
    report::left_out(facts.merged, &mut plan);
    // An exception must be there before the block it is an exception to: afterwards the server refuses it.
    plan.operations.sort_by(|a, b| {
        let key = |it: &Operation| (!it.exempts, it.domain.matches('.').count());
        key(a).cmp(&key(b)).then_with(|| a.domain.cmp(&b.domain))
    });
    bound(facts.policy, &mut plan);
    plan.hash = hash(&plan, &facts.live);
    plan
}

/// Holds what an allow list or veto may forbid that was never read: what a suspension cuts, no lifting brings back.
fn spare(merged: &Merged<'_>, plan: &mut Plan) {
    let Some(list) = merged.unread_bounds.first() else {
        return;
    };
    for operation in &mut plan.operations {
        let hardens = match &operation.action {
            Action::Create { .. } => !operation.exempts,
            Action::Update { fields, .. } => operation.kind == Kind::Update && fields.severity.is_some(),
            Action::Delete { .. } => false,
        };
        if hardens {
            operation.hold = Some(Hold::doubt(format!("{list}, which may spare it, was never read")));
        }
    }
}

/// Holds what is more than the policy lets pass without a human.
fn bound(policy: &Policy, plan: &mut Plan) {
    for (kinds, most, words) in [
        (&[Kind::Create][..], policy.alone_creates, "new blocks"),
        (&[Kind::Update], policy.alone_updates, "changes"),
        (
            &[Kind::Weaken, Kind::Remove],
            policy.alone_removals,
            "blocks lifted or weakened",
        ),
    ] {
        let is_free = |it: &Operation| kinds.contains(&it.kind) && it.hold.is_none();
        let count = plan.operations.iter().filter(|it| is_free(it)).count();
        if count > most {
            let hold = Hold::human(format!("{count} {words} at once; without a human it may be {most}"));
            for operation in plan.operations.iter_mut().filter(|it| is_free(it)) {
                operation.hold = Some(hold.clone());
            }
        }
    }
}

/// Names a plan: what it does, and the state of the server it was made for.
pub(crate) fn hash(plan: &Plan, live: &BTreeMap<String, AdminDomainBlock>) -> String {
    let operations: Vec<_> = plan
        .operations
        .iter()
        .map(|it| (&it.domain, &it.action, &it.before))
        .collect();
    let text = serde_json::json!([plan.server, plan.policy, operations, live]).to_string();
    sha256_hex(text.as_bytes())
}

#[cfg(test)]
mod tests;
