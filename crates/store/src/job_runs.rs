//! One row per run of a job.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Db, Error};

/// How a run ended. `Running` without a live lease means that the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not ended yet.
    Running,
    /// Did what there was to do.
    Finished,
    /// Ended by an error of the world; the next tick is the retry.
    Failed,
    /// Ended by an error that the operator must mend.
    Refused,
    /// Ran past its time limit.
    TimedOut,
    /// A bug.
    Panicked,
    /// The daemon went down, the cursor is saved.
    Stopped,
    /// The process died without a word.
    Lost,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobRun {
    /// UUID v7.
    pub id: String,
    /// `feature.noun`.
    pub job: String,
    /// `server/login`, a server's host, or empty for the daemon.
    pub scope: String,
    /// Which process.
    pub holder: String,
    /// Start.
    pub started_at: DateTime<Utc>,
    /// End.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, by name of the counter.
    pub counters: BTreeMap<String, i64>,
    /// Requests by host.
    pub requests: BTreeMap<String, u64>,
    /// For people, when it did not finish.
    pub error: Option<String>,
}

/// Records the start.
pub async fn start(_db: &Db, _run: &JobRun) -> Result<(), Error> {
    todo!()
}

/// Records the end: `finished_at`, `outcome`, `counters`, `requests`, `error`.
pub async fn finish(_db: &Db, _run: &JobRun) -> Result<(), Error> {
    todo!()
}

/// Marks runs that `holder`s without a lease left behind as `Lost`; called when a lease is taken over and at start.
pub async fn mark_lost(_db: &Db, _job: &str, _scope: &str, _except: &str, _now: DateTime<Utc>) -> Result<u64, Error> {
    todo!()
}

/// The newest run of a job and scope, of any outcome.
pub async fn last(_db: &Db, _job: &str, _scope: &str) -> Result<Option<JobRun>, Error> {
    todo!()
}

/// Runs in a row, newest first, that did not end well, up to `most`.
pub async fn failures_in_a_row(_db: &Db, _job: &str, _scope: &str, _most: u32) -> Result<u32, Error> {
    todo!()
}

/// The newest runs of all jobs, or of one, newest first, before a run's id if given (cursor).
pub async fn list(_db: &Db, _job: Option<&str>, _before: Option<&str>, _limit: u32) -> Result<Vec<JobRun>, Error> {
    todo!()
}

/// Deletes runs that ended before `before`.
pub async fn delete_older(_db: &Db, _before: DateTime<Utc>) -> Result<u64, Error> {
    todo!()
}
