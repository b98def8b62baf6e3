//! How an app comes to a token: it registers, somebody signs in and agrees, and the code they bring is swapped.

mod apps;
mod authorize;
mod sign_in;
mod token;

use serde_json::{Value, json};

pub(super) use apps::answer as apps;
pub(crate) use authorize::agree_as;
pub(super) use sign_in::answer as sign_in;

use super::{Routed, auth};
use crate::request::{Call, Reply};
use crate::state::State;
use crate::tokens::SCOPES;

const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// `/oauth/…`.
pub(super) fn answer(state: &State, call: &Call, path: &[&str]) -> Routed {
    let post = call.method == http::Method::POST;
    Some(match path {
        ["authorize"] => authorize::answer(state, call),
        ["authorize", "native"] => Ok(page(
            "Authorization code",
            &format!(
                "<p>Copy this authorization code and paste it to the application.</p>\
                 <input type=\"text\" class=\"oauth-code\" readonly value=\"{}\">",
                html(call.param("code").unwrap_or_default())
            ),
        )),
        ["token"] if post => token::swap(state, call),
        ["revoke"] if post => token::revoke(state, call),
        ["userinfo"] => auth::user(state, call, &["profile"]).map(|user| {
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

/// `/.well-known/oauth-authorization-server`, since 4.3.
pub(crate) fn metadata(base: &str) -> Value {
    json!({
        "issuer": format!("{base}/"),
        "authorization_endpoint": format!("{base}/oauth/authorize"),
        "token_endpoint": format!("{base}/oauth/token"),
        "revocation_endpoint": format!("{base}/oauth/revoke"),
        "userinfo_endpoint": format!("{base}/oauth/userinfo"),
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "service_documentation": "https://docs.joinmastodon.org/",
        "app_registration_endpoint": format!("{base}/api/v1/apps"),
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(&json!({ "error": error, "error_description": description })).status(status)
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn hidden(name: &str, value: &str) -> String {
    format!(
        "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
        html(name),
        html(value)
    )
}

fn page(title: &str, body: &str) -> Reply {
    Reply::html(&format!("<h1>{title}</h1>{body}"))
}

/// Whether everything wanted is granted, by itself or by its parent.
fn within(wanted: &[String], granted: &[String]) -> bool {
    wanted.iter().all(|scope| {
        granted.iter().any(|have| {
            have == scope
                || scope
                    .strip_prefix(have.as_str())
                    .is_some_and(|rest| rest.starts_with(':'))
        })
    })
}

/// Whether an address is the registered one. On loopback any port will do, as for programs that take whichever is
/// free (RFC 8252, 7.3).
fn same_address(asked: &str, registered: &str) -> bool {
    if asked == registered {
        return true;
    }
    let read = |text: &str| {
        let mut address = url::Url::parse(text).ok()?;
        let loopback = match address.host()? {
            url::Host::Ipv4(ip) => ip.is_loopback(),
            url::Host::Ipv6(ip) => ip.is_loopback(),
            url::Host::Domain(_) => false,
        };
        loopback.then(|| address.set_port(None).ok())??;
        Some(address)
    };
    read(asked)
        .zip(read(registered))
        .is_some_and(|(asked, registered)| asked == registered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_loopback_any_port_will_do() {
        for (asked, registered, same) in [
            ("https://app.test/back", "https://app.test/back", true),
            ("https://app.test/back", "https://app.test/other", false),
            ("https://app.test:1/back", "https://app.test:2/back", false),
            ("http://127.0.0.1:4711/back", "http://127.0.0.1/back", true),
            ("http://127.0.0.1:4711/back", "http://127.0.0.1:1/back", true),
            ("http://127.0.0.1:4711/else", "http://127.0.0.1/back", false),
            ("http://localhost:4711/back", "http://localhost/back", false),
            (OUT_OF_BAND, OUT_OF_BAND, true),
        ] {
            assert_eq!(same_address(asked, registered), same, "{asked} for {registered}");
        }
    }
}
