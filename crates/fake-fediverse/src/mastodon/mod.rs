//! The home server: a Mastodon with users, one file per section of its API.

pub(crate) mod accounts;
mod admin;
pub(crate) mod auth;
mod collections;
pub(crate) mod instance;
pub(crate) mod oauth;
mod paging;
pub(crate) mod refreshes;
mod reports;
pub(crate) mod search;
mod statuses;
pub(crate) mod streaming;
mod timelines;
mod writes;

use std::sync::Arc;

pub(crate) use admin::{admin_report, announce_approval};
pub(crate) use instance::version;
pub(crate) use reports::file as file_report;

use crate::gotosocial;
use crate::neighbours;
use crate::request::{Call, Reply};
use crate::scenario::Software;
use crate::state::State;
use crate::world::HOME;

/// Answers a request to home.
pub(crate) async fn answer(state: &Arc<State>, call: &Call) -> Reply {
    let segments = call.segments();
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    if state.software(HOME) == Software::GoToSocial
        && let Some(reply) = gotosocial::answer(state, call, &path)
    {
        return reply;
    }
    let get = call.method == http::Method::GET;
    let answer = match path.as_slice() {
        ["api", "v2", "search"] if get => return search::search(state, call).await,
        ["oauth", rest @ ..] => oauth::answer(state, call, rest),
        ["auth", rest @ ..] => oauth::sign_in(state, call, rest),
        ["api", "v1", "apps", rest @ ..] => oauth::apps(state, call, rest),
        ["api", "v1", "timelines", rest @ ..] if get => timelines::answer(state, call, rest),
        ["api", "v1", "lists", rest @ ..] => timelines::lists(state, call, rest),
        ["api", "v1", "statuses", rest @ ..] => statuses::answer(state, call, rest),
        ["api", "v1_alpha", "async_refreshes", id] if get => refreshes::answer(state, call, id),
        ["api", "v1", "reports"] => reports::answer(state, call),
        ["api", "v1" | "v2", "admin", rest @ ..] => admin::answer(state, call, rest),
        ["api", "v1", "accounts", rest @ ..] => accounts::answer(state, call, rest),
        ["api", "v1" | "v2", "instance", ..] | ["api", "v1", "custom_emojis" | "announcements"] | ["health"] => {
            instance::answer(state, call, &path)
        }
        ["api", rest @ ..] => collections::answer(state, call, rest),
        ["system", ..] if get => {
            let file = state.world().diary.files.get(&call.path).cloned();
            file.map(|(kind, text)| Ok(part(call, &kind, text)))
        }
        _ => neighbours::web::answer(state, call, &path).map(Ok),
    };
    let answer = match path.as_slice() {
        ["api", rest @ ..] if answer.is_none() => writes::answer(state, call, rest),
        _ => answer,
    };
    match answer {
        Some(Ok(reply) | Err(reply)) => reply,
        None if path.first() == Some(&"api") => Reply::error(404, "The page you are looking for could not be found"),
        None => Reply::html("<h1>The page you are looking for isn't here.</h1>").status(404),
    }
}

/// A file, or the rest of it for who has its beginning.
fn part(call: &Call, kind: &str, text: String) -> Reply {
    let version = format!("\"{}\"", text.len());
    let rest = call
        .header("range")
        .filter(|_| call.header("if-range") == Some(&version))
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let whole = text.len();
    match rest.and_then(|from| Some((from, text.get(from..)?.to_owned()))) {
        Some((from, rest)) => Reply::typed(kind, rest)
            .status(206)
            .header("content-range", format!("bytes {from}-{}/{whole}", whole - 1)),
        None => Reply::typed(kind, text),
    }
    .header("etag", version)
}

/// An answer, or the refusal that ends it early; `None` where no such route is.
pub(crate) type Routed = Option<Result<Reply, Reply>>;
