//! The JSON beside the pages: the same data under the same rights, one file per noun.
//!
//! To add a noun: a file beside this one that gives an `OpenApiRouter` for each right it needs, and a line for each in
//! [`PARTS`]. The OpenAPI document is made from the same routers, so what is not described is not there.

mod ask;
pub(crate) mod blocklists;
mod document;
pub(crate) mod effects;
mod etag;
pub(crate) mod job_runs;
pub(crate) mod jobs;
mod overview;
pub(crate) mod paging;
mod rate;
pub(crate) mod registrations;
pub(crate) mod replies;
pub(crate) mod servers;
pub(crate) mod settings;

use axum::{Router, middleware};
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use ask::{Body, Query};

use crate::{
    State,
    rights::{Right, only_with},
};

/// Routes of one noun that need the same right.
type Part = (Right, fn() -> OpenApiRouter<State>);

/// Everything under `/api/`.
const PARTS: &[Part] = &[
    (Right::View, document::routes),
    (Right::View, jobs::routes),
    (Right::Admin, jobs::admin_routes),
    (Right::View, job_runs::routes),
    (Right::View, overview::routes),
    (Right::View, replies::routes),
    (Right::View, servers::routes),
    (Right::View, effects::routes),
    (Right::Admin, effects::admin_routes),
    (Right::View, settings::routes),
    (Right::Admin, settings::admin_routes),
    (Right::Registrations, registrations::routes),
    (Right::Federation, blocklists::routes),
];

/// The routes, each for those who may use it.
pub(crate) fn router() -> Router<State> {
    let rate = rate::Rate::default();
    let (router, _) = parts();
    router
        .route_layer(middleware::from_fn_with_state(rate, rate::check))
        .route_layer(middleware::from_fn(etag::tag))
        .route_layer(CompressionLayer::new())
}

/// What the routes are, for programs.
pub(crate) fn description() -> OpenApi {
    let (_, document) = parts();
    document
}

fn parts() -> (Router<State>, OpenApi) {
    let mut app = Router::new();
    let mut document = document::frame();
    for (right, routes) in PARTS {
        let (router, mut part) = routes().split_for_parts();
        document::guard(&mut part, *right);
        app = app.merge(only_with(*right, router));
        document.merge(part);
    }
    (app, document)
}
