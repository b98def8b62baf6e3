//! One server, one token: what every call shares. The calls themselves are in `api/`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use model::{Context, Host};
use net::{Bearer, Net, Request, Response, Secret, Url};
use serde_json::Value;

use crate::{
    Cursor, Error, Page, Refresh,
    answer::{self, Asked},
    call::Call,
    page,
};

/// One server through one token. Clone it freely.
#[derive(Debug, Clone)]
pub struct Client {
    net: Net,
    base: Url,
    bearer: Bearer,
    /// Set once the server turned out to have no batch calls; shared by the clones, so that it is learnt once.
    no_batches: Arc<AtomicBool>,
}

/// A context, and the refresh that reading it set off.
#[derive(Debug, Clone)]
pub struct Known {
    /// What the server knows.
    pub context: Context,
    /// The server's own fetch of replies, if one runs.
    pub refresh: Option<Refresh>,
}

impl Client {
    /// A client of the server at `base` for the login named `server/login`.
    pub fn new(net: Net, base: Url, login: impl Into<String>, token: Secret) -> Self {
        Self {
            bearer: Bearer {
                origin: base.clone(),
                token,
                login: login.into(),
            },
            net,
            base,
            no_batches: Arc::default(),
        }
    }

    /// The same client spending through another handle of the pool (see [`Net::for_run`]).
    #[must_use]
    pub fn with_net(&self, net: Net) -> Self {
        Self { net, ..self.clone() }
    }

    /// The server.
    pub fn host(&self) -> Host {
        Host::of(&self.base).unwrap_or_else(|_| Host::stored(self.base.as_str()))
    }

    /// `server/login`.
    pub fn login(&self) -> &str {
        &self.bearer.login
    }

    /// Its address.
    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// What it proves itself with.
    pub(crate) fn bearer(&self) -> &Bearer {
        &self.bearer
    }

    /// The door it goes through.
    pub(crate) fn net(&self) -> &Net {
        &self.net
    }

    /// Whether the server has not yet refused a batch call.
    pub(crate) fn has_batches(&self) -> bool {
        !self.no_batches.load(Ordering::Relaxed)
    }

    /// The server has no batch calls.
    pub(crate) fn forget_batches(&self) {
        self.no_batches.store(true, Ordering::Relaxed);
    }

    /// Sends a call; any answer but a success is an error.
    pub(crate) async fn answer(&self, call: &Call) -> Result<Response, Error> {
        answer::success(self.any_answer(call).await?, &self.asked(call))
    }

    /// Sends a call; any answer will do.
    pub(crate) async fn any_answer(&self, call: &Call) -> Result<Response, Error> {
        let asked = self.asked(call);
        let url = call.url(&self.base).ok_or_else(|| Error::NotFound {
            host: asked.host.clone(),
            what: asked.what.clone(),
        })?;
        let bearer = (!call.anonymous).then(|| self.bearer.clone());
        let mut request = Request::server(call.method.clone(), url, bearer);
        request.body = call.body.clone();
        request.paging = call.paging;
        request.timeout = call.timeout;
        request.repeatable = call.repeatable;
        if let Some(Ok(value)) = call.idempotency.as_deref().map(net::http::HeaderValue::from_str) {
            request.headers.insert("idempotency-key", value);
        }
        Ok(self.net.send(request).await?)
    }

    /// A call whose answer is one JSON value.
    pub(crate) async fn value(&self, call: &Call) -> Result<(Value, Response), Error> {
        let response = self.answer(call).await?;
        Ok((answer::json(&response, &self.asked(call))?, response))
    }

    /// A call whose answer is one object.
    pub(crate) async fn object<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let (value, _) = self.value(call).await?;
        answer::object(value, &self.asked(call))
    }

    /// A call whose answer is a list, with the cursors of its `Link` header. Items that cannot be read are left out.
    pub(crate) async fn page<T: serde::de::DeserializeOwned>(&self, call: Call) -> Result<Page<T>, Error> {
        let response = self.answer(&call).await?;
        if response.http_status == 206 {
            // A home feed being rebuilt: whatever it holds is not the feed.
            return Ok(Page {
                items: Vec::new(),
                next: None,
                prev: None,
            });
        }
        let items: Vec<Value> = answer::list(&response, &self.asked(&call))?;
        let links = page::links(&response.headers, &response.url);
        Ok(Page {
            // A link on an empty page leads nowhere, and one that repeats the question would be followed for ever.
            next: links
                .next
                .filter(|next| !items.is_empty() && call.cursor.as_ref() != Some(next)),
            prev: links.prev,
            items: items
                .into_iter()
                .filter_map(|item| serde_json::from_value(item).ok())
                .collect(),
        })
    }

    /// Who was asked what, for errors.
    pub(crate) fn asked(&self, call: &Call) -> Asked {
        Asked {
            host: self.host(),
            what: call.what(),
            login: (!call.anonymous).then(|| self.bearer.login.clone()),
            scope: call.scope,
        }
    }

    /// A call that continues after `cursor`.
    pub(crate) fn paged(path: &[&str], scope: &'static str, limit: u32, after: Option<&Cursor>) -> Call {
        Call::get(path).scope(scope).query("limit", limit).after(after)
    }
}
