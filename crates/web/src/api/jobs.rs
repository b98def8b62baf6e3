//! `/api/v1/jobs`: every job and scope as it stands now.

use axum::{Json, extract::State as Extract};
use job::Live;
use serde::Serialize;
use store::job_runs::{self, JobRun};

use crate::{State, problem::Problem};

/// A job and scope, and its newest run.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) live: Live,
    pub(crate) last_run: Option<JobRun>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Jobs {
    jobs: Vec<Entry>,
}

pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Json<Jobs>, Problem> {
    Ok(Json(Jobs {
        jobs: entries(&state).await?,
    }))
}

/// What the Jobs page shows as well.
pub(crate) async fn entries(state: &State) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    for live in state.board.list() {
        let last_run = job_runs::last(&state.store, &live.job, &live.scope).await?;
        entries.push(Entry { live, last_run });
    }
    Ok(entries)
}
