//! When a job is due: pure functions of the time, the last run and the config.

use std::{fmt, str::FromStr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::cron::CronLine;

/// When a job runs; the keys every job's section shares (`#[serde(flatten)]` does not go with
/// `deny_unknown_fields`, so each section names them and builds this).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Schedule {
    /// Off.
    Never,
    /// This long after the last start.
    Every(Duration),
    /// A cron line of five fields (or six with seconds first) in a time zone. When both the day of the month and
    /// the weekday are given, either is enough, as in classic cron; a `+` before the weekday asks for both
    /// (`0 9 1-7 * +MON`: the first Monday).
    ///
    /// A time that the clocks skip in spring comes at the moment they have jumped, and a time they show twice in
    /// autumn comes once, at the first. Where the hour field holds a `*` the job goes by the clock: what is skipped
    /// is skipped, and what is shown twice comes twice.
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

/// An interval shorter than this is a mistake in the config.
const SHORTEST: Duration = Duration::from_secs(1);

/// And so is one longer than this.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// The first retry after a failure; each further failure doubles it.
const FIRST_RETRY: TimeDelta = TimeDelta::minutes(1);

/// A start that is further ahead than this was written by a clock that was.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// How late a job that never ran may notice its cron time. Longer than the runner's sweep of one minute.
const LATE: TimeDelta = TimeDelta::minutes(2);

impl Schedule {
    /// Checks the parts.
    ///
    /// # Errors
    /// Names the key.
    pub fn validate(&self) -> Result<(), ScheduleError> {
        match self {
            Self::Never => Ok(()),
            Self::Every(every) if (SHORTEST..=LONGEST).contains(every) => Ok(()),
            Self::Every(every) => Err(ScheduleError {
                key: "every",
                reason: format!(
                    "`{}` is not between a second and ten years",
                    humantime::format_duration(*every)
                ),
            }),
            Self::Cron { cron, timezone } => {
                let line = CronLine::parse(cron).map_err(|reason| ScheduleError { key: "cron", reason })?;
                let timezone = zone(timezone).ok_or_else(|| ScheduleError {
                    key: "timezone",
                    reason: format!("`{timezone}` is no IANA time zone such as `Europe/Berlin`"),
                })?;
                line.after(DateTime::UNIX_EPOCH, timezone)
                    .map(drop)
                    .ok_or_else(|| ScheduleError {
                        key: "cron",
                        reason: format!("`{cron}` never comes"),
                    })
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("off"),
            Self::Every(every) => write!(
                f,
                "every {}",
                humantime::format_duration(*every).to_string().replace(' ', "")
            ),
            Self::Cron { cron, timezone } => write!(f, "{cron} {timezone}"),
        }
    }
}

/// When a job is due, given when it last started, and how many runs in a row failed (a failure is tried again sooner,
/// doubling from a minute up to the schedule's own pace).
///
/// Everything is counted from the last start, so a restart repeats nothing, and however many cron times were missed,
/// one run makes up for them. A job that never ran is due at once with `every`; with a cron line it waits for its
/// next time (a runner that knows since when it is up may give that as the last start).
///
/// A last start that is still to come says nothing: the clock was ahead and was put right, and whoever waited for it to
/// pass would be silent for as long as the clock was wrong by.
pub fn due(schedule: &Schedule, now: DateTime<Utc>, last_start: Option<DateTime<Utc>>, failures: u32) -> Due {
    let latest = now.checked_add_signed(AHEAD).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let last_start = last_start.filter(|last| *last <= latest);
    let next = match schedule {
        Schedule::Never => None,
        Schedule::Every(every) => match last_start {
            None => Some(now),
            Some(last) => TimeDelta::from_std(*every)
                .ok()
                .and_then(|every| last.checked_add_signed(every)),
        },
        Schedule::Cron { cron, timezone } => {
            let last = last_start.or_else(|| now.checked_sub_signed(LATE));
            match (CronLine::parse(cron), zone(timezone), last) {
                (Ok(line), Some(timezone), Some(last)) => line.after(last, timezone),
                _ => None,
            }
        }
    };
    let retry = last_start
        .filter(|_| failures > 0)
        .and_then(|last| last.checked_add_signed(backoff(failures)));
    match next.map(|next| retry.map_or(next, |retry| next.min(retry))) {
        None => Due::Never,
        Some(at) if at <= now => Due::Now,
        Some(at) => Due::At(at),
    }
}

/// The slot that `now` lies in: the schedule's last time at or before `now`, and its next one. An interval's slots are
/// counted from 1970, so that a restart does not move them. `None` for a schedule that never comes, or never came.
pub fn slot(schedule: &Schedule, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match schedule {
        Schedule::Never => None,
        Schedule::Every(every) => {
            let every = i64::try_from(every.as_secs()).ok()?.max(1);
            let start = now.timestamp().div_euclid(every) * every;
            Some((
                DateTime::from_timestamp(start, 0)?,
                DateTime::from_timestamp(start + every, 0)?,
            ))
        }
        Schedule::Cron { cron, timezone } => {
            let (line, timezone) = (CronLine::parse(cron).ok()?, zone(timezone)?);
            // Looked for from further and further back, so that a line of minutes is not walked through a year.
            let looks = [1, 25, 24 * 8, 24 * 32, 24 * 366, 24 * 366 * 5].map(TimeDelta::hours);
            for back in looks {
                let mut found = None;
                let mut at = line.after(now.checked_sub_signed(back)?, timezone)?;
                while at <= now {
                    found = Some(at);
                    at = line.after(at, timezone)?;
                }
                if let Some(found) = found {
                    return Some((found, at));
                }
            }
            None
        }
    }
}

fn backoff(failures: u32) -> TimeDelta {
    FIRST_RETRY * 2_i32.saturating_pow(failures.saturating_sub(1).min(20))
}

fn zone(name: &str) -> Option<Tz> {
    Tz::from_str(name.trim()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn every(text: &str) -> Schedule {
        Schedule::Every(humantime::parse_duration(text).unwrap())
    }

    fn cron(line: &str, timezone: &str) -> Schedule {
        Schedule::Cron {
            cron: line.to_owned(),
            timezone: timezone.to_owned(),
        }
    }

    #[test]
    fn an_interval_counts_from_the_last_start() {
        let now = at("2026-01-01T12:00:00Z");
        assert_eq!(due(&every("10m"), now, None, 0), Due::Now);
        assert_eq!(
            due(&every("10m"), now, Some(at("2026-01-01T11:55:00Z")), 0),
            Due::At(at("2026-01-01T12:05:00Z"))
        );
        assert_eq!(due(&every("10m"), now, Some(at("2026-01-01T11:50:00Z")), 0), Due::Now);
        assert_eq!(due(&Schedule::Never, now, None, 3), Due::Never);
    }

    /// Check 46: one slot a day, whatever the clocks do.
    #[test]
    fn each_day_has_one_slot_across_both_changes_of_the_clock() {
        let daily = cron("30 2 * * *", "Europe/Berlin");
        for (from, days, hours) in [("2026-03-27T12:00:00Z", 4, 23), ("2026-10-23T12:00:00Z", 4, 25)] {
            let mut slots = Vec::new();
            for minute in 0..(days * 24 * 60) {
                let (start, next) = slot(&daily, at(from) + TimeDelta::minutes(minute)).unwrap();
                assert!(start < next);
                slots.push((start, (next - start).num_hours()));
            }
            slots.dedup();
            assert_eq!(slots.len(), 5, "{slots:?}");
            assert!(slots.iter().any(|(_, length)| *length == hours), "{slots:?}");
        }
    }

    /// Check 45.
    #[test]
    fn a_restart_does_not_move_a_slot() {
        let daily = cron("0 3 * * *", "UTC");
        let starts = ["02:59:59.7", "03:00:00", "03:00:00.3", "12:00:00"]
            .map(|time| slot(&daily, at(&format!("2026-01-02T{time}Z"))).unwrap().0.to_rfc3339());
        assert_eq!(starts[0], "2026-01-01T03:00:00+00:00");
        assert!(starts[1..].iter().all(|start| start == "2026-01-02T03:00:00+00:00"));
        let (start, next) = slot(&every("5m"), at("2026-01-01T12:07:31Z")).unwrap();
        assert_eq!((start, next), (at("2026-01-01T12:05:00Z"), at("2026-01-01T12:10:00Z")));
        let yearly = slot(&cron("0 0 1 1 *", "UTC"), at("2026-12-31T12:00:00Z")).unwrap();
        assert_eq!(yearly, (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")));
        assert_eq!(slot(&Schedule::Never, at("2026-01-01T12:00:00Z")), None);
    }

    #[test]
    fn a_failure_is_tried_again_sooner() {
        let last = at("2026-01-01T12:00:00Z");
        let wait = |failures| match due(&every("10m"), last, Some(last), failures) {
            Due::At(at) => (at - last).num_minutes(),
            other => panic!("{other:?}"),
        };
        assert_eq!([0, 1, 2, 3, 4, 5, u32::MAX].map(wait), [10, 1, 2, 4, 8, 10, 10]);
        let daily = cron("0 3 * * *", "UTC");
        assert_eq!(due(&daily, last, Some(last), 2), Due::At(at("2026-01-01T12:02:00Z")));
        assert_eq!(due(&daily, last, Some(last), 30), Due::At(at("2026-01-02T03:00:00Z")));
    }

    #[test]
    fn a_restart_repeats_nothing_and_missed_times_are_made_up_for_once() {
        let daily = cron("0 3 * * *", "UTC");
        let ran = at("2026-01-01T03:00:01Z");
        assert_eq!(
            due(&daily, at("2026-01-01T03:00:02Z"), Some(ran), 0),
            Due::At(at("2026-01-02T03:00:00Z"))
        );
        let back = at("2026-01-05T17:00:00Z");
        assert_eq!(due(&daily, back, Some(ran), 0), Due::Now);
        assert_eq!(due(&daily, back, Some(back), 0), Due::At(at("2026-01-06T03:00:00Z")));
    }

    /// Whoever waited until the time of a clock that was ahead has come would wait for hours, or for years.
    #[test]
    fn a_clock_that_was_ahead_silences_nothing() {
        let now = at("2026-01-01T12:00:00Z");
        for ahead in ["2026-01-01T14:00:00Z", "2036-01-01T12:00:00Z"] {
            assert_eq!(due(&every("10m"), now, Some(at(ahead)), 0), Due::Now);
            assert_eq!(due(&every("10m"), now, Some(at(ahead)), 3), Due::Now);
            let daily = due(&cron("0 3 * * *", "UTC"), now, Some(at(ahead)), 0);
            assert_eq!(daily, Due::At(at("2026-01-02T03:00:00Z")));
        }
        // A second or two are no reason to run twice.
        let put_right = at("2026-01-01T12:00:02Z");
        assert_eq!(
            due(&every("10m"), now, Some(put_right), 0),
            Due::At(at("2026-01-01T12:10:02Z"))
        );
    }

    #[test]
    fn a_cron_job_that_never_ran_waits_for_its_time_and_may_notice_it_late() {
        let daily = cron("0 3 * * *", "UTC");
        assert_eq!(
            due(&daily, at("2026-01-01T02:00:00Z"), None, 0),
            Due::At(at("2026-01-01T03:00:00Z"))
        );
        assert_eq!(due(&daily, at("2026-01-01T03:01:00Z"), None, 0), Due::Now);
        assert_eq!(
            due(&daily, at("2026-01-01T03:10:00Z"), None, 0),
            Due::At(at("2026-01-02T03:00:00Z"))
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_key() {
        let key = |schedule: Schedule| schedule.validate().unwrap_err().key;
        assert_eq!(key(every("0s")), "every");
        assert_eq!(key(Schedule::Every(Duration::MAX)), "every");
        assert_eq!(key(cron("*/5 * * *", "UTC")), "cron");
        assert_eq!(key(cron("0 0 0 1 1 * 2030", "UTC")), "cron");
        assert_eq!(key(cron("0 0 31 2 *", "UTC")), "cron");
        assert_eq!(key(cron("61 * * * *", "UTC")), "cron");
        assert_eq!(key(cron("* * * * *", "Middle/Earth")), "timezone");
        for good in [
            "*/5 * * * *",
            "30 */5 * * * *",
            "0 9 1-7 * +MON",
            "@daily",
            "0 0 29 2 *",
            "0 0 L * *",
        ] {
            assert_eq!(cron(good, "Europe/Berlin").validate(), Ok(()), "{good}");
        }
    }

    #[test]
    fn schedules_read_as_words() {
        assert_eq!(every("90m").to_string(), "every 1h30m");
        assert_eq!(
            cron("*/5 * * * *", "Europe/Berlin").to_string(),
            "*/5 * * * * Europe/Berlin"
        );
        assert_eq!(Schedule::Never.to_string(), "off");
    }

    prop_compose! {
        fn moment()(seconds in -30_000_000_000_i64..90_000_000_000) -> DateTime<Utc> {
            DateTime::from_timestamp(seconds, 0).unwrap()
        }
    }

    proptest! {
        #[test]
        fn due_never_panics(line in "[-0-9*/,@+#L?A-Z ]{0,24}", zone in "UTC|Europe/Berlin|Asia/Kathmandu|x",
                            now in moment(), last in proptest::option::of(moment()), failures: u32, every: Duration) {
            let line = cron(&line, &zone);
            let _ = line.validate();
            for schedule in [line, Schedule::Every(every), Schedule::Never] {
                for now in [now, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                    let _ = due(&schedule, now, last, failures);
                    let _ = due(&schedule, now, Some(now), failures);
                }
            }
        }

        #[test]
        fn after_a_run_it_is_never_due_at_once(minutes in 1_u64..100_000, now in moment(), failures in 0_u32..40) {
            for schedule in [Schedule::Every(Duration::from_secs(minutes * 60)), cron("*/7 * * * *", "Europe/Berlin")] {
                match due(&schedule, now, Some(now), failures) {
                    Due::At(at) => prop_assert!(at > now),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
        }

        #[test]
        fn more_failures_never_bring_it_nearer(now in moment(), failures in 1_u32..40) {
            let schedule = Schedule::Every(Duration::from_secs(3600));
            let (Due::At(one), Due::At(more)) = (due(&schedule, now, Some(now), failures),
                                                 due(&schedule, now, Some(now), failures + 1)) else { panic!() };
            prop_assert!(one <= more);
        }
    }
}
