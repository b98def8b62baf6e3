//! When a job is due: pure functions of the time, the last run and the config.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// When a job runs; the keys every job's section shares (`#[serde(flatten)]` does not go with
/// `deny_unknown_fields`, so each section names them and builds this).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// Off.
    Never,
    /// This long after the last start.
    Every(Duration),
    /// A cron line of five fields (or six with seconds) in a time zone.
    Cron {
        /// `*/5 * * * *`.
        cron: String,
        /// An IANA name; `UTC` by default.
        timezone: String,
    },
}

/// A cron line or a time zone that does not exist.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{key}: {reason}")]
pub struct ScheduleError {
    /// `cron`, `timezone` or `every`.
    pub key: &'static str,
    /// What is wrong.
    pub reason: String,
}

/// When the next run is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Now.
    Now,
    /// At this time.
    At(DateTime<Utc>),
    /// Never.
    Never,
}

impl Schedule {
    /// Checks the parts.
    ///
    /// # Errors
    /// Names the key.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        todo!()
    }
}

/// When a job is due, given when it last started, and how many runs in a row failed (a failure is tried again sooner,
/// doubling from a minute up to the schedule's own pace).
pub fn due(_schedule: &Schedule, _now: DateTime<Utc>, _last_start: Option<DateTime<Utc>>, _failures: u32) -> Due {
    todo!()
}
