//! `/login`: through which server?

use axum::{
    extract::{Query, State as Extract, rejection::QueryRejection},
    http::{Method, Uri},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use serde::Deserialize;

use super::{destination::destination, logout::sign_out};
use crate::{
    State, layout,
    rights::{self, Right, Visitor, Why},
};

/// Where somebody wanted to go.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wish {
    to: Option<String>,
}

pub(crate) async fn get(
    Extract(state): Extract<State>,
    visitor: Visitor,
    method: Method,
    uri: Uri,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let wish = wish.map(|Query(wish)| wish).unwrap_or_default();
    let to = destination(state.sign_in.base(), wish.to.as_deref());
    if visitor.may(Right::View) {
        if wish.to.is_some() {
            return Redirect::to(&to).into_response();
        }
        let body = html! {
            p { "You are signed in as " b { (visitor.name) } "." }
            p { a href="/" { "Go to the overview" } }
            (sign_out(&visitor))
        };
        return layout::alone("Signed in", &body).into_response();
    }
    // A database or a server that does not answer is no reason to sign in again.
    if let Some(why) = visitor.unknown_because().filter(|why| **why != Why::Stranger) {
        return rights::introduce(why, &method, &uri);
    }
    let servers = state.sign_in.servers();
    let start = |host: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("server", host), ("to", &to)])
            .finish();
        format!("/login/start?{query}")
    };
    let body = html! {
        @if !servers.is_empty() {
            p { "Your server says who you are and what you may do here. Egret learns nothing else from it." }
            @for server in &servers {
                p { a.button href=(start(&server.host)) { "Sign in with " (server.host) } }
            }
        }
        p.quiet.small {
            "On the machine that Egret runs on, " code { "egret login" } " prints a link that signs you in once."
        }
    };
    layout::alone("Sign in", &body).into_response()
}
