//! A cron line in a time zone. The line's arithmetic is croner's, on a clock without summer time; what summer time
//! does to it is decided here, since croner's own search may answer with a time before the one it was asked about
//! (in the second pass of an hour that the clock shows twice).

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

/// No zone ever put its clock back by more; what is so near a change of the clock is looked at twice.
const TURN: TimeDelta = TimeDelta::hours(26);

/// A parsed cron line.
#[derive(Debug)]
pub(crate) struct CronLine {
    cron: Cron,
    /// The hour field holds a `*`: goes by the clock, what it skips is skipped and what it shows twice comes twice.
    hourly: bool,
}

impl CronLine {
    /// Reads five fields, or six with seconds first. The text of the error goes to the operator.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let hour = match fields.as_slice() {
            [nickname] if nickname.starts_with('@') => {
                if nickname.eq_ignore_ascii_case("@hourly") {
                    "*"
                } else {
                    ""
                }
            }
            [_, hour, _, _, _] | [_, _, hour, _, _, _] => hour,
            _ => return Err(format!("`{line}` has not five fields (or six, with seconds first)")),
        };
        let cron = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Optional)
            .build()
            .parse(line)
            .map_err(|error| format!("`{line}` is no cron line: {error}"))?;
        Ok(Self {
            cron,
            hourly: hour.contains('*'),
        })
    }

    /// The first time after `after`, in `zone`.
    pub(crate) fn after(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let local = zone.offset_from_utc_datetime(&after.naive_utc());
        let wall = after.naive_utc().checked_add_offset(local.fix())?.with_nanosecond(0)?;
        let straight = self.from(wall, false, after, zone);
        match self.second_pass(after, zone) {
            Some((turn, wall)) if self.hourly => {
                // The first pass is over at `turn`; the wall clock starts again from `wall`.
                let again = self.from(wall, true, turn - TimeDelta::nanoseconds(1), zone);
                straight.into_iter().chain(again).min()
            }
            _ => straight,
        }
    }

    /// The first wall-clock time after (or at) `wall` that is a moment after `after`.
    fn from(&self, wall: NaiveDateTime, inclusive: bool, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let (mut wall, mut inclusive) = (wall.and_utc(), inclusive);
        loop {
            wall = self.cron.find_next_occurrence(&wall, inclusive).ok()?;
            inclusive = false;
            let found = match zone.from_local_datetime(&wall.naive_utc()) {
                MappedLocalTime::Single(time) => Some(time.to_utc()),
                MappedLocalTime::Ambiguous(first, second) => [first, second]
                    .into_iter()
                    .take(if self.hourly { 2 } else { 1 })
                    .map(|time| time.to_utc())
                    .find(|time| *time > after),
                MappedLocalTime::None if self.hourly => None,
                MappedLocalTime::None => jumped(wall.naive_utc(), zone),
            };
            if let Some(time) = found.filter(|time| *time > after) {
                return Some(time);
            }
        }
    }

    /// If the clock is put back soon after `after`: when, and what it shows then.
    fn second_pass(&self, after: DateTime<Utc>, zone: Tz) -> Option<(DateTime<Utc>, NaiveDateTime)> {
        let offset = |time: DateTime<Utc>| zone.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc();
        let (mut low, mut high) = (after, after.checked_add_signed(TURN)?);
        let before = offset(low);
        if offset(high) >= before {
            return None;
        }
        while high - low > TimeDelta::seconds(1) {
            let middle = low + (high - low) / 2;
            if offset(middle) < before {
                high = middle
            } else {
                low = middle
            }
        }
        // Changes of the clock fall on whole seconds.
        let turn = DateTime::from_timestamp(high.timestamp(), 0)?;
        let wall = turn
            .naive_utc()
            .checked_add_signed(TimeDelta::seconds(offset(turn).into()))?;
        Some((turn, wall))
    }
}

/// The moment at which the clock jumped over `wall`.
fn jumped(wall: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let before = zone.from_local_datetime(&wall.checked_sub_signed(TURN)?).latest()?;
    let after = zone.from_local_datetime(&wall.checked_add_signed(TURN)?).earliest()?;
    let offset = |time: DateTime<Utc>| zone.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc();
    let (mut low, mut high) = (before.to_utc(), after.to_utc());
    // What the clock shows grows with time on either side, so halving finds where it passes `wall`.
    let shows = |time: DateTime<Utc>| time.naive_utc() + TimeDelta::seconds(offset(time).into());
    while high - low > TimeDelta::seconds(1) {
        let middle = low + (high - low) / 2;
        if shows(middle) > wall {
            high = middle
        } else {
            low = middle
        }
    }
    DateTime::from_timestamp(high.timestamp(), 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The next times after `after`, as their zone's clock shows them.
    fn times(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let (line, zone) = (CronLine::parse(line).unwrap(), zone.parse::<Tz>().unwrap());
        let mut time = DateTime::parse_from_rfc3339(after).unwrap().to_utc();
        (0..count)
            .map(|_| {
                time = line.after(time, zone).unwrap();
                time.with_timezone(&zone).format("%d. %H:%M %z").to_string()
            })
            .collect()
    }

    #[test]
    fn a_time_that_spring_skips_comes_at_the_jump() {
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["29. 03:00 +0200", "30. 02:30 +0200"]
        );
        assert_eq!(
            times("0,20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["29. 03:00 +0200", "30. 02:00 +0200"],
            "both skipped times are one moment"
        );
        assert_eq!(
            times("15 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2),
            ["29. 01:15 +0100", "29. 03:15 +0200"],
            "an hourly job goes by the clock"
        );
    }

    #[test]
    fn a_time_that_autumn_repeats_comes_once_and_an_hourly_job_goes_by_the_clock() {
        assert_eq!(
            times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["25. 02:30 +0200", "26. 02:30 +0100"]
        );
        assert_eq!(
            times("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4),
            [
                "25. 01:30 +0200",
                "25. 02:30 +0200",
                "25. 02:30 +0100",
                "25. 03:30 +0100"
            ]
        );
        assert_eq!(
            times("*/20 * * * *", "Australia/Lord_Howe", "2026-04-04T14:30:00Z", 5),
            [
                "05. 01:40 +1100",
                "05. 01:40 +1030",
                "05. 02:00 +1030",
                "05. 02:20 +1030",
                "05. 02:40 +1030"
            ],
            "half an hour, and the clock shows 1:30 again"
        );
    }

    #[test]
    fn the_hour_follows_summer_time() {
        assert_eq!(
            times("0 3 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
            ["28. 03:00 +0100", "29. 03:00 +0200", "30. 03:00 +0200"]
        );
    }

    #[test]
    fn day_of_the_month_or_weekday_and_both_with_a_plus() {
        assert_eq!(
            times("0 9 13 * FRI", "UTC", "2026-11-01T00:00:00Z", 3),
            ["06. 09:00 +0000", "13. 09:00 +0000", "20. 09:00 +0000"]
        );
        assert_eq!(
            times("0 9 1-7 * +MON", "UTC", "2026-11-01T00:00:00Z", 2),
            ["02. 09:00 +0000", "07. 09:00 +0000"]
        );
    }

    #[test]
    fn what_never_comes_says_so_soon() {
        let line = CronLine::parse("0 0 31 2 *").unwrap();
        assert_eq!(line.after(DateTime::UNIX_EPOCH, Tz::Europe__Berlin), None);
    }

    proptest! {
        /// Minute by minute through the days around both changes of the clock.
        #[test]
        fn hourly_lines_miss_nothing_and_add_nothing(step in 1_u32..60, from in 0_i64..4000, spring: bool,
                                                     zone in prop_oneof![Just(Tz::Europe__Berlin),
                                                         Just(Tz::Australia__Lord_Howe), Just(Tz::America__New_York)]) {
            let line = CronLine::parse(&format!("*/{step} * * * *")).unwrap();
            let start = if spring { 1_774_656_000 } else { 1_792_800_000 };
            let mut time = DateTime::from_timestamp(start + from * 60, 0).unwrap();
            let mut minute = time;
            for _ in 0..30 {
                let next = line.after(time, zone).unwrap();
                minute += TimeDelta::minutes(1);
                while !minute.with_timezone(&zone).minute().is_multiple_of(step) {
                    minute += TimeDelta::minutes(1);
                }
                prop_assert_eq!(next, minute);
                time = next;
            }
        }

        #[test]
        fn the_next_time_is_later(line in "([0-9]{1,2}|\\*|\\*/7) ([0-9]|1[0-9]|\\*) (\\*|[1-9]) \\* \\*",
                                  seconds in 0_i64..4_000_000_000, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
            if let Ok(line) = CronLine::parse(&line) {
                let after = DateTime::from_timestamp(seconds, 0).unwrap();
                let next = line.after(after, chrono_tz::TZ_VARIANTS[zone]).unwrap();
                prop_assert!(next > after && next - after < TimeDelta::days(70));
            }
        }
    }
}
