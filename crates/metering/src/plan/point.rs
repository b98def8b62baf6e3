//! From counts to a row, or to a row that goes on.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use mastodon::remote::Measured;
use store::metered_points::{Longer, Point};

use super::Slot;

/// What becomes of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// A row of its own.
    New,
    /// The newest row goes on.
    Longer(Longer),
    /// The slot has its point.
    Nothing,
}

/// The row of one measurement.
pub(crate) fn point(account: i64, slot: Slot, now: DateTime<Utc>, measured: &Measured) -> Point {
    let suspended = measured.suspended;
    let reasons: Vec<String> = [
        ("followers", measured.followers),
        ("following", measured.following),
        ("statuses", measured.statuses),
    ]
    .into_iter()
    .filter_map(|(name, count)| Some(format!("{name} {}", count.err()?)))
    .collect();
    let gap = if suspended {
        Some("suspended".to_owned())
    } else {
        Some(reasons.join(", "))
    };
    let count = |count: mastodon::remote::Count| count.ok().filter(|_| !suspended);
    Point {
        account,
        slot: slot.start,
        lag: i32::try_from((now.timestamp() - slot.start).max(0)).unwrap_or(i32::MAX),
        span: 0,
        points: 1,
        step: slot.step,
        followers: count(measured.followers),
        following: count(measured.following),
        statuses: count(measured.statuses),
        last_status: measured.last_status.filter(|_| !suspended).and_then(days),
        gap: gap.filter(|gap| !gap.is_empty()),
    }
}

/// Days since 1970.
fn days(date: NaiveDate) -> Option<i32> {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Whether a point is a row of its own. It is not where the newest row says the same, ends one slot before it, was
/// measured in time as this one, and is not older than `anchor`: rows without end would be lost whole.
pub(crate) fn merge(newest: Option<&Point>, point: &Point, anchor: Duration) -> Write {
    let Some(newest) = newest else { return Write::New };
    if newest.last_slot() >= point.slot {
        return Write::Nothing;
    }
    let same = (
        newest.followers,
        newest.following,
        newest.statuses,
        newest.last_status,
        &newest.gap,
    ) == (
        point.followers,
        point.following,
        point.statuses,
        point.last_status,
        &point.gap,
    );
    // The day on which the clock is put back is an hour longer.
    let next = (point.slot - newest.last_slot()) * 2 <= i64::from(newest.step) * 3;
    let in_time = |point: &Point| point.lag <= point.step / 10;
    let span = i32::try_from(point.slot - newest.slot).unwrap_or(i32::MAX);
    let young = u64::try_from(span).is_ok_and(|span| span < anchor.as_secs());
    if same && next && young && in_time(newest) && in_time(point) && newest.step.abs_diff(point.step) <= 3600 {
        Write::Longer(Longer {
            account: point.account,
            slot: newest.slot,
            span,
        })
    } else {
        Write::New
    }
}
