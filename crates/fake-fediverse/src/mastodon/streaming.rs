//! The user stream and the public one, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::auth;
use crate::render;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::world::{HOME, StatusIx, Visibility, World};

/// A sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is for `me`.
    User,
    /// What is for everybody.
    Public,
    /// Of that, what comes from other servers.
    Remote,
}

impl Kind {
    /// By the path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path.strip_prefix("/api/v1/streaming/")? {
            "user" => Some(Self::User),
            "public" => Some(Self::Public),
            "public/remote" => Some(Self::Remote),
            _ => None,
        }
    }
}

/// Open streams.
#[derive(Debug, Default)]
pub(crate) struct Streams(Vec<(Kind, UnboundedSender<Bytes>)>);

impl Streams {
    fn tell(&mut self, kinds: &[Kind], event: &str, payload: &Value) {
        let text = format!("event: {event}\ndata: {payload}\n\n");
        // In two pieces, cut wherever it falls, as networks do.
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        self.0.retain(|(kind, one)| {
            if !kinds.contains(kind) {
                return true;
            }
            one.send(Bytes::copy_from_slice(first)).is_ok() && one.send(Bytes::copy_from_slice(second)).is_ok()
        });
    }

    /// How many listen.
    pub(crate) fn open(&mut self) -> usize {
        self.0.retain(|(_, one)| !one.is_closed());
        self.0.len()
    }

    /// Ends all.
    pub(crate) fn cut(&mut self) {
        self.0.clear();
    }
}

/// Tells the streams of `me` that a status entered the home timeline.
pub(crate) fn arrived(state: &State, world: &World, status: StatusIx) {
    let payload = render::status(world, HOME, status, Some(world.me));
    state.streams().tell(&[Kind::User], "update", &payload);
}

/// Tells the public streams that somebody posted to everybody.
pub(crate) fn posted(state: &State, world: &World, status: StatusIx) {
    if world.statuses[status].visibility != Visibility::Public {
        return;
    }
    let payload = render::status(world, HOME, status, Some(world.me));
    let kinds: &[Kind] = if world.origin(status) == HOME {
        &[Kind::Public]
    } else {
        &[Kind::Public, Kind::Remote]
    };
    state.streams().tell(kinds, "update", &payload);
}

/// Opens a stream; a refusal is an ordinary answer.
pub(crate) fn open(state: &State, call: &Call, kind: Kind) -> Result<Response, Reply> {
    auth::user(state, call, &["read", "read:statuses"])?;
    let (tell, told) = unbounded_channel();
    // Before anything is heard, so that who listens knows that it does.
    let _ = tell.send(Bytes::from_static(b":)\n"));
    state.streams().0.push((kind, tell));
    let body = stream::unfold(told, |mut told: UnboundedReceiver<Bytes>| async {
        let next = match tokio::time::timeout(HEARTBEAT, told.recv()).await {
            Ok(next) => next?,
            Err(_) => Bytes::from_static(b":thump\n\n"),
        };
        Some((Ok::<_, Infallible>(next), told))
    });
    let mut response = Response::new(Body::from_stream(body));
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("text/event-stream"));
    Ok(response)
}
