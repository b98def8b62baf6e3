//! Apps, the code flow and tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Routed, auth};
use crate::clock;
use crate::request::{Call, Reply, escape};
use crate::state::State;
use crate::tokens::{App, Code};

const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(&json!({ "error": error, "error_description": description })).status(status)
}

/// `/api/v1/apps…`.
pub(super) fn apps(state: &State, call: &Call, path: &[&str]) -> Routed {
    Some(match path {
        [] if call.method == http::Method::POST => register(state, call),
        ["verify_credentials"] => auth::any_token(state, call).map(|token| {
            let tokens = state.tokens();
            let app = token.app.and_then(|id| tokens.apps.get(&id).cloned());
            Reply::json(&match app {
                Some(app) => json!({ "id": "2", "name": app.name, "website": app.website, "scopes": app.scopes,
                                     "redirect_uris": app.redirect_uris, "vapid_key": "",
                                     "redirect_uri": app.redirect_uris.join("\n") }),
                None => json!({ "id": "1", "name": "made in the preferences", "website": null,
                                "scopes": token.scopes, "redirect_uris": [OUT_OF_BAND],
                                "redirect_uri": OUT_OF_BAND, "vapid_key": "" }),
            })
        }),
        _ => return None,
    })
}

fn register(state: &State, call: &Call) -> Result<Reply, Reply> {
    let invalid = |what: &str| Reply::error(422, &format!("Validation failed: {what}"));
    let name = call
        .param("client_name")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| invalid("Application name can't be blank"))?;
    let redirect_uris: Vec<String> = call.list("redirect_uris").into_iter().flat_map(words).collect();
    if redirect_uris.is_empty() {
        return Err(invalid("Redirect URI can't be blank"));
    }
    let scopes = words(call.param("scopes").unwrap_or("read"));
    let mut tokens = state.tokens();
    let (client_id, secret) = (tokens.secret(), tokens.secret());
    let app = App {
        name: name.to_owned(),
        website: call.param("website").map(str::to_owned),
        secret: secret.clone(),
        scopes: scopes.clone(),
        redirect_uris: redirect_uris.clone(),
    };
    let body = json!({
        "id": (tokens.apps.len() + 2).to_string(), "name": app.name, "website": app.website, "scopes": scopes,
        "redirect_uris": redirect_uris, "redirect_uri": redirect_uris.join("\n"), "vapid_key": "",
        "client_id": client_id, "client_secret": secret, "client_secret_expires_at": 0,
    });
    tokens.apps.insert(client_id, app);
    Ok(Reply::json(&body))
}

/// `/oauth/…`.
pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let post = call.method == http::Method::POST;
    Some(match path {
        ["authorize"] => authorize(state, call),
        ["authorize", "native"] => Ok(Reply::html(&format!(
            "<h1>Authorization code</h1><input readonly value=\"{}\">",
            html(call.param("code").unwrap_or_default())
        ))),
        ["token"] if post => token(state, call),
        ["revoke"] if post => revoke(state, call),
        ["userinfo"] => auth::user(state, call, &["profile", "read", "read:accounts"]).map(|user| {
            let world = state.world();
            let who = &world.accounts[user];
            Reply::json(&json!({
                "iss": format!("{}/", world.servers[0].base), "sub": world.actor_uri(user), "name": who.display_name,
                "preferred_username": who.username, "profile": world.profile_url(user), "picture": null,
            }))
        }),
        _ => return None,
    })
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// GET shows a page with a button; POST (the button) approves as `me`.
fn authorize(state: &State, call: &Call) -> Result<Reply, Reply> {
    let client = call.param("client_id").unwrap_or_default().to_owned();
    let redirect_uri = call.param("redirect_uri").unwrap_or(OUT_OF_BAND).to_owned();
    let scopes = words(call.param("scope").unwrap_or("read"));
    let mut tokens = state.tokens();
    let problem = match tokens.apps.get(&client) {
        None => Some("Client authentication failed due to unknown client"),
        Some(app) if !app.redirect_uris.contains(&redirect_uri) => Some("The redirect URI included is not valid"),
        Some(app) if !within(&scopes, &app.scopes) => Some("The requested scope is invalid, unknown, or malformed"),
        Some(_)
            if call
                .param("code_challenge_method")
                .is_some_and(|method| method != "S256") =>
        {
            Some("The code challenge method must be S256")
        }
        Some(_) => None,
    };
    if let Some(problem) = problem {
        return Err(Reply::html(&format!("<h1>An error has occurred</h1><p>{problem}.</p>")).status(400));
    }
    if call.method != http::Method::POST {
        let fields: String = call
            .params
            .iter()
            .map(|(key, value)| {
                format!(
                    "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                    html(key),
                    html(value)
                )
            })
            .collect();
        return Ok(Reply::html(&format!(
            "<h1>Authorization required</h1><form method=\"post\" action=\"/oauth/authorize\">{fields}\
             <button type=\"submit\">Authorize</button></form>"
        )));
    }
    let code = tokens.secret();
    tokens.codes.insert(
        code.clone(),
        Code {
            app: client,
            scopes,
            redirect_uri: redirect_uri.clone(),
            challenge: call.param("code_challenge").map(str::to_owned),
        },
    );
    if redirect_uri == OUT_OF_BAND {
        return Ok(Reply::redirect(format!("/oauth/authorize/native?code={code}")));
    }
    let mut to = format!(
        "{redirect_uri}{}code={code}",
        if redirect_uri.contains('?') { "&" } else { "?" }
    );
    if let Some(given) = call.param("state") {
        to = format!("{to}&state={}", escape(given));
    }
    Ok(Reply::redirect(to))
}

fn within(wanted: &[String], granted: &[String]) -> bool {
    wanted.iter().all(|scope| {
        granted
            .iter()
            .any(|have| have == scope || scope.strip_prefix(have.as_str()).is_some_and(|r| r.starts_with(':')))
    })
}

/// Client id and secret, from the form or from HTTP Basic.
fn client(call: &Call) -> (String, String) {
    (
        call.param("client_id").unwrap_or_default().to_owned(),
        call.param("client_secret").unwrap_or_default().to_owned(),
    )
}

fn token(state: &State, call: &Call) -> Result<Reply, Reply> {
    let me = state.world().me;
    let (id, secret) = client(call);
    let mut tokens = state.tokens();
    let app = tokens
        .apps
        .get(&id)
        .filter(|app| app.secret == secret)
        .cloned()
        .ok_or_else(|| {
            refused(
                401,
                "invalid_client",
                "Client authentication failed due to unknown client",
            )
        })?;
    let grant = || refused(400, "invalid_grant", "The provided authorization grant is invalid");
    let (user, scopes) = match call.param("grant_type") {
        Some("client_credentials") => (None, words(call.param("scope").unwrap_or("read"))),
        Some("authorization_code") => {
            let code = call
                .param("code")
                .and_then(|code| tokens.codes.remove(code))
                .ok_or_else(grant)?;
            let same = code.app == id && call.param("redirect_uri") == Some(code.redirect_uri.as_str());
            let verified = code.challenge.as_deref().is_none_or(|challenge| {
                call.param("code_verifier")
                    .is_some_and(|verifier| s256(verifier) == challenge)
            });
            if !same || !verified {
                return Err(grant());
            }
            (Some(me), code.scopes)
        }
        _ => {
            return Err(refused(
                400,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server.",
            ));
        }
    };
    if !within(&scopes, &app.scopes) {
        return Err(refused(
            400,
            "invalid_scope",
            "The requested scope is invalid, unknown, or malformed.",
        ));
    }
    let access_token = tokens.issue(user, &scopes, Some(&id));
    Ok(Reply::json(&json!({
        "access_token": access_token, "token_type": "Bearer", "scope": scopes.join(" "),
        "created_at": clock::now().timestamp(),
    })))
}

/// PKCE's challenge to a verifier.
fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn revoke(state: &State, call: &Call) -> Result<Reply, Reply> {
    let (id, secret) = client(call);
    let mut tokens = state.tokens();
    let known = tokens.apps.get(&id).is_some_and(|app| app.secret == secret);
    let token = call.param("token").and_then(|given| tokens.tokens.get_mut(given));
    match token {
        Some(token) if known && token.app.as_deref() == Some(&id) => token.revoked = true,
        Some(_) => {
            return Err(refused(
                403,
                "unauthorized_client",
                "You are not authorized to revoke this token",
            ));
        }
        None => {}
    }
    Ok(Reply::json(&json!({})))
}

/// `/.well-known/oauth-authorization-server`, since 4.3.
pub(crate) fn metadata(base: &str) -> Value {
    json!({
        "issuer": format!("{base}/"),
        "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "revocation_endpoint": format!("{base}/oauth/revoke"),
        "userinfo_endpoint": format!("{base}/oauth/userinfo"),
        "scopes_supported": [
            "read", "profile", "write", "read:accounts", "read:bookmarks", "read:favourites", "read:follows",
            "read:lists", "read:notifications", "read:search", "read:statuses", "write:bookmarks",
            "write:favourites", "write:statuses", "follow", "push", "admin:read", "admin:read:accounts",
            "admin:read:reports", "admin:read:domain_blocks", "admin:write", "admin:write:accounts",
            "admin:write:reports", "admin:write:domain_blocks"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "service_documentation": "https://docs.joinmastodon.org/",
        "app_registration_endpoint": format!("{base}/api/v1/apps"),
    })
}
