//! `/api/v1/registrations`: who asked for an account; approve, reject, hold; the audit.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use store::{
    applicants::{self, Applicant, Asked, Filter, State as Is},
    job_states,
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

const JOB: &str = "registrations.pending";

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(audit))
        .routes(routes!(show))
        .routes(routes!(wish))
}

/// Somebody who asked for an account.
#[derive(Debug, Serialize, ToSchema)]
struct Person {
    /// `host[:port]`.
    server: String,
    /// There.
    account_id: String,
    /// The name asked for; empty once forgotten.
    username: String,
    /// `null` once forgotten.
    email: Option<String>,
    /// `waiting`, `hold`, `veto`, `ready`, `approved`, `rejected`, `gone`, `ignored`.
    state: String,
    /// What the rules say.
    verdict: String,
    /// Which rule.
    rule: Option<String>,
    /// For people.
    why: String,
    /// Hash of the rules.
    ruleset: String,
    /// Why only a person moves them on.
    stopped: Option<String>,
    /// What a person wants.
    asked: Option<String>,
    /// Who.
    asked_by: Option<String>,
    /// End of the veto window.
    act_at: Option<DateTime<Utc>>,
    /// Signed up.
    signed_up_at: DateTime<Utc>,
    /// Approved, rejected or gone since.
    ended_at: Option<DateTime<Utc>>,
    /// By whom.
    ended_by: Option<String>,
    /// What was odd after the approval.
    flag: Option<String>,
    /// What was judged.
    #[schema(value_type = Object)]
    facts: serde_json::Value,
}

impl From<Applicant> for Person {
    fn from(one: Applicant) -> Self {
        Self {
            server: one.server,
            account_id: one.account_id,
            username: one.username,
            email: one.email,
            state: one.state.as_str().to_owned(),
            verdict: one.verdict,
            rule: one.rule,
            why: one.why,
            ruleset: one.ruleset,
            stopped: one.stopped,
            asked: one.asked,
            asked_by: one.asked_by,
            act_at: one.act_at,
            signed_up_at: one.signed_up_at,
            ended_at: one.ended_at,
            ended_by: one.ended_by,
            flag: one.flag,
            facts: one.facts,
        }
    }
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Params {
    /// Only in this state; default: everybody who waits.
    state: Option<String>,
    /// Only whose name, address or domain holds this.
    search: Option<String>,
    /// Only whom this rule judged.
    rule: Option<String>,
    /// Older than this one: the cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
struct Registrations {
    registrations: Vec<Person>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Who asked for an account, newest first.
#[utoipa::path(
    get, path = "/api/v1/registrations", tag = "registrations", operation_id = "list_registrations", params(Params),
    responses((status = 200, description = "A page of people, newest first", body = Registrations,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (people, next) = page(
        &state,
        &visitor,
        params.state.as_deref(),
        params.search.as_deref(),
        params.rule.as_deref(),
        params.before.as_deref(),
        params.limit,
    )
    .await?;
    let body = Registrations {
        registrations: people.into_iter().map(Person::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A page of people and where the next one begins.
pub(crate) async fn page(
    state: &State,
    visitor: &Visitor,
    is: Option<&str>,
    search: Option<&str>,
    rule: Option<&str>,
    before: Option<&str>,
    limit: Limit,
) -> Result<(Vec<Applicant>, Option<String>), Problem> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (search, rule) = (given(search), given(rule));
    let states = match given(is) {
        Some(name) => vec![Is::named(&name).ok_or_else(|| Problem::field(400, "state", "is none of the states"))?],
        None if search.is_some() || rule.is_some() => Vec::new(),
        None => Is::ALL.into_iter().filter(|is| !is.is_end()).collect(),
    };
    let before = paging::before(before, paging::moment)?.map(|(at, id)| (at, id.to_owned()));
    let filter = Filter {
        servers: visitor.servers(Right::Registrations).filter(),
        states,
        search,
        rule,
        before,
        ..Filter::default()
    };
    let mut people = applicants::list(&state.store, &filter, limit.get() + 1).await?;
    let next = limit.cut(&mut people, |one| paging::cursor(one.signed_up_at, &one.account_id));
    Ok((people, next))
}

/// One of them, with the history.
#[derive(Debug, Serialize, ToSchema)]
struct Registration {
    #[serde(flatten)]
    person: Person,
    history: Vec<Line>,
}

/// A line of somebody's history.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    /// Sorts by time.
    id: String,
    /// `host[:port]`.
    server: String,
    /// There.
    account_id: String,
    /// When.
    at: DateTime<Utc>,
    /// `judged`, `asked`, `ended`, `changed`, `looked`.
    kind: String,
    /// `egret`, a person, or `elsewhere`.
    by: String,
    /// What happened.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
}

impl From<applicants::History> for Line {
    fn from(line: applicants::History) -> Self {
        Self {
            id: line.id,
            server: line.server,
            account_id: line.account_id,
            at: line.at,
            kind: line.kind,
            by: line.by,
            detail: line.detail,
        }
    }
}

/// Somebody with all facts and the history.
#[utoipa::path(
    get, path = "/api/v1/registrations/{server}/{id}", tag = "registrations", operation_id = "show_registration",
    params(("server" = String, Path, description = "`host[:port]`"), ("id" = String, Path, description = "Of the account there")),
    responses(
        (status = 200, description = "The person", body = Registration),
        (status = 404, description = "Nobody is known by it", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, id)): Path<(String, String)>,
) -> Result<Json<Registration>, Problem> {
    let person = load(&state, &visitor, &server, &id).await?.into();
    let history = applicants::events(&state.store, &server, &id).await?;
    let history = history.into_iter().map(Line::from).collect();
    Ok(Json(Registration { person, history }))
}

/// One of them, or 404.
pub(crate) async fn load(state: &State, visitor: &Visitor, server: &str, id: &str) -> Result<Applicant, Problem> {
    visitor.demand(Right::Registrations, server)?;
    let found = applicants::load(&state.store, server, &[id.to_owned()]).await?.pop();
    found.ok_or_else(|| Problem::not_found("nobody is known by this server and id"))
}

/// What a person wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Want {
    /// `approve` (once the address is confirmed), `reject` (at once), `hold`, or `judge` (by the rules, anew).
    ask: String,
}

/// Lets somebody in, turns them away, or leaves them to people.
#[utoipa::path(
    post, path = "/api/v1/registrations/{server}/{id}", tag = "registrations", operation_id = "ask_registration", request_body = Want,
    params(("server" = String, Path, description = "`host[:port]`"), ("id" = String, Path, description = "Of the account there")),
    responses(
        (status = 202, description = "It is carried out within seconds, through the ledger of effects"),
        (status = 404, description = "Nobody is known by it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "They are through already", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn wish(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, id)): Path<(String, String)>,
    Body(Want { ask: what }): Body<Want>,
) -> Result<StatusCode, Problem> {
    let asked = Asked::named(&what).ok_or_else(|| Problem::field(422, "ask", "approve, reject, hold or judge"))?;
    ask(&state, &visitor, &server, &id, asked).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Writes the wish to the store and wakes the job.
pub(crate) async fn ask(state: &State, visitor: &Visitor, server: &str, id: &str, asked: Asked) -> Result<(), Problem> {
    visitor.demand(Right::Registrations, server)?;
    let now = SystemClock.now();
    if !applicants::ask(&state.store, server, id, asked, &visitor.name, now).await? {
        let one = load(state, visitor, server, id).await?;
        return Err(Problem::new(409, "through already").because(format!("they are {} already", one.state.as_str())));
    }
    job_states::wake(&state.store, JOB, server, now).await?;
    state.board.nudge();
    Ok(())
}

/// Which lines.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct AuditParams {
    /// Newer than this one: the cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200. A page has fewer where some are of servers that are not for whoever asks.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A page of the audit.
#[derive(Debug, Serialize, ToSchema)]
struct Audit {
    events: Vec<Line>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Everything that was ever decided, oldest first.
#[utoipa::path(
    get, path = "/api/v1/registrations/audit", tag = "registrations", operation_id = "audit_registrations", params(AuditParams),
    responses((status = 200, description = "A page of the audit, oldest first", body = Audit,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn audit(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<AuditParams>,
) -> Result<Response, Problem> {
    let after = params.before.unwrap_or_default();
    let mut lines = applicants::events_since(&state.store, &after, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut lines, |line| line.id.clone());
    lines.retain(|line| visitor.may_at(Right::Registrations, &line.server));
    let body = Audit {
        events: lines.into_iter().map(Line::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}
