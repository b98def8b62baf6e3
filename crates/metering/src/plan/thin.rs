//! Which old rows stay.

use chrono::{DateTime, Datelike, TimeZone as _};
use chrono_tz::Tz;
use store::metered_points::Point;

/// How much time one row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    Day,
    Week,
}

impl Bucket {
    /// In seconds.
    pub(crate) fn step(self) -> i32 {
        match self {
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
        }
    }

    /// Which one a moment lies in: days and weeks of the zone.
    fn of(self, at: i64, zone: Tz) -> i64 {
        let day = DateTime::from_timestamp(at, 0).map_or(0, |time| {
            i64::from(zone.from_utc_datetime(&time.naive_utc()).num_days_from_ce())
        });
        match self {
            Self::Day => day,
            // Weeks begin on Mondays, and so did the calendar.
            Self::Week => (day - 1).div_euclid(7),
        }
    }
}

/// Which of an account's rows (oldest first, all of them finer than the bucket) are deleted and which stay: of each
/// bucket the last one that holds a count. A run that reaches into another bucket stays, since it speaks for both, and
/// so does a bucket that holds nothing but gaps, with its last one. The bucket that `before` lies in, and what follows, is
/// left for later: a part of it would keep a row of its own.
pub(crate) fn thin(points: &[Point], bucket: Bucket, zone: Tz, before: i64) -> (Vec<i64>, Vec<i64>) {
    let (mut delete, mut keep) = (Vec::new(), Vec::new());
    let whole = points.partition_point(|point| bucket.of(point.slot, zone) < bucket.of(before, zone));
    let points = &points[..whole];
    let mut start = 0;
    while start < points.len() {
        let here = bucket.of(points[start].slot, zone);
        let end = points[start..]
            .iter()
            .position(|point| bucket.of(point.slot, zone) != here)
            .map_or(points.len(), |length| start + length);
        let rows = &points[start..end];
        let last = rows.iter().rposition(|point| !point.is_gap()).unwrap_or(rows.len() - 1);
        for (n, point) in rows.iter().enumerate() {
            let reaches_on = bucket.of(point.last_slot(), zone) != here;
            if n == last || (reaches_on && !point.is_gap()) {
                keep.push(point.slot);
            } else {
                delete.push(point.slot);
            }
        }
        start = end;
    }
    (delete, keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything is old by then.
    const LATER: i64 = 4_000_000_000;

    fn hourly(n: i64) -> Point {
        Point {
            account: 1,
            slot: 1_772_323_200 + n * 3600,
            lag: 0,
            span: 0,
            points: 1,
            step: 3600,
            followers: Some(i32::try_from(n).unwrap()),
            following: None,
            statuses: None,
            last_status: None,
            gap: None,
        }
    }

    #[test]
    fn one_row_a_day_stays_and_thinning_again_changes_nothing() {
        let points: Vec<Point> = (0..72).map(hourly).collect();
        let (delete, keep) = thin(&points, Bucket::Day, Tz::UTC, LATER);
        assert_eq!((delete.len(), keep.len()), (69, 3));
        assert_eq!(keep[0], points[23].slot, "the last of its day");
        let left: Vec<Point> = points.into_iter().filter(|point| keep.contains(&point.slot)).collect();
        assert_eq!(thin(&left, Bucket::Day, Tz::UTC, LATER).0, Vec::<i64>::new());
        assert_eq!(thin(&[], Bucket::Week, Tz::UTC, LATER), (Vec::new(), Vec::new()));
    }

    /// Whenever in a day it runs, and though each day only the next one is old enough.
    #[test]
    fn one_row_a_day_or_a_week_stays_of_what_grows_old_day_by_day() {
        for (bucket, wanted) in [(Bucket::Day, 70), (Bucket::Week, 10)] {
            let mut points: Vec<Point> = (0..24 * 7 * 10).map(hourly).collect();
            // From Monday on.
            points.iter_mut().for_each(|point| point.slot += 86_400);
            let (first, step) = (points[0].slot, bucket.step());
            for day in 0..80 {
                let before = first + day * 86_400 + 11 * 3600;
                let finer: Vec<Point> = points
                    .iter()
                    .filter(|point| point.step < step && point.slot < before)
                    .cloned()
                    .collect();
                let (delete, keep) = thin(&finer, bucket, Tz::UTC, before);
                points.retain(|point| !delete.contains(&point.slot));
                points
                    .iter_mut()
                    .filter(|point| keep.contains(&point.slot))
                    .for_each(|point| point.step = step);
            }
            assert_eq!(points.len(), wanted, "{bucket:?}");
        }
    }

    #[test]
    fn a_gap_gives_way_to_a_count() {
        let mut points: Vec<Point> = (0..24).map(hourly).collect();
        points[23].followers = None;
        points[23].gap = Some("down".into());
        let (_, keep) = thin(&points, Bucket::Day, Tz::UTC, LATER);
        assert_eq!(keep, [points[22].slot]);
    }
}
