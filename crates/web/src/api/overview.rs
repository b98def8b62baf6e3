//! `/api/v1/overview`: is all well, and how does each feature fare?

use std::collections::BTreeMap;

use axum::{Json, extract::State as Extract};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{job_runs::Run, jobs::entries, settings::Mode};
use crate::{
    State,
    overview::{self, features},
    problem::Problem,
    rights::Visitor,
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How a feature fares.
#[derive(Debug, Serialize, ToSchema)]
struct Feature {
    /// `replies`, …
    feature: String,
    /// `null` where it writes nothing on other people's servers.
    mode: Option<Mode>,
    /// Jobs that run at this moment.
    running: usize,
    /// Jobs that somebody paused.
    paused: usize,
    /// Jobs that rest until the config is mended.
    resting: usize,
    /// The newest run of any of its jobs.
    last_run: Option<Run>,
    /// When the next of its jobs is due.
    next_due_at: Option<DateTime<Utc>>,
    /// What the newest run of each of its jobs counted, added up.
    found: BTreeMap<String, i64>,
    /// Effects that wait for somebody.
    waiting: i64,
}

/// All of it.
#[derive(Debug, Serialize, ToSchema)]
struct Overview {
    /// `ok`, or `degraded` when something wants attention.
    status: &'static str,
    /// What wants attention, in sentences.
    notices: Vec<String>,
    features: Vec<Feature>,
    /// Requests to our own servers per reply that arrived, lately.
    requests_per_reply: Option<f64>,
}

/// How everything fares.
#[utoipa::path(
    get, path = "/api/v1/overview", tag = "overview", operation_id = "show_overview",
    responses((status = 200, description = "What wants attention, and each feature", body = Overview))
)]
async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Overview>, Problem> {
    let health = overview::health(&state).await.for_visitor(&visitor);
    let entries = entries(&state, &visitor).await?;
    let features = features(&state, &visitor, &entries).await?;
    let costs = overview::costs(&state, &visitor).await?;
    Ok(Json(Overview {
        status: health.status,
        notices: notices(&health),
        features: features.into_iter().map(Feature::from).collect(),
        requests_per_reply: overview::requests_per_reply(&costs),
    }))
}

impl From<overview::Feature> for Feature {
    fn from(feature: overview::Feature) -> Self {
        Self {
            feature: feature.name,
            mode: feature.mode.map(|now| now.mode.into()),
            running: feature.running,
            paused: feature.paused,
            resting: feature.resting,
            last_run: feature.last_run.map(Run::from),
            next_due_at: feature.next_due,
            found: feature.found,
            waiting: feature.waiting,
        }
    }
}

fn notices(health: &overview::Health) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some(who) = &health.panic_stop {
        notices.push(format!("panic stop by {who}: all effects are held"));
    }
    for login in &health.logins {
        notices.push(format!(
            "{}: {}",
            login.login,
            login.trouble.as_deref().unwrap_or_default()
        ));
    }
    for live in &health.resting {
        notices.push(format!(
            "{} {} rests: {}",
            live.job,
            live.scope,
            live.rests.as_deref().unwrap_or_default()
        ));
    }
    notices
}
