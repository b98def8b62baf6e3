//! What the rules say of a subject.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

use crate::{Field, State};

/// What the rules say of a subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The ruleset that said it.
    pub version: String,
    /// What live rules add up to, as [`crate::Scoring`] does, for this subject alone.
    pub score: f64,
    /// The same with rules in shadow.
    pub shadow_score: f64,
    /// Why the account is spared by the whole set.
    pub exempt: Option<String>,
    /// Every rule that hit, in the ruleset's order.
    pub contributions: Vec<Contribution>,
}

impl Verdict {
    /// Hits that count: of live rules, with nobody spared.
    pub fn counting(&self) -> impl Iterator<Item = &Contribution> {
        self.contributions.iter().filter(|hit| hit.counts())
    }
}

/// One rule that hit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The rule's id.
    pub rule: String,
    /// Its state then.
    pub state: State,
    /// What it adds.
    pub weight: f64,
    /// The status it hit on; `None` when it was the account, or several statuses together.
    pub status: Option<String>,
    /// Why the account is spared by this rule.
    pub exempt: Option<String>,
    /// What matched.
    pub evidence: Vec<Evidence>,
}

impl Contribution {
    /// Whether it leads to anything.
    pub fn counts(&self) -> bool {
        self.state == State::Live && self.exempt.is_none()
    }
}

/// What matched, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The condition, in words.
    pub condition: String,
    /// The field with the text; `None` for numbers and the like.
    pub field: Option<Field>,
    /// The status it stands in; `None` for the account.
    pub status: Option<String>,
    /// Bytes of the field as it was sent: HTML where it is HTML.
    pub span: Range<usize>,
    /// What stands there.
    pub original: String,
    /// What it was read as, or what the number was.
    pub matched: String,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field {
            Some(field) => write!(f, "{} in {}: {:?}", self.condition, field.name(), self.matched)?,
            None => write!(f, "{}: {}", self.condition, self.matched)?,
        }
        if self.field.is_some() && self.original != self.matched {
            write!(f, ", written {:?}", self.original)?;
        }
        Ok(())
    }
}
