//! Registration of apps.

use serde_json::json;

use super::{OUT_OF_BAND, words};
use crate::mastodon::{Routed, auth};
use crate::request::{Call, Reply};
use crate::state::State;
use crate::tokens::{App, SCOPES};

/// `/api/v1/apps…`.
pub(in crate::mastodon) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    Some(match path {
        [] if call.method == http::Method::POST => register(state, call),
        ["verify_credentials"] => auth::any_token(state, call).map(|token| {
            let tokens = state.tokens();
            let app = token.app.and_then(|id| tokens.apps.get(&id).cloned());
            Reply::json(&match app {
                Some(app) => json!({ "id": app.id.to_string(), "name": app.name, "website": app.website,
                                     "scopes": app.scopes, "redirect_uris": app.redirect_uris, "vapid_key": "",
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
    for uri in &redirect_uris {
        let Ok(address) = url::Url::parse(uri) else {
            return Err(invalid("Redirect URI must be an absolute URI."));
        };
        if ["data", "vbscript", "javascript"].contains(&address.scheme()) {
            return Err(invalid("Redirect URI is forbidden by the server."));
        }
        if address.fragment().is_some() {
            return Err(invalid("Redirect URI cannot contain a fragment."));
        }
    }
    let scopes = words(call.param("scopes").unwrap_or("read"));
    if scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(invalid("Scopes doesn't match configured on the server."));
    }
    let mut tokens = state.tokens();
    let (client_id, secret) = (tokens.secret(), tokens.secret());
    let app = App {
        id: tokens.apps.len() + 2,
        name: name.to_owned(),
        website: call.param("website").filter(|site| !site.is_empty()).map(str::to_owned),
        secret: secret.clone(),
        scopes: scopes.clone(),
        redirect_uris: redirect_uris.clone(),
    };
    let body = json!({
        "id": app.id.to_string(), "name": app.name, "website": app.website, "scopes": scopes,
        "redirect_uris": redirect_uris, "vapid_key": "", "redirect_uri": redirect_uris.join("\n"),
        "client_id": client_id, "client_secret": secret, "client_secret_expires_at": 0,
    });
    tokens.apps.insert(client_id, app);
    Ok(Reply::json(&body))
}
