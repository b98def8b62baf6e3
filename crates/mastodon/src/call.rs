//! A call before it is sent: a path of segments, a query, and what it needs.

use std::time::Duration;

use net::{Body, Url, http::Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Cursor;

/// What may stand in a path segment as it is. Everything else, `/` and `%` included, is encoded, so an id is one
/// segment whatever a server put into it.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'@');

/// A call of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// GET, unless it writes.
    pub(crate) method: Method,
    /// What it carries.
    pub(crate) body: Body,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    /// Where the page starts.
    pub(crate) cursor: Option<Cursor>,
    /// The scope it needs, for the error that names it.
    pub(crate) scope: Option<&'static str>,
    /// Spends from the paging budget.
    pub(crate) paging: bool,
    /// Sent without the token.
    pub(crate) anonymous: bool,
    /// Instead of the usual.
    pub(crate) timeout: Option<Duration>,
    /// May be sent again after a failure.
    pub(crate) repeatable: bool,
    /// By this the server knows a second try of the same write.
    pub(crate) idempotency: Option<String>,
}

impl Call {
    pub(crate) fn get(path: &[&str]) -> Self {
        Self {
            method: Method::GET,
            body: Body::Empty,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            cursor: None,
            scope: None,
            paging: false,
            anonymous: false,
            timeout: None,
            repeatable: true,
            idempotency: None,
        }
    }

    /// A call that carries JSON, or nothing where the value is null. Never sent twice: nobody knows what the first did.
    pub(crate) fn sending(method: Method, path: &[&str], value: &serde_json::Value) -> Self {
        Self {
            method,
            body: if value.is_null() {
                Body::Empty
            } else {
                Body::Json(value.to_string().into())
            },
            repeatable: false,
            ..Self::get(path)
        }
    }

    pub(crate) fn scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }

    pub(crate) fn query(mut self, key: &'static str, value: impl ToString) -> Self {
        self.query.push((key, value.to_string()));
        self
    }

    pub(crate) fn after(mut self, cursor: Option<&Cursor>) -> Self {
        self.paging = cursor.is_some();
        self.cursor = cursor.cloned();
        self
    }

    pub(crate) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// The address on the server at `base`. `None` when a segment is empty or would be taken for "this folder" or
    /// "the one above": no id is, and another endpoint would be asked.
    pub(crate) fn url(&self, base: &Url) -> Option<Url> {
        if self.path.iter().any(|s| matches!(s.as_str(), "" | "." | "..")) {
            return None;
        }
        let path: Vec<String> = self
            .path
            .iter()
            .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
            .collect();
        let mut url = base.clone();
        url.set_path(&path.join("/"));
        url.set_fragment(None);
        url.set_query(None);
        let cursor = self.cursor.iter().flat_map(Cursor::pairs);
        let mut pairs = self
            .query
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .chain(cursor)
            .peekable();
        if pairs.peek().is_some() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Some(url)
    }

    /// The path, for errors. Never the query: it may hold what people wrote.
    pub(crate) fn what(&self) -> String {
        format!("/{}", self.path.join("/")).chars().take(120).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(call: &Call) -> Option<String> {
        call.url(&"https://a.example/x?y#z".parse().unwrap()).map(String::from)
    }

    #[test]
    fn everything_is_encoded() {
        let call = Call::get(&["api", "v2", "search"]).query("q", "https://b.example/?p=1&x=2#f +ü🐘");
        assert_eq!(
            url(&call).unwrap(),
            "https://a.example/api/v2/search?q=https%3A%2F%2Fb.example%2F%3Fp%3D1%26x%3D2%23f+%2B%C3%BC%F0%9F%90%98"
        );
        let call = Call::get(&["api", "v1", "statuses", "a/b?c%2F#d"]);
        assert_eq!(
            url(&call).unwrap(),
            "https://a.example/api/v1/statuses/a%2Fb%3Fc%252F%23d"
        );
    }

    #[test]
    fn an_id_that_is_a_way_up_is_no_id() {
        for id in ["", ".", ".."] {
            assert_eq!(url(&Call::get(&["api", "v1", "statuses", id, "context"])), None);
        }
    }

    #[test]
    fn a_cursor_is_the_rest_of_the_query_and_spends_the_paging_budget() {
        let cursor = Cursor::stored("max_id=%2F%40alice&limit=9&access_token=x");
        let call = Call::get(&["a"]).query("limit", 40).after(Some(&cursor));
        assert_eq!(url(&call).unwrap(), "https://a.example/a?limit=40&max_id=%2F%40alice");
        assert!(call.paging);
    }
}
