//! For machines that watch us: alive, ready, well, and the metrics.

use axum::{
    Json,
    extract::State as Extract,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{State, overview};

/// The process answers.
pub(crate) async fn livez() -> &'static str {
    "alive\n"
}

/// The store answers.
pub(crate) async fn readyz(Extract(state): Extract<State>) -> Response {
    match store::effects::panic_stop(&state.store).await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

/// What is wrong. Always 200: what is wrong is rarely mended by a restart, which is what 5xx asks of orchestrators.
pub(crate) async fn healthz(Extract(state): Extract<State>) -> Response {
    Json(overview::health(&state).await).into_response()
}

/// Prometheus' text.
pub(crate) async fn metrics(Extract(state): Extract<State>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, state.metrics.render()).into_response()
}
