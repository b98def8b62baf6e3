//! Which statuses, tags and hours brought most.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Timelike as _};
use chrono_tz::Tz;
use serde::Serialize;
use store::metered_statuses::{Status, StatusPoint};

use crate::chart::{Panel, Series, moment};

/// Ten years: more are no picture of days.
const MOST_DAYS: usize = 3660;

/// What several statuses brought together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Brought {
    /// The tag, the hour (`14`), or the day of the week (`Mon`).
    pub of: String,
    /// How many statuses.
    pub statuses: usize,
    /// Replies, boosts and favourites of one of them, on average.
    pub each: f64,
}

/// Replies, boosts and favourites together.
pub fn sum(status: &Status) -> i64 {
    status.replies + status.reblogs + status.favourites
}

/// The statuses that brought most, first.
pub fn top(statuses: &[Status], most: usize) -> Vec<&Status> {
    let mut sorted: Vec<&Status> = statuses.iter().collect();
    sorted.sort_by_key(|status| (std::cmp::Reverse(sum(status)), std::cmp::Reverse(status.created_at)));
    sorted.truncate(most);
    sorted
}

/// What each tag brought, best first.
pub fn tags(statuses: &[Status]) -> Vec<Brought> {
    let mut brought = grouped(
        statuses
            .iter()
            .flat_map(|status| status.tags.iter().map(move |tag| (tag.clone(), sum(status)))),
    );
    brought.sort_by(|a, b| {
        b.each
            .total_cmp(&a.each)
            .then(b.statuses.cmp(&a.statuses))
            .then(a.of.cmp(&b.of))
    });
    brought
}

/// What each hour of the zone brought, from midnight on.
pub fn hours(statuses: &[Status], zone: Tz) -> Vec<Brought> {
    grouped(statuses.iter().map(|status| {
        let hour = status.created_at.with_timezone(&zone).hour();
        (format!("{hour:02}"), sum(status))
    }))
}

/// What each day of the week brought, from Monday on.
pub fn days(statuses: &[Status], zone: Tz) -> Vec<Brought> {
    let mut brought = grouped(statuses.iter().map(|status| {
        let day = status.created_at.with_timezone(&zone).weekday();
        (format!("{} {day}", day.num_days_from_monday()), sum(status))
    }));
    for day in &mut brought {
        day.of.drain(..2);
    }
    brought
}

/// What a day brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gain {
    /// When the day began in the zone, in seconds since 1970.
    pub at: i64,
    /// Replies more than the day before.
    pub replies: i64,
    /// Boosts.
    pub reblogs: i64,
    /// Favourites.
    pub favourites: i64,
}

/// The first look at a status that was written longer before it than this says nothing about the day of the look.
const FRESH: i64 = 86_400;

/// What each day from one moment to another brought, days without anything included. The points are each status's own,
/// oldest first. What is taken back counts against the day.
pub fn gains(points: &[StatusPoint], since: i64, to: i64, zone: Tz) -> Vec<Gain> {
    let looks = || points.iter().map(|point| point.at);
    let Some((first, last)) = looks().min().zip(looks().max()) else {
        return Vec::new();
    };
    let mut days: BTreeMap<NaiveDate, Gain> = days_between(day(first.max(since), zone), day(last.min(to), zone))
        .map(|date| {
            let gain = Gain {
                at: midnight(date, zone),
                replies: 0,
                reblogs: 0,
                favourites: 0,
            };
            (date, gain)
        })
        .collect();
    let mut before: Option<&StatusPoint> = None;
    for point in points {
        let was = before.filter(|before| before.status_id == point.status_id);
        before = Some(point);
        let counts = match was {
            Some(was) => (was.replies, was.reblogs, was.favourites),
            None if point.at - point.created_at.timestamp() <= FRESH => (0, 0, 0),
            None => continue,
        };
        if let Some(gain) = days
            .get_mut(&day(point.at, zone))
            .filter(|_| (since..=to).contains(&point.at))
        {
            gain.replies += point.replies - counts.0;
            gain.reblogs += point.reblogs - counts.1;
            gain.favourites += point.favourites - counts.2;
        }
    }
    days.into_values().collect()
}

/// How many of these moments each day from one to another has, days without any included.
pub fn per_day(moments: &[i64], (since, to): (i64, i64), zone: Tz) -> Vec<(i64, i64)> {
    let mut counts: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    for at in moments.iter().filter(|at| (since..=to).contains(*at)) {
        *counts.entry(day(*at, zone)).or_default() += 1;
    }
    let Some((first, _)) = counts.first_key_value() else {
        return Vec::new();
    };
    days_between(*first, day(to, zone))
        .map(|date| (midnight(date, zone), counts.get(&date).copied().unwrap_or_default()))
        .collect()
}

fn day(at: i64, zone: Tz) -> NaiveDate {
    let time = DateTime::from_timestamp(at, 0).unwrap_or_default();
    time.with_timezone(&zone).date_naive()
}

fn midnight(date: NaiveDate, zone: Tz) -> i64 {
    moment(date.and_time(NaiveTime::MIN), zone)
}

fn days_between(first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    first.iter_days().take_while(move |date| *date <= last).take(MOST_DAYS)
}

/// A panel with a line each for replies, boosts and favourites, which `line` makes of moments and values.
pub fn panel(
    title: String,
    line: fn(&str, &[(i64, i64)]) -> Series,
    gains: impl IntoIterator<Item = (i64, i64, i64, i64)>,
) -> Panel {
    let (mut replies, mut reblogs, mut favourites) = (Vec::new(), Vec::new(), Vec::new());
    for gain in gains {
        replies.push((gain.0, gain.1));
        reblogs.push((gain.0, gain.2));
        favourites.push((gain.0, gain.3));
    }
    Panel {
        title,
        series: vec![
            line("replies", &replies),
            line("boosts", &reblogs),
            line("favourites", &favourites),
        ],
        flags: Vec::new(),
    }
}

fn grouped(pairs: impl Iterator<Item = (String, i64)>) -> Vec<Brought> {
    let mut sums: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for (of, sum) in pairs {
        let entry = sums.entry(of).or_default();
        *entry = (entry.0 + 1, entry.1 + sum);
    }
    sums.into_iter()
        .map(|(of, (statuses, sum))| Brought {
            of,
            statuses,
            #[expect(clippy::cast_precision_loss, reason = "an average of counts")]
            each: sum as f64 / statuses.max(1) as f64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(id: &str, at: &str, tags: &[&str], favourites: i64) -> Status {
        Status {
            login: "home/me".into(),
            status_id: id.into(),
            url: String::new(),
            created_at: at.parse().unwrap(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            replies: 1,
            reblogs: 0,
            favourites,
            seen_at: at.parse().unwrap(),
        }
    }

    #[test]
    fn a_day_brings_what_is_new_on_it() {
        let point = |id: &str, created: &str, at: &str, favourites: i64| StatusPoint {
            status_id: id.into(),
            at: at.parse::<DateTime<chrono::Utc>>().unwrap().timestamp(),
            replies: 0,
            reblogs: 1,
            favourites,
            created_at: created.parse().unwrap(),
        };
        let old = "2025-01-01T00:00:00Z";
        let points = [
            point("1", old, "2026-03-01T12:00:00Z", 500),
            point("1", old, "2026-03-04T12:00:00Z", 501),
            point("2", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", 3),
            point("2", "2026-03-01T10:00:00Z", "2026-03-01T23:30:00Z", 9),
        ];
        let gains = gains(&points, 0, i64::MAX, chrono_tz::Europe::Berlin);
        let told: Vec<(i64, i64)> = gains.iter().map(|gain| (gain.favourites, gain.reblogs)).collect();
        // Half past eleven in London is the next day in Berlin; the old status's 500 are nobody's day.
        assert_eq!(told, [(3, 1), (6, 0), (0, 0), (1, 0)]);
        assert_eq!(super::gains(&[], 0, i64::MAX, Tz::UTC), []);
    }

    /// In some zones the clock skips midnight itself.
    #[test]
    fn a_day_without_a_midnight_begins_after_it() {
        let time = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp();
        let day = per_day(
            &[time("2026-04-24T12:00:00Z")],
            (0, time("2026-04-24T13:00:00Z")),
            chrono_tz::Africa::Cairo,
        );
        assert_eq!(day, [(time("2026-04-23T22:00:00Z"), 1)]);
    }

    #[test]
    fn what_brought_most_comes_first() {
        let statuses = [
            status("1", "2026-03-01T23:30:00Z", &["cats"], 9),
            status("2", "2026-03-02T08:00:00Z", &["cats", "dogs"], 3),
            status("3", "2026-03-02T08:30:00Z", &[], 20),
        ];
        let ids: Vec<&str> = top(&statuses, 2)
            .iter()
            .map(|status| status.status_id.as_str())
            .collect();
        assert_eq!(ids, ["3", "1"]);
        let tags = tags(&statuses);
        assert_eq!((tags[0].of.as_str(), tags[0].statuses, tags[0].each), ("cats", 2, 7.0));
        let hours = hours(&statuses, chrono_tz::Europe::Berlin);
        assert_eq!(
            hours.iter().map(|hour| hour.of.as_str()).collect::<Vec<_>>(),
            ["00", "09"]
        );
        let days = days(&statuses, chrono_tz::Europe::Berlin);
        assert_eq!((days[0].of.as_str(), days[0].statuses), ("Mon", 3));
    }
}
