//! The lists that are read, and what is held of them.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use serde::Serialize;
use store::block_sources::{self, Source};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wake;
use crate::{
    State,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(believe))
}

/// A list as last read.
#[derive(Debug, Serialize, ToSchema)]
struct List {
    /// Its name in the config.
    name: String,
    /// Rows that can be used.
    rows: i64,
    /// Rows that cannot.
    bad_rows: i64,
    /// Why the last reading did not help; its last good copy counts.
    trouble: Option<String>,
    /// Why what it lost counts on, or what it gained does not count yet.
    held: Option<String>,
    /// Readings that did not help, in a row.
    failures: i64,
    /// Last tried.
    checked_at: DateTime<Utc>,
    /// Last read well.
    good_at: Option<DateTime<Utc>>,
    /// When its content last changed.
    changed_at: Option<DateTime<Utc>>,
}

impl From<Source> for List {
    fn from(source: Source) -> Self {
        Self {
            name: source.name,
            rows: source.row_count,
            bad_rows: source.bad_count,
            trouble: source.trouble,
            held: source.held,
            failures: source.failures,
            checked_at: source.checked_at,
            good_at: source.good_at,
            changed_at: source.changed_at,
        }
    }
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
struct Lists {
    lists: Vec<List>,
}

/// How each list fares, by name.
#[utoipa::path(
    get, path = "/api/v1/blocklists/lists", tag = "blocklists", operation_id = "list_blocklists",
    responses((status = 200, description = "Every list that was read or tried", body = Lists))
)]
async fn list(Extract(state): Extract<State>) -> Result<Json<Lists>, Problem> {
    let lists = block_sources::health(&state.store).await?;
    Ok(Json(Lists {
        lists: lists.into_iter().map(List::from).collect(),
    }))
}

/// Agrees to what a list lost or gained: its newest copy counts as it is.
#[utoipa::path(
    post, path = "/api/v1/blocklists/lists/{name}/approve", tag = "blocklists", operation_id = "approve_blocklist",
    params(("name" = String, Path, description = "Of the list")),
    responses(
        (status = 202, description = "The next plans are made by it"),
        (status = 404, description = "There is no such list", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nothing of it is held", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn believe(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    approve(&state, &visitor, &name).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The same for the page.
pub(crate) async fn approve(state: &State, visitor: &Visitor, name: &str) -> Result<(), Problem> {
    // All servers' policies may rest on a list.
    visitor.demand(Right::Federation, "")?;
    if !::blocklists::gather::approve(&state.store, name, SystemClock.now()).await? {
        return match block_sources::load(&state.store, name).await? {
            None => Err(Problem::not_found("there is no such list")),
            Some(_) => Err(Problem::new(409, "not held").because("nothing of this list waits for anybody")),
        };
    }
    wake(state, "").await
}
