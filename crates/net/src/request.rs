//! What goes out and what comes back.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method};
use secrecy::SecretString;
use url::Url;

/// A text that never prints.
pub type Secret = SecretString;

/// A token and the only origin it may be shown to.
#[derive(Clone)]
pub struct Bearer {
    /// `https://server` (scheme, host and port count; the path does not).
    pub origin: Url,
    /// The token.
    pub token: Secret,
    /// Names the budget it spends from: `server/login`, the same for all clones.
    pub login: String,
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("origin", &self.origin.as_str())
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// A request with its bounds.
#[derive(Debug, Clone)]
pub struct Request {
    /// GET, POST, …
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Token, when it is our own server.
    pub bearer: Option<Bearer>,
    /// Value of `Accept`.
    pub accept: &'static str,
    /// Extra headers (`Idempotency-Key`, `Mastodon-Async-Refresh-Id`, `If-None-Match`).
    pub headers: HeaderMap,
    /// Form or JSON.
    pub body: Body,
    /// Largest decoded body taken, in bytes.
    pub max_body: usize,
    /// Overrides `[net] timeout`.
    pub timeout: Option<Duration>,
    /// Spends from the paging budget too (it carries `page`, `min_id`, `max_id` or `since_id`).
    pub paging: bool,
    /// May be sent again after a failure. True for GET unless said otherwise.
    pub repeatable: bool,
    /// Obeys the host's robots.txt. True for origins, false for our own server.
    pub robots: bool,
    /// Signed by `[net.actor]`, where there is one. Never true for what carries a token.
    pub signed: bool,
}

/// A request body.
#[derive(Debug, Clone, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// `application/x-www-form-urlencoded`, already encoded.
    Form(String),
    /// `application/json`.
    Json(Bytes),
}

impl Request {
    /// A GET of an origin: no token, robots obeyed, 8 MiB at most.
    pub fn origin(url: Url, accept: &'static str) -> Self {
        Self {
            method: Method::GET,
            url,
            bearer: None,
            accept,
            headers: HeaderMap::new(),
            body: Body::Empty,
            max_body: 8 << 20,
            timeout: None,
            paging: false,
            repeatable: true,
            robots: true,
            signed: false,
        }
    }

    /// Whether it is to be signed: not where a token says who asks.
    pub(crate) fn is_signed(&self) -> bool {
        self.signed && self.bearer.is_none()
    }

    /// A request to our own server: with its token, robots not asked, 32 MiB at most; repeatable if it is a GET.
    pub fn server(method: Method, url: Url, bearer: Option<Bearer>) -> Self {
        Self {
            repeatable: method == Method::GET,
            method,
            bearer,
            max_body: 32 << 20,
            robots: false,
            ..Self::origin(url, "application/json")
        }
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status code.
    pub http_status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Where the answer came from, after redirects.
    pub url: Url,
    /// Decoded body.
    pub body: Bytes,
}
