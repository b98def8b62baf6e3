//! What is read of a request. What is wrong with it is answered by naming the field.

use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The query, read as `T`.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T> Query<T> {
    /// What axum said of a query, as a problem that names the field.
    pub(crate) fn refused(text: &str) -> Problem {
        wrong(400, text)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(asked)) => Ok(Self(asked)),
            Err(refused) => Err(Self::refused(&refused.body_text())),
        }
    }
}

/// A JSON body, read as `T`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(asked)) => Ok(Self(asked)),
            Err(refused) => Err(wrong(refused.status().as_u16(), &refused.body_text())),
        }
    }
}

/// axum says `Failed to …: path.to.field: message`, and serde names an unknown field in backticks.
fn wrong(http_status: u16, text: &str) -> Problem {
    match http_status {
        413 => {
            return Problem::new(413, "too much").because("what was sent is longer than anything this address takes");
        }
        415 => return Problem::new(415, "not this kind").because("send Content-Type: application/json"),
        _ => {}
    }
    let text = text.split_once(": ").map_or(text, |(_, rest)| rest);
    if let Some(rest) = text.split("unknown field `").nth(1)
        && let Some((field, others)) = rest.split_once('`')
    {
        let others = others.trim_start_matches([',', ' ']);
        return Problem::field(
            http_status,
            field,
            format!("there is no such field: {}", place_cut(others)),
        );
    }
    if let Some(field) = text
        .split("missing field `")
        .nth(1)
        .and_then(|rest| rest.split('`').next())
    {
        return Problem::field(http_status, field, "is missing");
    }
    let is_path = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'[' | b']'))
    };
    match text.split_once(": ") {
        Some((field, message)) if is_path(field) => Problem::field(http_status, field, place_cut(message)),
        _ => Problem::new(http_status, "cannot read the request").because(text),
    }
}

/// Without serde's line and column: the field says where.
fn place_cut(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_named() {
        for (text, expected) in [
            (
                "Failed to deserialize query string: limit: invalid digit found in string",
                "limit: invalid digit found in string",
            ),
            (
                "Failed to deserialize query string: nope: unknown field `nope`, expected `job` or `limit`",
                "nope: there is no such field: expected `job` or `limit`",
            ),
            (
                "Failed to deserialize the JSON body into the target type: mode: unknown variant `x`, expected `act` at line 1 column 12",
                "mode: unknown variant `x`, expected `act`",
            ),
            (
                "Failed to deserialize the JSON body into the target type: missing field `mode` at line 1 column 2",
                "mode: is missing",
            ),
        ] {
            let problem = serde_json::to_value(wrong(422, text)).unwrap();
            assert_eq!(problem["detail"], expected);
            assert_eq!(problem["errors"][0]["field"], expected.split(':').next().unwrap());
        }
        let syntax = serde_json::to_value(wrong(
            400,
            "Failed to parse the request body as JSON: EOF while parsing",
        ))
        .unwrap();
        assert!(syntax.get("errors").is_none());
    }
}
