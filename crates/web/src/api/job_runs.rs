//! `/api/v1/job_runs`: what ran, newest first.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::Uri,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::{
    job_runs::{self, JobRun},
    run_logs::{self, Line},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Query,
    paging::{self, Limit},
};
use crate::{
    State,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(log))
}

/// A run of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Run {
    /// Sorts by time; the cursor of a page.
    id: String,
    /// `feature.noun`.
    job: String,
    /// `server/login`, a server, or empty for the daemon.
    scope: String,
    /// Start.
    started_at: DateTime<Utc>,
    /// End.
    finished_at: Option<DateTime<Utc>>,
    /// `running`, `finished`, `failed`, `refused`, `timed_out`, `panicked`, `stopped` or `lost`.
    outcome: &'static str,
    /// What it did, by name of the counter.
    counters: BTreeMap<String, i64>,
    /// Requests by host.
    requests: BTreeMap<String, u64>,
    /// Why it did not finish.
    error: Option<String>,
}

impl From<JobRun> for Run {
    fn from(run: JobRun) -> Self {
        Self {
            id: run.id,
            job: run.job,
            scope: run.scope,
            started_at: run.started_at,
            finished_at: run.finished_at,
            outcome: run.outcome.as_str(),
            counters: run.counters,
            requests: run.requests,
            error: run.error,
        }
    }
}

/// Which runs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Params {
    /// Only of this job.
    job: Option<String>,
    /// Older than this one: the cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
struct JobRuns {
    job_runs: Vec<Run>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// What ran, newest first.
#[utoipa::path(
    get, path = "/api/v1/job_runs", tag = "jobs", operation_id = "list_job_runs", params(Params),
    responses((status = 200, description = "A page of runs, newest first", body = JobRuns,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (runs, next) = page(
        &state,
        &visitor,
        params.job.as_deref(),
        params.before.as_deref(),
        params.limit,
    )
    .await?;
    let job_runs = runs.into_iter().map(Run::from).collect();
    let body = JobRuns {
        job_runs,
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// One run.
#[utoipa::path(
    get, path = "/api/v1/job_runs/{id}", tag = "jobs", operation_id = "show_job_run",
    params(("id" = String, Path, description = "Of the run")),
    responses(
        (status = 200, description = "The run", body = Run),
        (status = 404, description = "There is no such run, or it was forgotten", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<Json<Run>, Problem> {
    Ok(Json(load(&state, &visitor, &id).await?.into()))
}

/// One run, or 404, as for one that is not for this visitor.
pub(crate) async fn load(state: &State, visitor: &Visitor, id: &str) -> Result<JobRun, Problem> {
    job_runs::load(&state.store, id)
        .await?
        .filter(|run| visitor.may_at(Right::View, &run.scope))
        .ok_or_else(|| Problem::not_found("there is no such run, or it was forgotten"))
}

/// A line of a run's log.
#[derive(Debug, Serialize, ToSchema)]
struct LogLine {
    /// When.
    at: DateTime<Utc>,
    /// `error`, `warn` or `info`.
    level: String,
    /// What.
    text: String,
}

/// What a run had to say.
#[derive(Debug, Serialize, ToSchema)]
struct Log {
    /// Oldest first; the last 200 of a run that said more.
    lines: Vec<LogLine>,
}

/// What a run had to say, oldest line first.
#[utoipa::path(
    get, path = "/api/v1/job_runs/{id}/log", tag = "jobs", operation_id = "show_job_run_log",
    params(("id" = String, Path, description = "Of the run")),
    responses(
        (status = 200, description = "The run's log", body = Log),
        (status = 404, description = "There is no such run, or it was forgotten", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn log(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<Json<Log>, Problem> {
    let run = load(&state, &visitor, &id).await?;
    let lines = lines(&state, &run.id).await?.into_iter().map(|line| LogLine {
        at: line.at,
        level: line.level,
        text: line.text,
    });
    Ok(Json(Log { lines: lines.collect() }))
}

/// A run's log: from memory while it goes on, from the store afterwards.
pub(crate) async fn lines(state: &State, run: &str) -> Result<Vec<Line>, Problem> {
    let live = state.logs.lines(run);
    if !live.is_empty() {
        return Ok(live);
    }
    Ok(run_logs::load(&state.store, run).await?)
}

/// A page of runs and where the next one begins.
pub(crate) async fn page(
    state: &State,
    visitor: &Visitor,
    job: Option<&str>,
    before: Option<&str>,
    limit: Limit,
) -> Result<(Vec<JobRun>, Option<String>), Problem> {
    let job = job.filter(|job| !job.is_empty());
    let before = before.filter(|id| !id.is_empty());
    let mut runs = job_runs::page(&state.store, visitor.runs().as_ref(), job, before, limit.get() + 1).await?;
    let next = limit.cut(&mut runs, |run| run.id.clone());
    Ok((runs, next))
}
