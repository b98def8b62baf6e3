//! What would change on each server, and what of it waits for somebody.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use serde::Serialize;
use store::block_plans::{self, State as Is};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::wake;
use crate::{
    State,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(approve))
        .routes(routes!(dismiss))
}

/// A plan for one server.
#[derive(Debug, Serialize, ToSchema)]
struct Plan {
    /// `host[:port]`.
    server: String,
    /// Names it: of what it does, and of the blocks that were there.
    hash: String,
    /// By which policy.
    policy: String,
    /// `open`, `approved`, `dismissed`, `applied`, `stale`.
    #[schema(value_type = String)]
    state: Is,
    /// Who approved or dismissed it.
    who: Option<String>,
    /// The run that carried it out.
    run: Option<String>,
    /// When it was made.
    made_at: DateTime<Utc>,
    /// When its state last changed.
    changed_at: DateTime<Utc>,
    /// `operations` with their reasons, `notes` on what stays, `doubts`: as `egret blocks plan --json` prints it.
    #[schema(value_type = Object)]
    plan: serde_json::Value,
}

impl From<block_plans::Plan> for Plan {
    fn from(stored: block_plans::Plan) -> Self {
        Self {
            server: stored.server,
            hash: stored.hash,
            policy: stored.policy,
            state: stored.state,
            who: stored.who,
            run: stored.run,
            made_at: stored.made_at,
            changed_at: stored.changed_at,
            plan: stored.plan,
        }
    }
}

/// One for each server, or more where somebody is asked about one.
#[derive(Debug, Serialize, ToSchema)]
struct Plans {
    plans: Vec<Plan>,
}

/// Plans that are open or approved, and for servers without one the last that was carried out, by server.
#[utoipa::path(
    get, path = "/api/v1/blocklists/plans", tag = "blocklists", operation_id = "list_block_plans",
    responses((status = 200, description = "Where each server stands", body = Plans))
)]
async fn list(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Plans>, Problem> {
    let plans = current(&state, &visitor).await?;
    Ok(Json(Plans {
        plans: plans.into_iter().map(Plan::from).collect(),
    }))
}

/// The plans within reach.
pub(crate) async fn current(state: &State, visitor: &Visitor) -> Result<Vec<block_plans::Plan>, Problem> {
    let mut plans = block_plans::current(&state.store).await?;
    plans.retain(|plan| visitor.may_at(Right::Federation, &plan.server));
    Ok(plans)
}

/// A plan, whatever became of it.
#[utoipa::path(
    get, path = "/api/v1/blocklists/plans/{hash}", tag = "blocklists", operation_id = "show_block_plan",
    params(("hash" = String, Path, description = "Of the plan, or how it begins (8 characters)")),
    responses(
        (status = 200, description = "The plan", body = Plan),
        (status = 404, description = "There is no such plan", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(hash): Path<String>,
) -> Result<Json<Plan>, Problem> {
    Ok(Json(load(&state, &visitor, &hash).await?.into()))
}

async fn load(state: &State, visitor: &Visitor, hash: &str) -> Result<block_plans::Plan, Problem> {
    let found = block_plans::load(&state.store, hash).await?;
    let found = found.filter(|plan| visitor.may_at(Right::Federation, &plan.server));
    found.ok_or_else(|| Problem::not_found("there is no such plan"))
}

/// Agrees to what waits in a plan: the server's next run carries it out, or plans anew if the server changed since.
#[utoipa::path(
    post, path = "/api/v1/blocklists/plans/{hash}/approve", tag = "blocklists", operation_id = "approve_block_plan",
    params(("hash" = String, Path, description = "Of the plan, or how it begins (8 characters)")),
    responses(
        (status = 202, description = "The server's next run carries it out, through the ledger of effects"),
        (status = 404, description = "There is no such plan", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A newer one took its place, or somebody decided on it", body = Problem,
            content_type = "application/problem+json"),
    )
)]
async fn approve(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(hash): Path<String>,
) -> Result<StatusCode, Problem> {
    let plan = load(&state, &visitor, &hash).await?;
    decide(&state, &visitor, &plan.server, &plan.hash, Is::Approved).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Says no to what waits in a plan: it stays undone, and is not asked about again.
#[utoipa::path(
    post, path = "/api/v1/blocklists/plans/{hash}/dismiss", tag = "blocklists", operation_id = "dismiss_block_plan",
    params(("hash" = String, Path, description = "Of the plan, or how it begins (8 characters)")),
    responses(
        (status = 204, description = "It is dismissed"),
        (status = 404, description = "There is no such plan", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A newer one took its place, or somebody decided on it", body = Problem,
            content_type = "application/problem+json"),
    )
)]
async fn dismiss(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(hash): Path<String>,
) -> Result<StatusCode, Problem> {
    let plan = load(&state, &visitor, &hash).await?;
    decide(&state, &visitor, &plan.server, &plan.hash, Is::Dismissed).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes what somebody decided; what is approved is carried out by the next run.
pub(crate) async fn decide(state: &State, visitor: &Visitor, server: &str, hash: &str, to: Is) -> Result<(), Problem> {
    visitor.demand(Right::Federation, server)?;
    let now = SystemClock.now();
    if !block_plans::advance(&state.store, server, hash, to, Some(&visitor.name), None, now).await? {
        return Err(
            Problem::new(409, "too late").because("the plan was replaced by a newer one, or somebody decided on it")
        );
    }
    if to == Is::Approved {
        wake(state, server).await?;
    }
    Ok(())
}
