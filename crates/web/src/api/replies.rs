//! `/api/v1/replies/…`: threads that are followed, statuses that are wanted, and how each origin fares.

use axum::{extract::State as Extract, http::Uri, response::Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::{
    Before,
    hosts::{self, Origin as OriginRow},
    threads::{self, Thread as ThreadRow},
    wanted::{self, Wanted as WantedRow},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Query,
    paging::{self, Limit},
};
use crate::{State, overview::in_sight, problem::Problem, rights::Visitor};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list_threads))
        .routes(routes!(list_wanted))
        .routes(routes!(list_origins))
}

/// A page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A cursor of a moment, a server and a uri, as text.
fn cursor(at: DateTime<Utc>, server: &str, uri: &str) -> String {
    paging::cursor(at, &format!("{server}~{uri}"))
}

fn before(params: &Params) -> Result<Option<Before>, Problem> {
    paging::before(params.before.as_deref(), |text| {
        let (at, rest) = paging::moment(text)?;
        let (server, uri) = rest.split_once('~')?;
        Some(Before {
            at,
            server: server.to_owned(),
            uri: uri.to_owned(),
        })
    })
}

/// A status whose replies are looked after.
#[derive(Debug, Serialize, ToSchema)]
struct Thread {
    /// Our server.
    server: String,
    /// The status.
    uri: String,
    /// Its id on our server.
    status_id: String,
    /// Its origin.
    host: String,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// Replies the origin listed at the last visit.
    listed: i64,
    /// Of those, missing at home before it.
    missing: i64,
    /// Last visit.
    visited_at: Option<DateTime<Utc>>,
    /// Not before this.
    next_visit_at: DateTime<Utc>,
    /// Why the last visit brought nothing, if it could not.
    trouble: Option<String>,
}

impl From<ThreadRow> for Thread {
    fn from(row: ThreadRow) -> Self {
        Self {
            server: row.server,
            uri: row.uri,
            status_id: row.status_id,
            host: row.host,
            created_at: row.created_at,
            listed: row.listed,
            missing: row.missing,
            visited_at: row.visited_at,
            next_visit_at: row.next_visit_at,
            trouble: row.trouble,
        }
    }
}

/// A page of threads.
#[derive(Debug, Serialize, ToSchema)]
struct Threads {
    threads: Vec<Thread>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// A page of threads and where the next one begins.
pub(crate) async fn threads(
    state: &State,
    visitor: &Visitor,
    params: &Params,
) -> Result<(Vec<ThreadRow>, Option<String>), Problem> {
    let before = before(params)?;
    let servers = in_sight(state, visitor).await?;
    let mut rows = threads::page(&state.store, &servers, before.as_ref(), params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut rows, |row| {
        cursor(row.visited_at.unwrap_or(row.next_visit_at), &row.server, &row.uri)
    });
    Ok((rows, next))
}

/// Threads that were visited, last visited first.
#[utoipa::path(
    get, path = "/api/v1/replies/threads", tag = "replies", operation_id = "list_threads", params(Params),
    responses((status = 200, description = "A page of threads, last visited first", body = Threads,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list_threads(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (rows, next) = threads(&state, &visitor, &params).await?;
    let body = Threads {
        threads: rows.into_iter().map(Thread::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// What became of a wanted status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fate {
    /// To be fetched.
    #[default]
    Wanted,
    /// The server has it.
    Done,
    /// Given up after too many tries.
    Failed,
    /// Deleted at its origin.
    Gone,
    /// Its host is blocked.
    Blocked,
}

impl Fate {
    pub(crate) const ALL: [Self; 5] = [Self::Wanted, Self::Done, Self::Failed, Self::Gone, Self::Blocked];

    pub(crate) fn of(state: wanted::State) -> Self {
        match state {
            wanted::State::Wanted => Self::Wanted,
            wanted::State::Done => Self::Done,
            wanted::State::Failed => Self::Failed,
            wanted::State::Gone => Self::Gone,
            wanted::State::Blocked => Self::Blocked,
        }
    }

    pub(crate) fn state(self) -> wanted::State {
        match self {
            Self::Wanted => wanted::State::Wanted,
            Self::Done => wanted::State::Done,
            Self::Failed => wanted::State::Failed,
            Self::Gone => wanted::State::Gone,
            Self::Blocked => wanted::State::Blocked,
        }
    }

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Blocked => "blocked",
        }
    }
}

/// A status that a server should have.
#[derive(Debug, Serialize, ToSchema)]
struct Wanted {
    /// Our server.
    server: String,
    /// The status.
    uri: String,
    /// Its origin.
    host: String,
    /// Who wants it.
    feature: String,
    state: Fate,
    /// Its id on our server, once there.
    status_id: Option<String>,
    /// Times our server was asked to fetch it.
    tries: i64,
    /// Why the last try failed.
    reason: Option<String>,
    /// Not before this.
    next_try_at: DateTime<Utc>,
    /// First wanted.
    found_at: DateTime<Utc>,
    /// In this state since.
    ended_at: Option<DateTime<Utc>>,
}

impl From<WantedRow> for Wanted {
    fn from(row: WantedRow) -> Self {
        Self {
            server: row.server,
            uri: row.uri,
            host: row.host,
            feature: row.feature,
            state: Fate::of(row.state),
            status_id: row.status_id,
            tries: row.tries,
            reason: row.reason,
            next_try_at: row.next_try_at,
            found_at: row.found_at,
            ended_at: row.ended_at,
        }
    }
}

/// Which wanted statuses.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WantedParams {
    /// In this state; `wanted` where nobody says.
    pub(crate) state: Fate,
    /// The cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A page of wanted statuses.
#[derive(Debug, Serialize, ToSchema)]
struct WantedList {
    wanted: Vec<Wanted>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// A page of wanted statuses and where the next one begins.
pub(crate) async fn wanted(
    state: &State,
    visitor: &Visitor,
    params: WantedParams,
) -> Result<(Vec<WantedRow>, Option<String>), Problem> {
    let WantedParams {
        state: fate,
        before: text,
        limit,
    } = params;
    let before = before(&Params { before: text, limit })?;
    let servers = in_sight(state, visitor).await?;
    let mut rows = wanted::page(&state.store, &servers, fate.state(), before.as_ref(), limit.get() + 1).await?;
    let next = limit.cut(&mut rows, |row| {
        cursor(row.ended_at.unwrap_or(row.found_at), &row.server, &row.uri)
    });
    Ok((rows, next))
}

/// Statuses that our servers should have, those that changed last first.
#[utoipa::path(
    get, path = "/api/v1/replies/wanted", tag = "replies", operation_id = "list_wanted", params(WantedParams),
    responses((status = 200, description = "A page of statuses in one state", body = WantedList,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list_wanted(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<WantedParams>,
) -> Result<Response, Problem> {
    let (rows, next) = wanted(&state, &visitor, params).await?;
    let body = WantedList {
        wanted: rows.into_iter().map(Wanted::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A server that statuses come from.
#[derive(Debug, Serialize, ToSchema)]
struct Origin {
    /// `host[:port]`
    host: String,
    /// What it runs; empty where unknown.
    software: String,
    /// As told.
    version: String,
    /// Failures in a row.
    failures: i64,
    /// Not asked before this.
    rests_until: Option<DateTime<Utc>>,
    /// The last failure.
    last_error: Option<String>,
    /// When it was last asked what it runs.
    checked_at: Option<DateTime<Utc>>,
}

impl From<OriginRow> for Origin {
    fn from(row: OriginRow) -> Self {
        Self {
            host: row.host,
            software: row.software,
            version: row.version,
            failures: row.failures,
            rests_until: row.rests_until,
            last_error: row.last_error,
            checked_at: row.checked_at,
        }
    }
}

/// A page of origins.
#[derive(Debug, Serialize, ToSchema)]
struct Origins {
    origins: Vec<Origin>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// A page of origins by name, and where the next one begins.
pub(crate) async fn origins(state: &State, params: &Params) -> Result<(Vec<OriginRow>, Option<String>), Problem> {
    let after = params.before.as_deref().filter(|text| !text.is_empty());
    let mut rows = hosts::page(&state.store, after, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut rows, |row| row.host.clone());
    Ok((rows, next))
}

/// Origins by name, and how each fares.
#[utoipa::path(
    get, path = "/api/v1/replies/origins", tag = "replies", operation_id = "list_origins", params(Params),
    responses((status = 200, description = "A page of origins by name", body = Origins,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list_origins(
    Extract(state): Extract<State>,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (rows, next) = origins(&state, &params).await?;
    let body = Origins {
        origins: rows.into_iter().map(Origin::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}
