//! Reads the lists that rules name. A list that fails, empties or shrinks keeps its last good text.

use std::time::Duration;

use chrono::{DateTime, Utc};
use job::{JobContext, JobError, Summary};
use net::{
    Request, Url,
    http::{HeaderValue, header},
};
use store::{
    applicants::{self, List},
    notices::Severity,
};

use super::news::tell;
use crate::{Config, Names, gather::Rules};

/// The largest list: far more than all disposable domains there are.
const LARGEST: usize = 32 << 20;

/// What a source gave.
enum Read {
    Same,
    Text(String, Option<String>),
    Trouble(String),
}

/// Reads every list that a rule names.
pub(crate) async fn read_lists(cx: &JobContext, config: &Config, rules: &Rules) -> Result<Summary, JobError> {
    let mut summary = Summary::default();
    let known = applicants::lists(&cx.store).await?;
    let ruleset = rules.now(cx, config).await?;
    let mut sources: Vec<&str> = ruleset
        .rules()
        .flat_map(|rule| &rule.domain_lists)
        .map(String::as_str)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    for source in sources {
        cx.check_stop()?;
        let before = known.iter().find(|list| list.source == source);
        let read = if source.starts_with("https://") {
            fetch(cx, source, before.and_then(|list| list.etag.as_deref())).await?
        } else {
            open(source).await
        };
        let list = judged(source, before, read, config.lists.shrink, cx.clock.now());
        summary.add(if list.trouble.is_some() { "failed" } else { "read" }, 1);
        if let Some(trouble) = &list.trouble {
            let text = format!("the list {source} {trouble}; its last good text goes on to count");
            tell(cx, "list", source, Severity::Warning, &text).await;
        }
        applicants::save_list(&cx.store, &list).await?;
    }
    Ok(summary)
}

/// The list as it is to be kept: a pure function of what was known and what came.
fn judged(source: &str, before: Option<&List>, read: Read, shrink: f64, now: DateTime<Utc>) -> List {
    let kept = |trouble: Option<String>| List {
        source: source.to_owned(),
        body: before.map(|list| list.body.clone()).unwrap_or_default(),
        names: before.map_or(0, |list| list.names),
        etag: before.and_then(|list| list.etag.clone()),
        fetched_at: before.and_then(|list| list.fetched_at),
        checked_at: now,
        trouble,
    };
    let (text, etag) = match read {
        Read::Same if before.is_some_and(|list| list.fetched_at.is_some()) => return kept(None),
        Read::Same => return kept(Some("says that it did not change, and was never read".to_owned())),
        Read::Trouble(trouble) => return kept(Some(trouble)),
        Read::Text(text, etag) => (text, etag),
    };
    let (names, bad) = Names::read_list(&text);
    if names.is_empty() || bad > names.len() {
        return kept(Some(format!(
            "is no list of domains: {} names, {bad} other lines",
            names.len()
        )));
    }
    let (had, has) = (before.map_or(0, |list| list.names) as f64, names.len() as f64);
    if has < had * (1.0 - shrink) {
        return kept(Some(format!("shrank from {had} to {has} names")));
    }
    List {
        source: source.to_owned(),
        names: i64::try_from(names.len()).unwrap_or(i64::MAX),
        body: text,
        etag,
        fetched_at: Some(now),
        checked_at: now,
        trouble: None,
    }
}

async fn fetch(cx: &JobContext, source: &str, etag: Option<&str>) -> Result<Read, JobError> {
    let Ok(url) = source.parse::<Url>() else {
        return Ok(Read::Trouble("has no address".to_owned()));
    };
    let mut request = Request::origin(url, "text/plain, text/csv, */*;q=0.1");
    // An operator named this very file.
    request.robots = false;
    request.max_body = LARGEST;
    request.timeout = Some(Duration::from_secs(120));
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        request.headers.insert(header::IF_NONE_MATCH, etag);
    }
    let response = match cx.net.send(request).await {
        Ok(response) => response,
        Err(net::Error::Stopped) => return Err(JobError::Stopped),
        Err(error) => return Ok(Read::Trouble(format!("cannot be fetched: {error}"))),
    };
    Ok(match response.http_status {
        304 => Read::Same,
        200 => match String::from_utf8(response.body.to_vec()) {
            Ok(text) => {
                let etag = response.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok());
                Read::Text(text, etag.map(str::to_owned))
            }
            Err(_) => Read::Trouble("is no text".to_owned()),
        },
        other => Read::Trouble(format!("answers HTTP {other}")),
    })
}

async fn open(path: &str) -> Read {
    match tokio::fs::metadata(path).await {
        Ok(found) if found.len() > LARGEST as u64 => return Read::Trouble("is too large".to_owned()),
        Ok(_) => {}
        Err(error) => return Read::Trouble(format!("cannot be opened: {error}")),
    }
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Read::Text(text, None),
        Err(error) => Read::Trouble(format!("cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + hour * 3600, 0).unwrap()
    }

    fn text(names: usize) -> Read {
        let lines: Vec<String> = (0..names).map(|n| format!("d{n}.example")).collect();
        Read::Text(lines.join("\n"), Some("\"1\"".into()))
    }

    #[test]
    fn a_list_that_fails_keeps_its_last_good_text() {
        let good = judged("a", None, text(100), 0.5, at(0));
        assert_eq!(
            (good.names, good.fetched_at, good.trouble.as_deref()),
            (100, Some(at(0)), None)
        );
        for read in [
            Read::Trouble("answers HTTP 500".into()),
            Read::Text("<html>\n<p>no such page\n</html>\n".into(), None),
            Read::Text(String::new(), None),
            text(49),
        ] {
            let kept = judged("a", Some(&good), read, 0.5, at(1));
            assert_eq!(
                (kept.names, &kept.body, kept.fetched_at),
                (100, &good.body, Some(at(0)))
            );
            assert!(kept.trouble.is_some());
        }
        let same = judged("a", Some(&good), Read::Same, 0.5, at(1));
        assert_eq!(
            (same.trouble, same.checked_at, same.fetched_at),
            (None, at(1), Some(at(0)))
        );
        assert_eq!(judged("a", Some(&good), text(50), 0.5, at(1)).names, 50);
        assert_eq!(judged("a", None, Read::Same, 0.5, at(1)).fetched_at, None);
    }
}
