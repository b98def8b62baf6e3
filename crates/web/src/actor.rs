//! The actor of our own, as other servers see it: its document with its public key, and the WebFinger that leads there.
//!
//! Whoever gets a request that the actor signed comes here for the key. The actor reads and says nothing: what is sent
//! to its inbox is thanked for and thrown away unread, which is kinder than an error that servers would repeat for days.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router,
    extract::{Query, State as Extract},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use net::Identity;
use serde::Deserialize;
use serde_json::{Value, json};

/// Servers may keep it as long: a new key is found when the old one fails.
const CACHE: &str = "public, max-age=3600";

/// Who we are to other servers, if anybody. Clones share it, so that a reload reaches the open door.
#[derive(Clone, Default)]
pub struct Actor(Arc<RwLock<Option<Identity>>>);

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Actor")
            .field(&self.get().map(|actor| actor.id.to_string()))
            .finish()
    }
}

impl Actor {
    /// Puts another in place.
    pub fn set(&self, identity: Option<Identity>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    fn get(&self) -> Option<Identity> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether anybody may ask for this by whatever name they know us: it is the same for all, and public.
pub(crate) fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/actor" | "/actor/inbox" | "/actor/outbox" | "/.well-known/webfinger"
    )
}

/// The routes, beside those of the pages: whoever asks is a program without a cookie.
pub(crate) fn router(actor: Actor) -> Router {
    Router::new()
        .route("/actor", get(document))
        .route("/actor/inbox", get(nobody).post(async || StatusCode::ACCEPTED))
        .route("/actor/outbox", get(outbox))
        .route("/.well-known/webfinger", get(webfinger))
        .with_state(actor)
}

async fn document(Extract(actor): Extract<Actor>) -> Response {
    let Some(actor) = actor.get() else {
        return nobody().await;
    };
    let id = actor.id.as_str();
    activity(&json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": id,
        "type": "Application",
        "preferredUsername": actor.name,
        "name": "Egret",
        "summary": "Reads public posts for the people of a server, so that they see whole conversations. It posts nothing.",
        "url": id,
        "inbox": actor.address("/actor/inbox"),
        "outbox": actor.address("/actor/outbox"),
        "manuallyApprovesFollowers": true,
        "discoverable": false,
        "indexable": false,
        "publicKey": { "id": actor.key_id, "owner": id, "publicKeyPem": actor.public_key_pem },
    }))
}

async fn outbox(Extract(actor): Extract<Actor>) -> Response {
    let Some(actor) = actor.get() else {
        return nobody().await;
    };
    activity(&json!({
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": actor.address("/actor/outbox"),
        "type": "OrderedCollection",
        "totalItems": 0,
        "orderedItems": [],
    }))
}

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    resource: String,
}

async fn webfinger(Extract(actor): Extract<Actor>, Query(question): Query<Question>) -> Response {
    let Some(actor) = actor.get() else {
        return nobody().await;
    };
    let subject = format!("acct:{}@{}", actor.name, actor.host);
    let asked = question.resource.as_str();
    if !asked.eq_ignore_ascii_case(&subject) && asked != actor.id.as_str() {
        return nobody().await;
    }
    let body = json!({
        "subject": subject,
        "aliases": [actor.id],
        "links": [{ "rel": "self", "type": "application/activity+json", "href": actor.id }],
    });
    typed("application/jrd+json; charset=utf-8", &body)
}

async fn nobody() -> Response {
    (StatusCode::NOT_FOUND, "nobody is here\n").into_response()
}

fn activity(body: &Value) -> Response {
    typed("application/activity+json; charset=utf-8", body)
}

fn typed(kind: &'static str, body: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, CACHE)],
        body.to_string(),
    )
        .into_response()
}
