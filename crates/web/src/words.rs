//! Times, counts and outcomes as people read them.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};
use model::{Clock, SystemClock};
use store::job_runs::{JobRun, Outcome};

use crate::parts::{Tone, badge};

/// A moment, near or far: `3 min ago`, `in 2 h`, with the exact time on hover.
pub(crate) fn when(time: DateTime<Utc>) -> Markup {
    let exact = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    html! { time.nowrap datetime=(exact) title=(time.format("%Y-%m-%d %H:%M:%S UTC")) { (relative(SystemClock.now(), time)) } }
}

fn relative(now: DateTime<Utc>, time: DateTime<Utc>) -> String {
    let away = (time - now).abs();
    let text = match away.num_seconds() {
        0..5 => return "now".to_owned(),
        5..60 => format!("{} s", away.num_seconds()),
        60..5_400 => format!("{} min", (away.num_seconds() + 30) / 60),
        5_400..172_800 => format!("{} h", (away.num_minutes() + 30) / 60),
        _ => format!("{} days", (away.num_hours() + 12) / 24),
    };
    if time > now {
        format!("in {text}")
    } else {
        format!("{text} ago")
    }
}

/// A sentence of ours, with what it marks as code (`egret check`) shown as code.
pub(crate) fn told(text: &str) -> Markup {
    let code = |n: usize| n % 2 == 1;
    // An odd mark at the end marks nothing.
    if !text.matches('`').count().is_multiple_of(2) {
        return html! { (text) };
    }
    html! { @for (n, part) in text.split('`').enumerate() { @if code(n) { code { (part) } } @else { (part) } } }
}

/// A count with its thousands apart: `12 345`.
pub(crate) fn count(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            // Narrow, and no place to break a line.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `replies` as a title: `Replies`.
pub(crate) fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        .replace('_', " ")
}

/// How long something took: `12 ms`, `0.4 s`, `12 s`, `3m 5s`.
pub(crate) fn took(took: TimeDelta) -> String {
    match took.num_milliseconds() {
        ..1 => "0 s".to_owned(),
        blink @ 1..100 => format!("{blink} ms"),
        short @ 100..10_000 => format!("{}.{} s", short / 1000, short % 1000 / 100),
        long => humantime::format_duration(Duration::from_secs(long.unsigned_abs() / 1000)).to_string(),
    }
}

/// How a run ended, as a chip.
pub(crate) fn outcome(outcome: Outcome) -> Markup {
    let tone = match outcome {
        Outcome::Running => Tone::Live,
        Outcome::Finished => Tone::Good,
        Outcome::Failed | Outcome::TimedOut => Tone::Warn,
        Outcome::Refused | Outcome::Panicked | Outcome::Lost => Tone::Bad,
        Outcome::Stopped => Tone::Plain,
    };
    badge(tone, &outcome.as_str().replace('_', " "))
}

/// What a run counted, without the zeros; a run that finished and counted nothing found nothing to do.
pub(crate) fn did(run: &JobRun) -> Markup {
    let told: Vec<_> = run.counters.iter().filter(|(_, count)| **count != 0).collect();
    html! {
        @if !told.is_empty() {
            ul.counters { @for (name, count) in told { li { b { (count) } " " (name.replace('_', " ")) } } }
        } @else if run.outcome == Outcome::Finished {
            span.small.quiet { "nothing to do" }
        }
    }
}

/// Requests of a run, to all hosts.
pub(crate) fn requests(run: &JobRun) -> u64 {
    run.requests.values().fold(0, |all, some| all.saturating_add(*some))
}

/// Requests of a run by host, most first.
pub(crate) fn by_host(run: &JobRun) -> Vec<(&str, u64)> {
    let mut hosts: Vec<_> = run
        .requests
        .iter()
        .map(|(host, count)| (host.as_str(), *count))
        .collect();
    hosts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    hosts
}

/// From start to end, where there is one.
pub(crate) fn duration(run: &JobRun) -> Option<TimeDelta> {
    run.finished_at.map(|end| end - run.started_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_words() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(9000);
        let at = |seconds| relative(now, now + TimeDelta::seconds(seconds));
        assert_eq!(at(-2), "now");
        assert_eq!(at(-40), "40 s ago");
        assert_eq!(at(600), "in 10 min");
        assert_eq!(at(-7200), "2 h ago");
        assert_eq!(at(86_400 * 30), "in 30 days");
        assert_eq!((&*count(-1_234_567), &*count(12)), ("-1\u{202f}234\u{202f}567", "12"));
        assert_eq!(told("a <b `c <d` e").into_string(), "a &lt;b <code>c &lt;d</code> e");
        assert_eq!(told("it`s").into_string(), "it`s");
        assert_eq!(title("blocklists"), "Blocklists");
        assert_eq!(took(TimeDelta::milliseconds(9)), "9 ms");
        assert_eq!(took(TimeDelta::milliseconds(450)), "0.4 s");
        assert_eq!(took(TimeDelta::seconds(185)), "3m 5s");
    }
}
