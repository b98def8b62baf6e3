//! Search, which is also the way to make a server fetch something.

use std::time::Duration;

use model::{Status, Uri};

use crate::{Client, Error, call::Call};

/// Longer than the server's own deadlines for the fetch inside the call together.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(120);

impl Client {
    /// Makes the server fetch `uri` through search with `resolve` and gives what it found. `None` is the server's
    /// way of saying that it failed. Needs `read:search`. Takes up to two minutes and is not repeated by itself: a
    /// fetch that timed out here goes on there.
    ///
    /// A single answer is given back even if its uri is another one (an alias, a redirect): compare.
    pub async fn resolve(&self, uri: &Uri) -> Result<Option<Status>, Error> {
        // Mitra fetches nothing when a type is named, so none is; snac then answers with the author instead.
        let (found, accounts) = self.search(uri, None).await?;
        if found.is_empty() && accounts {
            let (found, _) = self.search(uri, Some("statuses")).await?;
            return Ok(pick(found, uri));
        }
        Ok(pick(found, uri))
    }

    /// Statuses found for an address, and whether accounts were.
    async fn search(&self, uri: &Uri, kind: Option<&str>) -> Result<(Vec<Status>, bool), Error> {
        let mut call = Call::get(&["api", "v2", "search"])
            .scope("read:search")
            .query("q", uri)
            .query("resolve", "true")
            .query("limit", 1);
        if let Some(kind) = kind {
            call = call.query("type", kind);
        }
        call.timeout = Some(RESOLVE_TIMEOUT);
        call.repeatable = false;
        let (mut value, _) = self.value(&call).await?;
        let accounts = value["accounts"]
            .as_array()
            .is_some_and(|accounts| !accounts.is_empty());
        let found = match value["statuses"].take() {
            serde_json::Value::Array(found) => found,
            _ => return Err(self.asked(&call).not_json("a search result without statuses")),
        };
        let found = found
            .into_iter()
            .take(40)
            .filter_map(|item| serde_json::from_value(item).ok())
            .collect();
        Ok((found, accounts))
    }
}

/// The status that was asked for, else the only one there is.
fn pick(mut found: Vec<Status>, uri: &Uri) -> Option<Status> {
    let same = |status: &Status| status.uri.as_ref() == Some(uri) || status.url.as_ref() == Some(uri);
    match found.iter().position(same) {
        Some(place) => Some(found.swap_remove(place)),
        None if found.len() == 1 => found.pop(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(uri: &str) -> Status {
        serde_json::from_value(serde_json::json!({"id": "1", "uri": uri})).unwrap()
    }

    #[test]
    fn the_status_asked_for_wins() {
        let (a, b) = ("https://a.example/1", "https://a.example/2");
        let uri = Uri::parse(b).unwrap();
        assert_eq!(pick(vec![status(a), status(b)], &uri), Some(status(b)));
        assert_eq!(pick(vec![status(a)], &uri), Some(status(a)));
        assert_eq!(pick(vec![status(a), status(a)], &uri), None);
        assert_eq!(pick(vec![], &uri), None);
    }
}
