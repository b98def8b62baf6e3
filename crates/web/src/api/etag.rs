//! `ETag` on what is read, and 304 for those who have it already.

use axum::{
    body::{Body, HttpBody as _, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{assets::fnv, problem::Problem};

/// Longer answers go without a tag: they are not held in memory twice for it.
const MOST: usize = 8 * 1024 * 1024;

/// Tags answers that were read, and answers 304 where `If-None-Match` has the tag.
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known: Vec<HeaderValue> = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .cloned()
        .collect();
    let response = next.run(request).await;
    let has_body = response.status() == StatusCode::OK && !response.headers().contains_key(header::ETAG);
    let is_short = response
        .body()
        .size_hint()
        .upper()
        .is_some_and(|len| len <= MOST as u64);
    if !reads || !has_body || !is_short {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MOST).await else {
        return Problem::new(500, "this is a bug")
            .because("the answer is too long")
            .into_response();
    };
    // Weak: what is sent may be compressed in more than one way.
    let tag = format!("W/\"{:016x}\"", fnv(&body));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        head.headers.insert(header::ETAG, value);
    }
    head.headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if matches(&known, &tag) {
        return not_modified(head.headers);
    }
    Response::from_parts(head, Body::from(body))
}

/// Whether one of the tags in `If-None-Match` is this one; strong or weak makes no difference there.
fn matches(known: &[HeaderValue], tag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known
        .iter()
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','))
        .any(|one| one.trim() == "*" || bare(one) == bare(tag))
}

fn not_modified(mut headers: HeaderMap) -> Response {
    headers.remove(header::CONTENT_TYPE);
    headers.remove(header::CONTENT_LENGTH);
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{Router, middleware, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(len: usize) -> Response {
        let routes = Router::new().route("/", get(move || async move { "x".repeat(len) }));
        let request = Request::get("/").body(Body::empty()).unwrap();
        routes.layer(middleware::from_fn(tag)).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_long_answer_goes_without_a_tag() {
        assert!(ask(10).await.headers().contains_key(header::ETAG));
        let long = ask(MOST + 1).await;
        assert_eq!(long.status(), StatusCode::OK);
        assert!(!long.headers().contains_key(header::ETAG));
        assert_eq!(to_bytes(long.into_body(), usize::MAX).await.unwrap().len(), MOST + 1);
    }
}
