//! The page on which somebody lets an app act for them.

use super::sign_in::{first, keep, own_form, session};
use super::{OUT_OF_BAND, hidden, html, page, refused, same_address, within, words};
use crate::clock;
use crate::request::{Call, Reply, escape};
use crate::state::State;
use crate::tokens::{App, Code, SCOPES};
use crate::world::AccountIx;

/// What every form of the page carries along.
const CARRIED: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "state",
    "response_type",
    "response_mode",
    "scope",
    "code_challenge",
    "code_challenge_method",
];

/// What an app asks for.
struct Wish {
    client_id: String,
    app: App,
    redirect_uri: String,
    scopes: Vec<String>,
}

/// GET shows the page, POST agrees, DELETE (also as `_method`) declines. Nobody gets here who has not signed in.
pub(super) fn answer(state: &State, call: &Call) -> Result<Reply, Reply> {
    let (key, session) = session(state, call);
    let method = call.param("_method").unwrap_or(call.method.as_str()).to_lowercase();
    if method != "get" {
        own_form(&session, call)?;
    }
    let Some(user) = session.user else {
        return Ok(first(state, call));
    };
    let wish = read(state, call)?;
    let reply = match method.as_str() {
        "delete" => return Err(refuse(call, &wish.redirect_uri, "access_denied", DENIED)),
        "get" if !agreed_before(state, user, &wish, call) => question(call, &session.form_token, &wish, state, user),
        _ => agree(state, call, user, wish),
    };
    Ok(keep(&key, reply))
}

/// As somebody who presses the button: for tests without a browser. Gives where they are sent.
pub(crate) fn agree_as(state: &State, call: &Call, user: AccountIx) -> Reply {
    match read(state, call) {
        Ok(wish) => agree(state, call, user, wish),
        Err(refusal) => refusal,
    }
}

const DENIED: &str = "The resource owner or authorization server denied the request.";
const UNKNOWN_CLIENT: &str = "Client authentication failed due to unknown client, no client authentication included, \
                              or unsupported authentication method.";

/// What is asked for, or the refusal. With a bad client or address nobody is sent anywhere.
fn read(state: &State, call: &Call) -> Result<Wish, Reply> {
    let given = |name: &str| call.param(name).filter(|text| !text.is_empty());
    let problem = |status, text: &str| page("An error has occurred", &format!("<p>{text}</p>")).status(status);
    let client_id = given("client_id")
        .ok_or_else(|| problem(400, "Missing required parameter: client_id."))?
        .to_owned();
    let app = state.tokens().apps.get(&client_id).cloned();
    let app = app.ok_or_else(|| problem(401, UNKNOWN_CLIENT))?;
    let redirect_uri = given("redirect_uri")
        .filter(|asked| app.redirect_uris.iter().any(|known| same_address(asked, known)))
        .ok_or_else(|| problem(400, "The redirect uri included is not valid."))?
        .to_owned();
    let refuse = |error: &str, text: &str| Err(refuse(call, &redirect_uri, error, text));
    match given("response_type") {
        Some("code") => {}
        None => return refuse("invalid_request", "Missing required parameter: response_type."),
        Some(_) => {
            let text = "The authorization server does not support this response type.";
            return refuse("unsupported_response_type", text);
        }
    }
    let scopes = words(given("scope").unwrap_or("read"));
    if !within(&scopes, &app.scopes) || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return refuse(
            "invalid_scope",
            "The requested scope is invalid, unknown, or malformed.",
        );
    }
    if given("code_challenge").is_some() && given("code_challenge_method") != Some("S256") {
        return refuse(
            "invalid_code_challenge_method",
            "The code_challenge_method must be S256.",
        );
    }
    Ok(Wish {
        client_id,
        app,
        redirect_uri,
        scopes,
    })
}

/// Back to the app with what went wrong. Without an address to go to the answer says it.
fn refuse(call: &Call, redirect_uri: &str, error: &str, description: &str) -> Reply {
    if redirect_uri == OUT_OF_BAND {
        return refused(400, error, description);
    }
    back(
        call,
        redirect_uri,
        &[("error", error), ("error_description", description)],
    )
}

fn back(call: &Call, redirect_uri: &str, pairs: &[(&str, &str)]) -> Reply {
    let state = call.param("state").map(|given| ("state", given));
    let query: Vec<_> = pairs
        .iter()
        .copied()
        .chain(state)
        .map(|(key, value)| format!("{key}={}", escape(value)))
        .collect();
    let mark = if redirect_uri.contains('?') { '&' } else { '?' };
    Reply::redirect(format!("{redirect_uri}{mark}{}", query.join("&")))
}

/// Who has let this app do just this already is not asked again, unless the app insists.
fn agreed_before(state: &State, user: AccountIx, wish: &Wish, call: &Call) -> bool {
    !call.flag("force_login")
        && state.tokens().tokens.values().any(|token| {
            !token.revoked
                && token.user == Some(user)
                && token.app.as_deref() == Some(&wish.client_id)
                && token.scopes == wish.scopes
        })
}

fn question(call: &Call, form_token: &str, wish: &Wish, state: &State, user: AccountIx) -> Reply {
    let carried: String = CARRIED
        .iter()
        .filter_map(|name| Some(hidden(name, call.param(name)?)))
        .collect();
    let token = hidden("authenticity_token", form_token);
    let scopes: String = wish
        .scopes
        .iter()
        .map(|scope| format!("<li>{}</li>", html(scope)))
        .collect();
    let name = state.world().accounts[user].username.clone();
    let body = format!(
        "<p>Signed in as <b>{}</b>. <strong>{}</strong> would like permission to access your account.</p>\
         <ul class=\"permissions-list\">{scopes}</ul>\
         <form action=\"/oauth/authorize\" method=\"post\" class=\"authorize\">{token}{carried}\
         <button name=\"button\" type=\"submit\">Authorize</button></form>\
         <form action=\"/oauth/authorize\" method=\"post\" class=\"deny\">{}{token}{carried}\
         <button name=\"button\" type=\"submit\" class=\"negative\">Deny</button></form>",
        html(&name),
        html(&wish.app.name),
        hidden("_method", "delete"),
    );
    page("Authorization required", &body)
}

fn agree(state: &State, call: &Call, user: AccountIx, wish: Wish) -> Reply {
    let mut tokens = state.tokens();
    let code = tokens.secret();
    let native = wish.redirect_uri == OUT_OF_BAND;
    let reply = match native {
        true => Reply::redirect(format!("/oauth/authorize/native?code={code}")),
        false => back(call, &wish.redirect_uri, &[("code", &code)]),
    };
    tokens.codes.insert(
        code,
        Code {
            app: wish.client_id,
            user,
            scopes: wish.scopes,
            redirect_uri: wish.redirect_uri,
            challenge: call
                .param("code_challenge")
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            made_at: clock::now(),
        },
    );
    reply
}
