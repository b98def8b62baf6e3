//! Who may ask: the right name, and for anything that changes something, a page of ours.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State as Extract},
    http::{HeaderMap, Method, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};

use crate::{State, actor, config::is_this_machine, csrf, problem::Problem, rights::Visitor, router::BODY};

/// Answers only requests that call us by a name of this machine or by one of `hosts`.
pub(crate) fn only_for(app: Router, hosts: Vec<String>) -> Router {
    let hosts: std::sync::Arc<[String]> = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
    app.layer(middleware::from_fn_with_state(hosts, check_host))
}

async fn check_host(Extract(hosts): Extract<std::sync::Arc<[String]>>, request: Request, next: Next) -> Response {
    let known = host(request.headers(), request.uri()).is_some_and(|authority| {
        let name = authority.host().to_ascii_lowercase();
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]")
            || hosts
                .iter()
                .any(|host| *host == name || *host == authority.as_str().to_ascii_lowercase())
    });
    // A webhook proves itself by its signature, and its server gives up for good when it is refused.
    let path = request.uri().path();
    if known || path.starts_with("/webhooks/") || actor::is_public(path) {
        return next.run(request).await;
    }
    Problem::new(421, "this is not the server you are looking for")
        .because("call it by localhost, or name the host in [web] hosts")
        .plain()
        .into_response()
}

/// Refuses what changes something unless a page of ours asked for it: the browser has to say so, and within a session
/// the page has to prove it. Programs with a token of ours need neither, since no browser sends it on its own.
pub(crate) async fn own_pages_only(
    Extract(state): Extract<State>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // Whom nobody vouches for may do nothing in the API: better told why than where to come from. Webhooks are signed.
    let path = request.uri().path();
    let elsewhere = path.starts_with("/api/") && visitor.unknown_because().is_some() || path.starts_with("/webhooks/");
    if safe || visitor.is_script() || elsewhere {
        return next.run(request).await;
    }
    if !is_same_origin(request.headers(), request.uri(), &state) {
        return refused("this request does not come from one of Egret's own pages");
    }
    let Some(key) = visitor.form_key() else {
        return next.run(request).await;
    };
    let (request, token) = match token(request).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    if token.is_some_and(|token| csrf::is_ours(key, &token)) {
        return next.run(request).await;
    }
    refused("the form is older than your session; go back, load the page again and repeat what you did")
}

fn refused(why: &'static str) -> Response {
    Problem::new(403, "refused").because(why).into_response()
}

/// What the page proves itself with: a header, or a field of a form, which is read and put back.
async fn token(request: Request) -> Result<(Request, Option<String>), Response> {
    let (parts, body) = request.into_parts();
    if let Some(token) = parts.headers.get(csrf::HEADER).and_then(|token| token.to_str().ok()) {
        let token = token.to_owned();
        return Ok((Request::from_parts(parts, body), Some(token)));
    }
    let kind = parts
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok((Request::from_parts(parts, body), None));
    }
    let Ok(bytes) = to_bytes(body, BODY).await else {
        return Err(Problem::new(413, "too much")
            .because("this form is longer than anything Egret asks for")
            .into_response());
    };
    let mut fields = url::form_urlencoded::parse(&bytes).filter(|(name, _)| name == csrf::FIELD);
    let token = fields.next().map(|(_, value)| value.into_owned());
    Ok((Request::from_parts(parts, Body::from(bytes)), token))
}

fn is_same_origin(headers: &HeaderMap, uri: &Uri, state: &State) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else {
        return false;
    };
    if state.sign_in.is_own_origin(origin) {
        return true;
    }
    let origin = origin.parse::<Uri>().ok();
    match (origin.as_ref().and_then(Uri::authority), host(headers, uri)) {
        (Some(origin), Some(host)) => origin.as_str().eq_ignore_ascii_case(host.as_str()),
        _ => false,
    }
}

/// By which name we are called.
pub(crate) fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let mut named = headers.get_all(header::HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().ok()?.parse().ok(),
        (None, None) => uri.authority().cloned(),
        _ => None,
    }
}

/// Whether we are called by a name that every machine gives itself.
pub(crate) fn is_called_local(headers: &HeaderMap) -> bool {
    host(headers, &Uri::default()).is_some_and(|authority| is_this_machine(authority.host()))
}
