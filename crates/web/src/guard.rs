//! Who may ask: the right name, and for anything that changes something, a page of ours.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::problem::Problem;

/// Answers only requests that call us by a name of this machine or by one of `hosts`.
pub(crate) fn only_for(app: Router, hosts: Vec<String>) -> Router {
    let hosts: std::sync::Arc<[String]> = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
    app.layer(middleware::from_fn_with_state(hosts, check_host))
}

async fn check_host(State(hosts): State<std::sync::Arc<[String]>>, request: Request, next: Next) -> Response {
    let known = host(request.headers(), request.uri()).is_some_and(|authority| {
        let name = authority.host().to_ascii_lowercase();
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]")
            || hosts
                .iter()
                .any(|host| *host == name || *host == authority.as_str().to_ascii_lowercase())
    });
    if known {
        return next.run(request).await;
    }
    Problem::new(421, "this is not the server you are looking for")
        .because("call it by localhost, or name the host in [web] hosts")
        .plain()
        .into_response()
}

/// Refuses what changes something unless the browser says that a page of ours asked for it.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_same_origin(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    Problem::new(403, "refused")
        .because("this request does not come from one of Egret's own pages")
        .into_response()
}

fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let origin = headers
        .get(header::ORIGIN)
        .and_then(|origin| origin.to_str().ok()?.parse::<Uri>().ok());
    match (origin.as_ref().and_then(Uri::authority), host(headers, uri)) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host.as_str()),
        _ => false,
    }
}

/// By which name we are called.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let mut named = headers.get_all(header::HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok()?.parse().ok(),
        (None, None) => uri.authority().cloned(),
        _ => None,
    }
}
