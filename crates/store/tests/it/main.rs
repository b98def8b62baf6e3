//! Every function on both engines. Postgres is asked where `TEST_DATABASE_URL` names one.

mod applicants;
mod archive;
mod backfills;
mod blocks;
mod care;
mod dashboard;
mod effects;
mod heard;
mod hosts;
mod jobs;
mod leases;
mod metering;
mod migrate;
mod moderation;
mod moving;
mod notices;
mod open;
mod sign_in;
mod statuses;
mod wanted;
mod webhook_events;

use chrono::{DateTime, TimeDelta, Utc};

/// The start of every story.
fn start() -> DateTime<Utc> {
    "2026-03-01T12:00:00.123456Z".parse().unwrap()
}

/// So many minutes after it.
fn minute(minutes: i64) -> DateTime<Utc> {
    start() + TimeDelta::minutes(minutes)
}

/// A new id that sorts after those before it.
fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}
