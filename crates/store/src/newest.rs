//! Pages of what several servers have, newest first.
//!
//! Each server is asked for its own newest rows, which an index gives in their order however many there are, and the
//! answers are merged here.

use chrono::{DateTime, TimeDelta, Utc};

/// Where a page begins: after the last row of the page before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The moment that it is sorted by.
    pub at: DateTime<Utc>,
    /// Our server.
    pub server: String,
    /// Which status.
    pub uri: String,
}

impl Before {
    /// The same for one server's rows: those older than the moment, or of the moment itself and past the uri.
    pub(crate) fn of(&self, server: &str) -> (DateTime<Utc>, &str) {
        match server.cmp(self.server.as_str()) {
            // Rows of one moment are sorted by server: this one's were shown.
            std::cmp::Ordering::Less => (self.at - TimeDelta::microseconds(1), ""),
            std::cmp::Ordering::Equal => (self.at, &self.uri),
            std::cmp::Ordering::Greater => (self.at, ""),
        }
    }
}

/// The newest of all, from each server's newest. Of one moment, each server's rows stay as the store gave them: what
/// comes first among texts, the engines see differently.
pub(crate) fn merge<T>(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> (Option<DateTime<Utc>>, &str)) -> Vec<T> {
    rows.sort_by(|a, b| {
        let ((one, first), (other, second)) = (key(a), key(b));
        other.cmp(&one).then_with(|| first.cmp(second))
    });
    rows.truncate(limit as usize);
    rows
}
