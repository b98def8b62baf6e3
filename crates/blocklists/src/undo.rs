//! Ways back: undo a run, clear by filters. Both make a plan like any other, and are carried out like one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use job::{JobContext, JobError, Login};
use mastodon::{AdminDomainBlock, DomainBlockFields};
use model::Severity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::block_entries::{self, Change, Entry, State};

use crate::{
    apply::{Author, Carrier, Done},
    guard::Guard,
    list::severity,
    name::is_within,
    plan::{Action, Kind, Leaves, Note, Operation, Plan, Topic, decide, hash},
};

/// The name under which plans to clear are kept in place of a policy's.
pub const CLEAR: &str = "clear";

/// The same of plans to undo.
pub const UNDO: &str = "undo";

/// The plan that takes a run back, newest change first. What is no longer as the run left it stays, and is named.
pub fn undo(server: &str, changes: &[Change], live: &BTreeMap<String, AdminDomainBlock>) -> Plan {
    let mut plan = Plan {
        server: server.to_owned(),
        policy: UNDO.to_owned(),
        blocks: live.len(),
        ..Plan::default()
    };
    let mut lost = 0;
    for change in changes
        .iter()
        .rev()
        .filter(|change| change.server == server && change.undone_by.is_none())
    {
        let (before, after) = (block(&change.before), block(&change.after));
        let there = live.get(&change.domain);
        let was_suspended = before.as_ref().is_some_and(|block| block.is() == Severity::Suspend);
        if after.as_ref().is_some_and(|block| block.is() == Severity::Suspend) && !was_suspended {
            lost += change.follows.unwrap_or_default();
        }
        let made = match (&before, &after, there) {
            (None, Some(after), Some(there)) if decide::is_same(after, there) => {
                Ok((Action::Delete { id: there.id.clone() }, Kind::Remove, Leaves::Dismissed))
            }
            (Some(before), Some(after), Some(there)) if decide::is_same(after, there) => {
                let fields = decide::restoring(before, there);
                let kind = if before.is() < there.is() {
                    Kind::Weaken
                } else {
                    Kind::Update
                };
                Ok((
                    Action::Update {
                        id: there.id.clone(),
                        fields,
                    },
                    kind,
                    Leaves::Drifted,
                ))
            }
            (Some(before), None, None) => Ok((Action::Create { fields: all(before) }, Kind::Create, Leaves::Nothing)),
            (_, _, None) => Err("it is gone already"),
            (_, None, Some(_)) => Err("it is blocked again already"),
            _ => Err("somebody changed it since"),
        };
        match made {
            Ok((action, kind, leaves)) => plan.operations.push(Operation {
                domain: change.domain.clone(),
                kind,
                action,
                before: there.cloned(),
                says: Vec::new(),
                rule: format!(
                    "undoes a {} of {}",
                    change.action,
                    change.changed_at.format("%Y-%m-%d %H:%M")
                ),
                ties: None,
                cap: None,
                exempts: false,
                leaves,
                hold: None,
            }),
            Err(why) => plan.notes.push(Note {
                domain: change.domain.clone(),
                topic: Topic::Drifted,
                text: format!("stays as it is: {why}"),
            }),
        }
    }
    if lost > 0 {
        plan.doubts.push(format!(
            "{lost} follows were counted before suspensions of this run; no undo brings them back"
        ));
    }
    plan.hash = hash(&plan, live);
    plan
}

/// A block with everything that can be set.
fn all(block: &AdminDomainBlock) -> DomainBlockFields {
    DomainBlockFields {
        severity: block.severity,
        reject_media: block.severity.is_some().then_some(block.reject_media),
        reject_reports: block.severity.is_some().then_some(block.reject_reports),
        obfuscate: Some(block.obfuscate),
        private_comment: (!block.private_comment.is_empty()).then(|| block.private_comment.clone()),
        public_comment: (!block.public_comment.is_empty()).then(|| block.public_comment.clone()),
    }
}

fn block(value: &Option<Value>) -> Option<AdminDomainBlock> {
    value.clone().and_then(|value| serde_json::from_value(value).ok())
}

/// Which blocks to clear. Everything that is set must fit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Not only what is ours.
    pub all: bool,
    /// Wanted by this list when it was last changed.
    pub source: Option<String>,
    /// `noop`, `silence`, `suspend`, as lists write them.
    pub severity: Option<String>,
    /// The private comment contains this.
    pub private_comment: Option<String>,
    /// The public comment contains this.
    pub public_comment: Option<String>,
    /// This domain and what is below it.
    pub within: Option<String>,
    /// Made before this.
    pub before: Option<DateTime<Utc>>,
    /// Made at this time or later.
    pub since: Option<DateTime<Utc>>,
}

impl Filter {
    /// Whether a block is meant.
    pub fn fits(&self, domain: &str, block: &AdminDomainBlock, entry: Option<&Entry>) -> bool {
        let contains = |wanted: &Option<String>, text: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
        };
        let wanted_by = |source: &String| {
            entry
                .and_then(|entry| entry.reason["says"].as_array())
                .is_some_and(|says| says.iter().any(|say| say["list"].as_str() == Some(source)))
        };
        (self.all || entry.is_some_and(|entry| entry.state == State::Ours))
            && self.source.as_ref().is_none_or(wanted_by)
            && self
                .severity
                .as_ref()
                .is_none_or(|word| severity(word) == Some(block.is()))
            && contains(&self.private_comment, &block.private_comment)
            && contains(&self.public_comment, &block.public_comment)
            && self.within.as_ref().is_none_or(|parent| is_within(domain, parent))
            && self
                .before
                .is_none_or(|before| block.created_at.is_some_and(|at| at < before))
            && self
                .since
                .is_none_or(|since| block.created_at.is_some_and(|at| at >= since))
    }
}

/// The plan that lifts the blocks a filter fits.
pub fn clear(
    server: &str,
    filter: &Filter,
    live: &BTreeMap<String, AdminDomainBlock>,
    entries: &BTreeMap<String, Entry>,
) -> Plan {
    let mut plan = Plan {
        server: server.to_owned(),
        policy: CLEAR.to_owned(),
        blocks: live.len(),
        ..Plan::default()
    };
    for (domain, block) in live
        .iter()
        .filter(|(domain, block)| filter.fits(domain, block, entries.get(*domain)))
    {
        plan.operations.push(Operation {
            domain: domain.clone(),
            kind: Kind::Remove,
            action: Action::Delete { id: block.id.clone() },
            before: Some(block.clone()),
            says: Vec::new(),
            rule: "cleared by hand".to_owned(),
            ties: None,
            cap: None,
            exempts: false,
            leaves: Leaves::Dismissed,
            hold: None,
        });
    }
    plan.hash = hash(&plan, live);
    plan
}

/// Carries such a plan out and, for an undo, marks what it took back.
///
/// # Errors
/// See [`Carrier::carry_out`].
pub async fn carry_out(
    cx: &JobContext,
    login: &Login,
    guard: &Guard,
    plan: &Plan,
    author: Author,
    undoes: Option<&[Change]>,
) -> Result<Done, JobError> {
    if !plan.operations.is_empty() {
        cx.effects.before_changes(login, cx).await?;
    }
    let entries = block_entries::list(&cx.store, &login.server).await?;
    let run = author.run.clone();
    let mut carrier = Carrier {
        cx,
        login,
        author,
        guard,
        entries: entries.into_iter().map(|entry| (entry.domain.clone(), entry)).collect(),
    };
    let mut done = carrier.carry_out(plan.operations.iter()).await;
    // Also after an early end: what was taken back is taken back.
    let made: BTreeSet<String> = block_entries::of_run(&cx.store, &run)
        .await?
        .into_iter()
        .map(|it| it.domain)
        .collect();
    for change in undoes
        .into_iter()
        .flatten()
        .filter(|change| made.contains(&change.domain))
    {
        block_entries::mark_undone(&cx.store, &change.id, &run).await?;
    }
    if let Ok(done) = &mut done
        && done.writes() > 0
    {
        let live = crate::gather::blocks(login).await?;
        let sent = plan
            .operations
            .iter()
            .filter(|operation| made.contains(&operation.domain));
        done.astray = crate::apply::verify(sent, &live);
    }
    done
}
