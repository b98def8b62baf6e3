//! `/api/v1/metering`: accounts that are measured; add, remove, measure now; series, graphs and the report.

mod data;
pub(super) mod graphs;
mod own;
mod own_graphs;
mod period;
mod reports;

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use metering::address::Address;
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use store::{
    job_states,
    metered_accounts::{self, Filter, Metered},
    metered_points,
    metered_wishes::{self, Wish},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use own::routes as own_routes;
pub(crate) use own::{Whose, may_see_number, status_over_time};
pub(crate) use period::Period;
pub(crate) use reports::report_of;

use super::{
    Body, Query,
    paging::{self, Limit},
};
use crate::{State, problem::Problem};

/// Looks up what was asked for.
const JOB: &str = "metering.wishes";
/// How long an answer waits for an account to be looked up.
const PATIENCE: Duration = Duration::from_secs(3);
/// Accounts in one picture or report at most.
const MOST: usize = 200;
/// Rows of one account in a picture at most: thirty years of hours.
const ROWS: u32 = 262_144;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(data::data))
        .routes(routes!(graphs::graph))
        .routes(routes!(graphs::graphs))
        .routes(routes!(reports::tell_report))
        .routes(routes!(reports::openmetrics))
        .routes(routes!(show_wish))
}

pub(super) fn admin_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(remove))
        .routes(routes!(measure))
}

/// An account that is measured, and its newest counts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    /// Ours.
    pub(crate) id: i64,
    /// The actor.
    pub(crate) uri: String,
    /// The page for people.
    pub(crate) url: String,
    /// `user@domain`.
    pub(crate) acct: String,
    /// As it calls itself.
    pub(crate) name: String,
    /// Who is asked.
    pub(crate) host: String,
    /// `tracked`, `archived`, `removed`.
    pub(crate) state: String,
    /// Empty, `suspended`, `gone`.
    pub(crate) condition: String,
    /// The actor it moved to.
    pub(crate) moved_to: Option<String>,
    /// What it belongs to.
    pub(crate) groups: Vec<String>,
    /// Why it could not be measured.
    pub(crate) trouble: Option<String>,
    /// When it was added.
    pub(crate) added_at: DateTime<Utc>,
    /// When it was last measured.
    pub(crate) measured_at: Option<DateTime<Utc>>,
    /// Followers.
    pub(crate) followers: Option<i32>,
    /// Accounts followed.
    pub(crate) following: Option<i32>,
    /// Statuses written.
    pub(crate) statuses: Option<i32>,
}

/// Accounts with their groups and newest counts.
pub(crate) async fn told(state: &State, rows: Vec<Metered>) -> Result<Vec<Account>, Problem> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let newest = metered_points::newest(&state.store, &ids).await?;
    let groups = metered_accounts::groups_of(&state.store, &ids).await?;
    let account = |row: Metered| {
        let point = newest.iter().find(|point| point.account == row.id);
        Account {
            groups: groups
                .iter()
                .filter(|(id, _)| *id == row.id)
                .map(|(_, name)| name.clone())
                .collect(),
            measured_at: point
                .filter(|point| !point.is_gap())
                .and_then(|point| DateTime::from_timestamp(point.until(), 0)),
            followers: point.and_then(|point| point.followers),
            following: point.and_then(|point| point.following),
            statuses: point.and_then(|point| point.statuses),
            id: row.id,
            uri: row.uri,
            url: row.url,
            acct: row.acct,
            name: row.name,
            host: row.host,
            state: row.state,
            condition: row.condition,
            moved_to: row.moved_to,
            trouble: row.trouble,
            added_at: row.added_at,
        }
    };
    Ok(rows.into_iter().map(account).collect())
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// Only in this state: `tracked`, `archived`, `removed`; default: tracked and archived.
    pub(crate) state: Option<String>,
    /// Only of this group.
    pub(crate) group: Option<String>,
    /// Only of this host.
    pub(crate) host: Option<String>,
    /// Only whose name holds this.
    pub(crate) search: Option<String>,
    /// The cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A page of accounts, and where the next one begins.
pub(crate) async fn accounts(state: &State, params: &Params) -> Result<(Vec<Metered>, Option<String>), Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let after = paging::before(params.before.as_deref(), |text| text.parse().ok())?.unwrap_or_default();
    let states = match given(&params.state) {
        Some(state) if ["tracked", "archived", "removed"].contains(&state.as_str()) => vec![state],
        Some(_) => return Err(Problem::field(422, "state", "must be tracked, archived or removed")),
        None => vec!["tracked".to_owned(), "archived".to_owned()],
    };
    let filter = Filter {
        states,
        group: given(&params.group),
        host: given(&params.host),
        search: given(&params.search),
        after,
    };
    let mut rows = metered_accounts::list(&state.store, &filter, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut rows, |row| row.id.to_string());
    Ok((rows, next))
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
struct Accounts {
    accounts: Vec<Account>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Accounts that are measured, in the order in which they were added.
#[utoipa::path(
    get, path = "/api/v1/metering/accounts", tag = "metering", operation_id = "list_metered_accounts", params(Params),
    responses((status = 200, description = "A page of accounts", body = Accounts,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(Extract(state): Extract<State>, uri: Uri, Query(params): Query<Params>) -> Result<Response, Problem> {
    let (rows, next) = accounts(&state, &params).await?;
    let accounts = told(&state, rows).await?;
    let body = Accounts {
        accounts,
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// One account, or 404.
pub(crate) async fn one(state: &State, id: i64) -> Result<Metered, Problem> {
    let account = metered_accounts::load(&state.store, id).await?;
    account.ok_or_else(|| Problem::not_found("no account is measured under this id"))
}

/// An account that is measured.
#[utoipa::path(
    get, path = "/api/v1/metering/accounts/{id}", tag = "metering", operation_id = "show_metered_account",
    params(("id" = i64, Path, description = "Ours")),
    responses(
        (status = 200, description = "The account", body = Account),
        (status = 404, description = "No account is measured under this id", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(Extract(state): Extract<State>, Path(id): Path<i64>) -> Result<Json<Account>, Problem> {
    let row = one(&state, id).await?;
    let account = told(&state, vec![row]).await?.pop();
    account
        .map(Json)
        .ok_or_else(|| Problem::not_found("no account is measured under this id"))
}

/// Somebody to measure.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// `@user@host`, the address of a profile, or an id of your own server.
    address: String,
    /// What it is to belong to.
    #[serde(default)]
    groups: Vec<String>,
}

/// What came of a wish.
#[derive(Debug, Serialize, ToSchema)]
struct Outcome {
    /// The wish's id: ask for it again while it is `asked`.
    id: String,
    /// `asked`, `done`, `refused`.
    state: String,
    /// The account, once done.
    account: Option<i64>,
    /// Why not, or why not yet.
    reason: Option<String>,
}

impl From<Wish> for Outcome {
    fn from(wish: Wish) -> Self {
        Self {
            id: wish.id,
            state: wish.state,
            account: wish.account,
            reason: wish.reason,
        }
    }
}

/// Names of groups that can be kept.
pub(crate) fn check_groups(groups: &[String]) -> Result<(), Problem> {
    let odd = |group: &String| group.trim().is_empty() || group.len() > 100;
    if groups.len() > 50 || groups.iter().any(odd) {
        return Err(Problem::field(422, "groups", "at most 50, each of 1 to 100 bytes"));
    }
    Ok(())
}

/// Writes a wish down, wakes the job, and waits a little for what comes of it.
pub(crate) async fn ask(
    state: &State,
    address: &str,
    groups: Vec<String>,
    patience: Duration,
) -> Result<Wish, Problem> {
    Address::parse(address).map_err(|error| Problem::field(422, "address", error.to_string()))?;
    check_groups(&groups)?;
    let now = SystemClock.now();
    let wish = metering::wish(address.trim(), groups, "hand", now);
    metered_wishes::insert(&state.store, std::slice::from_ref(&wish)).await?;
    job_states::wake(&state.store, JOB, "", now).await?;
    state.board.nudge();
    let until = tokio::time::Instant::now() + patience;
    loop {
        let found = metered_wishes::load(&state.store, &wish.id).await?;
        match found {
            Some(found) if found.state != "asked" || tokio::time::Instant::now() >= until => return Ok(found),
            Some(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            None => return Ok(wish),
        }
    }
}

/// Measures an account from now on. One that is measured already keeps its id.
#[utoipa::path(
    post, path = "/api/v1/metering/accounts", tag = "metering", operation_id = "add_metered_account", request_body = Asked,
    responses(
        (status = 201, description = "It is measured; `account` is its id, the same however often it is added", body = Outcome),
        (status = 202, description = "Its server has not answered yet; ask for the wish again", body = Outcome),
        (status = 422, description = "No account can be found there", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn add(Extract(state): Extract<State>, Body(asked): Body<Asked>) -> Result<Response, Problem> {
    let wish = ask(&state, &asked.address, asked.groups, PATIENCE).await?;
    match wish.state.as_str() {
        "done" => Ok((StatusCode::CREATED, Json(Outcome::from(wish))).into_response()),
        "refused" => Err(Problem::field(422, "address", wish.reason.unwrap_or_default())),
        _ => Ok((StatusCode::ACCEPTED, Json(Outcome::from(wish))).into_response()),
    }
}

/// What came of a wish to measure an account.
#[utoipa::path(
    get, path = "/api/v1/metering/wishes/{id}", tag = "metering", operation_id = "show_metering_wish",
    params(("id" = String, Path, description = "As it was given")),
    responses(
        (status = 200, description = "What came of it", body = Outcome),
        (status = 404, description = "There is no such wish", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show_wish(Extract(state): Extract<State>, Path(id): Path<String>) -> Result<Json<Outcome>, Problem> {
    let wish = metered_wishes::load(&state.store, &id).await?;
    wish.map(|wish| Json(wish.into()))
        .ok_or_else(|| Problem::not_found("there is no such wish"))
}

/// How to remove an account.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Removal {
    /// Erases what was measured as well.
    purge: bool,
}

/// Stops measuring an account. What was measured stays, and adding it again goes on with it, unless `purge` is true.
#[utoipa::path(
    delete, path = "/api/v1/metering/accounts/{id}", tag = "metering", operation_id = "remove_metered_account",
    params(("id" = i64, Path, description = "Ours"), Removal),
    responses(
        (status = 204, description = "It is not measured any more"),
        (status = 404, description = "No account is measured under this id", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn remove(
    Extract(state): Extract<State>,
    Path(id): Path<i64>,
    Query(how): Query<Removal>,
) -> Result<StatusCode, Problem> {
    one(&state, id).await?;
    if how.purge {
        metered_accounts::purge(&state.store, id).await?;
    } else {
        metered_accounts::remove(&state.store, id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Measures an account now, beside its slot where that has a point.
#[utoipa::path(
    post, path = "/api/v1/metering/accounts/{id}/measure", tag = "metering", operation_id = "measure_account_now",
    params(("id" = i64, Path, description = "Ours")),
    responses(
        (status = 202, description = "It is measured within seconds", body = Outcome),
        (status = 404, description = "No account is measured under this id", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn measure(Extract(state): Extract<State>, Path(id): Path<i64>) -> Result<Response, Problem> {
    let account = one(&state, id).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(Outcome::from(measure_now(&state, &account).await?)),
    )
        .into_response())
}

/// Writes down that somebody wants an account measured now.
pub(crate) async fn measure_now(state: &State, account: &Metered) -> Result<Wish, Problem> {
    let now = SystemClock.now();
    let wish = metering::wish(&account.id.to_string(), Vec::new(), metering::NOW, now);
    metered_wishes::insert(&state.store, std::slice::from_ref(&wish)).await?;
    job_states::wake(&state.store, JOB, "", now).await?;
    state.board.nudge();
    Ok(wish)
}

/// The accounts that a request names: by id, by group, or all that are measured.
pub(crate) async fn named(state: &State, period: &Period, all: bool) -> Result<Vec<Metered>, Problem> {
    if let Some(ids) = period.accounts.as_deref().filter(|ids| !ids.is_empty()) {
        let mut found = Vec::new();
        for id in ids.split(',').take(MOST + 1) {
            let id = id
                .trim()
                .parse()
                .map_err(|_| Problem::field(422, "accounts", "must be ids with commas between"))?;
            found.push(one(state, id).await?);
        }
        if found.len() > MOST {
            return Err(Problem::field(422, "accounts", format!("at most {MOST} at once")));
        }
        return Ok(found);
    }
    let group = period.group.clone().filter(|group| !group.is_empty());
    if group.is_none() && !all {
        return Err(Problem::field(
            422,
            "accounts",
            "which? Write ids with commas between, or a group",
        ));
    }
    let filter = Filter {
        states: vec!["tracked".to_owned()],
        group,
        ..Filter::default()
    };
    let most = if all {
        100_000
    } else {
        u32::try_from(MOST).unwrap_or(u32::MAX)
    };
    Ok(metered_accounts::list(&state.store, &filter, most).await?)
}
