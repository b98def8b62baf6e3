//! Reading an answer: JSON of the right shape, or why not.
//!
//! Texts are translated on Mastodon and differ elsewhere, so decisions are made on codes, headers and structure; the
//! few texts looked at are those of software that tells no other way.

use model::Host;
use net::{Response, http::header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// Who was asked what, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) host: Host,
    pub(crate) what: String,
    /// The login whose token was sent.
    pub(crate) login: Option<String>,
    /// Scope that the call needs.
    pub(crate) scope: Option<&'static str>,
}

impl Asked {
    pub(crate) fn not_json(&self, reason: impl Into<String>) -> Error {
        Error::NotJson {
            host: self.host.clone(),
            what: self.what.clone(),
            reason: reason.into(),
        }
    }
}

/// The answer, if its status is a success.
pub(crate) fn success(response: Response, asked: &Asked) -> Result<Response, Error> {
    if (200..300).contains(&response.http_status) {
        return Ok(response);
    }
    let (host, what) = (asked.host.clone(), asked.what.clone());
    Err(match response.http_status {
        401 => match &asked.login {
            Some(login) => Error::Revoked {
                host,
                login: login.clone(),
            },
            None => Error::NoToken { host },
        },
        403 => match (&asked.login, asked.scope) {
            (Some(login), Some(scope)) if lacks_scope(&response) => Error::Scope {
                login: login.clone(),
                scope,
            },
            _ => Error::Forbidden { host, what },
        },
        404 => Error::NotFound { host, what },
        410 => Error::Gone { host, what },
        429 => Error::RateLimited { host },
        // Lemmy's way to say it.
        400 if contains(&response.body, "rate_limit_error") => Error::RateLimited { host },
        http_status @ 500.. => Error::ServerDown { host, http_status },
        http_status => asked.not_json(format!("HTTP {http_status}{}", excerpt(&response))),
    })
}

/// The answer to a writing call, if it was carried out. 422 is a clear no; 409 is `GoToSocial` still being busy with an
/// earlier change of the same thing.
pub(crate) fn written(response: Response, asked: &Asked) -> Result<Response, Error> {
    let (host, what) = (asked.host.clone(), asked.what.clone());
    match response.http_status {
        409 => Err(Error::RateLimited { host }),
        422 => Err(Error::Invalid { host, what }),
        _ => success(response, asked),
    }
}

/// The body as JSON.
pub(crate) fn json(response: &Response, asked: &Asked) -> Result<Value, Error> {
    // serde_json bounds the nesting at 128 by itself.
    serde_json::from_slice(&response.body).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof if response.body.is_empty() => "nothing",
            serde_json::error::Category::Eof => "JSON that breaks off",
            _ => "no JSON",
        };
        asked.not_json(format!("{kind}{}", excerpt(response)))
    })
}

/// The body as a list.
pub(crate) fn list(response: &Response, asked: &Asked) -> Result<Vec<Value>, Error> {
    match json(response, asked)? {
        Value::Array(items) => Ok(items),
        _ => Err(asked.not_json("JSON that is no list")),
    }
}

/// A value as what was asked for.
pub(crate) fn object<T: DeserializeOwned>(value: Value, asked: &Asked) -> Result<T, Error> {
    serde_json::from_value(value)
        .map_err(|error| asked.not_json(format!("JSON of another shape ({})", clean(&error.to_string(), 80))))
}

fn lacks_scope(response: &Response) -> bool {
    let told = response
        .headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        // The standard's word, and the one that Mastodon's library uses instead.
        .any(|value| contains(value.as_bytes(), "insufficient_scope") || contains(value.as_bytes(), "invalid_scope"));
    told || [
        "outside the authorized scopes",
        "insufficient scope",
        "insufficient_scope",
    ]
    .iter()
    .any(|text| contains(&response.body, text))
}

fn contains(body: &[u8], text: &str) -> bool {
    let body = &body[..body.len().min(4096)];
    body.windows(text.len())
        .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

/// What kind of thing came, and how much of it. Never its text: a body may hold anything, what we sent included.
fn excerpt(response: &Response) -> String {
    let kind = response
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|text| clean(text.split(';').next().unwrap_or_default(), 40))
        .filter(|kind| !kind.is_empty());
    match (kind, response.body.len()) {
        (Some(kind), length) => format!(" ({kind}, {length} bytes)"),
        (None, length) => format!(" ({length} bytes)"),
    }
}

/// Without control, bidirectional and invisible characters, and short.
pub(crate) fn clean(text: &str, longest: usize) -> String {
    text.chars()
        .filter(|c| !c.is_control() && !matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
        .take(longest)
        .collect()
}

#[cfg(test)]
mod tests {
    use net::http::HeaderMap;

    use super::*;

    fn asked(login: Option<&str>) -> Asked {
        Asked {
            host: Host::stored("a.example"),
            what: "/api/v1/x".into(),
            login: login.map(str::to_owned),
            scope: Some("read:lists"),
        }
    }

    fn response(http_status: u16, body: &str) -> Response {
        Response {
            http_status,
            headers: HeaderMap::new(),
            url: "https://a.example/api/v1/x".parse().unwrap(),
            body: body.to_owned().into(),
        }
    }

    fn error(http_status: u16, body: &str) -> Error {
        success(response(http_status, body), &asked(Some("a.example/me"))).unwrap_err()
    }

    #[test]
    fn each_refusal_is_its_own_error() {
        assert!(matches!(error(401, ""), Error::Revoked { .. }));
        assert!(matches!(
            success(response(401, ""), &asked(None)),
            Err(Error::NoToken { .. })
        ));
        assert!(matches!(
            error(403, r#"{"error":"This action is outside the authorized scopes"}"#),
            Error::Scope {
                scope: "read:lists",
                ..
            }
        ));
        assert!(matches!(
            error(403, r#"{"error":"Forbidden: token has insufficient scope permission"}"#),
            Error::Scope { .. }
        ));
        assert!(matches!(
            error(403, r#"{"error":"Diese Aktion ist nicht erlaubt"}"#),
            Error::Forbidden { .. }
        ));
        assert!(matches!(error(404, ""), Error::NotFound { .. }));
        assert!(matches!(error(410, "Gone"), Error::Gone { .. }));
        assert!(matches!(error(429, ""), Error::RateLimited { .. }));
        assert!(matches!(
            error(400, r#"{"error":"rate_limit_error"}"#),
            Error::RateLimited { .. }
        ));
        assert!(matches!(
            error(502, "<html>"),
            Error::ServerDown { http_status: 502, .. }
        ));
        assert!(matches!(error(400, "Invalid Bearer token"), Error::NotJson { .. }));
    }

    #[test]
    fn a_scope_told_by_the_header_alone_counts() {
        let mut refused = response(403, r#"{"error":"許可されていません"}"#);
        for word in ["insufficient_scope", "invalid_scope"] {
            let value = format!(r#"Bearer realm="Doorkeeper", error="{word}""#);
            refused.headers.insert(header::WWW_AUTHENTICATE, value.parse().unwrap());
            assert!(matches!(
                success(refused.clone(), &asked(Some("a/me"))),
                Err(Error::Scope { .. })
            ));
        }
    }

    #[test]
    fn bodies_stay_out_of_errors() {
        for body in [
            "<html>secret-token\u{7}</html>",
            "",
            r#"[{"id": "secret-token"#,
            r#"{"secret-token": 1}"#,
        ] {
            let error = list(&response(200, body), &asked(None)).unwrap_err();
            assert!(matches!(error, Error::NotJson { .. }), "{body}");
            assert!(!error.to_string().contains("secret-token"), "{error}");
        }
    }
}
