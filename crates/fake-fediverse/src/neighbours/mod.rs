//! The origins: what servers of each software show to strangers.

mod activitypub;
mod api;
pub(crate) mod web;

use std::sync::Arc;

use crate::request::{Call, Reply};
use crate::scenario::Software;
use crate::state::State;

/// Answers a request to an origin.
pub(crate) fn answer(state: &Arc<State>, call: &Call) -> Reply {
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let software = state.software(call.server);
    if software == Software::GoToSocial && call.header("user-agent").is_none() {
        return Reply::error(418, "I'm a teapot: no user-agent sent with request");
    }
    match path.as_slice() {
        ["api", rest @ ..] => api::answer(state, call, software, rest),
        _ => match web::answer(state, call, &path) {
            Some(reply) => reply,
            None if software == Software::Mitra => Reply::empty(404),
            None if software == Software::GoToSocial => Reply::error(404, "Not Found"),
            None => Reply::html("<h1>The page you are looking for isn't here.</h1>").status(404),
        },
    }
}
