//! `/login/start`: off to one's own server, with something to come back with.

use axum::{
    extract::{Query, State as Extract, rejection::QueryRejection},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use store::sign_ins::{self, SignIn as Begun};
use tracing::warn;

use super::{apps::Error, destination::destination};
use crate::{
    State,
    cookies::Cookie,
    guard,
    problem::Problem,
    seal::{self, Key, Purpose},
};

/// How long somebody may take at their server.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// Where to sign in, and where to go afterwards.
#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    server: String,
    to: Option<String>,
    /// Sent on to the name that we are known by. Once: a proxy may keep from us which name was asked for.
    #[serde(default)]
    moved: bool,
}

pub(crate) async fn get(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    uri: Uri,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wish) = wish.map_err(|_| Problem::new(400, "cannot read this address"))?;
    let sign_in = &state.sign_in;
    let base = sign_in.base();
    // The cookie must be there when the browser comes back, so it is set under the name that it comes back to.
    let called = guard::host(&headers, &uri);
    if !wish.moved && called.is_some_and(|called| !called.as_str().eq_ignore_ascii_case(base.authority())) {
        let mut here = base.clone();
        here.set_path(uri.path());
        here.set_query(uri.query());
        here.query_pairs_mut().append_pair("moved", "true");
        return Ok(Redirect::to(here.as_str()).into_response());
    }
    let server = sign_in
        .server(&wish.server)
        .ok_or_else(|| Problem::not_found("nobody signs in through this server here"))?;
    let registered = match sign_in.registered(&state.store, &server).await {
        Ok(registered) => registered,
        Err(Error::Store(error)) => return Err(error.into()),
        Err(Error::Oauth(error)) => {
            warn!(server = server.host, %error, "cannot register at {}", server.host);
            return Err(Problem::new(502, "your server does not answer").because(format!(
                "{} could not be asked to sign you in; try again in a moment",
                server.host
            )));
        }
    };
    let consent = registered.app.ask(&[&registered.scope]);
    let key = Key::random();
    let sealed = key.seal(Purpose::Verifier, consent.verifier.secret().expose_secret());
    let begun = Begun {
        id: seal::hash(consent.state.expose_secret().as_bytes()),
        browser: key.id(),
        server: server.host,
        sealed: sealed.ok_or_else(|| Problem::new(500, "this is a bug"))?,
        destination: destination(base, wish.to.as_deref()),
        expires_at: sign_in.clock().now() + PATIENCE,
    };
    sign_ins::insert(&state.store, &begun).await?;
    let cookie = Cookie::SignIn.set(&key.text(), PATIENCE.num_seconds(), sign_in.is_secure());
    let mut response = Redirect::to(consent.url.as_str()).into_response();
    let head = response.headers_mut();
    head.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
