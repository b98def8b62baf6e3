//! Every route, and what every answer carries.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer, limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};

use crate::{
    State, actor, api, assets, guard, health, pages, problem, problem::Problem, session, signin, turns::Turns, webhooks,
};

/// Nothing from elsewhere, nothing inline, nobody's frame.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The longest form anybody has to send: a page of rules.
pub(crate) const BODY: usize = 128 * 1024;

/// No page takes this long; whoever waits for one is better told.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Every route.
pub fn router(state: State) -> Router {
    let turns = Turns::default();
    let mut app = Router::new()
        .merge(pages::router(&turns))
        .merge(api::router(&turns))
        .merge(assets::router())
        .merge(signin::router(&state))
        .route("/lists/{name}", get(pages::blocklists::output))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/healthz", get(health::healthz))
        .route("/metrics", get(health::metrics))
        .fallback(async || Problem::not_found("there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Problem::new(405, "not like this").because("this address takes another method: see Allow")
        })
        .with_state(state.clone())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, TIMEOUT))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(middleware::from_fn(problem::with_visitor))
        .layer(middleware::from_fn_with_state(state.clone(), guard::own_pages_only))
        .layer(middleware::from_fn_with_state(state.clone(), session::identify))
        .merge(actor::router(state.actor.clone()))
        .merge(webhooks::router(state))
        .layer(middleware::from_fn(problem::with_request_id))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ));
    for (name, value) in HEADERS {
        app = app.layer(SetResponseHeaderLayer::overriding(
            name,
            HeaderValue::from_static(value),
        ));
    }
    app
}

fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    Problem::new(500, "this is a bug")
        .because("the log says more")
        .into_response()
}
