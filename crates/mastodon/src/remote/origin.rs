//! Asking an origin: bounded bodies, counted requests, nothing taken from another host.

use model::{Host, Uri};
use net::{Body, Net, Request, Response, Url, http::Method};
use serde_json::Value;

use crate::{
    Error,
    answer::{self, Asked, clean},
};

/// What Mastodon itself takes at most of an ActivityPub document.
const AP_BODY: usize = 1 << 20;
const AP_ACCEPT: &str =
    "application/activity+json, application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"";

/// One origin during one listing.
pub(super) struct Origin<'a> {
    net: &'a Net,
    base: Url,
    /// Requests so far.
    pub(super) requests: u32,
}

impl<'a> Origin<'a> {
    pub(super) fn new(net: &'a Net, base: Url) -> Self {
        Self { net, base, requests: 0 }
    }

    /// The server that serves `host`'s API, by the scheme and port that `uri` has.
    pub(super) fn of(net: &'a Net, host: &Host, uri: &Uri) -> Option<Self> {
        let base = Url::parse(&format!("{}://{host}/", uri.url().scheme())).ok()?;
        Some(Self::new(net, base))
    }

    pub(super) fn host(&self) -> Host {
        Host::of(&self.base).unwrap_or_else(|_| Host::stored(self.base.as_str()))
    }

    /// Whether an address is this origin's own.
    pub(super) fn owns(&self, url: &Url) -> bool {
        Host::of(url).is_ok_and(|host| host == self.host())
    }

    /// A path on this origin.
    pub(super) fn url(&self, path: &str, query: &[(&str, &str)]) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(None);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Mastodon's API, without a token.
    pub(super) async fn json(&mut self, path: &str, query: &[(&str, &str)]) -> Result<(Value, Url), Error> {
        let url = self.url(path, query);
        self.json_at(url).await
    }

    pub(super) async fn json_at(&mut self, url: Url) -> Result<(Value, Url), Error> {
        let asked = asked(&url);
        let response = self.send(Request::origin(url, "application/json")).await?;
        Ok((answer::json(&response, &asked)?, response.url))
    }

    /// A question that is asked by POST, as Misskey wants it. It changes nothing, so it may be sent again.
    pub(super) async fn ask(&mut self, path: &str, question: &Value) -> Result<Value, Error> {
        let url = self.url(path, &[]);
        let asked = asked(&url);
        let mut request = Request::origin(url, "application/json");
        request.method = Method::POST;
        request.body = Body::Json(question.to_string().into());
        let response = self.send(request).await?;
        answer::json(&response, &asked)
    }

    /// A text.
    pub(super) async fn text(&mut self, path: &str, accept: &'static str) -> Result<String, Error> {
        let mut request = Request::origin(self.url(path, &[]), accept);
        request.max_body = AP_BODY;
        let response = self.send(request).await?;
        Ok(String::from_utf8_lossy(&response.body).into_owned())
    }

    /// Where a page for people is, after redirects.
    pub(super) async fn page_of(&mut self, uri: &Uri) -> Result<Url, Error> {
        Ok(self.send(Request::origin(uri.url(), "text/html")).await?.url)
    }

    /// An ActivityPub document, which must be its host's own: one that names another host's id says nothing. An id
    /// on the same host under another address is believed, since only that host could have served it.
    pub(super) async fn document(&mut self, url: &Url) -> Result<Value, Error> {
        let asked = asked(url);
        let mut request = Request::origin(url.clone(), AP_ACCEPT);
        request.max_body = AP_BODY;
        request.signed = true;
        let response = self.send(request).await?;
        let document = answer::json(&response, &asked)?;
        if !document.is_object() {
            return Err(asked.not_json("JSON that is no object"));
        }
        if document["type"] == "Tombstone" {
            return Err(Error::Gone {
                host: asked.host,
                what: asked.what,
            });
        }
        if let Some(id) = document["id"].as_str() {
            let id = Url::parse(id).ok().and_then(|id| Host::of(&id).ok());
            if id != Host::of(&response.url).ok() {
                return Err(asked.not_json("a document of another host"));
            }
        }
        Ok(document)
    }

    async fn send(&mut self, mut request: Request) -> Result<Response, Error> {
        let asked = asked(&request.url);
        // Mastodon counts these apart, whatever they ask for.
        request.paging = request
            .url
            .query_pairs()
            .any(|(key, _)| matches!(key.as_ref(), "page" | "min_id" | "max_id" | "since_id"));
        self.requests += 1;
        answer::success(self.net.send(request).await?, &asked)
    }
}

fn asked(url: &Url) -> Asked {
    Asked {
        host: Host::of(url).unwrap_or_else(|_| Host::stored("")),
        what: clean(url.path(), 120),
        login: None,
        scope: None,
    }
}

/// Whether two addresses are of one house: the same host, or one a subdomain of the other. Never less secure.
pub(super) fn related(url: &Url, to: &Url) -> bool {
    if url.scheme() != to.scheme() {
        return false;
    }
    let (Ok(a), Ok(b)) = (Host::of(url), Host::of(to)) else {
        return false;
    };
    a == b
        || a.domain().zip(b.domain()).is_some_and(|(a, b)| {
            a.as_str().contains('.') && b.as_str().contains('.') && (a.is_within(&b) || b.is_within(&a))
        })
}
