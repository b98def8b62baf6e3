//! Where the marks of an axis stand, and what is written beside them.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Timelike, Utc};
use chrono_tz::Tz;

/// A mark of the time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Seconds since 1970.
    pub(super) at: i64,
    /// `29 Feb`, `14:30`, `Mar`.
    pub(super) label: String,
    /// Below it where the year (or, for hours, the day) is another one than at the mark before.
    pub(super) below: Option<String>,
}

/// How far marks stand apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Minutes(u32),
    Days(u32),
    Months(u32),
    Years(i32),
}

const STEPS: &[(i64, Step)] = &[
    (60, Step::Minutes(1)),
    (300, Step::Minutes(5)),
    (900, Step::Minutes(15)),
    (1800, Step::Minutes(30)),
    (3600, Step::Minutes(60)),
    (3 * 3600, Step::Minutes(180)),
    (6 * 3600, Step::Minutes(360)),
    (12 * 3600, Step::Minutes(720)),
    (86_400, Step::Days(1)),
    (2 * 86_400, Step::Days(2)),
    (7 * 86_400, Step::Days(7)),
    (14 * 86_400, Step::Days(14)),
    (30 * 86_400, Step::Months(1)),
    (91 * 86_400, Step::Months(3)),
    (182 * 86_400, Step::Months(6)),
    (365 * 86_400, Step::Years(1)),
    (2 * 365 * 86_400, Step::Years(2)),
    (5 * 365 * 86_400, Step::Years(5)),
    (10 * 365 * 86_400, Step::Years(10)),
    (50 * 365 * 86_400, Step::Years(50)),
];

/// Marks of the time from `since` to `to`, at most `most` of them, at round times of the zone.
pub(super) fn time(since: i64, to: i64, zone: Tz, most: usize) -> Vec<Mark> {
    let span = (to - since).max(1);
    let most = i64::try_from(most.max(2)).unwrap_or(2);
    let step = STEPS
        .iter()
        .find(|(length, _)| span / length < most)
        .map_or(Step::Years(100), |(_, step)| *step);
    let Some(start) = DateTime::from_timestamp(since, 0) else {
        return Vec::new();
    };
    let mut wall = floor(start.with_timezone(&zone).naive_local(), step);
    let (mut marks, mut heading): (Vec<Mark>, Option<String>) = (Vec::new(), None);
    for _ in 0..1000 {
        let moment = moment(wall, zone);
        if moment > to {
            break;
        }
        if moment >= since && marks.last().is_none_or(|mark| mark.at < moment) {
            // As the clock shows it then: an hour that it skips is none.
            let shown = DateTime::from_timestamp(moment, 0).map(|at| at.with_timezone(&zone).naive_local());
            let (label, head) = words(shown.unwrap_or(wall), step);
            let below = head.filter(|head| heading.as_ref() != Some(head));
            if below.is_some() {
                heading.clone_from(&below);
            }
            marks.push(Mark {
                at: moment,
                label,
                below,
            });
        }
        match next(wall, step) {
            Some(later) => wall = later,
            None => break,
        }
    }
    marks
}

/// What the clock of a zone shows, as a moment. A time that it skips is the moment after the jump.
pub(crate) fn moment(wall: NaiveDateTime, zone: Tz) -> i64 {
    (0..4)
        .find_map(|hours| {
            zone.from_local_datetime(&(wall + chrono::TimeDelta::minutes(hours * 30)))
                .earliest()
        })
        .map_or_else(|| wall.and_utc().timestamp(), |time| time.timestamp())
}

fn floor(wall: NaiveDateTime, step: Step) -> NaiveDateTime {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    let date = wall.date();
    match step {
        Step::Minutes(minutes) => {
            let since_midnight = wall.hour() * 60 + wall.minute();
            midnight(date) + chrono::TimeDelta::minutes(i64::from(since_midnight / minutes * minutes))
        }
        Step::Days(1) => midnight(date),
        // From a fixed day on, so that marks stay when the picture begins a day later; weeks begin on Mondays.
        Step::Days(days) => {
            let over = (date.num_days_from_ce() - 1).rem_euclid(i32::try_from(days).unwrap_or(1));
            midnight(
                date.checked_sub_days(Days::new(u64::try_from(over).unwrap_or(0)))
                    .unwrap_or(date),
            )
        }
        Step::Months(months) => {
            let month = (date.month0() / months) * months + 1;
            midnight(NaiveDate::from_ymd_opt(date.year(), month, 1).unwrap_or(date))
        }
        Step::Years(years) => {
            midnight(NaiveDate::from_ymd_opt(date.year().div_euclid(years) * years, 1, 1).unwrap_or(date))
        }
    }
}

fn next(wall: NaiveDateTime, step: Step) -> Option<NaiveDateTime> {
    match step {
        Step::Minutes(minutes) => wall.checked_add_signed(chrono::TimeDelta::minutes(minutes.into())),
        Step::Days(days) => wall.checked_add_days(Days::new(days.into())),
        Step::Months(months) => wall.checked_add_months(Months::new(months)),
        Step::Years(years) => wall.checked_add_months(Months::new(u32::try_from(years).ok()? * 12)),
    }
}

fn words(wall: NaiveDateTime, step: Step) -> (String, Option<String>) {
    let year = wall.year().to_string();
    match step {
        Step::Minutes(_) => (
            wall.format("%H:%M").to_string(),
            Some(wall.format("%-d %b %Y").to_string()),
        ),
        Step::Days(_) => (wall.format("%-d %b").to_string(), Some(year)),
        Step::Months(_) => (wall.format("%b").to_string(), Some(year)),
        Step::Years(_) => (year, None),
    }
}

/// Marks of a count: round numbers that hold `low` and `high` between them, never a fraction. A flat line lies in the
/// middle.
pub(super) fn count(low: i64, high: i64, most: i64) -> Vec<i64> {
    let (mut low, mut high) = (low.min(high), low.max(high));
    if low == high {
        let room = (low.abs() / 20).max(1);
        let least = if low >= 0 { 0 } else { i64::MIN };
        (low, high) = (low.saturating_sub(room).max(least), high.saturating_add(room));
    }
    let span = high.saturating_sub(low).max(1);
    let step = (0_u32..18)
        .flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)))
        .find(|step| span / step < most.max(1))
        .unwrap_or(i64::MAX / 4);
    let first = low.div_euclid(step);
    let last = high.div_euclid(step) + i64::from(high.rem_euclid(step) != 0);
    (first..=last).map(|n| n.saturating_mul(step)).collect()
}

/// `12,345`, `-7`.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A moment, for people: `21 Nov 2026 03:00`.
pub(super) fn told(at: i64, zone: Tz) -> String {
    let time: Option<DateTime<Utc>> = DateTime::from_timestamp(at, 0);
    time.map_or_else(String::new, |time| {
        time.with_timezone(&zone).format("%-d %b %Y %H:%M").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    fn labels(since: &str, to: &str, zone: Tz) -> Vec<String> {
        let marks = time(at(since), at(to), zone, 8);
        marks
            .into_iter()
            .map(|mark| match mark.below {
                Some(below) => format!("{} {below}", mark.label),
                None => mark.label,
            })
            .collect()
    }

    /// Check 46.
    #[test]
    fn the_year_is_told_where_it_changes_and_the_leap_day_is_a_day() {
        let days = labels("2025-12-29T00:00:00Z", "2026-01-03T00:00:00Z", Tz::UTC);
        assert_eq!(
            days,
            ["29 Dec 2025", "30 Dec", "31 Dec", "1 Jan 2026", "2 Jan", "3 Jan"]
        );
        let leap = labels("2028-02-27T00:00:00Z", "2028-03-02T00:00:00Z", Tz::UTC);
        assert_eq!(leap, ["27 Feb 2028", "28 Feb", "29 Feb", "1 Mar", "2 Mar"]);
        let years = labels("2024-03-01T00:00:00Z", "2026-02-01T00:00:00Z", Tz::UTC);
        assert_eq!(
            years,
            ["Apr 2024", "Jul", "Oct", "Jan 2025", "Apr", "Jul", "Oct", "Jan 2026"]
        );
    }

    /// Check 46: days of 23 and 25 hours.
    #[test]
    fn midnight_is_midnight_of_the_zone() {
        let berlin = chrono_tz::Europe::Berlin;
        for (since, to, length) in [
            ("2026-03-28T12:00:00Z", "2026-03-31T12:00:00Z", 23),
            ("2026-10-24T12:00:00Z", "2026-10-27T12:00:00Z", 25),
        ] {
            let marks: Vec<i64> = time(at(since), at(to), berlin, 6).iter().map(|mark| mark.at).collect();
            let hours: Vec<i64> = marks.windows(2).map(|pair| (pair[1] - pair[0]) / 3600).collect();
            assert!(hours.contains(&length), "{hours:?}");
        }
        let spring = labels("2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z", berlin);
        assert_eq!(
            spring,
            [
                "00:00 29 Mar 2026",
                "01:00",
                "03:00",
                "04:00",
                "05:00",
                "06:00",
                "07:00"
            ],
            "nobody's clock shows two"
        );
    }

    /// Check 48: a flat line has a sane range.
    #[test]
    fn counts_are_whole_and_hold_what_they_must() {
        assert_eq!(count(100, 100, 6), [94, 96, 98, 100, 102, 104, 106]);
        assert_eq!(count(0, 0, 6), [0, 1]);
        assert_eq!(count(0, 3, 6), [0, 1, 2, 3]);
        assert_eq!(count(97, 1043, 6), [0, 200, 400, 600, 800, 1000, 1200]);
        for (low, high) in [
            (0, 1),
            (5, 6),
            (0, i64::from(i32::MAX)),
            (999_999, 1_000_001),
            (0, i64::MAX),
            (i64::MAX, i64::MAX),
        ] {
            let marks = count(low, high, 6);
            assert!(marks.len() >= 2 && marks.len() <= 8, "{marks:?}");
            assert!(marks[0] <= low && *marks.last().unwrap() >= high, "{marks:?}");
        }
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567, -1000].map(grouped),
            ["0", "999", "1,000", "1,234,567", "-1,000"]
        );
    }
}
