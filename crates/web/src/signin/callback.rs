//! `/login/callback`: back from one's own server.

use axum::{
    extract::{Query, State as Extract, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use mastodon::oauth::{self, Verifier};
use serde::Deserialize;
use store::sign_ins::{self, SignIn as Begun};
use tracing::{info, warn};

use super::{Server, person};
use crate::{
    State,
    cookies::Cookie,
    problem::Problem,
    seal::{self, Key, Purpose},
    session,
};

/// What the server sent the browser back with.
#[derive(Deserialize)]
pub(crate) struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

pub(crate) async fn get(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Response {
    let ended = match answer {
        Ok(Query(answer)) => finish(&state, &headers, answer).await,
        Err(_) => Err(Problem::new(400, "cannot read this address")),
    };
    let mut response = ended.unwrap_or_else(IntoResponse::into_response);
    // Good or not, this sign-in is over.
    if let Some(over) = Cookie::SignIn.clear(state.sign_in.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, over);
    }
    response
}

async fn finish(state: &State, headers: &HeaderMap, answer: Answer) -> Result<Response, Problem> {
    let sign_in = &state.sign_in;
    let (begun, key) = begun(state, headers, answer.state.as_deref()).await?;
    if let Some(error) = answer.error {
        let said: String = answer.error_description.unwrap_or(error).chars().take(300).collect();
        return Err(Problem::new(403, "you are not signed in")
            .because(format!("{} says: {said}. You can try again at /login", begun.server)));
    }
    let code = answer.code.ok_or_else(again)?;
    // Both were there when this began; a reload in between may have taken the server away.
    let server = sign_in.server(&begun.server).ok_or_else(again)?;
    let registered = sign_in.stored(&state.store, &server).await?.ok_or_else(again)?;
    let verifier = key.open(Purpose::Verifier, &begun.sealed).ok_or_else(again)?;
    let verifier = Verifier::restore(verifier);
    let scopes = [&*registered.scope];
    let granted = match registered.app.token(&sign_in.net(), &code, &verifier, &scopes).await {
        Ok(granted) => granted,
        Err(oauth::Error::Code { .. }) => return Err(again()),
        Err(oauth::Error::App { .. }) => {
            sign_in.forget(&state.store, &registered).await?;
            return Err(again());
        }
        Err(error) => return Err(silent(&server, &error)),
    };
    let login = format!("{}/sign-in", server.host);
    let person = match sign_in
        .person(&state.store, &server, &login, granted.token.clone())
        .await
    {
        Ok(person) => person,
        Err(person::Error::Store(error)) => return Err(error.into()),
        Err(error) if error.is_final() => {
            return Err(Problem::new(403, "you are not signed in")
                .because(format!("{} does not let this account sign in", server.host)));
        }
        Err(error) => return Err(silent(&server, &error)),
    };
    let name = &person.name;
    if person.grants.is_empty() {
        info!(name, "{name} came without a right and was turned away");
        sign_in.revoke(&state.store, &server.host, &granted.token).await;
        return Err(Problem::new(403, "nothing here is for you").because(format!(
            "{name} has no login in Egret's config, and their role at {} has none of the permissions that open a page \
             here: administrator, manage reports, manage users, manage federation",
            server.host
        )));
    }
    let (host, token) = (Some(&*server.host), Some(&granted.token));
    let cookie = session::begin(state, headers, name, host, &person.grants, token).await?;
    info!(name, "{name} signed in");
    let mut response = Redirect::to(&begun.destination).into_response();
    let head = response.headers_mut();
    head.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

/// What this browser began with this state, and what it alone knows. It can end only once.
async fn begun(state: &State, headers: &HeaderMap, given: Option<&str>) -> Result<(Begun, Key), Problem> {
    let cookie = Cookie::SignIn.read(headers, state.sign_in.is_secure());
    let (Some(key), Some(given)) = (cookie.and_then(Key::parse), given) else {
        return Err(again());
    };
    let now = state.sign_in.clock().now();
    let taken = sign_ins::take(&state.store, &seal::hash(given.as_bytes()), &key.id(), now).await?;
    Ok((taken.ok_or_else(again)?, key))
}

/// One text for all that can be wrong with a way back: whoever tries them out learns nothing.
fn again() -> Problem {
    Problem::new(400, "this sign-in is over").because(
        "it was finished already, took longer than ten minutes, or began in another browser; start again at /login",
    )
}

fn silent(server: &Server, error: &dyn std::error::Error) -> Problem {
    warn!(server = server.host, %error, "cannot sign somebody in through {}", server.host);
    Problem::new(502, "your server does not answer").because(format!(
        "{} could not be asked who you are; try again in a moment",
        server.host
    ))
}
