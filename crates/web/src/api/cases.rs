//! `/api/v1/moderation/cases`: what rules have against whom; approve, dismiss, escalate, exempt; the audit.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    response::Response,
};
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use store::{
    cases::{self, Asked, Case, Filter, State as Is},
    job_states, rule_hits,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Body, Query,
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
        .routes(routes!(wish))
}

/// The audit is of all servers.
pub(super) fn audit_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(audit))
}

/// Which cases.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// `open`, `ready`, `reported`, `resolved`, `dismissed`, `gone`; default: all that are not over.
    pub(crate) state: Option<String>,
    /// Only of whose name holds this, or with this reference.
    pub(crate) search: Option<String>,
    /// Only that this rule spoke in.
    pub(crate) rule: Option<String>,
    /// Only of accounts at this domain.
    pub(crate) domain: Option<String>,
    /// Older than this one: the cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
struct Cases {
    #[schema(value_type = Vec<Object>)]
    cases: Vec<Case>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Cases, newest first.
#[utoipa::path(
    get, path = "/api/v1/moderation/cases", tag = "moderation", operation_id = "list_cases", params(Params),
    responses((status = 200, description = "A page of cases, newest first", body = Cases,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (cases, next) = page(&state, &visitor, &params).await?;
    let body = Cases {
        cases,
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A page of cases and where the next one begins.
pub(crate) async fn page(
    state: &State,
    visitor: &Visitor,
    params: &Params,
) -> Result<(Vec<Case>, Option<String>), Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (search, rule, domain) = (given(&params.search), given(&params.rule), given(&params.domain));
    let states = match given(&params.state) {
        Some(name) => vec![Is::named(&name).ok_or_else(|| Problem::field(400, "state", "is none of the states"))?],
        None if search.is_some() || rule.is_some() || domain.is_some() => Vec::new(),
        None => Is::ALL.into_iter().filter(|is| !is.is_end()).collect(),
    };
    let filter = Filter {
        servers: visitor.servers(Right::Moderation).filter(),
        states,
        search,
        rule,
        domain,
        before: given(&params.before),
    };
    let mut cases = cases::list(&state.store, &filter, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut cases, |case| case.id.clone());
    Ok((cases, next))
}

/// A case with all that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
struct Whole {
    #[schema(value_type = Object)]
    case: Case,
    /// What rules matched; without the words once they were forgotten.
    #[schema(value_type = Vec<Object>)]
    evidence: Vec<rule_hits::Hit>,
    /// What happened, oldest first.
    #[schema(value_type = Vec<Object>)]
    history: Vec<cases::Line>,
    /// The report as it would go out now.
    #[schema(value_type = Object)]
    report: serde_json::Value,
}

/// A case with its evidence, its history and what would be sent.
#[utoipa::path(
    get, path = "/api/v1/moderation/cases/{id}", tag = "moderation", operation_id = "show_case",
    params(("id" = String, Path, description = "Its id, or its reference")),
    responses(
        (status = 200, description = "The case", body = Whole),
        (status = 404, description = "There is none of this id", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Json<Whole>, Problem> {
    let case = load(&state, &visitor, &id).await?;
    let evidence = rule_hits::of_case(&state.store, &case.id, 200).await?;
    let history = cases::lines(&state.store, &case.id).await?;
    let report = would_send(&state, &case, &evidence).await?;
    Ok(Json(Whole {
        case,
        evidence,
        history,
        report,
    }))
}

/// The report of a case as it would go out now.
pub(crate) async fn would_send(
    state: &State,
    case: &Case,
    hits: &[rule_hits::Hit],
) -> Result<serde_json::Value, Problem> {
    let pages = state.sign_in.base();
    Ok(moderation::would_send(&state.store, case, hits, pages.as_str()).await?)
}

/// One of them, or 404; 403 where it is of a server that is not for whoever asks.
pub(crate) async fn load(state: &State, visitor: &Visitor, id: &str) -> Result<Case, Problem> {
    let case = cases::load(&state.store, id).await?;
    let case = case.ok_or_else(|| Problem::not_found("there is no case of this id"))?;
    visitor.demand(Right::Moderation, &case.server)?;
    Ok(case)
}

/// What a person wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Want {
    /// `approve` (file the report), `dismiss` (nothing is in it), `escalate`, or `exempt` (nothing is in it, and rules
    /// leave the account alone).
    ask: String,
    /// Why, for the history.
    #[serde(default)]
    note: String,
}

/// Says what is to be done about a case.
#[utoipa::path(
    post, path = "/api/v1/moderation/cases/{id}", tag = "moderation", operation_id = "ask_case", request_body = Want,
    params(("id" = String, Path, description = "Its id, or its reference")),
    responses(
        (status = 202, description = "It is carried out within seconds, through the ledger of effects"),
        (status = 404, description = "There is none of this id", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over already", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn wish(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
    Body(Want { ask: what, note }): Body<Want>,
) -> Result<StatusCode, Problem> {
    let asked =
        Asked::named(&what).ok_or_else(|| Problem::field(422, "ask", "approve, dismiss, escalate or exempt"))?;
    ask(&state, &visitor, &id, asked, &note).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Writes the wish to the store and wakes the job.
pub(crate) async fn ask(state: &State, visitor: &Visitor, id: &str, asked: Asked, note: &str) -> Result<Case, Problem> {
    let case = load(state, visitor, id).await?;
    let now = SystemClock.now();
    let note: String = note.chars().take(500).collect();
    if !cases::ask(&state.store, &case.id, asked, &visitor.name, &note, now).await? {
        return Err(Problem::new(409, "over already").because(format!("the case is {} already", case.state.as_str())));
    }
    job_states::wake(&state.store, moderation::CASES, &case.server, now).await?;
    state.board.nudge();
    Ok(case)
}

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct AuditParams {
    /// Newer than this one: the cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A page of the audit.
#[derive(Debug, Serialize, ToSchema)]
struct Audit {
    #[schema(value_type = Vec<Object>)]
    events: Vec<cases::Line>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Everything that ever happened to cases and rules, oldest first.
#[utoipa::path(
    get, path = "/api/v1/moderation/audit", tag = "moderation", operation_id = "audit_moderation", params(AuditParams),
    responses((status = 200, description = "A page of the audit, oldest first", body = Audit,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn audit(
    Extract(state): Extract<State>,
    uri: Uri,
    Query(params): Query<AuditParams>,
) -> Result<Response, Problem> {
    let after = params.before.unwrap_or_default();
    let mut events = cases::lines_since(&state.store, &after, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut events, |line| line.id.clone());
    let body = Audit {
        events,
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}
