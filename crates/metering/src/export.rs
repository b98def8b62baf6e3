//! Series as CSV, JSON and OpenMetrics, and back from CSV and JSON: what is read is exactly what was written.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use store::{metered_accounts::Metered, metered_points::Point};

/// More accounts than this are no OpenMetrics page that anybody scrapes.
pub const MOST_METRICS: u32 = 10_000;

/// A row with whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The actor.
    pub uri: String,
    /// `user@domain`.
    pub acct: String,
    /// When it was first measured, for people and spreadsheets.
    pub time: String,
    /// The rest.
    #[serde(flatten)]
    pub point: Point,
}

impl Row {
    /// Of an account.
    pub fn of(account: &Metered, point: &Point) -> Self {
        Self {
            uri: account.uri.clone(),
            acct: account.acct.clone(),
            time: time(point.from()),
            point: point.clone(),
        }
    }
}

/// The columns of the CSV.
pub const HEADING: &str = "uri,acct,time,slot,lag,span,points,step,followers,following,statuses,last_status,gap";

fn time(at: i64) -> String {
    DateTime::from_timestamp(at, 0)
        .map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
        .unwrap_or_default()
}

/// One line of CSV, with its end.
pub fn csv_line(row: &Row) -> String {
    let count = |count: Option<i32>| count.map(|count| count.to_string()).unwrap_or_default();
    let point = &row.point;
    let cells = [
        cell(&row.uri),
        cell(&row.acct),
        row.time.clone(),
        point.slot.to_string(),
        point.lag.to_string(),
        point.span.to_string(),
        point.points.to_string(),
        point.step.to_string(),
        count(point.followers),
        count(point.following),
        count(point.statuses),
        count(point.last_status),
        cell(point.gap.as_deref().unwrap_or_default()),
    ];
    format!("{}\n", cells.join(","))
}

/// A cell of text. A spreadsheet takes what begins with one of these for a formula, so they stand behind an apostrophe.
fn cell(text: &str) -> String {
    let guarded = match text.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\'') => format!("'{text}"),
        _ => text.to_owned(),
    };
    if guarded.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// Reads what [`csv_line`] wrote, heading included. The account's number is not in it: it is zero.
///
/// # Errors
/// One line that names the line and what is wrong with it.
pub fn read_csv(text: &str) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (number, cells) in records(text).into_iter().enumerate() {
        if number == 0 && cells.first().is_some_and(|cell| cell == "uri") {
            continue;
        }
        if cells.len() == 1 && cells[0].is_empty() {
            continue;
        }
        rows.push(read_row(&cells).ok_or_else(|| format!("line {}: is no row of {HEADING}", number + 1))?);
    }
    Ok(rows)
}

fn read_row(cells: &[String]) -> Option<Row> {
    let [
        uri,
        acct,
        time,
        slot,
        lag,
        span,
        points,
        step,
        followers,
        following,
        statuses,
        last_status,
        gap,
    ] = cells
    else {
        return None;
    };
    let text = |text: &String| text.strip_prefix('\'').unwrap_or(text).to_owned();
    let count = |text: &String| {
        if text.is_empty() {
            Some(None)
        } else {
            text.parse().ok().map(Some)
        }
    };
    Some(Row {
        uri: text(uri),
        acct: text(acct),
        time: time.clone(),
        point: Point {
            account: 0,
            slot: slot.parse().ok()?,
            lag: lag.parse().ok()?,
            span: span.parse().ok()?,
            points: points.parse().ok()?,
            step: step.parse().ok()?,
            followers: count(followers)?,
            following: count(following)?,
            statuses: count(statuses)?,
            last_status: count(last_status)?,
            gap: Some(text(gap)).filter(|gap| !gap.is_empty()),
        },
    })
}

/// The records of a CSV: quotes may hold commas and ends of lines.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let (mut quoted, mut letters) = (false, text.trim_start_matches('\u{feff}').chars().peekable());
    while let Some(letter) = letters.next() {
        let Some(record) = records.last_mut() else { break };
        let Some(cell) = record.last_mut() else { break };
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => records.push(vec![String::new()]),
            letter => cell.push(letter),
        }
    }
    records
}

/// One count of a row.
type Count = fn(&Point) -> Option<i32>;

/// The newest counts of accounts in OpenMetrics' text, with the time of each. At most [`MOST_METRICS`] accounts.
pub fn open_metrics(accounts: &[(Metered, Point)]) -> String {
    let mut text = String::new();
    let metrics: [(&str, &str, Count); 3] = [
        ("egret_account_followers", "Followers of a metered account.", |point| {
            point.followers
        }),
        (
            "egret_account_following",
            "Accounts that a metered account follows.",
            |point| point.following,
        ),
        (
            "egret_account_statuses",
            "Statuses that a metered account wrote.",
            |point| point.statuses,
        ),
    ];
    for (name, help, count) in metrics {
        let _ = write!(text, "# TYPE {name} gauge\n# HELP {name} {help}\n");
        for (account, point) in accounts.iter().take(MOST_METRICS as usize) {
            if let Some(count) = count(point) {
                let _ = writeln!(
                    text,
                    "{name}{{acct=\"{}\"}} {count} {}",
                    label(&account.acct),
                    point.until()
                );
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(acct: &str, gap: Option<&str>) -> Row {
        Row {
            uri: "https://a.example/users/x?a=1,2".into(),
            acct: acct.into(),
            time: time(1_772_323_200),
            point: Point {
                account: 0,
                slot: 1_772_323_200,
                lag: 3,
                span: 86_400,
                points: 2,
                step: 86_400,
                followers: Some(0),
                following: None,
                statuses: Some(i32::MAX),
                last_status: Some(20_513),
                gap: gap.map(str::to_owned),
            },
        }
    }

    /// A name, its labels, its value and its time, as OpenMetrics 1.0 spells a sample.
    fn read_sample(line: &str) -> Option<(&str, String, i64, i64)> {
        let (name, rest) = line.split_once('{')?;
        let (mut acct, mut letters) = (String::new(), rest.strip_prefix("acct=\"")?.chars());
        loop {
            match letters.next()? {
                '\\' => acct.push(match letters.next()? {
                    'n' => '\n',
                    letter @ ('\\' | '"') => letter,
                    _ => return None,
                }),
                '"' => break,
                letter => acct.push(letter),
            }
        }
        let (value, time) = letters.as_str().strip_prefix("} ")?.split_once(' ')?;
        Some((name, acct, value.parse().ok()?, time.parse().ok()?))
    }

    /// Check 50: what OpenMetrics says is what was measured, in the order and the letters its standard asks for.
    #[test]
    fn open_metrics_read_back() {
        let account = |acct: &str| Metered {
            id: 1,
            uri: String::new(),
            url: String::new(),
            acct: acct.to_owned(),
            name: String::new(),
            host: String::new(),
            remote_id: None,
            state: "tracked".into(),
            condition: String::new(),
            moved_to: None,
            source: String::new(),
            measured_slot: 0,
            newest: 0,
            tried_slot: 0,
            tries: 0,
            trouble: None,
            gone_at: None,
            next_try_at: None,
            added_at: DateTime::UNIX_EPOCH,
        };
        let names = ["alice@a.example", "a\\\"b\n@a.example"];
        let pairs: Vec<_> = names
            .iter()
            .map(|name| (account(name), row(name, None).point))
            .collect();
        let text = open_metrics(&pairs);
        let (mut read, mut family) = (Vec::new(), String::new());
        let mut families = Vec::new();
        let lines: Vec<&str> = text.strip_suffix("# EOF\n").unwrap().lines().collect();
        for line in lines {
            match line.strip_prefix("# TYPE ") {
                Some(kind) => {
                    family = kind.strip_suffix(" gauge").unwrap().to_owned();
                    assert!(!families.contains(&family), "a family is in one piece");
                    families.push(family.clone());
                }
                None if line.starts_with("# HELP ") => assert!(line.contains(&family)),
                None => {
                    let (name, acct, value, time) = read_sample(line).unwrap_or_else(|| panic!("{line}"));
                    assert_eq!(name, family);
                    read.push((name.to_owned(), acct, value, time));
                }
            }
        }
        let at = pairs[0].1.until();
        let expected: Vec<_> = [("followers", 0), ("statuses", i64::from(i32::MAX))]
            .iter()
            .flat_map(|(what, value)| names.map(|name| (format!("egret_account_{what}"), name.to_owned(), *value, at)))
            .collect();
        assert_eq!(read, expected, "what is not told is left out");
    }

    /// The dashboard asks for what is there.
    #[test]
    fn the_dashboard_names_our_metrics() {
        let text = include_str!("../../../deploy/grafana/metering.json");
        let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(dashboard["panels"].as_array().unwrap().len() >= 4);
        let all = open_metrics(&[]);
        for part in text.split("egret_").skip(1) {
            let name: String = part
                .chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '_')
                .collect();
            assert!(all.contains(&format!("# TYPE egret_{name} gauge")), "egret_{name}");
        }
    }

    /// Check 50: what goes out comes back.
    #[test]
    fn csv_and_json_come_back_as_they_were() {
        let rows = [
            row("alice@a.example", None),
            row("=1+1@a.example", Some("following hidden, \"so\"\nit says")),
            row("'@a.example", Some("-1")),
            row("\r=1@a.example", None),
        ];
        let mut text = format!("{HEADING}\n");
        rows.iter().for_each(|row| text.push_str(&csv_line(row)));
        assert!(text.contains(",'=1+1@a.example,"), "no formula");
        assert_eq!(read_csv(&text).unwrap(), rows);
        assert!(read_csv("uri,acct\nx,y").unwrap_err().contains("line 2"));
        let json = serde_json::to_string(&rows).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Row>>(&json).unwrap(), rows);
    }
}
