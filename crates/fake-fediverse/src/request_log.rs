//! Every request that came in.

use std::time::Instant;

/// One request.
#[derive(Clone)]
pub struct Logged {
    /// Index of the origin; `None` is home.
    pub origin: Option<usize>,
    /// GET, POST, …
    pub method: String,
    /// Path without query, as it was asked.
    pub path: String,
    /// Decoded pairs of the query, then of the form or JSON body (`a[b]` for what is nested).
    pub query: Vec<(String, String)>,
    /// Whether it carried a bearer token.
    pub bearer: Option<String>,
    /// User-Agent.
    pub user_agent: Option<String>,
    /// When it arrived.
    pub at: Instant,
    /// Status it was answered with; 0 when the connection was dropped or is still open.
    pub http_status: u16,
}

impl std::fmt::Debug for Logged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.origin.map_or_else(|| "home".to_owned(), |n| format!("origin {n}"));
        let query: Vec<_> = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let token = if self.bearer.is_some() { " with a token" } else { "" };
        write!(
            f,
            "{place}: {} {}?{} {}{token}",
            self.method,
            self.path,
            query.join("&"),
            self.http_status
        )
    }
}

/// A copy of the log.
#[derive(Debug, Clone, Default)]
pub struct RequestLog(pub Vec<Logged>);

impl RequestLog {
    /// Requests to home.
    pub fn home(&self) -> RequestLog {
        RequestLog(self.0.iter().filter(|r| r.origin.is_none()).cloned().collect())
    }

    /// Requests to origins, or to one.
    pub fn origins(&self, index: Option<usize>) -> RequestLog {
        RequestLog(
            self.0
                .iter()
                .filter(|r| r.origin.is_some() && (index.is_none() || r.origin == index))
                .cloned()
                .collect(),
        )
    }

    /// Requests whose path contains `part`.
    pub fn path(&self, part: &str) -> RequestLog {
        RequestLog(self.0.iter().filter(|r| r.path.contains(part)).cloned().collect())
    }

    /// The addresses home was asked to resolve, in order.
    pub fn resolves(&self) -> Vec<String> {
        self.home()
            .0
            .into_iter()
            .filter(|r| {
                r.path.trim_end_matches('/') == "/api/v2/search"
                    && r.query.iter().any(|(k, v)| k == "resolve" && (v == "true" || v == "1"))
            })
            .filter_map(|r| r.query.into_iter().find(|(k, _)| k == "q").map(|(_, q)| q))
            .collect()
    }

    /// What changed something at home: every request to its API that was not for reading, and was granted.
    pub fn writes(&self) -> RequestLog {
        let reads = ["/test", "/measures", "/dimensions", "/retention", "/apps"];
        let wrote = |r: &&Logged| {
            r.origin.is_none()
                && r.path.starts_with("/api/")
                && !matches!(r.method.as_str(), "GET" | "HEAD" | "OPTIONS")
                && (200..300).contains(&r.http_status)
                && !reads.iter().any(|end| r.path.trim_end_matches('/').ends_with(end))
        };
        RequestLog(self.0.iter().filter(wrote).cloned().collect())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The addresses home was asked to resolve that it was asked for before.
    pub fn repeated_resolves(&self) -> Vec<String> {
        let mut seen = std::collections::HashSet::new();
        self.resolves()
            .into_iter()
            .filter(|uri| !seen.insert(uri.clone()))
            .collect()
    }
}
