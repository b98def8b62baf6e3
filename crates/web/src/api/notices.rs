//! `/api/v1/notices`: what somebody should hear of, and that somebody did.

use axum::{
    extract::{Path, State as Extract},
    http::{StatusCode, Uri},
    response::Response,
};
use chrono::{DateTime, Utc};
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
pub(crate) use store::notices::Notice;
use store::notices::{self, Severity};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Query,
    paging::{self, Limit},
};
use crate::{
    State,
    overview::Health,
    problem::Problem,
    rights::{Right, Visitor},
};

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(seen))
}

/// Notices on the Overview, at most.
const FEW: u32 = 20;

/// Whose a notice is, and what may be done with it.
pub(crate) trait Reach {
    /// The login or server that it is about; nothing where it is about the daemon or a whole feature.
    fn scope(&self) -> &str;
    /// Whether it is for them: what waits in a feature, for those who look after it; the others, for all who see the
    /// login or job that it is about.
    fn is_for(&self, visitor: &Visitor) -> bool;
    /// Whether they may say for all that it was seen.
    fn may_be_marked_by(&self, visitor: &Visitor) -> bool;
}

impl Reach for Notice {
    fn scope(&self) -> &str {
        match self.kind.as_str() {
            // Of a job: its name, then its scope.
            "rest" => self.about.split_once(' ').map_or("", |(_, scope)| scope),
            _ => &self.about,
        }
    }

    fn is_for(&self, visitor: &Visitor) -> bool {
        let right = match Right::of_feature(&self.feature) {
            Right::Admin => Right::View,
            right => right,
        };
        visitor.may_at(right, self.scope())
    }

    fn may_be_marked_by(&self, visitor: &Visitor) -> bool {
        visitor.may_at(Right::of_feature(&self.feature), self.scope())
    }
}

/// What nobody saw yet and the Overview does not tell anyway: a login in trouble and a job that rests are told for as
/// long as they are.
pub(crate) async fn news(state: &State, visitor: &Visitor, health: &Health) -> Result<Vec<Notice>, Problem> {
    let mut rows = notices::list(&state.store, true, None, 10 * FEW).await?;
    rows.retain(|row| {
        let told = match row.kind.as_str() {
            "token" => health.logins.iter().any(|login| login.login == row.about),
            "rest" => health
                .resting
                .iter()
                .any(|live| format!("{} {}", live.job, live.scope).trim_end() == row.about),
            _ => false,
        };
        !told && row.is_for(visitor)
    });
    rows.truncate(FEW as usize);
    Ok(rows)
}

/// How much it matters.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Weight {
    /// Good to know.
    Info,
    /// Something waits for somebody.
    Warning,
    /// Something does not work until somebody mends it.
    Error,
}

/// One thing to hear of.
#[derive(Debug, Serialize, ToSchema)]
struct Told {
    /// Sorts by time; the cursor of a page.
    id: String,
    /// `blocklists`, …
    feature: String,
    /// `quota`, `token`, `rest`, …
    kind: String,
    /// Which login, job, …; empty for the whole feature.
    about: String,
    severity: Weight,
    /// What happened, and what to do.
    text: String,
    /// When it happened first that day.
    created_at: DateTime<Utc>,
    /// When somebody saw it.
    seen_at: Option<DateTime<Utc>>,
}

impl From<Notice> for Told {
    fn from(row: Notice) -> Self {
        Self {
            id: row.id,
            feature: row.feature,
            kind: row.kind,
            about: row.about,
            severity: match row.severity {
                Severity::Info => Weight::Info,
                Severity::Warning => Weight::Warning,
                Severity::Error => Weight::Error,
            },
            text: row.text,
            created_at: row.created_at,
            seen_at: row.seen_at,
        }
    }
}

/// Which notices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Params {
    /// Only those that nobody saw.
    unseen: bool,
    /// Older than this one: the cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200. A page has fewer where some are not for whoever asks.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// A page of notices.
#[derive(Debug, Serialize, ToSchema)]
struct Notices {
    notices: Vec<Told>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// What somebody should hear of, newest first: tokens that are refused, quotas used up, jobs that rest.
#[utoipa::path(
    get, path = "/api/v1/notices", tag = "notices", operation_id = "list_notices", params(Params),
    responses((status = 200, description = "A page of notices, newest first", body = Notices,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let before = params.before.as_deref().filter(|id| !id.is_empty());
    let mut rows = notices::list(&state.store, params.unseen, before, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut rows, |row| row.id.clone());
    rows.retain(|row| row.is_for(&visitor));
    let body = Notices {
        notices: rows.into_iter().map(Told::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// Says for all that a notice was seen. One that was seen already stays so.
pub(crate) async fn mark_seen(state: &State, visitor: &Visitor, id: &str) -> Result<(), Problem> {
    let missing = || Problem::not_found("there is no such notice, or it was forgotten");
    let row = notices::load(&state.store, id).await?.ok_or_else(missing)?;
    if !row.is_for(visitor) {
        return Err(missing());
    }
    visitor.demand(Right::of_feature(&row.feature), row.scope())?;
    notices::mark_seen(&state.store, id, SystemClock.now()).await?;
    Ok(())
}

/// Says that a notice was seen: the Overview shows it to nobody any more.
#[utoipa::path(
    post, path = "/api/v1/notices/{id}/seen", tag = "notices", operation_id = "see_notice",
    params(("id" = String, Path, description = "Of the notice")),
    responses(
        (status = 204, description = "It was seen"),
        (status = 404, description = "There is no such notice", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn seen(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    mark_seen(&state, &visitor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
