//! What a plan is made of: stored as JSON, shown by commands and pages.

use std::{collections::BTreeMap, fmt::Write as _};

use chrono::{DateTime, Utc};
use mastodon::{AdminDomainBlock, DomainBlockFields, Ties};
use model::Severity;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::list::severity_word;

/// What would change on one server.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The server's host.
    pub server: String,
    /// By which policy.
    pub policy: String,
    /// Names the plan: SHA-256 of what it does and of the server's blocks.
    pub hash: String,
    /// Whether follows were counted for it.
    pub counted_follows: bool,
    /// Blocks on the server.
    pub blocks: usize,
    /// What would be done, in this order.
    pub operations: Vec<Operation>,
    /// What stays, and why.
    pub notes: Vec<Note>,
    /// What is wrong with lists.
    pub doubts: Vec<String>,
    /// Names that lists hide and nobody could tell.
    #[serde(default)]
    pub hidden: usize,
    /// Domains with fewer votes than the policy asks for.
    #[serde(default)]
    pub outvoted: usize,
    /// Changes to our own records.
    #[serde(default)]
    pub states: Vec<StateChange>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Of which domain.
    pub domain: String,
    /// What sort of change, for the policy's bounds.
    pub kind: Kind,
    /// What is sent.
    pub action: Action,
    /// The block before; `None` when there is none.
    pub before: Option<AdminDomainBlock>,
    /// Who wants it.
    pub says: Vec<Reason>,
    /// The rule that decided.
    pub rule: String,
    /// Ties that it may cut, where counted.
    pub ties: Option<Ties>,
    /// Made softer because of follows.
    pub cap: Option<Cap>,
    /// An exception below a block.
    #[serde(default)]
    pub exempts: bool,
    /// What our record of the domain says afterwards.
    #[serde(default)]
    pub leaves: Leaves,
    /// Why it waits.
    pub hold: Option<Hold>,
}

/// What our record of a domain says after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    /// The block is ours.
    #[default]
    Ours,
    /// There is nothing to remember.
    Nothing,
    /// A human did not want it: it is not made again.
    Dismissed,
    /// A human wanted it so: hands off.
    Drifted,
}

/// What sort of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new block.
    Create,
    /// A harder one, or other comments and flags.
    Update,
    /// A softer one.
    Weaken,
    /// One less.
    Remove,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// POST.
    Create {
        /// With these fields.
        fields: DomainBlockFields,
    },
    /// PUT, with the fields that change.
    Update {
        /// The block's id.
        id: String,
        /// These fields.
        fields: DomainBlockFields,
    },
    /// DELETE.
    Delete {
        /// The block's id.
        id: String,
    },
}

impl Action {
    /// In one word: `create`, `update`, `delete`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
        }
    }
}

/// What one list says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Its name.
    pub list: String,
    /// What it wants.
    pub severity: Severity,
    /// It hides the name, and its digest told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_digest: bool,
    /// It says so no longer, but not for long enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_leaving: bool,
}

/// A block made softer because of follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// What the lists want.
    pub wanted: Severity,
    /// When it will be that, where the policy has a stage.
    pub until: Option<DateTime<Utc>>,
}

/// Why a change waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// In words.
    pub reason: String,
    /// Whether a human's approval lets it pass. What is held for lack of facts waits for the facts.
    pub human: bool,
}

impl Hold {
    pub(crate) fn human(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            human: true,
        }
    }

    pub(crate) fn doubt(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            human: false,
        }
    }
}

/// Something that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Which domain.
    pub domain: String,
    /// Which sort.
    pub topic: Topic,
    /// In words.
    pub text: String,
}

/// Which sort of thing stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A block made by hand, as hard as the lists want or harder.
    LocalDecision,
    /// A block made by hand, weaker than the lists want.
    Suggestion,
    /// Ours, changed by a moderator since.
    Drifted,
    /// Ours, lifted by a moderator.
    Dismissed,
    /// Covered by a parent's block.
    Covered,
    /// Refused by the server for good.
    Quarantined,
    /// Softer than wanted because of follows.
    Capped,
    /// The server cannot do it.
    Unable,
    /// No list wants it, and the policy leaves it.
    Left,
    /// On a list, and never blocked: a public suffix, a canary, ourselves.
    Refused,
    /// Left out, since it would cover an allowed domain.
    Covering,
    /// One list names it twice and wants two things.
    Doubled,
}

/// A change to our own records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// Of which domain.
    pub domain: String,
    /// `None`: forgotten.
    pub to: Option<String>,
    /// In words.
    pub note: String,
    /// Only why we hold it changes: other lists want it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Value>,
}

impl Plan {
    /// Operations that may go out: all that nothing holds, and with an approval those that wait for one.
    pub fn free(&self, approved: bool) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(move |it| it.hold.as_ref().is_none_or(|hold| approved && hold.human))
    }

    /// Operations that wait.
    pub fn held(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|it| it.hold.is_some())
    }

    /// How many operations there are of a sort.
    pub fn count(&self, kind: Kind) -> usize {
        self.operations.iter().filter(|it| it.kind == kind).count()
    }

    /// The plan for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{}: {} to make, {} to change, {} to weaken, {} to lift; {} of these wait. {} blocks there. Plan {}\n",
            self.server,
            self.count(Kind::Create),
            self.count(Kind::Update),
            self.count(Kind::Weaken),
            self.count(Kind::Remove),
            self.held().count(),
            self.blocks,
            self.hash.get(..12).unwrap_or(&self.hash),
        );
        for doubt in &self.doubts {
            let _ = writeln!(text, "  ! {doubt}");
        }
        // What holds many is said once.
        let mut holds: BTreeMap<&str, usize> = BTreeMap::new();
        for hold in self.operations.iter().filter_map(|it| it.hold.as_ref()) {
            *holds.entry(&hold.reason).or_default() += 1;
        }
        holds.retain(|_, count| *count > 1);
        for (reason, count) in &holds {
            let _ = writeln!(text, "  ! {count} wait: {reason}");
        }
        for operation in &self.operations {
            let _ = match &operation.hold {
                Some(hold) if holds.contains_key(&*hold.reason) => writeln!(text, "  {}; WAITS", operation.change()),
                _ => writeln!(text, "  {}", operation.text()),
            };
        }
        for note in &self.notes {
            let _ = writeln!(text, "  = {}: {}", note.domain, note.text);
        }
        for (count, what) in [
            (self.hidden, "hidden names that nobody can tell"),
            (self.outvoted, "domains with too few votes"),
        ] {
            if count > 0 {
                let _ = writeln!(text, "  = {count} {what}");
            }
        }
        text
    }
}

impl Operation {
    /// The change in one line, and what it waits for.
    pub fn text(&self) -> String {
        match &self.hold {
            Some(hold) => format!("{}; WAITS: {}", self.change(), hold.reason),
            None => self.change(),
        }
    }

    /// The change in one line.
    pub fn change(&self) -> String {
        let mut text = match &self.action {
            Action::Create { fields } => {
                format!("+ {} {}", self.domain, fields.severity.map_or("suspend", severity_word))
            }
            Action::Update { fields, .. } => format!("~ {} {}", self.domain, changed(fields, self.before.as_ref())),
            Action::Delete { .. } => {
                let was = self.before.as_ref().map_or("", |block| severity_word(block.is()));
                format!("- {} (was {was})", self.domain)
            }
        };
        let _ = write!(text, "; {}", self.rule);
        let says: Vec<String> = self.says.iter().map(Reason::text).collect();
        if !says.is_empty() {
            let _ = write!(text, ": {}", says.join(", "));
        }
        if let Some(ties) = &self.ties
            && ties.follows + ties.followers > 0
        {
            let _ = write!(text, "; {} follows, {} followers", ties.follows, ties.followers);
        }
        if let Some(cap) = &self.cap {
            let _ = write!(text, "; capped, the lists want {}", severity_word(cap.wanted));
            if let Some(until) = cap.until {
                let _ = write!(text, " from {} on", until.format("%Y-%m-%d"));
            }
        }
        text
    }
}

impl Reason {
    fn text(&self) -> String {
        let mut text = format!("{} {}", self.list, severity_word(self.severity));
        if self.by_digest {
            text.push_str(" (by digest)");
        }
        if self.is_leaving {
            text.push_str(" (until lately)");
        }
        text
    }
}

fn changed(fields: &DomainBlockFields, before: Option<&AdminDomainBlock>) -> String {
    let mut parts = Vec::new();
    if let Some(severity) = fields.severity {
        let was = before.map_or("", |block| severity_word(block.is()));
        parts.push(format!("{was} -> {}", severity_word(severity)));
    }
    for (name, flag) in [
        ("reject_media", fields.reject_media),
        ("reject_reports", fields.reject_reports),
        ("obfuscate", fields.obfuscate),
    ] {
        if let Some(flag) = flag {
            parts.push(format!("{name} {flag}"));
        }
    }
    for (name, comment) in [
        ("public_comment", &fields.public_comment),
        ("private_comment", &fields.private_comment),
    ] {
        if comment.is_some() {
            parts.push(name.to_owned());
        }
    }
    parts.join(", ")
}
