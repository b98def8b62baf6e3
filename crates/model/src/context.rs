//! A thread, which Mastodon calls the context of a status.

use serde::{Deserialize, Serialize};

use crate::{Status, lenient};

/// What comes before and after a status, as far as the answering server knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Context {
    /// Root first.
    #[serde(default, deserialize_with = "lenient::list")]
    pub ancestors: Vec<Status>,
    /// Depth first; on Pleroma everything newer, in no tree order.
    #[serde(default, deserialize_with = "lenient::list")]
    pub descendants: Vec<Status>,
}

/// A server's own background fetch of replies (4.4+, always on since 4.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsyncRefresh {
    /// Opaque.
    pub id: String,
    /// `running` or `finished`.
    #[serde(default)]
    pub status: String,
    /// How many statuses it found, where told.
    #[serde(default)]
    pub result_count: Option<u64>,
}
