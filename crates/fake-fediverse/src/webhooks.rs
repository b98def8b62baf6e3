//! What home tells others by webhook: signed over the bytes that are sent, at least once, in no order.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::clock::{iso, now};
use crate::state::State;

/// How often a delivery is tried again.
const RETRIES: u32 = 16;

/// What a webhook speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody signed up; neither confirmed nor approved yet.
    AccountCreated,
    /// Somebody is both confirmed and approved.
    AccountApproved,
    /// A local account's row changed.
    AccountUpdated,
    /// A report was filed.
    ReportCreated,
    /// A report was resolved, assigned or reopened.
    ReportUpdated,
    /// A local user posted, to whomever.
    StatusCreated,
    /// A local user edited.
    StatusUpdated,
}

impl Event {
    const ALL: [Self; 7] = [
        Self::AccountCreated,
        Self::AccountApproved,
        Self::AccountUpdated,
        Self::ReportCreated,
        Self::ReportUpdated,
        Self::StatusCreated,
        Self::StatusUpdated,
    ];

    /// As bodies spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountApproved => "account.approved",
            Self::AccountUpdated => "account.updated",
            Self::ReportCreated => "report.created",
            Self::ReportUpdated => "report.updated",
            Self::StatusCreated => "status.created",
            Self::StatusUpdated => "status.updated",
        }
    }

    /// Reads what [`Event::as_str`] writes.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

/// `sha256=…`: what stands in `X-Hub-Signature` for these bytes.
pub fn signature(secret: &str, body: &[u8]) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256={hex}")
}

/// An address that wants to hear of something.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) events: Vec<Event>,
}

/// One body on its way to one address.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What it speaks of.
    pub event: Event,
    /// Where it goes.
    pub url: String,
    /// The bytes, the same at each try.
    pub body: String,
    /// What was answered to each try so far; 0 where nothing came back.
    pub answers: Vec<u16>,
    /// How long each of these took, connecting included.
    pub took: Vec<Duration>,
    /// Whether nothing more is tried: it arrived, was refused for good, or tried often enough.
    pub over: bool,
    secret: String,
}

/// Sends what happens until the fediverse stops.
pub(crate) fn run(state: Arc<State>, mut events: UnboundedReceiver<(Event, Value)>) {
    tokio::spawn(async move {
        loop {
            let (event, object) = tokio::select! {
                () = state.stop.cancelled() => return,
                next = events.recv() => match next {
                    Some(next) => next,
                    None => return,
                },
            };
            let hooks = state.hooks().clone();
            for hook in hooks.into_iter().filter(|hook| hook.events.contains(&event)) {
                send(&state, &hook, event, &object);
            }
        }
    });
}

/// Starts one delivery. Gives its place among all.
pub(crate) fn send(state: &Arc<State>, hook: &Hook, event: Event, object: &Value) -> usize {
    let body = json!({ "event": event.as_str(), "created_at": iso(now()), "object": object }).to_string();
    let delivery = Delivery {
        event,
        url: hook.url.clone(),
        body,
        answers: Vec::new(),
        took: Vec::new(),
        over: false,
        secret: hook.secret.clone(),
    };
    let place = {
        let mut all = state.deliveries();
        all.push(delivery);
        all.len() - 1
    };
    start(state, place);
    place
}

/// Sends a delivery's bytes, once more if they were sent before.
pub(crate) fn start(state: &Arc<State>, place: usize) {
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let stop = state.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = deliver(&state, place) => {}
        }
    });
}

async fn deliver(state: &State, place: usize) {
    let Some(delivery) = state.deliveries().get(place).cloned() else {
        return;
    };
    for attempt in 0..=RETRIES {
        let begun = std::time::Instant::now();
        let http_status = post(state, &delivery).await.unwrap_or(0);
        let took = begun.elapsed();
        let again = matches!(http_status, 0 | 401 | 408 | 429 | 500 | 502..);
        if let Some(delivery) = state.deliveries().get_mut(place) {
            delivery.answers.push(http_status);
            delivery.took.push(took);
            delivery.over = !again || attempt == RETRIES;
        }
        if !again {
            return;
        }
        let base = state.knobs().webhook_retry;
        let grown = base.mul_f64(1.0 + f64::from(attempt).powi(4) / 15.0);
        tokio::time::sleep(grown).await;
    }
}

/// One try over a fresh connection. `None` when nothing comes back in time.
async fn post(state: &State, delivery: &Delivery) -> Option<u16> {
    let url = url::Url::parse(&delivery.url).ok()?;
    let host = url.host_str()?;
    let port = url.port_or_known_default()?;
    let base = state.world().servers[0].base.clone();
    let digest = STANDARD.encode(Sha256::digest(delivery.body.as_bytes()));
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let request = format!(
        "POST {}{query} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: Mastodon/4.6.5 (http.rb/5.3.1; +{base}/)\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nX-Hub-Signature: {}\r\nDigest: SHA-256={digest}\r\n\
         Connection: close\r\n\r\n{}",
        url.path(),
        delivery.body.len(),
        signature(&delivery.secret, delivery.body.as_bytes()),
        delivery.body,
    );
    let connection = timeout(Duration::from_secs(5), TcpStream::connect((host, port))).await;
    let mut connection = connection.ok()?.ok()?;
    let answered = timeout(Duration::from_secs(10), async {
        connection.write_all(request.as_bytes()).await.ok()?;
        let mut head = Vec::new();
        while head.len() < 4096 && !head.windows(2).any(|two| two == b"\r\n") {
            if connection.read_buf(&mut head).await.ok()? == 0 {
                break;
            }
        }
        String::from_utf8_lossy(&head).split(' ').nth(1)?.parse().ok()
    });
    answered.await.ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn signatures_are_the_standards() {
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
