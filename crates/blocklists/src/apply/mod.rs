//! Carries plans out, one effect after the other, and remembers what came of each.

mod reconcile;
mod record;
mod send;

pub use reconcile::{on_their_way, reconcile};
pub use send::Carrier;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError, Summary};
use mastodon::AdminDomainBlock;
use store::block_entries::{self, Entry, State};

use crate::plan::{Action, Operation, Plan};

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Done {
    /// The run that the changes are recorded under.
    pub run: String,
    /// Blocks made.
    pub created: usize,
    /// Changed.
    pub updated: usize,
    /// Lifted.
    pub deleted: usize,
    /// Only rehearsed: the mode is `observe`.
    pub rehearsed: usize,
    /// Waiting for the quota or the end of a panic stop.
    pub waiting: usize,
    /// Not there to be made: the server has one already, or a parent's covers it.
    pub covered: usize,
    /// Sent, and nobody knows whether it arrived.
    pub unknown: usize,
    /// Refused by the server, and why.
    pub failed: Vec<(String, String)>,
    /// Looked at afterwards and not as it should be.
    pub astray: Vec<String>,
}

impl Done {
    /// Changes on the server.
    pub fn writes(&self) -> usize {
        self.created + self.updated + self.deleted
    }

    /// As counters of a run.
    pub fn count(&self, summary: &mut Summary) {
        for (name, count) in [
            ("created", self.created),
            ("updated", self.updated),
            ("deleted", self.deleted),
            ("rehearsed", self.rehearsed),
            ("waiting", self.waiting),
            ("covered", self.covered),
            ("unknown", self.unknown),
            ("failed", self.failed.len()),
            ("astray", self.astray.len()),
        ] {
            if count > 0 {
                summary.add(name, count);
            }
        }
    }
}

/// Writes what planning found out about our own records: nothing of it is on the server.
///
/// # Errors
/// When the store fails.
pub async fn remember(cx: &JobContext, plan: &Plan, entries: &mut BTreeMap<String, Entry>) -> Result<(), JobError> {
    for change in &plan.states {
        let Some(state) = change.to.as_deref().and_then(state) else {
            block_entries::delete(&cx.store, &plan.server, &change.domain).await?;
            entries.remove(&change.domain);
            continue;
        };
        if let Some(entry) = entries.get_mut(&change.domain) {
            match &change.reason {
                Some(reason) => entry.reason = reason.clone(),
                None => entry.note = Some(change.note.clone()),
            }
            entry.state = state;
            entry.changed_at = cx.clock.now();
            block_entries::save(&cx.store, entry).await?;
        }
    }
    // Since when a block is softer than wanted: its stage begins.
    for note in plan
        .notes
        .iter()
        .filter(|note| note.topic == crate::plan::Topic::Capped)
    {
        if let Some(entry) = entries.get_mut(&note.domain)
            && entry.capped_since.is_none()
        {
            entry.capped_since = Some(cx.clock.now());
            block_entries::save(&cx.store, entry).await?;
        }
    }
    Ok(())
}

fn state(word: &str) -> Option<State> {
    Some(match word {
        "ours" => State::Ours,
        "drifted" => State::Drifted,
        "dismissed" => State::Dismissed,
        "covered" => State::Covered,
        "quarantined" => State::Quarantined,
        _ => return None,
    })
}

/// Compares the server with what was sent to it; names what is otherwise.
pub fn verify<'o>(sent: impl Iterator<Item = &'o Operation>, live: &BTreeMap<String, AdminDomainBlock>) -> Vec<String> {
    sent.filter(|operation| {
        let there = live.get(&operation.domain);
        match &operation.action {
            Action::Delete { .. } => there.is_some(),
            Action::Create { fields } | Action::Update { fields, .. } => {
                !there.is_some_and(|block| record::has(block, fields))
            }
        }
    })
    .map(|operation| operation.domain.clone())
    .collect()
}

/// A run or command that changes a server, for the record.
#[derive(Debug, Clone)]
pub struct Author {
    /// Its id.
    pub run: String,
    /// The job, or who approved.
    pub who: String,
    /// When it began.
    pub at: DateTime<Utc>,
}

/// Hands a block to the lists: from now on it is ours, as it is.
///
/// # Errors
/// When the store fails.
pub async fn adopt(cx: &JobContext, server: &str, domain: &str, block: &AdminDomainBlock) -> Result<(), JobError> {
    let now = cx.clock.now();
    let entry = Entry {
        server: server.to_owned(),
        domain: domain.to_owned(),
        state: State::Ours,
        block_id: Some(block.id.clone()),
        written: record::value(Some(block)),
        before: None,
        reason: serde_json::json!({ "rule": "adopted by hand" }),
        change: None,
        capped_since: None,
        told_at: None,
        note: Some("adopted".to_owned()),
        created_at: now,
        changed_at: now,
    };
    Ok(block_entries::save(&cx.store, &entry).await?)
}
