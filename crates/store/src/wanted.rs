//! Statuses that a server should have, and what became of each: the one mechanism behind replies and backfill.
//!
//! ```text
//! wanted ─claim─► claimed ─resolve, verify─► done
//!   ▲                │                        failed (gave up, reason kept)
//!   └──not arrived───┘                        gone · blocked
//! ```

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Db, Error};

/// What became of a wanted status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be fetched, not before `next_try_at`.
    Wanted,
    /// The server has it: seen there with its own id or listed in a context.
    Done,
    /// Given up after the limit of tries.
    Failed,
    /// Deleted at its origin.
    Gone,
    /// Its host is blocked by our server or by the operator.
    Blocked,
}

/// A status that a server should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Our server's host.
    pub server: String,
    /// Which status.
    pub uri: String,
    /// Its origin's host.
    pub host: String,
    /// Who wants it: `replies`, `backfill`.
    pub feature: String,
    /// The status on our server in whose context it should appear.
    pub thread: Option<String>,
    /// Its parent's uri, where known.
    pub in_reply_to: Option<String>,
    /// What became of it.
    pub state: State,
    /// Its id on our server, once there.
    pub status_id: Option<String>,
    /// Times the server was asked to fetch it.
    pub tries: i64,
    /// Why the last try failed, for people.
    pub reason: Option<String>,
    /// Not before this.
    pub next_try_at: DateTime<Utc>,
    /// First wanted.
    pub found_at: DateTime<Utc>,
    /// Done, failed, gone or blocked since.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Adds those not there yet (in any state) and gives how many were new. One transaction.
pub async fn insert(_db: &Db, _wanted: &[Wanted]) -> Result<u64, Error> {
    todo!()
}

/// Some rows of a server by uri; unknown ones are left out.
pub async fn load(_db: &Db, _server: &str, _uris: &[String]) -> Result<Vec<Wanted>, Error> {
    todo!()
}

/// Claims up to `limit` rows in state `wanted` that are due (oldest `next_try_at` first; of one thread or of one
/// feature if given) for `holder` until `until`; no other claim sees them before. Counts the try *before* the request goes out, so
/// that a crash cannot hide it: a row handed out with `tries > 0` may have been asked for already and is to be verified first.
pub async fn claim(
    _db: &Db,
    _server: &str,
    _thread: Option<&str>,
    _holder: &str,
    _limit: u32,
    _now: DateTime<Utc>,
    _until: DateTime<Utc>,
) -> Result<Vec<Wanted>, Error> {
    todo!()
}

/// The server has them: `(uri, id on the server)`. Also ends rows that were never claimed (ancestors that came along).
pub async fn mark_done(
    _db: &Db,
    _server: &str,
    _arrived: &[(String, Option<String>)],
    _now: DateTime<Utc>,
) -> Result<u64, Error> {
    todo!()
}

/// A try failed; the row stays wanted until `next_try_at`, or ends in `state` if given. Frees the claim.
pub async fn mark_failed(
    _db: &Db,
    _server: &str,
    _uri: &str,
    _reason: &str,
    _next_try_at: DateTime<Utc>,
    _state: Option<State>,
    _now: DateTime<Utc>,
) -> Result<(), Error> {
    todo!()
}

/// Frees claims without counting the try (stopped before the request went out).
pub async fn release(_db: &Db, _server: &str, _uris: &[String]) -> Result<(), Error> {
    todo!()
}

/// Which servers have rows due at `now`.
pub async fn due_servers(_db: &Db, _now: DateTime<Utc>) -> Result<Vec<String>, Error> {
    todo!()
}

/// How many rows are in each state, by server.
pub async fn counts(_db: &Db) -> Result<Vec<(String, State, i64)>, Error> {
    todo!()
}

/// Rows in one state, newest first, for the page.
pub async fn list(_db: &Db, _state: State, _limit: u32) -> Result<Vec<Wanted>, Error> {
    todo!()
}

/// Deletes ended rows older than `before`.
pub async fn delete_older(_db: &Db, _before: DateTime<Utc>) -> Result<u64, Error> {
    todo!()
}
