//! When a thread is worth asking its origin about.

use chrono::{DateTime, TimeDelta, Utc};
use store::threads::Thread;

/// What is known before anybody is asked for a listing.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    /// What earlier visits found.
    pub(crate) earlier: Option<&'a Thread>,
    /// When the status was written.
    pub(crate) created_at: DateTime<Utc>,
    /// `replies_count` at home: what *home* knows.
    pub(crate) at_home: Option<u64>,
    /// `replies_count` at the origin, where it could be asked in a batch.
    pub(crate) at_origin: Option<u64>,
    /// Now.
    pub(crate) now: DateTime<Utc>,
    /// Threads older than this are left.
    pub(crate) attention: TimeDelta,
}

/// Whether to list the replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// List them.
    Now,
    /// Nothing says that there are new ones, and the next paced visit is not due.
    Later,
    /// There are none.
    Empty,
    /// Too old.
    Left,
    /// Trouble at an earlier visit; its time is not over.
    Resting,
}

/// How old a status without known replies is when an origin that has no call for counts is asked about it.
const FIRST_LOOK: TimeDelta = TimeDelta::minutes(10);

/// Decides about one thread.
pub(crate) fn visit(facts: &Facts<'_>) -> Visit {
    let age = facts.now - facts.created_at;
    if age > facts.attention {
        return Visit::Left;
    }
    if let Some(earlier) = facts.earlier
        && earlier.trouble.is_some()
        && facts.now < earlier.next_visit_at
    {
        return Visit::Resting;
    }
    let at_home = facts.at_home.unwrap_or(0);
    if facts.at_origin == Some(0) && at_home == 0 {
        return Visit::Empty;
    }
    let Some(earlier) = facts.earlier.filter(|earlier| earlier.visited_at.is_some()) else {
        // Home knows no reply and the origin cannot be asked for a count: that is looked into once there was time
        // for a reply.
        return match facts.at_origin {
            None if at_home == 0 && age < FIRST_LOOK => Visit::Empty,
            _ => Visit::Now,
        };
    };
    let grew = |count: Option<u64>, before: Option<i64>| {
        count.is_some_and(|count| i64::try_from(count).unwrap_or(i64::MAX) > before.unwrap_or(0))
    };
    // Home's count also grows by what we made it fetch, so it says nothing where the origin's own count is known.
    let grown = match facts.at_origin {
        Some(_) => grew(facts.at_origin, earlier.origin_replies),
        None => grew(facts.at_home, earlier.replies_seen),
    };
    if grown || facts.now >= earlier.next_visit_at {
        Visit::Now
    } else {
        Visit::Later
    }
}

/// When a thread without signs of growth is visited again: by its age, twice as late after each visit that found
/// nothing, and later where its origin `counts` its replies and so tells of growth by itself. Replies to replies do not
/// show in the first status's count, so growth alone would miss them.
pub(crate) fn next_visit(
    created_at: DateTime<Utc>,
    quiet_visits: i64,
    counts: bool,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let age = now - created_at;
    let pace = if age < TimeDelta::hours(1) {
        TimeDelta::minutes(10)
    } else if age < TimeDelta::days(1) {
        TimeDelta::hours(1)
    } else {
        TimeDelta::hours(6)
    };
    let pace = if counts { pace * 3 } else { pace };
    let doubled = pace * (1 << quiet_visits.clamp(0, 5));
    now + doubled.min(TimeDelta::days(2))
}

/// When an origin is asked again how many replies a status has that had as many since `since`. A little early, so that
/// a pass every ten minutes does not come a second too soon for it.
pub(crate) fn next_count(since: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let quiet = now - since;
    let pace = if quiet < TimeDelta::hours(1) {
        TimeDelta::minutes(10)
    } else if quiet < TimeDelta::hours(6) {
        TimeDelta::minutes(30)
    } else if quiet < TimeDelta::days(1) {
        TimeDelta::hours(1)
    } else {
        TimeDelta::hours(3)
    };
    now + pace - TimeDelta::minutes(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn thread(origin_replies: Option<i64>, next_visit_at: DateTime<Utc>) -> Thread {
        Thread {
            server: "home.example".into(),
            uri: "https://a.example/1".into(),
            status_id: "1".into(),
            host: "a.example".into(),
            created_at: at(0),
            replies_seen: Some(5),
            origin_replies,
            listed: 9,
            missing: 4,
            quiet_visits: 0,
            visited_at: Some(at(1)),
            next_visit_at,
            trouble: None,
            digest: None,
        }
    }

    fn facts(earlier: Option<&Thread>, at_home: u64, at_origin: Option<u64>, now: DateTime<Utc>) -> Facts<'_> {
        Facts {
            earlier,
            created_at: at(0),
            at_home: Some(at_home),
            at_origin,
            now,
            attention: TimeDelta::days(7),
        }
    }

    #[test]
    fn a_status_without_replies_is_not_asked_about() {
        assert_eq!(visit(&facts(None, 0, Some(0), at(2))), Visit::Empty);
        assert_eq!(visit(&facts(None, 0, None, at(0))), Visit::Empty);
        assert_eq!(visit(&facts(None, 0, Some(1), at(0))), Visit::Now);
        assert_eq!(visit(&facts(None, 1, None, at(0))), Visit::Now);
    }

    #[test]
    fn growth_at_the_origin_is_looked_at_at_once() {
        let seen = thread(Some(5), at(10));
        assert_eq!(visit(&facts(Some(&seen), 5, Some(5), at(2))), Visit::Later);
        assert_eq!(visit(&facts(Some(&seen), 5, Some(6), at(2))), Visit::Now);
    }

    #[test]
    fn what_we_fetched_ourselves_is_no_growth() {
        let seen = thread(Some(9), at(10));
        assert_eq!(visit(&facts(Some(&seen), 9, Some(9), at(2))), Visit::Later);
        let unbatched = thread(None, at(10));
        assert_eq!(visit(&facts(Some(&unbatched), 5, None, at(2))), Visit::Later);
        assert_eq!(visit(&facts(Some(&unbatched), 6, None, at(2))), Visit::Now);
    }

    #[test]
    fn old_and_troubled_threads_are_left() {
        assert_eq!(visit(&facts(None, 9, Some(9), at(24 * 7 + 1))), Visit::Left);
        let mut gone = thread(Some(1), at(100));
        gone.trouble = Some("gone".into());
        assert_eq!(visit(&facts(Some(&gone), 9, Some(9), at(2))), Visit::Resting);
        assert_eq!(visit(&facts(Some(&gone), 9, Some(9), at(101))), Visit::Now);
    }

    #[test]
    fn quiet_visits_come_later_and_later() {
        let now = at(2);
        let waits: Vec<_> = (0..4)
            .map(|quiet| (next_visit(at(0), quiet, false, now) - now).num_hours())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8]);
        assert_eq!((next_visit(at(0), 0, true, now) - now).num_hours(), 3);
        assert_eq!(
            next_visit(at(0), i64::MAX, false, at(100)) - at(100),
            TimeDelta::days(2)
        );
    }

    #[test]
    fn what_grew_lately_is_counted_at_every_pass() {
        let minutes = |since: i64, now: i64| (next_count(at(since), at(now)) - at(now)).num_minutes();
        assert_eq!(
            (
                minutes(0, 0),
                minutes(5, 5),
                minutes(0, 2),
                minutes(0, 9),
                minutes(0, 99)
            ),
            (9, 9, 29, 59, 179)
        );
    }
}
