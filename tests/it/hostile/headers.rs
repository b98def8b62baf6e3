//! Headers of answers: `Link`, and what servers say of their limits.

use chrono::{DateTime, TimeDelta, Utc};
use net::{
    Said, Url,
    http::{HeaderMap, HeaderName, HeaderValue},
};

/// What a cursor may consist of.
const CURSORS: [&str; 5] = ["max_id", "min_id", "since_id", "offset", "page"];

/// A header on each line, as they stand in an answer.
pub(super) fn read(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let asked: Url = "https://home.example/api/v1/favourites?limit=40"
        .parse()
        .expect("a URL");
    let links = mastodon::links(&headers, &asked);
    for cursor in [links.next, links.prev].into_iter().flatten() {
        let text = cursor.as_str();
        assert!(!text.is_empty() && text.len() <= 1024, "{text}");
        let again: Url = format!("https://home.example/?{text}")
            .parse()
            .expect("a cursor fits into a URL");
        assert!(
            again.query_pairs().all(|(key, _)| CURSORS.contains(&key.as_ref())),
            "{text}"
        );
        assert_eq!(again.host_str(), Some("home.example"));
    }
    let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
    let said = Said::of(&headers, now);
    for wait in [said.reset, said.retry_after].into_iter().flatten() {
        // Whatever it is, it can be waited for, or added to a time, without an overflow.
        let _ = TimeDelta::from_std(wait)
            .ok()
            .and_then(|wait| now.checked_add_signed(wait));
    }
}
