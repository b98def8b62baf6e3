//! Origins: what they run, and how they fare.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Db, Error};

/// An origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `host[:port]`, as [`model::Host`] prints it.
    pub host: String,
    /// Who serves its API.
    pub api_host: String,
    /// Lower-case software name; empty if unknown.
    pub software: String,
    /// Version, as told.
    pub version: String,
    /// When nodeinfo was last read (or failed to be).
    pub checked_at: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: i64,
    /// Not asked before this.
    pub rests_until: Option<DateTime<Utc>>,
    /// The last failure, for people.
    pub last_error: Option<String>,
}

/// Some origins by host; unknown ones are left out.
pub async fn load(_db: &Db, _hosts: &[String]) -> Result<Vec<Origin>, Error> {
    todo!()
}

/// Remembers what nodeinfo said; keeps the health.
pub async fn save_software(
    _db: &Db,
    _host: &str,
    _api_host: &str,
    _software: &str,
    _version: &str,
    _now: DateTime<Utc>,
) -> Result<(), Error> {
    todo!()
}

/// A request failed in a way that concerns the whole host: counts it, lets the host rest until then.
pub async fn mark_failed(
    _db: &Db,
    _host: &str,
    _error: &str,
    _rests_until: DateTime<Utc>,
    _now: DateTime<Utc>,
) -> Result<(), Error> {
    todo!()
}

/// A request worked: forgets the failures. Writes nothing when there were none.
pub async fn mark_well(_db: &Db, _host: &str) -> Result<(), Error> {
    todo!()
}

/// Origins, resting ones first, for the page.
pub async fn list(_db: &Db, _limit: u32) -> Result<Vec<Origin>, Error> {
    todo!()
}
