//! `/api/v1/job_runs`: what ran, newest first.

use axum::{
    Json,
    extract::{Query, State as Extract, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use store::job_runs::{self, JobRun};

use crate::{State, problem::Problem};

const MOST: u32 = 200;

/// `?job=&before=&limit=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    job: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(crate) struct JobRuns {
    job_runs: Vec<JobRun>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

pub(crate) async fn list(
    Extract(state): Extract<State>,
    params: Result<Query<Params>, QueryRejection>,
) -> Result<Json<JobRuns>, Problem> {
    let Query(params) =
        params.map_err(|error| Problem::new(400, "cannot read the query").because(error.body_text()))?;
    let limit = params.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(400, "cannot read the query").because(format!("limit: from 1 to {MOST}")));
    }
    let (job_runs, next) = page(&state, params.job.as_deref(), params.before.as_deref(), limit).await?;
    Ok(Json(JobRuns { job_runs, next }))
}

/// A page of runs and where the next one begins.
pub(crate) async fn page(
    state: &State,
    job: Option<&str>,
    before: Option<&str>,
    limit: u32,
) -> Result<(Vec<JobRun>, Option<String>), Problem> {
    let job = job.filter(|job| !job.is_empty());
    let before = before.filter(|id| !id.is_empty());
    let mut runs = job_runs::list(&state.store, job, before, limit + 1).await?;
    let more = runs.len() > limit as usize;
    runs.truncate(limit as usize);
    let next = runs.last().filter(|_| more).map(|run| run.id.clone());
    Ok((runs, next))
}
