//! `/api/v1/backfill/…`: accounts whose posts are fetched, and how each of their servers fares.

use axum::{Json, extract::State as Extract, http::Uri, response::Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::backfills::{self, Backfill, Origin as OriginRow, State as Is};
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
        .routes(routes!(show))
        .routes(routes!(list_accounts))
        .routes(routes!(list_origins))
}

/// How far an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Not read yet.
    Waiting,
    /// Its list is being read.
    Reading,
    /// Read whole.
    Done,
    /// The last try ended early.
    Trouble,
    /// Whoever it is asked for it, or their host did.
    LeftAlone,
}

impl Stage {
    pub(crate) const ALL: [Self; 5] = [Self::Waiting, Self::Reading, Self::Done, Self::Trouble, Self::LeftAlone];

    pub(crate) fn of(state: Is) -> Self {
        match state {
            Is::Waiting => Self::Waiting,
            Is::Reading => Self::Reading,
            Is::Done => Self::Done,
            Is::Trouble => Self::Trouble,
            Is::LeftAlone => Self::LeftAlone,
        }
    }

    pub(crate) fn state(self) -> Is {
        match self {
            Self::Waiting => Is::Waiting,
            Self::Reading => Is::Reading,
            Self::Done => Is::Done,
            Self::Trouble => Is::Trouble,
            Self::LeftAlone => Is::LeftAlone,
        }
    }

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Done => "done",
            Self::Trouble => "trouble",
            Self::LeftAlone => "left_alone",
        }
    }
}

/// All accounts in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Numbers {
    /// Not read yet.
    pub(crate) waiting: i64,
    /// Being read.
    pub(crate) reading: i64,
    /// Read whole.
    pub(crate) done: i64,
    /// The last try ended early.
    pub(crate) trouble: i64,
    /// Whoever it is asked for it.
    pub(crate) left_alone: i64,
    /// Posts that their servers listed in each account's last round.
    pub(crate) listed: i64,
    /// Of those, how many home lacked.
    pub(crate) wanted: i64,
}

/// All accounts within reach in numbers.
pub(crate) async fn numbers(state: &State, visitor: &Visitor) -> Result<Numbers, Problem> {
    let within = visitor.servers(Right::View).filter();
    let mut all = Numbers::default();
    for row in backfills::counts(&state.store, within.as_deref()).await? {
        match row.state {
            Is::Waiting => all.waiting += row.accounts,
            Is::Reading => all.reading += row.accounts,
            Is::Done => all.done += row.accounts,
            Is::Trouble => all.trouble += row.accounts,
            Is::LeftAlone => all.left_alone += row.accounts,
        }
        all.listed += row.listed;
        all.wanted += row.wanted;
    }
    Ok(all)
}

/// How far all of it is.
#[utoipa::path(
    get, path = "/api/v1/backfill", tag = "backfill", operation_id = "show_backfill",
    responses((status = 200, description = "All accounts in numbers", body = Numbers))
)]
async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Json<Numbers>, Problem> {
    Ok(Json(numbers(&state, &visitor).await?))
}

/// An account whose posts are fetched.
#[derive(Debug, Serialize, ToSchema)]
struct Account {
    /// Our server.
    server: String,
    /// `user@domain`
    acct: String,
    /// Who asked first: `followings`, `followers`, …
    source: String,
    state: Stage,
    /// Posts that its server listed in this round.
    listed: i64,
    /// Of those, how many home lacked.
    wanted: i64,
    /// Failures in a row.
    failures: i64,
    /// Why the last try ended early, or why there is none.
    trouble: Option<String>,
    /// Start of the round under way.
    started_at: Option<DateTime<Utc>>,
    /// End of the last whole round.
    finished_at: Option<DateTime<Utc>>,
    /// Not before this; `null` is never again.
    next_at: Option<DateTime<Utc>>,
}

impl From<Backfill> for Account {
    fn from(row: Backfill) -> Self {
        Self {
            state: Stage::of(row.state()),
            server: row.server,
            acct: row.acct,
            source: row.source,
            listed: row.listed,
            wanted: row.wanted,
            failures: row.failures,
            trouble: row.trouble,
            started_at: row.started_at,
            finished_at: row.finished_at,
            next_at: row.next_at,
        }
    }
}

/// Which accounts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// Only those that are so far.
    pub(crate) state: Option<Stage>,
    /// The cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A page of accounts.
#[derive(Debug, Serialize, ToSchema)]
struct Accounts {
    accounts: Vec<Account>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// A page of the accounts within reach, by server and name, and where the next one begins.
pub(crate) async fn accounts(
    state: &State,
    visitor: &Visitor,
    params: &Params,
) -> Result<(Vec<Backfill>, Option<String>), Problem> {
    let after = paging::before(params.before.as_deref(), |text| text.split_once('~'))?;
    let within = visitor.servers(Right::View).filter();
    let (is, most) = (params.state.map(Stage::state), params.limit.get() + 1);
    let mut rows = backfills::page(&state.store, within.as_deref(), is, after, most).await?;
    let next = params
        .limit
        .cut(&mut rows, |row| format!("{}~{}", row.server, row.acct));
    Ok((rows, next))
}

/// Accounts whose posts are fetched, by server and name.
#[utoipa::path(
    get, path = "/api/v1/backfill/accounts", tag = "backfill", operation_id = "list_backfill_accounts", params(Params),
    responses((status = 200, description = "A page of accounts by name", body = Accounts,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list_accounts(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (rows, next) = accounts(&state, &visitor, &params).await?;
    let body = Accounts {
        accounts: rows.into_iter().map(Account::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A server that accounts come from.
#[derive(Debug, Serialize, ToSchema)]
struct Origin {
    /// As in the accounts' names.
    domain: String,
    /// Accounts from there.
    accounts: i64,
    /// Of those, read whole.
    done: i64,
    /// Of those, in trouble.
    trouble: i64,
    /// What it runs; empty where unknown.
    software: String,
    /// Failures in a row.
    failures: i64,
    /// Not asked before this.
    rests_until: Option<DateTime<Utc>>,
    /// The last failure.
    last_error: Option<String>,
}

impl From<OriginRow> for Origin {
    fn from(row: OriginRow) -> Self {
        Self {
            domain: row.domain,
            accounts: row.accounts,
            done: row.done,
            trouble: row.trouble,
            software: row.software.unwrap_or_default(),
            failures: row.failures.unwrap_or_default(),
            rests_until: row.rests_until,
            last_error: row.last_error,
        }
    }
}

/// How many.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Most {
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// Origins.
#[derive(Debug, Serialize, ToSchema)]
struct Origins {
    origins: Vec<Origin>,
}

/// Where the accounts within reach come from.
pub(crate) async fn origins(state: &State, visitor: &Visitor, most: u32) -> Result<Vec<OriginRow>, Problem> {
    let within = visitor.servers(Right::View).filter();
    Ok(backfills::origins(&state.store, within.as_deref(), most).await?)
}

/// Where accounts come from, those with most trouble first.
#[utoipa::path(
    get, path = "/api/v1/backfill/origins", tag = "backfill", operation_id = "list_backfill_origins", params(Most),
    responses((status = 200, description = "Origins, those with most trouble first", body = Origins))
)]
async fn list_origins(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(Most { limit }): Query<Most>,
) -> Result<Json<Origins>, Problem> {
    let origins = origins(&state, &visitor, limit.get()).await?;
    let origins = origins.into_iter().map(Origin::from).collect();
    Ok(Json(Origins { origins }))
}
