//! The real time: rate limit windows and new posts live in it, as on real servers. A measurement of hours sets it ahead.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

pub(crate) fn now() -> DateTime<Utc> {
    let now: DateTime<Utc> = SystemTime::now().into();
    now + TimeDelta::milliseconds(AHEAD_MS.load(Ordering::Relaxed))
}

/// Sets the time of all servers of this process ahead.
pub fn advance(by: Duration) {
    AHEAD_MS.fetch_add(i64::try_from(by.as_millis()).unwrap_or(0), Ordering::Relaxed);
}

/// As API answers spell times.
pub(crate) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// With six digits, as in rate limit headers.
pub(crate) fn iso_micros(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// As in ActivityPub.
pub(crate) fn iso_seconds(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}
