//! The real time: rate limit windows and new posts live in it, as on real servers.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
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
