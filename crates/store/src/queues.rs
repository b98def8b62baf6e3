//! What waits, counted for those who watch: how much, and since when.

use chrono::{DateTime, Utc};

use crate::{Db, Error};

/// A queue of ours at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// One word.
    pub name: &'static str,
    /// Rows in it.
    pub waiting: i64,
    /// When the oldest of them came.
    pub oldest: Option<DateTime<Utc>>,
}

/// Each queue, and how its rows are found: by an index that holds only those that wait, or begins with the state.
const QUEUES: [(&str, &str); 7] = [
    // Pushed by servers, and not looked at yet.
    (
        "events",
        "SELECT COUNT(*), MIN(received_at) FROM webhook_events WHERE done_at IS NULL",
    ),
    // Statuses that are to be fetched.
    (
        "statuses",
        "SELECT COUNT(*), MIN(found_at) FROM wanted WHERE state = 'wanted'",
    ),
    // Writes that a quota, a panic stop or a person holds.
    (
        "held_effects",
        "SELECT COUNT(*), MIN(planned_at) FROM effects WHERE state = 'held'",
    ),
    // Writes that are under way, or of which nobody knows what became of them.
    (
        "open_effects",
        "SELECT COUNT(*), MIN(changed_at) FROM effects WHERE state = 'intended'",
    ),
    // People who want to join.
    (
        "applicants",
        "SELECT COUNT(*), MIN(signed_up_at) FROM applicants WHERE ended_at IS NULL",
    ),
    // Cases that nobody decided.
    (
        "cases",
        "SELECT COUNT(*), MIN(opened_at) FROM cases WHERE state IN ('open', 'ready')",
    ),
    // Notices that nobody saw.
    (
        "notices",
        "SELECT COUNT(*), MIN(created_at) FROM notices WHERE seen_at IS NULL",
    ),
];

/// All queues, in this order always.
///
/// # Errors
/// When the database cannot be read.
pub async fn all(db: &Db) -> Result<Vec<Queue>, Error> {
    let mut found = Vec::with_capacity(QUEUES.len());
    for (name, sql) in QUEUES {
        let (waiting, oldest) = on!(db, pool => sqlx::query_as(sql).fetch_one(pool).await)?;
        found.push(Queue { name, waiting, oldest });
    }
    Ok(found)
}
