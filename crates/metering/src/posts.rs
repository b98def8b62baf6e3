//! Which statuses, tags and hours brought most.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Timelike as _};
use chrono_tz::Tz;
use serde::Serialize;
use store::metered_statuses::Status;

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
