//! One request on the wire and its answer, read to its end or to its bound. Nothing here waits, follows or
//! repeats.

use std::{error::Error as StdError, sync::Arc, time::Duration};

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::{Certificate, Client, redirect};
use rustls::crypto::ring;
use secrecy::ExposeSecret;

use crate::{
    Body, Config, Error, Response, Secret,
    guard::{Forbidden, Guard, Screen, Target, Way, plain},
    roots,
};

/// Headers that this crate alone decides on.
const OURS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::HOST,
    header::USER_AGENT,
    header::REFERER,
];

/// The clients: one for each way, and for each a twin that never reuses a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    outer: [Client; 2],
    inner: [Client; 2],
}

/// One request, to one place.
#[derive(Debug, Clone)]
pub(crate) struct Sending<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) token: Option<&'a Secret>,
    pub(crate) accept: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) max_body: usize,
    /// Takes what fits instead of refusing a larger body.
    pub(crate) cut: bool,
    pub(crate) timeout: Duration,
}

impl Wire {
    pub(crate) fn new(config: &Config, guard: &Arc<Guard>) -> Result<Self, Error> {
        // A second provider is refused; whoever came first is as good.
        let _ = ring::default_provider().install_default();
        let agent = config.user_agent.replace("{version}", env!("CARGO_PKG_VERSION"));
        let agent = HeaderValue::from_str(agent.trim())
            .ok()
            .filter(|agent| !agent.is_empty());
        // GoToSocial answers 418 to those who do not say who they are.
        let agent = agent.ok_or_else(|| Error::Config {
            key: "user_agent",
            reason: "it must be one line of plain text, such as the default".into(),
        })?;
        let roots = roots::roots(config)?;
        let roots = roots.iter().map(|der| Certificate::from_der(der));
        let roots = roots.collect::<Result<Vec<_>, _>>().map_err(|error| Error::Config {
            key: roots::KEY,
            reason: chain(&error),
        })?;
        let client = |way, reuse: bool| {
            Client::builder()
                .user_agent(agent.clone())
                .tls_certs_only(roots.iter().cloned())
                .dns_resolver(Arc::new(Screen {
                    guard: guard.clone(),
                    way,
                }))
                .https_only(way == Way::Outer)
                .no_proxy()
                .referer(false)
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(config.connect_timeout)
                .pool_max_idle_per_host(if reuse { 2 } else { 0 })
                .pool_idle_timeout(Duration::from_secs(30))
                .build()
                .map_err(|error| Error::Config {
                    key: roots::KEY,
                    reason: chain(&error),
                })
        };
        Ok(Self {
            outer: [client(Way::Outer, true)?, client(Way::Outer, false)?],
            inner: [client(Way::Inner, true)?, client(Way::Inner, false)?],
        })
    }

    /// Sends and reads. `fresh`: over a connection of its own, because some servers close theirs without saying so.
    pub(crate) async fn exchange(&self, sending: &Sending<'_>, fresh: bool) -> Result<Response, Error> {
        let (host, after) = (sending.target.host.clone(), sending.timeout);
        match tokio::time::timeout(after, self.unbounded(sending, fresh)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout { host, after }),
        }
    }

    /// Sends, and gives the answer as soon as its head is there, over a connection of its own. The time limit is for
    /// the head; who reads on has to mind its own.
    pub(crate) async fn open(&self, sending: &Sending<'_>) -> Result<reqwest::Response, Error> {
        let (host, after) = (sending.target.host.clone(), sending.timeout);
        match tokio::time::timeout(after, self.begin(sending, true)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Timeout { host, after }),
        }
    }

    async fn begin(&self, sending: &Sending<'_>, fresh: bool) -> Result<reqwest::Response, Error> {
        let Sending { method, target, .. } = sending;
        let clients = match target.way {
            Way::Outer => &self.outer,
            Way::Inner => &self.inner,
        };
        let mut headers = sending.headers.clone();
        for name in OURS {
            headers.remove(name);
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static(sending.accept));
        if let Some(token) = sending.token {
            headers.insert(header::AUTHORIZATION, authorization(token, target)?);
        }
        let mut builder = clients[usize::from(fresh)].request(method.clone(), target.url.clone());
        builder = match &sending.body {
            Body::Empty => builder,
            Body::Form(form) => {
                headers.insert(
                    header::CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                );
                builder.body(form.clone())
            }
            Body::Json(json) => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                builder.body(json.clone())
            }
        };
        let sent = builder.headers(headers).send().await;
        sent.map_err(|error| trouble(error, target))
    }

    async fn unbounded(&self, sending: &Sending<'_>, fresh: bool) -> Result<Response, Error> {
        let Sending { target, max_body, .. } = sending;
        let failed = |error: reqwest::Error| trouble(error, target);
        let mut answer = self.begin(sending, fresh).await?;
        let too_large = || Error::TooLarge {
            host: target.host.clone(),
            limit: *max_body,
        };
        if !sending.cut && answer.content_length().is_some_and(|length| length > *max_body as u64) {
            return Err(too_large());
        }
        // Chunks are decoded ones, so what is counted is what a bomb would fill the memory with.
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            let room = max_body.saturating_sub(body.len());
            if chunk.len() > room {
                if sending.cut {
                    body.extend_from_slice(&chunk[..room]);
                    break;
                }
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            http_status: answer.status().as_u16(),
            headers: std::mem::take(answer.headers_mut()),
            url: target.url.clone(),
            body: body.freeze(),
        })
    }
}

fn authorization(token: &Secret, target: &Target) -> Result<HeaderValue, Error> {
    let value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
    let mut value = value.map_err(|_| Error::Refused {
        url: plain(&target.url),
        reason: "the token holds characters that no header can carry".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What reqwest's error means to our callers.
pub(crate) fn trouble(error: reqwest::Error, target: &Target) -> Error {
    let error = error.without_url();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(this) = cause {
        if let Some(forbidden) = this.downcast_ref::<Forbidden>() {
            return Error::Refused {
                url: plain(&target.url),
                reason: forbidden.to_string(),
            };
        }
        cause = this.source();
    }
    Error::Unreachable {
        host: target.host.clone(),
        reason: chain(&error),
    }
}

/// An error and its causes, each once.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(this) = next {
        let text = this.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
        next = this.source();
    }
    texts.join(": ")
}

/// What an exchange came to, for the metrics: never a host.
pub(crate) fn outcome(answer: &Result<Response, Error>) -> &'static str {
    match answer {
        Ok(response) => match response.http_status {
            429 => "429",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        },
        Err(Error::Timeout { .. }) => "timeout",
        Err(Error::Unreachable { .. }) => "unreachable",
        Err(Error::TooLarge { .. }) => "too_large",
        Err(_) => "refused",
    }
}
