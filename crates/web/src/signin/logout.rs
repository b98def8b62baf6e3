//! `/logout`: the session ends here, and the token at the server.

use axum::{
    extract::State as Extract,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use tracing::info;

use crate::{State, cookies::Cookie, parts, rights::Visitor, session};

pub(crate) async fn post(Extract(state): Extract<State>, visitor: Visitor, headers: HeaderMap) -> Response {
    session::end_of_browser(&state, &headers).await;
    if visitor.has_session() {
        info!(name = visitor.name, "{} signed out", visitor.name);
    }
    let mut response = Redirect::to("/login").into_response();
    let head = response.headers_mut();
    let over = Cookie::Session.clear(state.sign_in.is_secure());
    head.extend(over.map(|over| (header::SET_COOKIE, over)));
    // Pages that the browser kept would show what they knew.
    let forget = HeaderValue::from_static("\"cache\"");
    head.insert(HeaderName::from_static("clear-site-data"), forget);
    response
}

/// For those who signed in.
pub(crate) fn sign_out(visitor: &Visitor) -> Markup {
    html! {
        @if visitor.has_session() { (parts::button(visitor, "/logout", &[], "Sign out", "Sign out")) }
    }
}
