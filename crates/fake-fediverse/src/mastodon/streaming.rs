//! The user stream, as server-sent events.

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
use crate::world::{HOME, StatusIx, World};

/// A sign of life.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Open streams.
#[derive(Debug, Default)]
pub(crate) struct Streams(Vec<UnboundedSender<Bytes>>);

impl Streams {
    fn tell(&mut self, event: &str, payload: &Value) {
        let text = format!("event: {event}\ndata: {payload}\n\n");
        // In two pieces, cut wherever it falls, as networks do.
        let (first, second) = text.as_bytes().split_at(text.len() / 2);
        self.0.retain(|one| {
            one.send(Bytes::copy_from_slice(first)).is_ok() && one.send(Bytes::copy_from_slice(second)).is_ok()
        });
    }

    /// How many listen.
    pub(crate) fn open(&mut self) -> usize {
        self.0.retain(|one| !one.is_closed());
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
    state.streams().tell("update", &payload);
}

/// Opens a stream; a refusal is an ordinary answer.
pub(crate) fn open(state: &State, call: &Call) -> Result<Response, Reply> {
    auth::user(state, call, &["read", "read:statuses"])?;
    let (tell, told) = unbounded_channel();
    // Before anything is heard, so that who listens knows that it does.
    let _ = tell.send(Bytes::from_static(b":)\n"));
    state.streams().0.push(tell);
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
