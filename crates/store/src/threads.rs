//! Statuses whose replies we look after, and what earlier visits found. (`context` in Mastodon's words; a table of
//! that name would be taken for the API's answer.)

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Db, Error};

/// A status whose replies we look after, on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thread {
    /// Our server's host.
    pub server: String,
    /// Its identity.
    pub uri: String,
    /// Its id on our server.
    pub status_id: String,
    /// Its origin's host.
    pub host: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// `replies_count` on our server when last visited.
    pub replies_seen: Option<i64>,
    /// The origin's `replies_count` when last visited.
    pub origin_replies: Option<i64>,
    /// Replies the origin listed at the last visit.
    pub listed: i64,
    /// Of those, missing at home before it.
    pub missing: i64,
    /// Visits in a row that found nothing new.
    pub quiet_visits: i64,
    /// Last visit.
    pub visited_at: Option<DateTime<Utc>>,
    /// Not before this.
    pub next_visit_at: DateTime<Utc>,
    /// `gone`, `closed` (its origin shows nothing to strangers), `robots`, … or nothing.
    pub trouble: Option<String>,
}

/// Some threads of a server, by uri; unknown ones are left out.
pub async fn load(_db: &Db, _server: &str, _uris: &[String]) -> Result<Vec<Thread>, Error> {
    todo!()
}

/// Inserts or updates.
pub async fn save(_db: &Db, _thread: &Thread) -> Result<(), Error> {
    todo!()
}

/// The threads last visited, newest first, for the page.
pub async fn list(_db: &Db, _limit: u32) -> Result<Vec<Thread>, Error> {
    todo!()
}

/// Deletes threads not visited since `before`.
pub async fn delete_older(_db: &Db, _before: DateTime<Utc>) -> Result<u64, Error> {
    todo!()
}
