//! Codes become tokens, and tokens end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{refused, same_address, within, words};
use crate::clock;
use crate::request::{Call, Reply};
use crate::state::State;
use crate::tokens::{Code, Tokens};
use crate::world::AccountIx;

/// How long a code waits.
const CODE_LIVES: TimeDelta = TimeDelta::minutes(10);

/// `POST /oauth/token`.
pub(super) fn swap(state: &State, call: &Call) -> Result<Reply, Reply> {
    let mut tokens = state.tokens();
    let Some(kind) = call.param("grant_type").filter(|kind| !kind.is_empty()) else {
        return Err(missing("grant_type"));
    };
    let text = "The authorization grant type is not supported by the authorization server.";
    if !["authorization_code", "client_credentials"].contains(&kind) {
        return Err(refused(400, "unsupported_grant_type", text));
    }
    let id = client(&tokens, call).ok_or_else(|| {
        let text = "Client authentication failed due to unknown client, no client authentication included, or \
                    unsupported authentication method.";
        refused(401, "invalid_client", text)
    })?;
    let (user, scopes) = if kind == "authorization_code" {
        let (user, scopes) = by_code(&mut tokens, call, &id)?;
        (Some(user), scopes)
    } else {
        (None, words(call.param("scope").unwrap_or("read")))
    };
    if !tokens.apps.get(&id).is_some_and(|app| within(&scopes, &app.scopes)) {
        let text = "The requested scope is invalid, unknown, or malformed.";
        return Err(refused(400, "invalid_scope", text));
    }
    let access_token = tokens.issue(user, &scopes, Some(&id));
    let created_at = tokens
        .tokens
        .get(&access_token)
        .map(|token| token.issued_at.timestamp());
    Ok(Reply::json(&json!({
        "access_token": access_token, "token_type": "Bearer", "scope": scopes.join(" "), "created_at": created_at,
    })))
}

fn missing(name: &str) -> Reply {
    refused(400, "invalid_request", &format!("Missing required parameter: {name}."))
}

/// Only what succeeds uses the code up.
fn by_code(tokens: &mut Tokens, call: &Call, client: &str) -> Result<(AccountIx, Vec<String>), Reply> {
    let invalid = || {
        let text = "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI \
                    used in the authorization request, or was issued to another client.";
        refused(400, "invalid_grant", text)
    };
    let given = |name: &str| call.param(name).filter(|text| !text.is_empty());
    let code: Option<Code> = given("code").and_then(|code| tokens.codes.get(code)).cloned();
    let Some(redirect_uri) = given("redirect_uri") else {
        return Err(missing("redirect_uri"));
    };
    let verifier = given("code_verifier");
    if verifier.is_none() && code.as_ref().is_some_and(|code| code.challenge.is_some()) {
        return Err(missing("code_verifier"));
    }
    let code = code
        .filter(|code| code.app == client && same_address(redirect_uri, &code.redirect_uri))
        .filter(|code| clock::now() < code.made_at + CODE_LIVES)
        .filter(|code| code.challenge == verifier.map(challenge))
        .ok_or_else(invalid)?;
    tokens.codes.remove(given("code").unwrap_or_default());
    Ok((code.user, code.scopes))
}

/// PKCE's S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// The app that says who it is, by HTTP Basic or in the form.
fn client(tokens: &Tokens, call: &Call) -> Option<String> {
    let basic = call
        .header("authorization")
        .and_then(|header| header.strip_prefix("Basic "))
        .and_then(|text| STANDARD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let (id, secret) = match &basic {
        Some(pair) => pair.split_once(':')?,
        None => (call.param("client_id")?, call.param("client_secret")?),
    };
    tokens.apps.get(id).filter(|app| app.secret == secret)?;
    Some(id.to_owned())
}

/// `POST /oauth/revoke`: fine for what is no token, too.
pub(super) fn revoke(state: &State, call: &Call) -> Result<Reply, Reply> {
    let mut tokens = state.tokens();
    let client = client(&tokens, call);
    let token = call.param("token").and_then(|given| tokens.tokens.get_mut(given));
    match token {
        Some(token) if client.is_some() && token.app == client => token.revoked = true,
        Some(_) => {
            let text = "You are not authorized to revoke this token";
            return Err(refused(403, "unauthorized_client", text));
        }
        None => {}
    }
    Ok(Reply::json(&json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_standards() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
