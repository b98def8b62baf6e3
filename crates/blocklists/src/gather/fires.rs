//! FIRES datasets: read from their beginning once, then on from the newest change that we hold.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use job::JobContext;
use serde_json::Value;
use store::block_sources::Source as Stored;
use url::Url;

use super::fetch::{FetchError, Fetched, MOST_BYTES, get, success};
use crate::list::{FIRES_ACCEPT, MOST_MEMORY, decode, feed, joined_feed, memory};

/// Pages of a log of changes.
const MOST_PAGES: usize = 500;

/// A log is read from its beginning again after this: a tombstone changes what was read long ago.
const WHOLE: TimeDelta = TimeDelta::days(7);

/// Where the newest change's id stands in an address.
const SINCE: &str = "since";

/// Pages read one after the other.
struct Walk {
    items: Vec<Value>,
    /// Where what comes after them will be.
    cursor: Option<String>,
}

/// Reads a dataset: what is new in it, where we know how far we came.
pub(super) async fn dataset(
    cx: &JobContext,
    begin: &Url,
    held: &Stored,
    now: DateTime<Utc>,
) -> Result<Fetched, FetchError> {
    let text = held.pending.as_ref().or(held.body.as_ref());
    let is_fresh = held.whole_at.is_some_and(|at| now - at < WHOLE);
    if let (Some(text), Some(cursor), true) = (text, &held.cursor, is_fresh)
        && let Some(place) = same_origin(begin, cursor)
    {
        match walk(cx, begin, place).await {
            Ok(walk) if walk.items.is_empty() => return Ok(Fetched::Same),
            Ok(walk) => {
                return Ok(Fetched::Text {
                    text: joined_feed(feed(text)?.items, walk.items),
                    etag: None,
                    modified: None,
                    cursor: walk.cursor.or_else(|| held.cursor.clone()),
                    whole_at: held.whole_at,
                });
            }
            // It does not know our cursor any more: from the beginning.
            Err(FetchError::Http(400 | 404 | 410 | 422)) => {}
            Err(error) => return Err(error),
        }
    }
    let walk = walk(cx, begin, begin.clone()).await?;
    Ok(Fetched::Text {
        text: joined_feed(Vec::new(), walk.items),
        etag: None,
        modified: None,
        cursor: walk.cursor,
        whole_at: Some(now),
    })
}

/// Page after page, on one and the same server.
async fn walk(cx: &JobContext, begin: &Url, place: Url) -> Result<Walk, FetchError> {
    let mut walk = Walk {
        items: Vec::new(),
        cursor: None,
    };
    let mut next = Some(place);
    let (mut seen, mut bytes, mut takes) = (HashSet::new(), 0, 0);
    while let Some(url) = next.take() {
        if !seen.insert(url.clone()) {
            break;
        }
        if seen.len() > MOST_PAGES {
            return Err(FetchError::Other(format!("more than {MOST_PAGES} pages")));
        }
        let response = success(cx.net.send(get(&url, FIRES_ACCEPT, MOST_BYTES)).await?)?;
        bytes += response.body.len();
        if bytes > MOST_BYTES {
            return Err(FetchError::Other(format!("larger than {MOST_BYTES} bytes")));
        }
        let text = decode(&response.body);
        takes += memory(&text);
        if takes > MOST_MEMORY {
            return Err(FetchError::Other("more values than any dataset has".to_owned()));
        }
        let page = feed(&text)?;
        let link = |link: &str| {
            let link = same_origin(&url, link).filter(|link| link.origin() == begin.origin());
            link.ok_or_else(|| FetchError::Other("its next page is on another server".to_owned()))
        };
        if let Some(changes) = &page.changes {
            walk.cursor = Some(link(changes)?.into());
        } else if let Some(found) = &page.next {
            let mut found = link(found)?;
            // What we ask for is what is newer than what we hold, whatever the link says: one that names the change
            // after it would lose that one.
            if let Some(newest) = page.newest()
                && found.query_pairs().any(|(name, _)| name == SINCE)
            {
                found = since(found, newest);
                walk.cursor = Some(found.clone().into());
            }
            next = Some(found);
        }
        walk.items.extend(page.items);
    }
    Ok(walk)
}

fn same_origin(base: &Url, link: &str) -> Option<Url> {
    base.join(link).ok().filter(|link| link.origin() == base.origin())
}

fn since(mut url: Url, newest: &str) -> Url {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(name, _)| name != SINCE)
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair(SINCE, newest);
    url
}
