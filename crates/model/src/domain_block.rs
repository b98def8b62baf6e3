//! A server's block of another server.

use serde::{Deserialize, Serialize};

use crate::lenient;

/// A server's block of a domain, as an admin or the public sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainBlock {
    /// Possibly with stars in it when the server obfuscates.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub domain: String,
    /// How hard.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub severity: Severity,
}

/// How hard a domain block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Only media or reports are refused.
    Noop,
    /// Hidden from those who do not follow; the UI's limit.
    Silence,
    /// No federation at all. GoToSocial sends no severity and always means this one.
    #[default]
    #[serde(other)]
    Suspend,
}
