//! What is thought of an applicant, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a rule says of those it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let them in.
    Approve,
    /// Turn them away.
    Reject,
    /// A person decides.
    Hold,
    /// Not yet: look again.
    Wait,
    /// None of our business: somebody else looks after them.
    Ignore,
}

impl Verdict {
    /// As in the config and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Hold => "hold",
            Self::Wait => "wait",
            Self::Ignore => "ignore",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A verdict that can be explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// What to do.
    pub verdict: Verdict,
    /// Name of the rule that decided; `None` when none did.
    pub rule: Option<String>,
    /// For people. Names rules and what fitted; never a mailbox or an IP address.
    pub why: String,
}

impl Judgement {
    pub(crate) fn hold(why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Hold,
            rule: None,
            why: why.into(),
        }
    }
}
