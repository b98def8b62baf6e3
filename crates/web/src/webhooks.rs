//! `POST /webhooks/mastodon/<server>`: what servers push to us.
//!
//! The signature is checked over the bytes as they came before anything is made of them; then the note is stored, and
//! only then answered. A server gives up for good after nearly any 4xx, so our own trouble is a 503, which it repeats.
//! What nobody wants is not kept: notes hold addresses and private words.

mod note;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State as Extract},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use model::{Clock as _, SystemClock};
use net::Secret;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use store::{
    job_states,
    webhook_events::{self, Letter, WebhookEvent},
};
use tower_http::{limit::RequestBodyLimitLayer, timeout::TimeoutLayer};
use tracing::{info, warn};
use uuid::Uuid;

use self::note::NAME;
pub use self::note::Note;
use crate::State;

/// The largest note: a report with all its statuses, with room to spare.
const BODY: usize = 1 << 20;

/// Servers wait ten seconds.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Who may push, and which events are wanted by whom. Clones share both, so that a reload reaches the open door.
#[derive(Clone, Default)]
pub struct Webhooks(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    servers: BTreeMap<String, Vec<Secret>>,
    jobs: BTreeMap<&'static str, Vec<&'static str>>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let servers: Vec<&String> = known.servers.keys().collect();
        f.debug_struct("Webhooks")
            .field("servers", &servers)
            .field("jobs", &known.jobs)
            .finish()
    }
}

impl Webhooks {
    /// `servers`: the secrets of each (none: it cannot push), of which any one will do, so that one can take the place of another. `wanted`:
    /// events, and the job per server that each one wakes.
    pub fn set(&self, servers: BTreeMap<String, Vec<Secret>>, wanted: &[(&'static str, &'static str)]) {
        let mut jobs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (event, job) in wanted {
            jobs.entry(event).or_default().push(job);
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Known { servers, jobs };
    }

    /// Whether this is a server of ours for whose webhooks nobody gave a secret.
    fn has_no_secret(&self, server: &str) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.servers.get(server).is_some_and(Vec::is_empty)
    }

    /// Whether somebody who has one of the server's secrets signed these bytes.
    fn is_signed(&self, server: &str, headers: &HeaderMap, body: &[u8]) -> bool {
        let Some(tag) = headers.get("x-hub-signature").and_then(|value| tag(value.as_bytes())) else {
            return false;
        };
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let secrets = known.servers.get(server).map(Vec::as_slice).unwrap_or_default();
        secrets.iter().any(|secret| {
            Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
                .is_ok_and(|mac| mac.chain_update(body).verify_slice(&tag).is_ok())
        })
    }

    /// The jobs that an event wakes.
    fn jobs(&self, event: &str) -> Option<Vec<&'static str>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.jobs.get(event).cloned()
    }
}

/// `sha256=<64 hex digits>`, as Mastodon writes them.
fn tag(value: &[u8]) -> Option<[u8; 32]> {
    let hex = value.strip_prefix(b"sha256=").filter(|hex| hex.len() == 64)?;
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .filter(|_| !byte.is_ascii_uppercase())
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut tag = [0; 32];
    for (byte, pair) in tag.iter_mut().zip(hex.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(tag)
}

/// The route, with limits of its own and without those of the pages: whoever signs needs no cookie and no page of ours.
pub(crate) fn router(state: State) -> Router {
    Router::new()
        .route("/webhooks/mastodon/{server}", post(take))
        .with_state(state)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY))
}

async fn take(
    Extract(state): Extract<State>,
    Path(server): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    if state.webhooks.has_no_secret(&server) {
        count("unready");
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "no secret is configured here for this server\n",
        );
    }
    if !state.webhooks.is_signed(&server, &headers, &body) {
        count("refused");
        info!(
            server = server.chars().take(NAME).collect::<String>(),
            "refused a webhook that is not signed by a known secret"
        );
        return (StatusCode::FORBIDDEN, "the signature is not one of this server's\n");
    }
    let now = SystemClock.now();
    let Some(note) = Note::read(&body) else {
        return keep_letter(&state, &server, "", TEMPLATE, body.len(), now).await;
    };
    let Some(jobs) = state.webhooks.jobs(&note.event) else {
        count("unwanted");
        return (StatusCode::ACCEPTED, "nobody here wants this event\n");
    };
    let Some(object_id) = note.object_id else {
        return keep_letter(&state, &server, &note.event, NO_OBJECT, body.len(), now).await;
    };
    let digest: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut new = Vec::new();
    for job in jobs {
        let event = WebhookEvent {
            id: Uuid::now_v7().to_string(),
            server: server.clone(),
            job: job.to_owned(),
            object_id: object_id.clone(),
            event: note.event.clone(),
            digest: digest.clone(),
            body: note.text.to_owned(),
            received_at: now,
        };
        match webhook_events::insert(&state.store, &event).await {
            Ok(true) => new.push(job),
            Ok(false) => {}
            Err(error) => {
                count("failed");
                warn!(server, error = %error, "cannot store a webhook; its server is asked to send it again");
                return (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the database does not answer; send it again\n",
                );
            }
        }
    }
    if new.is_empty() {
        count("again");
        return (StatusCode::ACCEPTED, "known already\n");
    }
    count("stored");
    for job in new {
        // It is stored: at worst the job finds it at its next tick.
        match job_states::wake_once(&state.store, job, &server, now).await {
            Ok(true) => state.board.nudge(),
            // Whoever woke it before nudged.
            Ok(false) => {}
            Err(error) => warn!(server, job, error = %error, "cannot wake the job that wants a webhook"),
        }
    }
    (StatusCode::ACCEPTED, "stored\n")
}

const TEMPLATE: &str = "it is not an event with an object, as Mastodon sends it: remove the template from the webhook";
const NO_OBJECT: &str = "it names an event and no object with an id";

/// A note that was signed and cannot be read comes again the same way, so its server is told that all is well, and
/// people are told that it is not.
async fn keep_letter(
    state: &State,
    server: &str,
    event: &str,
    why: &'static str,
    size: usize,
    now: DateTime<Utc>,
) -> (StatusCode, &'static str) {
    count("unreadable");
    warn!(server, event, "a webhook cannot be read: {why}");
    let letter = Letter {
        id: Uuid::now_v7().to_string(),
        server: server.to_owned(),
        event: event.to_owned(),
        why: why.to_owned(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        received_at: now,
    };
    if let Err(error) = webhook_events::keep_letter(&state.store, &letter).await {
        warn!(server, error = %error, "cannot keep that a webhook could not be read");
    }
    (
        StatusCode::ACCEPTED,
        "it cannot be read, and somebody will hear of that\n",
    )
}

fn count(outcome: &'static str) {
    metrics::counter!("egret_webhooks_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_signature_is_one() {
        let good = format!("sha256={}", "0af".repeat(21) + "1");
        assert!(tag(good.as_bytes()).is_some());
        for bad in [
            "",
            "sha256=",
            "sha1=00",
            &good[..70],
            &format!("{good}0"),
            &good.replace('f', "g"),
            &good.replace('f', "F"),
            &good.replace("sha256=", "SHA256="),
            &"sha256=é".repeat(8),
        ] {
            assert!(tag(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let servers = BTreeMap::from([("a.example".to_owned(), vec![Secret::from("hunter22".to_owned())])]);
        let hooks = Webhooks::default();
        hooks.set(servers, &[("account.created", "registrations.pending")]);
        assert!(!format!("{hooks:?}").contains("hunter22"));
    }
}
