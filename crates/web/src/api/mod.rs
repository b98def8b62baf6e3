//! The JSON beside the pages: the same data under the same rights, one file per noun.
//!
//! To add a noun: a file beside this one that gives an `OpenApiRouter` for each right it needs, and a line for each in
//! [`PARTS`]. The OpenAPI document is made from the same routers, so what is not described is not there.

pub(crate) mod archive;
mod ask;
pub(crate) mod backfill;
pub(crate) mod backtests;
pub(crate) mod blocklists;
pub(crate) mod cases;
mod document;
pub(crate) mod effects;
mod etag;
pub(crate) mod job_runs;
pub(crate) mod jobs;
mod me;
pub(crate) mod metering;
pub(crate) mod notices;
mod overview;
pub(crate) mod paging;
mod rate;
mod recovery;
pub(crate) mod registration_rules;
pub(crate) mod registrations;
pub(crate) mod replies;
pub(crate) mod rules;
pub(crate) mod servers;
pub(crate) mod settings;

use axum::{Router, middleware};
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use ask::{Body, Query};

use Reach::{All, Some as Any};

use crate::{
    State,
    rights::{Right, only_with, only_with_all},
    turns::Turns,
};

/// Routes of one noun that need the same right.
type Part = (Right, Reach, fn() -> OpenApiRouter<State>);

/// How far the right has to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// To any server: what is asked for shows what is within reach, or says what is lacking.
    Some,
    /// To all of them: what is asked for is the daemon's.
    All,
}

/// Everything under `/api/`.
const PARTS: &[Part] = &[
    (Right::View, Any, document::routes),
    (Right::View, Any, me::routes),
    (Right::View, Any, jobs::routes),
    (Right::Admin, Any, jobs::admin_routes),
    (Right::View, Any, job_runs::routes),
    (Right::View, Any, overview::routes),
    (Right::View, Any, notices::routes),
    (Right::View, Any, recovery::routes),
    (Right::View, Any, replies::routes),
    (Right::View, Any, backfill::routes),
    (Right::View, Any, archive::routes),
    (Right::View, Any, servers::routes),
    (Right::View, Any, effects::routes),
    (Right::Admin, Any, effects::admin_routes),
    (Right::View, Any, settings::routes),
    (Right::Admin, All, settings::admin_routes),
    (Right::Registrations, Any, registrations::routes),
    (Right::Federation, Any, blocklists::routes),
    (Right::Registrations, Any, registration_rules::routes),
    (Right::Registrations, All, registration_rules::replay_routes),
    (Right::View, Any, metering::routes),
    (Right::View, Any, metering::own_routes),
    (Right::Admin, All, metering::admin_routes),
    (Right::Moderation, Any, cases::routes),
    (Right::Moderation, All, cases::audit_routes),
    (Right::Moderation, Any, rules::routes),
    (Right::Moderation, All, rules::all_routes),
    (Right::Moderation, All, backtests::routes),
];

/// The routes, each for those who may use it.
pub(crate) fn router(turns: &Turns) -> Router<State> {
    let rate = rate::Rate::default();
    let (router, _) = parts(turns);
    router
        .route_layer(middleware::from_fn_with_state(rate, rate::check))
        .route_layer(middleware::from_fn(etag::tag))
        .route_layer(CompressionLayer::new())
}

/// What the routes are, for programs.
pub(crate) fn description() -> OpenApi {
    let (_, document) = parts(&Turns::default());
    document
}

fn parts(turns: &Turns) -> (Router<State>, OpenApi) {
    let mut app = Router::new();
    let mut document = document::frame();
    for (right, reach, routes) in PARTS {
        let (router, mut part) = routes().split_for_parts();
        document::guard(&mut part, *right, *reach);
        let router = turns.line(router);
        app = app.merge(match reach {
            Any => only_with(*right, router),
            All => only_with_all(*right, router),
        });
        document.merge(part);
    }
    (app, document)
}
