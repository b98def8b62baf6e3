//! What people and features told the scheduler about a job: paused, wanted now.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Db, Error};

/// A job's state for one scope (empty scope: for all its scopes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobState {
    /// `feature.noun`.
    pub job: String,
    /// As in `job_runs`.
    pub scope: String,
    /// Paused by somebody.
    pub paused: bool,
    /// Somebody asked for a run at this time and it has not started yet.
    pub wake_at: Option<DateTime<Utc>>,
    /// Why the job rests until the config is reloaded (a `Permanent` error).
    pub rests: Option<String>,
}

/// All states that are not plain.
pub async fn list(_db: &Db) -> Result<Vec<JobState>, Error> {
    todo!()
}

/// Pauses or resumes.
pub async fn set_paused(_db: &Db, _job: &str, _scope: &str, _paused: bool, _now: DateTime<Utc>) -> Result<(), Error> {
    todo!()
}

/// Asks for a run.
pub async fn wake(_db: &Db, _job: &str, _scope: &str, _now: DateTime<Utc>) -> Result<(), Error> {
    todo!()
}

/// The run has started: takes back a wish that is not younger than `started_at`.
pub async fn woken(_db: &Db, _job: &str, _scope: &str, _started_at: DateTime<Utc>) -> Result<(), Error> {
    todo!()
}

/// Lets a job rest, or ends its rest with `None`.
pub async fn set_rests(
    _db: &Db,
    _job: &str,
    _scope: &str,
    _reason: Option<&str>,
    _now: DateTime<Utc>,
) -> Result<(), Error> {
    todo!()
}
