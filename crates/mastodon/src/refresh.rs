//! The `Mastodon-Async-Refresh` header (4.4+).

use std::time::Duration;

use net::http::HeaderMap;

/// The `Mastodon-Async-Refresh` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Opaque.
    pub id: String,
    /// Ask again no sooner than this.
    pub retry: Duration,
}

/// What Mastodon sends for a context.
const USUAL_RETRY: u64 = 3;

/// Reads `id="…", retry=3, result_count=0`, in any order and with parts missing. Without an id there is nothing to
/// ask for.
pub(crate) fn read(headers: &HeaderMap) -> Option<Refresh> {
    let text = headers.get("mastodon-async-refresh")?.to_str().ok()?;
    let (mut id, mut retry) = (None, USUAL_RETRY);
    for (key, value) in pairs(text) {
        match key.as_str() {
            "id" if !value.is_empty() && value.len() <= 1024 => id = Some(value),
            "retry" => retry = value.parse().unwrap_or(USUAL_RETRY).clamp(1, 60),
            _ => {}
        }
    }
    id.map(|id| Refresh {
        id,
        retry: Duration::from_secs(retry),
    })
}

/// `key=value` and `key="va,lue"`, separated by commas.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(String::new()),
            c => parts.last_mut().expect("starts with one").push(c),
        }
    }
    parts
        .iter()
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(String, u64)> {
        let mut headers = HeaderMap::new();
        headers.insert("mastodon-async-refresh", text.parse().unwrap());
        read(&headers).map(|refresh| (refresh.id, refresh.retry.as_secs()))
    }

    #[test]
    fn the_header_in_all_its_shapes() {
        assert_eq!(of(r#"id="a=,b", retry=5, result_count=0"#), Some(("a=,b".into(), 5)));
        assert_eq!(of("retry=4,ID=x"), Some(("x".into(), 4)));
        assert_eq!(of(r#"id="x""#), Some(("x".into(), 3)));
        assert_eq!(of(r#"id="x", retry=99999999999"#), Some(("x".into(), 60)));
        for text in ["", "retry=3", r#"id="""#, "id", r#"""#] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
