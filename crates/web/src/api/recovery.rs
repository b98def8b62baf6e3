//! `/api/v1/replies`: what was recovered, and what that costs over time.

use axum::{Json, extract::State as Extract};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use serde::Serialize;
use store::{hosts, wanted::State as Is};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    State,
    overview::{costs, over_time, requests_per_reply},
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(show))
}

/// A point of the chart.
#[derive(Debug, Serialize, ToSchema)]
struct Point {
    /// Start of its span.
    at: DateTime<Utc>,
    /// `null` where nothing was recovered.
    requests_per_reply: Option<f64>,
}

/// What the replies feature did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recovery {
    /// Replies that our servers have now.
    pub(crate) recovered: i64,
    /// Still to be fetched.
    pub(crate) wanted: i64,
    /// Given up, gone or blocked.
    pub(crate) lost: i64,
    /// Servers that replies come from.
    pub(crate) origins: i64,
    /// Of those, how many rest.
    pub(crate) origins_resting: i64,
    /// Requests to our own servers per reply that arrived, over the last runs.
    requests_per_reply: Option<f64>,
    /// The same over time, oldest first.
    over_time: Vec<Point>,
}

/// What the Replies page shows as well.
pub(crate) async fn recovery(state: &State, visitor: &Visitor) -> Result<Recovery, Problem> {
    let within = visitor.servers(Right::View);
    let count = async |states: &[Is]| state.counts.of(&state.store, &within, states).await;
    let (origins, origins_resting) = hosts::counts(&state.store, SystemClock.now()).await?;
    let costs = costs(state, visitor).await?;
    let points = over_time(&costs)
        .into_iter()
        .map(|(at, requests_per_reply)| Point { at, requests_per_reply });
    Ok(Recovery {
        recovered: count(&[Is::Done]).await?,
        wanted: count(&[Is::Wanted]).await?,
        lost: count(&[Is::Failed, Is::Gone, Is::Blocked]).await?,
        origins,
        origins_resting,
        requests_per_reply: requests_per_reply(&costs),
        over_time: points.collect(),
    })
}

/// What was recovered, and what that costs over time.
#[utoipa::path(
    get, path = "/api/v1/replies", tag = "replies", operation_id = "show_replies",
    responses((status = 200, description = "All of it in numbers", body = Recovery))
)]
async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Recovery>, Problem> {
    Ok(Json(recovery(&state, &visitor).await?))
}
