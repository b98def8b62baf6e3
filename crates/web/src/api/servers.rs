//! `/api/v1/servers`, `/api/v1/logins`: the servers that we hold tokens for, how each login fares, and its budget.

use axum::{Json, extract::State as Extract};
use chrono::{DateTime, Utc};
use serde::Serialize;
use store::servers;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    State,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(logins))
}

/// A server as last seen.
#[derive(Debug, Serialize, ToSchema)]
struct Server {
    /// `host[:port]`
    host: String,
    /// Of its accounts.
    domain: String,
    /// As told.
    version: String,
    /// `api_versions.mastodon`
    api_version: Option<i64>,
    /// When it was asked.
    checked_at: DateTime<Utc>,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
struct Servers {
    servers: Vec<Server>,
}

/// The servers that we hold tokens for.
#[utoipa::path(
    get, path = "/api/v1/servers", tag = "servers", operation_id = "list_servers",
    responses((status = 200, description = "Every server, as last seen", body = Servers))
)]
async fn list(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Servers>, Problem> {
    let rows = seen(&state, &visitor).await?;
    let servers = rows
        .into_iter()
        .map(|row| Server {
            host: row.host,
            domain: row.domain,
            version: row.version,
            api_version: row.api_version,
            checked_at: row.checked_at,
        })
        .collect();
    Ok(Json(Servers { servers }))
}

/// One of a login's budgets of requests.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Budget {
    /// `all`, or `paging`: requests with a cursor spend from both.
    pub(crate) kind: &'static str,
    /// Requests in a window.
    pub(crate) limit: u32,
    /// Of these, left.
    pub(crate) left: u32,
    /// Until the window ends; `null` where none is open.
    pub(crate) resets_in_seconds: Option<u64>,
}

/// How a login fares.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Login {
    /// `server/login`
    pub(crate) login: String,
    /// Its account, once known.
    pub(crate) acct: Option<String>,
    /// The token, masked.
    pub(crate) token: String,
    /// What is wrong, if anything.
    pub(crate) trouble: Option<String>,
    /// When it was checked.
    pub(crate) checked_at: DateTime<Utc>,
    /// Empty before it asked anything.
    pub(crate) budgets: Vec<Budget>,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
struct Logins {
    logins: Vec<Login>,
}

/// How each login fares, and what is left of its budgets.
#[utoipa::path(
    get, path = "/api/v1/logins", tag = "servers", operation_id = "list_logins",
    responses((status = 200, description = "Every login", body = Logins))
)]
async fn logins(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Logins>, Problem> {
    let logins = all(&state, &visitor).await?;
    Ok(Json(Logins { logins }))
}

/// The servers within reach, which the Overview shows as well.
pub(crate) async fn seen(state: &State, visitor: &Visitor) -> Result<Vec<servers::Server>, Problem> {
    let mut rows = servers::list(&state.store).await?;
    rows.retain(|row| visitor.may_at(Right::View, &row.host));
    Ok(rows)
}

/// The logins within reach, which the Overview shows as well.
pub(crate) async fn all(state: &State, visitor: &Visitor) -> Result<Vec<Login>, Problem> {
    let budgets = state.board.budgets();
    let mut rows = servers::list_logins(&state.store).await?;
    rows.retain(|row| visitor.may_at(Right::View, &row.login));
    Ok(rows
        .into_iter()
        .map(|row| Login {
            budgets: budgets
                .iter()
                .filter(|budget| budget.login == row.login)
                .map(|budget| Budget {
                    kind: if budget.paging { "paging" } else { "all" },
                    limit: budget.limit,
                    left: budget.left,
                    resets_in_seconds: budget.resets_in.map(|wait| wait.as_secs()),
                })
                .collect(),
            login: row.login,
            acct: row.acct,
            token: row.masked,
            trouble: row.trouble,
            checked_at: row.checked_at,
        })
        .collect())
}
