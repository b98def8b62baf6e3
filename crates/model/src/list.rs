//! A list.

use serde::{Deserialize, Serialize};

use crate::{ListId, lenient};

/// A person's list of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Where this server keeps it.
    pub id: ListId,
    /// Name for people.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub title: String,
}
