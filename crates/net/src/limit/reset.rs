//! Reads what servers say about their limits. Servers write times in at least four ways; all of them are taken
//! relative to the answer's own `Date`, so that a wrong clock on either side does not matter.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::{HeaderMap, header};

/// What an answer said about its bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// `X-RateLimit-Limit`.
    pub limit: Option<u32>,
    /// `X-RateLimit-Remaining`.
    pub remaining: Option<u32>,
    /// Until `X-RateLimit-Reset`; zero when it has passed.
    pub reset: Option<Duration>,
    /// Until `Retry-After`; zero when it has passed.
    pub retry_after: Option<Duration>,
}

impl Said {
    /// Reads the headers; `now` stands in for a missing `Date`.
    pub fn of(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let date = text(header::DATE.as_str())
            .and_then(|date| DateTime::parse_from_rfc2822(date).ok())
            .map_or(now, |date| date.to_utc());
        // `300` or, as some proxies write it, `300, 300;w=300`.
        let count = |name: &str| -> Option<u32> { text(name)?.split([',', ';']).next()?.trim().parse().ok() };
        // A cache in between kept the answer for so long since its `Date`, and what it tells is that much nearer.
        let age = age(headers);
        let wait = |name: &str| distance(text(name)?, date).map(|wait| wait.saturating_sub(age));
        Self {
            limit: count("x-ratelimit-limit"),
            remaining: count("x-ratelimit-remaining"),
            reset: wait("x-ratelimit-reset"),
            retry_after: wait("retry-after"),
        }
    }
}

/// How long a cache kept the answer.
pub(super) fn age(headers: &HeaderMap) -> Duration {
    let seconds = headers
        .get(header::AGE)
        .and_then(|age| age.to_str().ok()?.trim().parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs)
}

/// From `date` to what `text` means: RFC 3339, epoch seconds or milliseconds, an HTTP date, or seconds from now.
/// Times that have passed are zero.
fn distance(text: &str, date: DateTime<Utc>) -> Option<Duration> {
    /// Anything larger is a point in time: nobody asks for thirty years of patience.
    const EPOCH: f64 = 1e9;
    const EPOCH_MILLIS: f64 = 1e11;
    if let Ok(number) = text.parse::<f64>() {
        if !number.is_finite() {
            return None;
        }
        let seconds = match number {
            n if n < 0.0 => 0.0,
            n if n < EPOCH => n,
            n if n < EPOCH_MILLIS => n - date.timestamp_micros() as f64 / 1e6,
            n => (n - date.timestamp_millis() as f64) / 1e3,
        };
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc2822(text))
        .map(|time| time.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc()))
        .ok()?;
    Some((time - date).max(TimeDelta::zero()).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn date() -> DateTime<Utc> {
        "2026-08-01T13:45:00Z".parse().unwrap()
    }

    #[test]
    fn times_are_read_in_every_spelling() {
        for (text, seconds) in [
            ("2026-08-01T13:50:00.032044Z", Some(300.032_044)),
            ("2026-08-01T13:50:00.250Z", Some(300.25)),
            ("2026-08-01T15:50:00+02:00", Some(300.0)),
            ("2026-08-01T13:50:00.5", Some(300.5)),
            ("1785592200", Some(300.0)),
            ("1785592200.5", Some(300.5)),
            ("1785592200000", Some(300.0)),
            ("Sat, 01 Aug 2026 13:50:00 GMT", Some(300.0)),
            ("30", Some(30.0)),
            ("0.5", Some(0.5)),
            ("0", Some(0.0)),
            ("-5", Some(0.0)),
            ("2026-08-01T13:44:59Z", Some(0.0)),
            ("1000000001", Some(0.0)),
            ("soon", None),
            ("", None),
            ("NaN", None),
            ("inf", None),
        ] {
            let read = distance(text, date()).map(|wait| wait.as_secs_f64());
            match (read, seconds) {
                (Some(read), Some(seconds)) => assert!((read - seconds).abs() < 1e-3, "{text}: {read}"),
                _ => assert_eq!(read, seconds, "{text}"),
            }
        }
    }

    #[test]
    fn what_a_cache_kept_is_that_much_nearer() {
        let said = |age: &'static str| {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("date", "Sat, 01 Aug 2026 13:45:00 GMT"),
                ("x-ratelimit-reset", "2026-08-01T13:50:00.000Z"),
                ("retry-after", "120"),
                ("age", age),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            let said = Said::of(&headers, date());
            (said.retry_after.unwrap().as_secs(), said.reset.unwrap().as_secs())
        };
        assert_eq!(said("0"), (120, 300));
        assert_eq!(said("100"), (20, 200));
        assert_eq!(said("18446744073709551615"), (0, 0));
        assert_eq!(said("soon"), (120, 300));
        assert_eq!(said("-5"), (120, 300));
    }

    #[test]
    fn the_answers_own_date_counts() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit", HeaderValue::from_static("300"));
        headers.insert("x-ratelimit-remaining", HeaderValue::from_static("7"));
        headers.insert(
            "x-ratelimit-reset",
            HeaderValue::from_static("2031-01-01T00:05:00.000Z"),
        );
        headers.insert("date", HeaderValue::from_static("Wed, 01 Jan 2031 00:00:00 GMT"));
        let said = Said::of(&headers, date());
        assert_eq!((said.limit, said.remaining), (Some(300), Some(7)));
        assert_eq!(said.reset, Some(Duration::from_secs(300)));
        assert_eq!(said.retry_after, None);
    }

    proptest! {
        #[test]
        fn garbage_is_not_believed_and_never_panics(
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 5),
            numbers in prop::collection::vec(any::<f64>(), 2),
        ) {
            let names = ["date", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"];
            let mut headers = HeaderMap::new();
            for (name, value) in names.into_iter().zip(&values) {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    headers.insert(name, value);
                }
            }
            let _ = Said::of(&headers, date());
            for number in numbers {
                let _ = distance(&number.to_string(), date());
            }
        }

        #[test]
        fn years_beyond_reason_do_not_panic(year in -300_000i64..300_000, rest in "[-0-9T:.Z+]{0,30}") {
            let _ = distance(&format!("{year}-01-01T00:00:00Z"), date());
            let _ = distance(&format!("+{year}{rest}"), date());
        }
    }
}
