//! What was done to blocks, and how to take it back.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    block_entries::{self, Run as Row},
    block_plans::{self, State as Is},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{mode, wake};
use crate::{
    State,
    api::{
        Query,
        paging::{self, Limit},
    },
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(take_back))
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Params {
    /// The cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A run or a command that changed blocks.
#[derive(Debug, Serialize, ToSchema)]
struct Run {
    /// Its id.
    id: String,
    /// `host[:port]`.
    server: String,
    /// The job, or who approved it.
    who: String,
    /// Blocks made.
    created: i64,
    /// Blocks changed.
    updated: i64,
    /// Blocks lifted.
    deleted: i64,
    /// Changes undone since.
    undone: i64,
    /// Its last change.
    ended_at: DateTime<Utc>,
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        Self {
            id: row.run,
            server: row.server,
            who: row.who,
            created: row.created,
            updated: row.updated,
            deleted: row.deleted,
            undone: row.undone,
            ended_at: row.changed_at,
        }
    }
}

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
struct Runs {
    runs: Vec<Run>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Runs that changed blocks, newest first.
#[utoipa::path(
    get, path = "/api/v1/blocklists/runs", tag = "blocklists", operation_id = "list_block_runs", params(Params),
    responses((status = 200, description = "A page of runs, newest first", body = Runs,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (rows, next) = page(&state, &visitor, params.before.as_deref(), params.limit).await?;
    let body = Runs {
        runs: rows.into_iter().map(Run::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A page of runs and where the next one begins.
pub(crate) async fn page(
    state: &State,
    visitor: &Visitor,
    before: Option<&str>,
    limit: Limit,
) -> Result<(Vec<Row>, Option<String>), Problem> {
    let before = paging::before(before, paging::moment)?;
    let within = visitor.servers(Right::Federation).filter();
    let mut rows = block_entries::runs(&state.store, within.as_deref(), before, limit.get() + 1).await?;
    let next = limit.cut(&mut rows, |row| paging::cursor(row.changed_at, &row.run));
    Ok((rows, next))
}

/// A run's changes.
#[derive(Debug, Serialize, ToSchema)]
struct Changes {
    /// In their order: `domain`, `action`, `before`, `after`, `reason`, `follows` (counted before it), `undone_by`.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<serde_json::Value>,
}

/// What a run changed.
#[utoipa::path(
    get, path = "/api/v1/blocklists/runs/{id}", tag = "blocklists", operation_id = "show_block_run",
    params(("id" = String, Path, description = "Of the run")),
    responses(
        (status = 200, description = "Every change, in its order", body = Changes),
        (status = 404, description = "No such run changed anything", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Changes>, Problem> {
    let mut changes = block_entries::of_run(&state.store, &id).await?;
    changes.retain(|change| visitor.may_at(Right::Federation, &change.server));
    if changes.is_empty() {
        return Err(Problem::not_found("no such run changed anything"));
    }
    let changes = changes
        .iter()
        .map(|change| serde_json::to_value(change).unwrap_or_default());
    Ok(Json(Changes {
        changes: changes.collect(),
    }))
}

/// Takes a run back: what it made is lifted, what it changed or lifted becomes what it was. Follows do not come back.
#[utoipa::path(
    post, path = "/api/v1/blocklists/runs/{id}/undo", tag = "blocklists", operation_id = "undo_block_run",
    params(("id" = String, Path, description = "Of the run")),
    responses(
        (status = 202, description = "The server's next run takes it back, through the ledger of effects"),
        (status = 404, description = "No such run changed anything", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The mode is `observe`, in which nothing is sent", body = Problem,
            content_type = "application/problem+json"),
    )
)]
async fn take_back(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    undo(&state, &visitor, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Writes the wish; the next run at each server that the run changed takes it back.
pub(crate) async fn undo(state: &State, visitor: &Visitor, run: &str) -> Result<(), Problem> {
    let changes = block_entries::of_run(&state.store, run).await?;
    let servers: std::collections::BTreeSet<String> = changes.into_iter().map(|change| change.server).collect();
    if servers.is_empty() {
        return Err(Problem::not_found("no such run changed anything"));
    }
    for server in &servers {
        visitor.demand(Right::Federation, server)?;
    }
    if mode(state).await? == job::Mode::Observe {
        return Err(Problem::new(409, "nothing is sent").because(
            "the mode of blocklists is observe: switch it to act, or use `egret blocks undo` to see what would be done",
        ));
    }
    let now = SystemClock.now();
    for server in servers {
        let wanted = block_plans::Plan {
            hash: wish(run),
            policy: wish(run),
            state: Is::Approved,
            plan: json!({ "run": run }),
            who: Some(visitor.name.clone()),
            run: None,
            made_at: now,
            changed_at: now,
            server,
        };
        block_plans::save(&state.store, &wanted).await?;
        wake(state, &wanted.server).await?;
    }
    Ok(())
}

/// What a wish to take a run back is called among the plans.
pub(crate) fn wish(run: &str) -> String {
    format!("undo {run}")
}
