//! Who is blocked, and why.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::Uri,
    response::Response,
};
use blocklists::why::Explanation;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use store::block_entries::{self, Entry as Row};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

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
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Which of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Params {
    /// Only domains that contain this.
    search: Option<String>,
    /// The cursor of the page before.
    before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
}

/// What we know of one domain on one server.
#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    /// `host[:port]`.
    server: String,
    /// Which.
    domain: String,
    /// `ours`, `drifted`, `dismissed`, `covered`, `quarantined`.
    #[schema(value_type = String)]
    state: block_entries::State,
    /// The block as the server showed it after our last change.
    #[schema(value_type = Option<Object>)]
    block: Option<serde_json::Value>,
    /// The rule, and the lists that asked for it.
    #[schema(value_type = Object)]
    reason: serde_json::Value,
    /// Wanted harder, but followed, since.
    capped_since: Option<DateTime<Utc>>,
    /// Of a staged suspension: told of, since.
    told_at: Option<DateTime<Utc>>,
    /// For people.
    note: Option<String>,
    /// Last touched.
    changed_at: DateTime<Utc>,
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            server: row.server,
            domain: row.domain,
            state: row.state,
            block: row.written,
            reason: row.reason,
            capped_since: row.capped_since,
            told_at: row.told_at,
            note: row.note,
            changed_at: row.changed_at,
        }
    }
}

/// A page of domains.
#[derive(Debug, Serialize, ToSchema)]
struct Domains {
    domains: Vec<Entry>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// Domains on record, by name: blocks that are ours, and those that deliberately are not.
#[utoipa::path(
    get, path = "/api/v1/blocklists/domains", tag = "blocklists", operation_id = "list_blocked_domains", params(Params),
    responses((status = 200, description = "A page of domains, by name", body = Domains,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let after = paging::before(params.before.as_deref(), |text| text.split_once('~'))?.unwrap_or_default();
    let search = params.search.unwrap_or_default();
    let within = visitor.servers(Right::Federation).filter();
    let most = params.limit.get() + 1;
    let mut rows = block_entries::search(&state.store, within.as_deref(), search.trim(), after, most).await?;
    let next = params
        .limit
        .cut(&mut rows, |row| format!("{}~{}", row.domain, row.server));
    let body = Domains {
        domains: rows.into_iter().map(Entry::from).collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// Why a domain is blocked, or is not.
#[derive(Debug, Serialize, ToSchema)]
struct Why {
    /// Normalised.
    domain: String,
    /// Per policy: `severity`, `verdict`, who `says` what, and what it is `covered_by`.
    #[schema(value_type = Vec<Object>)]
    policies: Vec<serde_json::Value>,
    /// What we know of it, per server.
    servers: Vec<Entry>,
    /// What we changed, newest first: `action`, `before`, `after`, `reason`, `who`, `run`, `undone_by`.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<serde_json::Value>,
}

/// Why a domain is blocked, or is not: every list, every rule, every change, from the store alone.
#[utoipa::path(
    get, path = "/api/v1/blocklists/domains/{domain}", tag = "blocklists", operation_id = "explain_domain",
    params(("domain" = String, Path, description = "In any spelling")),
    responses(
        (status = 200, description = "All that is known of it", body = Why),
        (status = 404, description = "It is no domain", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(domain): Path<String>,
) -> Result<Json<Why>, Problem> {
    let told = explain(&state, &visitor, &domain)
        .await?
        .ok_or_else(|| Problem::not_found("this is no domain"))?;
    let json = |value| serde_json::to_value(value).unwrap_or_default();
    Ok(Json(Why {
        policies: told
            .policies
            .iter()
            .map(|it| serde_json::to_value(it).unwrap_or_default())
            .collect(),
        changes: told.changes.iter().map(json).collect(),
        servers: told.servers.into_iter().map(Entry::from).collect(),
        domain: told.domain,
    }))
}

/// Why a domain is blocked or is not within reach, by the lists and policies that the job last used; `None` when it is
/// no domain.
pub(crate) async fn explain(state: &State, visitor: &Visitor, domain: &str) -> Result<Option<Explanation>, Problem> {
    let stored = store::block_plans::config(&state.store).await?;
    let config = stored
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default();
    let mut told = ::blocklists::why::why(&state.store, &config, domain).await?;
    if let Some(told) = &mut told {
        let here = |server: &str| visitor.may_at(Right::Federation, server);
        told.servers.retain(|entry| here(&entry.server));
        told.changes.retain(|change| here(&change.server));
    }
    Ok(told)
}
