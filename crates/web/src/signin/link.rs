//! A link that signs in whoever runs this machine, once. Who can make one can write to the database, and so could do
//! anyway whatever it lets them do.

use axum::{
    extract::{Query, State as Extract, rejection::QueryRejection},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use net::Url;
use serde::Deserialize;
use store::{Db, sign_ins};
use tracing::info;

use crate::{
    State,
    problem::Problem,
    rights::{Grant, Right},
    seal::Key,
    session,
};

/// How long a link may lie around.
const LIFE: TimeDelta = TimeDelta::minutes(30);

/// A link for the person at this machine, below `base`. Show it to them and to nobody else, and write it nowhere.
///
/// # Errors
/// When the store fails.
pub async fn one_time_link(db: &Db, base: &Url, now: DateTime<Utc>) -> Result<Url, store::Error> {
    let key = Key::random();
    sign_ins::insert_link(db, &key.id(), now + LIFE).await?;
    let mut url = base.clone();
    url.set_path("/login/once");
    url.query_pairs_mut().clear().append_pair("key", &key.text());
    Ok(url)
}

/// The link's secret.
#[derive(Deserialize)]
pub(crate) struct Given {
    key: String,
}

pub(crate) async fn get(
    Extract(state): Extract<State>,
    method: Method,
    headers: HeaderMap,
    given: Result<Query<Given>, QueryRejection>,
) -> Result<Response, Problem> {
    // Whoever only looks what stands behind a link, as chat programs do, does not use it up.
    if method == Method::HEAD {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let key = given.ok().and_then(|Query(given)| Key::parse(&given.key));
    let good = match key {
        Some(key) => sign_ins::take_link(&state.store, &key.id(), state.sign_in.clock().now()).await?,
        None => false,
    };
    if !good {
        return Err(Problem::new(403, "this link is used up")
            .because("it works once, within half an hour; `egret login` prints another one"));
    }
    let cookie = session::begin(
        &state,
        &headers,
        "local",
        None,
        &[Grant::everywhere(Right::Admin)],
        None,
    )
    .await?;
    info!("the person at this machine signed in");
    let mut response = Redirect::to("/").into_response();
    let head = response.headers_mut();
    head.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}
