//! One time for all replicas: the database's.
//!
//! What is written down is compared with what others wrote: whether an effect may still be on its way, whether an event
//! is claimed, how much of a quota is used. Machines whose clocks disagree by minutes would get all of these wrong, so on
//! Postgres each process moves its own clock to the database's, at its start and at every look at its peers.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use job::{News, tell};
use model::{Clock as _, SystemClock};
use store::{Db, notices::Severity};
use tracing::warn;

/// Clocks that agree as well as this are left alone: time that jumps is worse than time that is a little late.
const GOOD: TimeDelta = TimeDelta::milliseconds(500);

/// An answer that took longer says too little of when it was given.
const SLOW: Duration = Duration::from_secs(5);

/// People hear of a clock that is wrong by so much.
const BAD: TimeDelta = TimeDelta::minutes(1);

/// Asks the database for the time, and goes by it from now on. How far this machine's clock is moved.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn follow(store: &Db) -> Result<TimeDelta, store::Error> {
    let asked = Asked::now();
    Ok(match store::clock::now(store).await? {
        Some(theirs) => asked.answered(store, theirs).await,
        None => TimeDelta::zero(),
    })
}

/// A question for the time.
pub(crate) struct Asked {
    ours: DateTime<Utc>,
    at: Instant,
}

impl Asked {
    /// It is asked now.
    pub(crate) fn now() -> Self {
        Self {
            ours: SystemClock.now(),
            at: Instant::now(),
        }
    }

    /// The answer came: goes by it. How far this machine's clock is moved.
    pub(crate) async fn answered(self, store: &Db, theirs: DateTime<Utc>) -> TimeDelta {
        let took = self.at.elapsed();
        let Some(by) = correction(self.ours, took, theirs) else {
            return SystemClock.added();
        };
        let added = SystemClock.put_right(by);
        metrics::gauge!("egret_clock_added_seconds").set(added.as_seconds_f64());
        warn!(
            added_ms = added.num_milliseconds(),
            "the clock of this machine and the database's differ: the database's is followed ({})",
            said(added)
        );
        if added.abs() >= BAD {
            let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let text = format!("the clock of the machine {} is wrong: {}", machine.trim(), said(added));
            let news = News {
                feature: "operations",
                kind: "clock",
                about: machine.trim(),
                severity: Severity::Warning,
                text: &text,
            };
            tell(store, &SystemClock, news).await;
        }
        added
    }
}

/// How far a clock is off that said `ours` when it asked, where it is worth a word.
fn correction(ours: DateTime<Utc>, took: Duration, theirs: DateTime<Utc>) -> Option<TimeDelta> {
    let half = TimeDelta::from_std(took / 2).ok().filter(|_| took <= SLOW)?;
    let by = theirs - (ours + half);
    // Somewhere within that time the answer was given; nobody knows where.
    (by.abs() > GOOD + half).then_some(by)
}

/// For people: a clock to which time was added is behind.
pub(crate) fn said(added: TimeDelta) -> String {
    let off = Duration::from_secs(added.abs().to_std().unwrap_or_default().as_secs());
    let way = if added < TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    format!(
        "it is {} {way} the database's; see that both machines keep time, with chrony or systemd-timesyncd",
        humantime::format_duration(off)
    )
}

/// `TEST_CLOCK_AHEAD`, seconds: a machine whose clock is wrong, for tests. No release has it.
#[cfg(debug_assertions)]
pub(crate) fn be_wrong_as_told() {
    let told = std::env::var("TEST_CLOCK_AHEAD")
        .ok()
        .and_then(|text| text.parse().ok());
    if let Some(seconds) = told.and_then(TimeDelta::try_seconds) {
        SystemClock.make_wrong(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_moved_by_what_is_certain_and_not_for_a_trifle() {
        let start = DateTime::UNIX_EPOCH;
        let of = |took, ahead| {
            correction(
                start,
                Duration::from_millis(took),
                start + TimeDelta::milliseconds(ahead),
            )
        };
        assert_eq!(of(0, 300), None);
        assert_eq!(of(2, 600_001), Some(TimeDelta::milliseconds(600_000)));
        assert_eq!(of(2, -599_999), Some(TimeDelta::milliseconds(-600_000)));
        // It may have been given at once, and then both agree.
        assert_eq!(of(4000, 0), None);
        assert_eq!(of(60_000, 600_000), None, "long on its way");
        assert!(said(TimeDelta::seconds(600)).contains("10m behind"));
        assert!(said(TimeDelta::seconds(-61)).contains("1m 1s ahead of"));
    }
}
