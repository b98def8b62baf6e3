//! `/api/v1/jobs`: every job and scope as it stands now; run, pause, resume.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use job::Live;
use model::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use store::{
    job_runs::{self, JobRun},
    job_states,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Body, job_runs::Run};
use crate::{
    State,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list))
}

pub(super) fn admin_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(run))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// How far a run is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// So many.
    done: u64,
    /// Out of so many, where that is known.
    of: Option<u64>,
    /// Of what.
    what: String,
}

/// A job and scope as they stand, and their newest run.
#[derive(Debug, Serialize, ToSchema)]
struct Job {
    /// `feature.noun`.
    job: String,
    /// `server/login`, a server, or empty for the daemon.
    scope: String,
    /// In words.
    schedule: String,
    /// When it is due; `null` while running, paused, resting or off.
    due_at: Option<DateTime<Utc>>,
    /// Since when it runs.
    running_since: Option<DateTime<Utc>>,
    /// How far the run is.
    progress: Option<Progress>,
    /// Paused by somebody.
    paused: bool,
    /// Why it rests until the config is mended.
    rests: Option<String>,
    /// Of any outcome.
    last_run: Option<Run>,
}

impl From<Entry> for Job {
    fn from(Entry { live, last_run }: Entry) -> Self {
        Self {
            job: live.job,
            scope: live.scope,
            schedule: live.schedule,
            due_at: live.due_at,
            running_since: live.running_since,
            progress: live.progress.map(|(done, of, what)| Progress { done, of, what }),
            paused: live.paused,
            rests: live.rests,
            last_run: last_run.map(Run::from),
        }
    }
}

/// All of them, by name.
#[derive(Debug, Serialize, ToSchema)]
struct Jobs {
    jobs: Vec<Job>,
}

/// Every job and scope within reach.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", operation_id = "list_jobs",
    responses((status = 200, description = "Every job and scope as it stands now", body = Jobs))
)]
async fn list(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Jobs>, Problem> {
    let jobs = entries(&state, &visitor).await?.into_iter().map(Job::from).collect();
    Ok(Json(Jobs { jobs }))
}

/// A job and scope, and its newest run.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) live: Live,
    pub(crate) last_run: Option<JobRun>,
}

/// What the Jobs page shows as well.
pub(crate) async fn entries(state: &State, visitor: &Visitor) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    let seen = |live: &Live| visitor.may_at(Right::View, &live.scope);
    for live in state.board.list().into_iter().filter(seen) {
        let last_run = job_runs::last(&state.store, &live.job, &live.scope).await?;
        entries.push(Entry { live, last_run });
    }
    Ok(entries)
}

/// Which of a job's scopes.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct Which {
    /// As in the list of jobs; empty for a job of the daemon.
    scope: String,
}

/// What somebody may want of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Run,
    Pause,
    Resume,
}

/// Writes the wish to the store and nudges the runner.
pub(crate) async fn tell(state: &State, visitor: &Visitor, job: &str, scope: &str, wish: Wish) -> Result<(), Problem> {
    visitor.demand(Right::Admin, scope)?;
    let known = state
        .board
        .list()
        .iter()
        .any(|live| live.job == job && live.scope == scope);
    if !known {
        return Err(Problem::not_found("there is no such job and scope"));
    }
    let (db, now) = (&state.store, SystemClock.now());
    if wish == Wish::Run {
        let stands =
            |it: &job_states::JobState| it.paused && it.job == job && (it.scope.is_empty() || it.scope == scope);
        if job_states::list(db).await?.iter().any(stands) {
            return Err(Problem::new(409, "paused").because(format!("{job} is paused; resume it first")));
        }
    }
    // A pause of all its scopes is not this one's to end, and would go on where nobody says so.
    if wish == Wish::Resume && !scope.is_empty() {
        let stands = |it: &job_states::JobState| it.paused && it.job == job && it.scope.is_empty();
        if job_states::list(db).await?.iter().any(stands) {
            return Err(Problem::new(409, "paused as a whole").because(format!(
                "somebody paused {job} for all its scopes; `egret jobs resume {job}` ends that"
            )));
        }
    }
    match wish {
        Wish::Run => job_states::wake(db, job, scope, now).await?,
        Wish::Pause => job_states::set_paused(db, job, scope, true, now).await?,
        Wish::Resume => job_states::set_paused(db, job, scope, false, now).await?,
    }
    state.board.nudge();
    Ok(())
}

/// Runs a job now.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/run", tag = "jobs", operation_id = "run_job", request_body = Which,
    params(("job" = String, Path, description = "`feature.noun`")),
    responses(
        (status = 202, description = "The run starts as soon as nothing else runs for this scope"),
        (status = 409, description = "The job is paused; resume it first", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job and scope", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn run(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(job): Path<String>,
    Body(Which { scope }): Body<Which>,
) -> Result<StatusCode, Problem> {
    tell(&state, &visitor, &job, &scope, Wish::Run).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Pauses a job: it starts no more runs until it is resumed.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/pause", tag = "jobs", operation_id = "pause_job", request_body = Which,
    params(("job" = String, Path, description = "`feature.noun`")),
    responses(
        (status = 204, description = "It is paused; a run under way ends as usual"),
        (status = 404, description = "There is no such job and scope", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn pause(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(job): Path<String>,
    Body(Which { scope }): Body<Which>,
) -> Result<StatusCode, Problem> {
    tell(&state, &visitor, &job, &scope, Wish::Pause).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resumes a paused job.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/resume", tag = "jobs", operation_id = "resume_job", request_body = Which,
    params(("job" = String, Path, description = "`feature.noun`")),
    responses(
        (status = 204, description = "It runs by its schedule again"),
        (status = 409, description = "It is paused for all its scopes, by a command", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job and scope", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn resume(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(job): Path<String>,
    Body(Which { scope }): Body<Which>,
) -> Result<StatusCode, Problem> {
    tell(&state, &visitor, &job, &scope, Wish::Resume).await?;
    Ok(StatusCode::NO_CONTENT)
}
