//! What changed in a period, as a text to paste, a page, or JSON.

mod html;

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use store::{
    Db, Error,
    metered_accounts::Metered,
    metered_points::{self, Point},
};

use crate::{chart::Metric, length};

/// A count now, and how it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// Now; none where it was not told.
    pub count: Option<i32>,
    /// Since then; none where there is nothing to compare with.
    pub change: Option<i32>,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Ours.
    pub id: i64,
    /// `user@domain`.
    pub acct: String,
    /// Followers.
    pub followers: Figure,
    /// Accounts followed.
    pub following: Figure,
    /// Statuses.
    pub statuses: Figure,
    /// When the counts are of; none where nothing was ever measured.
    pub measured_at: Option<DateTime<Utc>>,
    /// What they are compared with.
    pub compared_with: Option<DateTime<Utc>>,
    /// Seconds between the two, where that is not the period: there was a gap.
    pub real_interval: Option<i64>,
    /// Why there is no count now.
    pub trouble: Option<String>,
}

/// What changed in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The period's end.
    pub to: DateTime<Utc>,
    /// Its start.
    pub since: DateTime<Utc>,
    /// Of each account, in the order given.
    pub accounts: Vec<Line>,
}

/// Gathers a report: the newest counts until `to`, and those nearest to `since`.
///
/// # Errors
/// When the store cannot be asked.
pub async fn report(db: &Db, accounts: &[Metered], since: DateTime<Utc>, to: DateTime<Utc>) -> Result<Report, Error> {
    let ids: Vec<i64> = accounts.iter().map(|account| account.id).collect();
    let ends = metered_points::around(db, &ids, to.timestamp()).await?;
    let starts = metered_points::around(db, &ids, since.timestamp()).await?;
    let of = |points: &[Point]| {
        let mut by_account: std::collections::HashMap<i64, Vec<Point>> = std::collections::HashMap::new();
        for point in points {
            by_account.entry(point.account).or_default().push(point.clone());
        }
        by_account
    };
    let (mut ends, mut starts) = (of(&ends), of(&starts));
    let lines = accounts.iter().map(|account| {
        let ends = ends.remove(&account.id).unwrap_or_default();
        let starts = starts.remove(&account.id).unwrap_or_default();
        line(account, &ends, &starts, since.timestamp(), to.timestamp())
    });
    Ok(Report {
        to,
        since,
        accounts: lines.collect(),
    })
}

/// When a row speaks for a moment, and how far away that is.
fn nearest(point: &Point, at: i64) -> (i64, i64) {
    let time = at.clamp(point.from(), point.until().max(point.from()));
    (time, (time - at).abs())
}

/// One line, from the rows around the end and around the start of the period.
fn line(account: &Metered, ends: &[Point], starts: &[Point], since: i64, to: i64) -> Line {
    let now = ends
        .iter()
        .filter(|point| point.slot <= to)
        .max_by_key(|point| point.slot);
    let mut line = Line {
        id: account.id,
        acct: account.acct.clone(),
        followers: Figure {
            count: None,
            change: None,
        },
        following: Figure {
            count: None,
            change: None,
        },
        statuses: Figure {
            count: None,
            change: None,
        },
        measured_at: None,
        compared_with: None,
        real_interval: None,
        trouble: match account.condition.as_str() {
            "" => account.trouble.clone(),
            condition => Some(condition.to_owned()),
        },
    };
    let Some(now) = now else { return line };
    let (at, _) = nearest(now, to);
    line.measured_at = DateTime::from_timestamp(at, 0);
    let step = i64::from(now.step);
    if line.trouble.is_none() {
        line.trouble.clone_from(&now.gap);
    }
    // A period before the newest slot, which may be hours ago; not before one that is missing.
    let start = since - (to - at).clamp(0, step);
    // Of two rows the one nearest to that moment; never the one it is compared with.
    let then = starts
        .iter()
        .map(|point| (nearest(point, start), point))
        .filter(|((time, _), _)| *time < at)
        .min_by_key(|((_, distance), _)| *distance);
    let figure = |metric: Metric| {
        let count = metric.of(now);
        let before = then.as_ref().and_then(|(_, point)| metric.of(point));
        Figure {
            count,
            change: count.zip(before).map(|(now, then)| now.saturating_sub(then)),
        }
    };
    line.followers = figure(Metric::Followers);
    line.following = figure(Metric::Following);
    line.statuses = figure(Metric::Statuses);
    if let Some(((time, _), _)) = then {
        line.compared_with = DateTime::from_timestamp(time, 0);
        let (real, wanted) = (at - time, to - since);
        // Measured an hour late is not a gap; a missing day is.
        let tolerance = (step * 3 / 4).max(wanted / 10);
        line.real_interval = ((real - wanted).abs() > tolerance).then_some(real);
    }
    line
}

impl Report {
    /// Which period it is of: `Egret report, 24 hours to 21 Nov 2026 03:00 UTC`.
    pub fn title(&self, zone: Tz) -> String {
        format!(
            "Egret report, {} to {}",
            length((self.to - self.since).num_seconds()),
            self.to.with_timezone(&zone).format("%-d %b %Y %H:%M %Z")
        )
    }

    /// As a text to paste: `name@host: 102 followers (+3), 2000 statuses (+2)`.
    pub fn text(&self, zone: Tz, show_zero: bool) -> String {
        let mut text = format!("{}\n", self.title(zone));
        if self.accounts.is_empty() {
            text.push_str("No accounts are measured yet.\n");
        }
        for line in &self.accounts {
            let _ = writeln!(text, "{}", line.text(show_zero));
        }
        text
    }
}

impl Line {
    /// One line of the text.
    pub fn text(&self, show_zero: bool) -> String {
        let Some(_) = self.measured_at else {
            let why = self.trouble.as_ref().map_or(String::new(), |why| format!(" ({why})"));
            return format!("{}: not measured yet{why}", self.acct);
        };
        let mut parts = Vec::new();
        for (figure, word) in [(self.followers, "followers"), (self.statuses, "statuses")] {
            parts.push(match figure.count {
                Some(count) => format!("{count} {word}{}", change(figure.change, show_zero)),
                None => format!("{word} not told"),
            });
        }
        let mut text = format!("{}: {}", self.acct, parts.join(", "));
        if let Some(real) = self.real_interval {
            let _ = write!(text, " [compared with {} before]", length(real));
        }
        if let Some(trouble) = &self.trouble {
            let _ = write!(text, " [{trouble}]");
        }
        text
    }
}

/// ` (+3)`, ` (-3)`, nothing for no change or ` (±0)`.
pub fn change(change: Option<i32>, show_zero: bool) -> String {
    match change {
        None => String::new(),
        Some(0) if show_zero => " (±0)".to_owned(),
        Some(0) => String::new(),
        Some(change) => format!(" ({change:+})"),
    }
}

/// The period a word means: `24h`, `day`, `week`, `month`, `year`; no more than a hundred years.
pub fn period(word: &str) -> Option<TimeDelta> {
    let period = match word {
        "day" => TimeDelta::days(1),
        "week" => TimeDelta::days(7),
        "month" => TimeDelta::days(30),
        "year" => TimeDelta::days(365),
        word => {
            let split = word.len().checked_sub(1)?;
            let (number, unit) = word.split_at_checked(split)?;
            let number: i32 = number.parse().ok().filter(|number| *number > 0)?;
            match unit {
                "m" => TimeDelta::minutes(number.into()),
                "h" => TimeDelta::hours(number.into()),
                "d" => TimeDelta::days(number.into()),
                "w" => TimeDelta::weeks(number.into()),
                _ => return None,
            }
        }
    };
    Some(period).filter(|period| *period <= TimeDelta::days(36_525))
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    const DAY: i64 = 86_400;
    const NOW: i64 = 1_772_323_200;

    fn account() -> Metered {
        Metered {
            id: 7,
            uri: "https://host/users/name".into(),
            url: String::new(),
            acct: "name@host".into(),
            name: String::new(),
            host: "host".into(),
            remote_id: None,
            state: "tracked".into(),
            condition: String::new(),
            moved_to: None,
            source: "hand".into(),
            measured_slot: 0,
            newest: 0,
            tried_slot: 0,
            tries: 0,
            trouble: None,
            gone_at: None,
            next_try_at: None,
            added_at: DateTime::UNIX_EPOCH,
        }
    }

    fn point(days_ago: i64, followers: Option<i32>, statuses: i32) -> Point {
        Point {
            account: 7,
            slot: NOW - days_ago * DAY,
            lag: 0,
            span: 0,
            points: 1,
            step: 86_400,
            followers,
            following: None,
            statuses: Some(statuses),
            last_status: None,
            gap: None,
        }
    }

    fn told(now: &[Point], then: &[Point], show_zero: bool) -> String {
        line(&account(), now, then, NOW - DAY, NOW).text(show_zero)
    }

    /// Check 47.
    #[test]
    fn a_line_reads_as_people_paste_it() {
        let now = point(0, Some(102), 2000);
        let day = point(1, Some(99), 1998);
        assert_eq!(
            told(from_ref(&now), from_ref(&day), false),
            "name@host: 102 followers (+3), 2000 statuses (+2)"
        );
        let more = point(1, Some(105), 2000);
        assert_eq!(
            told(from_ref(&now), from_ref(&more), false),
            "name@host: 102 followers (-3), 2000 statuses"
        );
        assert_eq!(
            told(from_ref(&now), &[more], true),
            "name@host: 102 followers (-3), 2000 statuses (±0)"
        );
        assert_eq!(
            told(from_ref(&now), &[], false),
            "name@host: 102 followers, 2000 statuses",
            "a first point"
        );
        assert_eq!(
            told(from_ref(&now), from_ref(&now), false),
            "name@host: 102 followers, 2000 statuses",
            "not with itself"
        );
        assert_eq!(told(&[], &[], false), "name@host: not measured yet");
    }

    /// Check 47: where there was a gap, what it was really compared with.
    #[test]
    fn a_gap_is_said() {
        let (now, then) = (point(0, Some(102), 2000), point(4, Some(99), 1998));
        assert_eq!(
            told(from_ref(&now), from_ref(&then), false),
            "name@host: 102 followers (+3), 2000 statuses (+2) [compared with 4 days before]"
        );
        // Of two the nearer one.
        let near = point(2, Some(100), 1999);
        assert!(told(from_ref(&now), &[then, near], false).contains("(+2)"));
        let late = Point {
            lag: 3600,
            ..point(1, Some(99), 1998)
        };
        assert!(
            !told(&[now], &[late], false).contains("compared"),
            "an hour late is no gap"
        );
    }

    /// Check 43: what is hidden has no change, and says so.
    #[test]
    fn what_is_not_told_is_not_counted_with() {
        let mut now = point(0, None, 2000);
        now.gap = Some("followers hidden".into());
        assert_eq!(
            told(&[now], &[point(1, Some(99), 1998)], false),
            "name@host: followers not told, 2000 statuses (+2) [followers hidden]"
        );
    }

    /// Check 47: seven days are seven days in the evening, too, when the newest point is of the morning.
    #[test]
    fn a_period_ends_with_the_newest_point() {
        let evening = NOW + 20 * 3600;
        let starts = [point(7, Some(95), 1990), point(6, Some(96), 1992)];
        let now = point(0, Some(102), 2000);
        let line = line(&account(), from_ref(&now), &starts, evening - 7 * DAY, evening);
        assert_eq!(line.text(false), "name@host: 102 followers (+7), 2000 statuses (+10)");
    }

    /// A run speaks for each moment in it.
    #[test]
    fn a_run_is_as_near_as_it_reaches() {
        let run = Point {
            span: 9 * 86_400,
            points: 10,
            ..point(10, Some(99), 1998)
        };
        let text = told(&[point(0, Some(102), 2000)], &[run], false);
        assert_eq!(text, "name@host: 102 followers (+3), 2000 statuses (+2)");
    }

    #[test]
    fn periods_by_word() {
        assert_eq!(period("24h"), Some(TimeDelta::hours(24)));
        assert_eq!(period("week"), Some(TimeDelta::days(7)));
        for word in ["", "h", "-3d", "3y", "ü", "99999999999d", "2000000000w"] {
            assert_eq!(period(word), None, "{word}");
        }
    }
}
