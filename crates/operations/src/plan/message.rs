//! What people are told: many notices in one message, and a week in another.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use store::{
    deliveries::{Channel, Tally},
    notices::{Notice, Severity},
};

/// A message before it is dressed for a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for the same message, however often it is tried.
    pub id: String,
    /// One line.
    pub title: String,
    /// One thing each.
    pub lines: Vec<String>,
    /// The worst of what it tells.
    pub severity: Severity,
}

impl Message {
    /// Several notices as one message, the worst first.
    pub fn of(id: String, notices: &[Notice]) -> Self {
        let severity = notices.iter().map(|it| it.severity).max().unwrap_or(Severity::Info);
        let mut sorted: Vec<&Notice> = notices.iter().collect();
        sorted.sort_by_key(|it| (std::cmp::Reverse(it.severity), it.created_at));
        let title = match sorted.as_slice() {
            [one] => format!("Egret: {} of {}", word(one.severity), one.feature),
            many => format!("Egret: {} notices, the worst: {}", many.len(), word(severity)),
        };
        let line = |it: &&Notice| format!("[{}] {}: {}", word(it.severity), it.feature, it.text);
        Self {
            id,
            title,
            lines: sorted.iter().map(line).collect(),
            severity,
        }
    }

    /// At most so many characters: what does not fit is counted.
    pub fn text(&self, most: usize) -> String {
        let mut text: String = self.title.chars().take(most).collect();
        for (nth, line) in self.lines.iter().enumerate() {
            let rest = self.lines.len() - nth;
            let more = format!("\n… and {rest} more, on the Overview page");
            let room = most.saturating_sub(text.chars().count() + more.chars().count() + 1);
            if line.chars().count() > room {
                let shown: String = line.chars().take(room.saturating_sub(1)).collect();
                // A line of its own is cut; half of one is no use beside others.
                if nth == 0 && !shown.is_empty() {
                    text = format!("{text}\n{shown}…");
                    if rest > 1 {
                        text = format!("{text}\n… and {} more, on the Overview page", rest - 1);
                    }
                } else {
                    text.push_str(&more);
                }
                return text.chars().take(most).collect();
            }
            text.push('\n');
            text.push_str(line);
        }
        text
    }
}

/// A severity in a word.
pub fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Whether a channel is sent a message now: not while what happens is still gathered, nor beyond its bound, nor too soon
/// after a failure.
pub fn is_time(
    channel: &Channel,
    oldest: DateTime<Utc>,
    gather: TimeDelta,
    (sent, per_hour): (i64, u32),
    now: DateTime<Utc>,
) -> bool {
    now - oldest >= gather && sent < i64::from(per_hour) && channel.next_at.is_none_or(|at| at <= now)
}

/// How long after so many failures in a row the next try waits.
pub fn pause(failures: i64) -> TimeDelta {
    TimeDelta::minutes(1_i64 << failures.clamp(0, 6))
}

/// What a week was like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Week {
    /// Runs by job and outcome.
    pub runs: Tally,
    /// Effects by feature and state.
    pub effects: Tally,
    /// Notices by feature and severity.
    pub notices: Tally,
    /// Bytes that the database takes.
    pub database: u64,
    /// Servers with a snapshot, and when the newest was made.
    pub snapshots: BTreeMap<String, DateTime<Utc>>,
    /// Databases with a good dump, and when the newest was made.
    pub dumps: BTreeMap<String, DateTime<Utc>>,
}

/// The digest of a week.
pub fn digest(id: String, week: &Week) -> Message {
    let mut jobs: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (job, outcome, count) in &week.runs {
        let (all, bad) = jobs.entry(job).or_default();
        *all += count;
        if !matches!(outcome.as_str(), "finished" | "stopped") {
            *bad += count;
        }
    }
    let (all, bad): (i64, i64) = jobs.values().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    let mut lines = vec![format!("{all} runs of {} jobs, {bad} of them failed", jobs.len())];
    for (job, (all, bad)) in jobs.iter().filter(|(_, (_, bad))| *bad > 0) {
        lines.push(format!("{job}: {bad} of {all} runs failed"));
    }
    for (feature, state, count) in &week.effects {
        lines.push(format!("{feature}: {count} writes {state}"));
    }
    for (feature, severity, count) in &week.notices {
        lines.push(format!("{feature}: {count} notices ({severity})"));
    }
    for (what, found) in [("snapshot of", &week.snapshots), ("dump of", &week.dumps)] {
        for (name, at) in found {
            lines.push(format!("newest {what} {name}: {}", at.format("%Y-%m-%d %H:%M UTC")));
        }
    }
    lines.push(format!("the database takes {} MiB", week.database / (1 << 20)));
    Message {
        id,
        title: "Egret: the week".to_owned(),
        lines,
        severity: Severity::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(severity: Severity, text: &str) -> Notice {
        Notice {
            id: text.to_owned(),
            feature: "operations".into(),
            kind: "dump".into(),
            about: String::new(),
            severity,
            text: text.to_owned(),
            created_at: DateTime::UNIX_EPOCH,
            seen_at: None,
            delivered_at: None,
        }
    }

    #[test]
    fn many_notices_are_one_message_with_the_worst_first() {
        let message = Message::of("1".into(), &[notice(Severity::Info, "a"), notice(Severity::Error, "b")]);
        assert_eq!(message.severity, Severity::Error);
        assert_eq!(message.lines, ["[error] operations: b", "[info] operations: a"]);
        assert!(message.text(4000).ends_with("operations: a"));
    }

    #[test]
    fn a_message_keeps_to_its_bound_and_counts_what_is_left_out() {
        let notices: Vec<Notice> = (0..200)
            .map(|n| notice(Severity::Info, &format!("thing {n} ü")))
            .collect();
        for most in [80, 100, 500, 1999] {
            let text = Message::of("1".into(), &notices).text(most);
            assert!(text.chars().count() <= most, "{most}: {}", text.len());
            assert!(text.contains("more, on the Overview page"), "{text}");
        }
        let long = Message::of("1".into(), &[notice(Severity::Info, &"x".repeat(5000))]).text(500);
        assert!(long.chars().count() <= 500 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn it_waits_for_more_for_room_and_after_failures() {
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let mut channel = Channel {
            channel: "a".into(),
            since: at(0),
            failures: 0,
            next_at: None,
            error: None,
        };
        let gather = TimeDelta::minutes(1);
        assert!(!is_time(&channel, at(10), gather, (0, 10), at(10)));
        assert!(is_time(&channel, at(10), gather, (9, 10), at(11)));
        assert!(!is_time(&channel, at(10), gather, (10, 10), at(11)));
        channel.next_at = Some(at(20));
        assert!(!is_time(&channel, at(10), gather, (0, 10), at(19)));
        assert!(pause(0) < pause(3) && pause(1000) == pause(6));
    }
}
