//! What runs and what is due, for pages and commands: a handle that the runner fills.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A job and scope as they stand now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Live {
    /// `feature.noun`.
    pub job: String,
    /// As in `job_runs`.
    pub scope: String,
    /// In words: `every 10m`, `*/5 * * * * Europe/Berlin`.
    pub schedule: String,
    /// When it is due; `None` while running, paused, resting or off.
    pub due_at: Option<DateTime<Utc>>,
    /// Since when it runs.
    pub running_since: Option<DateTime<Utc>>,
    /// Progress of the run: done, of, what.
    pub progress: Option<(u64, Option<u64>, String)>,
    /// Paused by somebody.
    pub paused: bool,
    /// Why it rests until the config is reloaded or mended.
    pub rests: Option<String>,
}

/// What runs and what is due. Clone it freely.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<BoardState>);

#[derive(Debug, Default)]
struct BoardState {}

impl Board {
    /// All jobs and scopes, by name.
    pub fn list(&self) -> Vec<Live> {
        todo!("{:?}", self.0)
    }

    /// Puts or replaces one entry. For the runner.
    pub fn put(&self, _live: Live) {
        todo!()
    }

    /// Replaces all entries. For the runner, at a reload.
    pub fn reset(&self, _lives: Vec<Live>) {
        todo!()
    }

    /// Asks the runner to look now at what is due, after a `wake` was written to the store.
    pub fn nudge(&self) {
        todo!()
    }

    /// Waits for the next nudge. For the runner.
    pub async fn nudged(&self) {
        todo!()
    }
}

/// How far a run is. Clone it freely.
#[derive(Debug, Clone, Default)]
pub struct Progress {}

impl Progress {
    /// What is being done, and out of how many.
    pub fn begin(&self, _what: &str, _of: Option<u64>) {
        todo!()
    }

    /// One more (or several) done.
    pub fn advance(&self, _by: u64) {
        todo!()
    }

    /// Done, of, what.
    pub fn get(&self) -> (u64, Option<u64>, String) {
        todo!()
    }
}
