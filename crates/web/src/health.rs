//! For machines that watch us: alive, ready, well, and the metrics.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State as Extract,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use job::Mode;
use serde::Serialize;

use crate::{
    Metrics, State,
    limits::Client,
    overview,
    problem::Problem,
    rights::{Right, Visitor},
};

/// The process answers.
pub(crate) async fn livez() -> &'static str {
    "alive\n"
}

/// The store answers.
pub(crate) async fn readyz(Extract(state): Extract<State>) -> Response {
    match overview::in_time(store::effects::panic_stop(&state.store)).await {
        Some(_) => "ready\n".into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// What anybody may know: whether somebody has to look, and not at what.
#[derive(Debug, Serialize)]
struct Brief {
    status: &'static str,
    store: &'static str,
    modes: BTreeMap<&'static str, Mode>,
    panic_stop: bool,
    /// Logins that do not work, and jobs that rest.
    troubles: usize,
}

/// What is wrong. 503 only when the database is: what else is wrong is rarely mended by a restart, which is what 5xx
/// asks of orchestrators.
pub(crate) async fn healthz(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let health = overview::health(&state).await;
    let http_status = match health.store {
        "ok" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    if visitor.may(Right::View) {
        return (http_status, Json(health.for_visitor(&visitor))).into_response();
    }
    let brief = Brief {
        status: health.status,
        store: health.store,
        panic_stop: health.panic_stop.is_some(),
        troubles: health.logins.len() + health.resting.len(),
        modes: health.modes,
    };
    (http_status, Json(brief)).into_response()
}

/// Prometheus' text: it names our servers and counts what is done there, so it is not for everybody.
pub(crate) async fn metrics(Extract(state): Extract<State>, visitor: Visitor, client: Client) -> Response {
    let open = match state.sign_in.config().metrics {
        Metrics::Open => true,
        // Behind a proxy everybody comes from this machine, and not every proxy says who it asks for.
        Metrics::Local => client.is_local && state.sign_in.is_at_home(),
        Metrics::Token => false,
    };
    if !open && !visitor.may_at(Right::View, "") {
        return Problem::new(401, "who are you?")
            .because("send a token, `Authorization: Bearer …`; `egret token create --scope view` makes one")
            .with(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"Egret\""),
            )
            .plain()
            .into_response();
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, state.metrics.render()).into_response()
}
