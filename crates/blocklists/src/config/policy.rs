//! `[[blocklists.policies]]`: what the lists are made into on a server, and what of it may be done without a human.

use std::{collections::BTreeSet, time::Duration};

use model::Severity;
use serde::{Deserialize, Serialize};

use super::{domain, severity, word};
use crate::{
    merge::{Covering, Merging, Method},
    undo::{CLEAR, UNDO},
};

/// What to do with a weaker block that a moderator made by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeakerLocal {
    /// It stays; the plan suggests more.
    #[default]
    Suggest,
    /// It becomes as hard as the lists say, and returns to what it was when they change their mind.
    Raise,
}

/// What to do with our block when no list wants it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retract {
    /// Lift it.
    #[default]
    Delete,
    /// Leave a record of severity `noop`, which says why.
    Noop,
    /// Leave it.
    Keep,
}

/// `[[blocklists.policies]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// One word.
    pub name: String,
    /// Hosts of `[[servers]]`; empty: every server that no other policy names.
    pub servers: Vec<String>,
    /// Names of lists; empty: all.
    pub sources: Vec<String>,
    /// How votes become a block.
    pub merge: Method,
    /// Votes that a domain needs.
    pub votes: u32,
    /// The same as a share of all votes.
    pub percent: u32,
    /// Blocks that cover an allowed domain.
    pub covering: Covering,
    /// Domains that are never blocked, nor what is below them.
    pub allow: Vec<String>,
    /// Domains that may be blocked although they are public suffixes or reserved names.
    pub force: Vec<String>,
    /// Whether reserved names (`.test`, `.example`) may be blocked: for trying things out.
    pub reserved: bool,
    /// Where local people follow, or are followed, nothing harder than this.
    #[serde(with = "severity")]
    pub max_followed_severity: Severity,
    /// … until this time has passed: silence first, tell, suspend later.
    #[serde(with = "humantime_serde")]
    pub stage: Option<Duration>,
    /// Whether follows are counted in mode `observe` too: a request for each candidate that is a peer.
    pub count_follows: bool,
    /// Weaker blocks that were made by hand.
    pub weaker_local: WeakerLocal,
    /// Our blocks that no list wants any more.
    pub retract: Retract,
    /// Whether a block that was ours and vanished is made again.
    pub recreate: bool,
    /// Private comment of new blocks for which no list gives one.
    pub stamp: String,
    /// New blocks that one run may make without a human.
    pub alone_creates: usize,
    /// Changes to blocks that one run may make without a human.
    pub alone_updates: usize,
    /// Blocks that one run may lift or weaken without a human.
    pub alone_removals: usize,
    /// A domain with more follows than this waits for a human.
    pub alone_follows: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            servers: Vec::new(),
            sources: Vec::new(),
            merge: Method::Max,
            votes: 0,
            percent: 0,
            covering: Covering::Hold,
            allow: Vec::new(),
            force: Vec::new(),
            reserved: false,
            max_followed_severity: Severity::Silence,
            stage: None,
            count_follows: false,
            weaker_local: WeakerLocal::Suggest,
            retract: Retract::Delete,
            recreate: false,
            stamp: "egret".to_owned(),
            alone_creates: 500,
            alone_updates: 100,
            alone_removals: 25,
            alone_follows: 100,
        }
    }
}

impl Policy {
    /// How to merge.
    pub fn merging(&self) -> Merging {
        Merging {
            method: self.merge,
            votes: self.votes,
            percent: self.percent,
            covering: self.covering,
        }
    }
}

impl Policy {
    pub(super) fn validate(&self, sources: &BTreeSet<&String>) -> Result<(), String> {
        let Self { name, .. } = self;
        word("policies", name)?;
        if [CLEAR, UNDO].contains(&name.as_str()) {
            return Err(format!(
                "policies: {name:?} is what plans to {name} are called; choose another name"
            ));
        }
        if let Some(missing) = self.sources.iter().find(|source| !sources.contains(source)) {
            return Err(format!(
                "policies: {name:?} names the list {missing:?}, which is not there"
            ));
        }
        if self.percent > 100 {
            return Err(format!("policies: percent of {name:?} must be 100 or less"));
        }
        for text in self.allow.iter().chain(&self.force) {
            if domain(text).is_none() {
                return Err(format!("policies: {text:?}, in {name:?}, is no domain"));
            }
        }
        Ok(())
    }
}
