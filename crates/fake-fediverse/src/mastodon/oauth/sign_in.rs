//! Signing in with a browser: a form, a cookie, and back to where one wanted to go.

use super::{hidden, page};
use crate::mastodon::Routed;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::users::{Session, cookie};
use crate::world::{AccountIx, World};

const COOKIE: &str = "_mastodon_session";

/// `/auth/…`.
pub(in crate::mastodon) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let method = call.param("_method").unwrap_or(call.method.as_str()).to_lowercase();
    Some(match (method.as_str(), path) {
        ("get", ["sign_in"]) => Ok(form(state, call)),
        ("post", ["sign_in"]) => enter(state, call),
        ("delete", ["sign_out"]) => {
            let (key, _) = session(state, call);
            state.sessions().remove(&key);
            Ok(Reply::redirect("/auth/sign_in".to_owned()))
        }
        _ => return None,
    })
}

/// The visitor's session and its cookie; a new one when they bring none.
pub(super) fn session(state: &State, call: &Call) -> (String, Session) {
    let mut sessions = state.sessions();
    let brought = call
        .headers
        .get_all("cookie")
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, key)| Some((key.to_owned(), sessions.get(key)?.clone())));
    brought.unwrap_or_else(|| {
        let made = sessions.len() as u64;
        let key = cookie(state.scenario.seed, made);
        let new = Session {
            form_token: cookie(state.scenario.seed ^ 0xf0f0, made),
            ..Session::default()
        };
        sessions.insert(key.clone(), new.clone());
        (key, new)
    })
}

/// Puts the cookie on.
pub(super) fn keep(key: &str, reply: Reply) -> Reply {
    reply.header("set-cookie", format!("{COOKIE}={key}; path=/; HttpOnly; SameSite=Lax"))
}

/// Sends somebody to the form, and back here afterwards.
pub(super) fn first(state: &State, call: &Call) -> Reply {
    let (key, _) = session(state, call);
    if let Some(session) = state.sessions().get_mut(&key) {
        session.return_to = Some(call.address());
        session.notice = Some("You need to sign in or sign up before continuing.");
    }
    keep(&key, Reply::redirect("/auth/sign_in".to_owned()))
}

/// Refuses a form that did not come from one of our own pages.
pub(super) fn own_form(session: &Session, call: &Call) -> Result<(), Reply> {
    if call.param("authenticity_token") == Some(session.form_token.as_str()) {
        return Ok(());
    }
    let text = "<p>Security verification failed. Are you blocking cookies?</p>";
    Err(page("Security verification failed", text).status(422))
}

fn form(state: &State, call: &Call) -> Reply {
    let (key, session) = session(state, call);
    if session.user.is_some() {
        return keep(
            &key,
            Reply::redirect(session.return_to.unwrap_or_else(|| "/".to_owned())),
        );
    }
    let notice = session
        .notice
        .map(|text| format!("<div class=\"flash-message\">{text}</div>"));
    let body = format!(
        "{}<form class=\"simple_form new_user\" id=\"new_user\" action=\"/auth/sign_in\" method=\"post\">{}\
         <label>E-mail address <input type=\"email\" name=\"user[email]\"></label>\
         <label>Password <input type=\"password\" name=\"user[password]\"></label>\
         <button name=\"button\" type=\"submit\">Log in</button></form>",
        notice.unwrap_or_default(),
        hidden("authenticity_token", &session.form_token),
    );
    keep(&key, page("Login", &body))
}

fn enter(state: &State, call: &Call) -> Result<Reply, Reply> {
    let (key, session) = session(state, call);
    own_form(&session, call)?;
    let email = call.param("user[email]").unwrap_or_default();
    let password = call.param("user[password]").unwrap_or_default();
    let user = who(&state.world(), email, password);
    let mut sessions = state.sessions();
    let Some(kept) = sessions.get_mut(&key) else {
        return Err(Reply::empty(500));
    };
    let Some(user) = user else {
        kept.notice = Some("Invalid E-mail address or password.");
        drop(sessions);
        return Ok(form(state, call).status(422));
    };
    kept.user = Some(user);
    kept.notice = None;
    let to = kept.return_to.take().unwrap_or_else(|| "/".to_owned());
    Ok(keep(&key, Reply::redirect(to)))
}

/// The e-mail address is what the form asks for; the user name will do.
fn who(world: &World, email: &str, password: &str) -> Option<AccountIx> {
    let given = email.trim().to_lowercase();
    world
        .users
        .iter()
        .find(|(ix, user)| user.email.to_lowercase() == given || world.accounts[**ix].username.to_lowercase() == given)
        .filter(|(_, user)| user.password == password)
        .map(|(ix, _)| *ix)
}
