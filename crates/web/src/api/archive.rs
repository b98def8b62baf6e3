//! `/api/v1/archive/…`: what is kept of somebody's own activity. Everybody sees their own logins' and nobody else's:
//! followers-only statuses and direct messages are among it.

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::Uri,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::archive::{
    self, Activity as ActivityRow, Kept, Version,
    search::{self, Term},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Query,
    paging::{self, Limit},
};
use crate::{State, problem::Problem, rights::Visitor};

/// Statuses of one thread that are shown.
const THREAD: usize = 300;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list_statuses))
        .routes(routes!(show_status))
}

/// The logins whose archive they may see.
pub(crate) async fn logins(state: &State, visitor: &Visitor) -> Result<Vec<String>, Problem> {
    Ok(theirs(state, visitor).await?.0)
}

/// The same, and how many others there are.
pub(crate) async fn theirs(state: &State, visitor: &Visitor) -> Result<(Vec<String>, usize), Problem> {
    let all = archive::logins(&state.store).await?;
    let one_person = state.sign_in.is_one_person_s();
    let (theirs, others): (Vec<String>, Vec<String>) = all
        .into_iter()
        .partition(|login| visitor.reads_archive_of(login, one_person));
    Ok((theirs, others.len()))
}

/// A search.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// Words, "phrases", begin*, -without, and filters such as `from:user@host` and `kind:bookmark`.
    pub(crate) q: String,
    /// The cursor of the page before.
    pub(crate) before: Option<String>,
    /// How many, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// What a login has to do with a status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Activity {
    /// `host/name`.
    pub(crate) login: String,
    /// post, boost, favourite, bookmark, mention, poll, conversation, parent, link or thread.
    pub(crate) kind: String,
    /// When it was done, where the server tells.
    pub(crate) at: Option<DateTime<Utc>>,
    /// First seen.
    pub(crate) noticed_at: DateTime<Utc>,
    /// Noticed to be taken back.
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// A piece of text; `hit` is what was looked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Piece {
    /// The text.
    pub(crate) text: String,
    /// Whether it was looked for.
    pub(crate) hit: bool,
}

/// A kept status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// Its id here.
    pub(crate) id: String,
    /// Its identity across servers.
    pub(crate) uri: String,
    /// The page for people.
    pub(crate) url: Option<String>,
    /// `user@domain`.
    pub(crate) author: String,
    /// As shown.
    pub(crate) author_name: String,
    /// When it was written.
    pub(crate) created_at: DateTime<Utc>,
    /// When it was last edited.
    pub(crate) edited_at: Option<DateTime<Utc>>,
    /// Noticed to be deleted.
    pub(crate) gone_at: Option<DateTime<Utc>>,
    /// public, unlisted, private or direct.
    pub(crate) visibility: String,
    /// Its language.
    pub(crate) language: Option<String>,
    /// The content warning.
    pub(crate) spoiler: String,
    /// Its text, without markup.
    pub(crate) text: String,
    /// The piece around what was looked for.
    pub(crate) snippet: Vec<Piece>,
    /// What your logins have to do with it.
    pub(crate) activities: Vec<Activity>,
}

impl Status {
    fn of(kept: Kept, activities: &[ActivityRow], terms: &[Term], logins: &[String]) -> Self {
        let found = ::archive::found(kept, activities, terms, Some(logins));
        Self {
            id: found.id.to_string(),
            uri: found.uri,
            url: found.url,
            author: found.author,
            author_name: found.author_name,
            created_at: found.created_at,
            edited_at: found.edited_at,
            gone_at: found.gone_at,
            visibility: found.visibility,
            language: found.language,
            spoiler: found.spoiler,
            text: found.text,
            snippet: found
                .snippet
                .into_iter()
                .map(|piece| Piece {
                    text: piece.text,
                    hit: piece.hit,
                })
                .collect(),
            activities: found
                .activities
                .into_iter()
                .map(|row| Activity {
                    login: row.login,
                    kind: row.kind,
                    at: row.at,
                    noticed_at: row.noticed_at,
                    ended_at: row.ended_at,
                })
                .collect(),
        }
    }
}

/// A page of statuses.
#[derive(Debug, Serialize, ToSchema)]
struct Statuses {
    statuses: Vec<Status>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// A page of what was found, newest first, and where the next one begins.
pub(crate) async fn statuses(
    state: &State,
    visitor: &Visitor,
    params: &Params,
) -> Result<(Vec<Status>, Option<String>), Problem> {
    let logins = logins(state, visitor).await?;
    let mut filter = ::archive::parse(&params.q).map_err(|error| Problem::field(400, "q", error))?;
    // Whatever was asked for: within what is theirs.
    let asked = filter.logins.take();
    filter.logins = Some(match asked {
        Some(asked) => asked.into_iter().filter(|login| logins.contains(login)).collect(),
        None => logins.clone(),
    });
    filter.before = paging::before(params.before.as_deref(), |text| text.parse().ok())?;
    let mut rows = search::search(&state.store, &filter, params.limit.get() + 1).await?;
    let next = params.limit.cut(&mut rows, |row| row.id.to_string());
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let activities = archive::activities(&state.store, &ids).await?;
    let found = rows
        .into_iter()
        .map(|row| Status::of(row, &activities, &filter.terms, &logins));
    Ok((found.collect(), next))
}

/// What is kept and fits, newest first.
#[utoipa::path(
    get, path = "/api/v1/archive/statuses", tag = "archive", operation_id = "list_archive_statuses", params(Params),
    responses((status = 200, description = "A page of your own logins' archive, newest first", body = Statuses,
        headers(("link" = String, description = "The next page, with `rel=\"next\"`"))))
)]
async fn list_statuses(
    Extract(state): Extract<State>,
    visitor: Visitor,
    uri: Uri,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    let (statuses, next) = statuses(&state, &visitor, &params).await?;
    let body = Statuses {
        statuses,
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// A status with what belongs to it, as rows.
pub(crate) struct Whole {
    pub(crate) kept: Kept,
    pub(crate) versions: Vec<Version>,
    /// The thread as far as it is kept and theirs, oldest first.
    pub(crate) thread: Vec<Kept>,
    pub(crate) activities: Vec<ActivityRow>,
    pub(crate) logins: Vec<String>,
}

/// A status of theirs.
pub(crate) async fn whole(state: &State, visitor: &Visitor, id: i64) -> Result<Whole, Problem> {
    let logins = logins(state, visitor).await?;
    let absent = || Problem::not_found("no such status is kept for you");
    let kept = archive::load(&state.store, id).await?.ok_or_else(absent)?;
    let mut thread = archive::thread(&state.store, id, THREAD).await?;
    let ids: Vec<i64> = thread.iter().map(|kept| kept.id).collect();
    let (activities, others): (Vec<_>, Vec<_>) = archive::activities(&state.store, &ids)
        .await?
        .into_iter()
        .partition(|activity| logins.contains(&activity.login));
    let theirs = |id: i64| activities.iter().any(|activity| activity.status == id);
    if !theirs(id) {
        return Err(absent());
    }
    thread.retain(|kept| theirs(kept.id));
    let mut versions = archive::versions(&state.store, id).await?;
    // One row serves all logins, and its JSON is what the server told one of them.
    let is_shared = |id: i64| others.iter().any(|activity| activity.status == id);
    let mut kept = kept;
    for one in thread.iter_mut().chain([&mut kept]).filter(|one| is_shared(one.id)) {
        one.body = for_everybody(&one.body);
    }
    for version in versions.iter_mut().filter(|version| is_shared(version.status)) {
        version.body = for_everybody(&version.body);
    }
    Ok(Whole {
        kept,
        versions,
        thread,
        activities,
        logins,
    })
}

/// A status's JSON without what its server tells one login alone: what that did with it, and what it may see quoted.
fn for_everybody(body: &str) -> String {
    const PERSONAL: [&str; 6] = ["favourited", "reblogged", "muted", "bookmarked", "filtered", "pinned"];
    let Ok(Value::Object(mut status)) = serde_json::from_str(body) else {
        return "{}".to_owned();
    };
    status.retain(|name, _| !PERSONAL.contains(&name.as_str()));
    if let Some(poll) = status.get_mut("poll").and_then(Value::as_object_mut) {
        poll.retain(|name, _| name != "voted" && name != "own_votes");
    }
    if let Some(quote) = status.get_mut("quote").and_then(Value::as_object_mut) {
        let quoted = quote.get("quoted_status").and_then(Value::as_object);
        let is_open = quoted.is_some_and(|quoted| {
            let visibility = quoted.get("visibility").and_then(Value::as_str);
            matches!(visibility, Some("public" | "unlisted"))
        });
        match quote.get_mut("quoted_status").and_then(Value::as_object_mut) {
            Some(quoted) if is_open => quoted.retain(|name, _| !PERSONAL.contains(&name.as_str()) && name != "poll"),
            _ => drop(quote.remove("quoted_status")),
        }
    }
    Value::Object(status).to_string()
}

/// An earlier version.
#[derive(Debug, Serialize, ToSchema)]
struct Earlier {
    /// From when on it said so.
    version_at: DateTime<Utc>,
    /// When it was seen.
    seen_at: DateTime<Utc>,
    /// The server's own JSON: a `Status` or a `StatusEdit`.
    #[schema(value_type = Object)]
    body: Value,
}

/// A status and what belongs to it.
#[derive(Debug, Serialize, ToSchema)]
struct Shown {
    status: Status,
    /// The server's own JSON.
    #[schema(value_type = Object)]
    body: Value,
    /// What it said before, oldest first.
    versions: Vec<Earlier>,
    /// The thread around it as far as it is kept, oldest first.
    thread: Vec<Status>,
}

/// A status with its versions and the thread around it.
#[utoipa::path(
    get, path = "/api/v1/archive/statuses/{id}", tag = "archive", operation_id = "show_archive_status",
    params(("id" = String, Path, description = "Its id here")),
    responses((status = 200, description = "The status", body = Shown), (status = 404, description = "Not kept, or not yours"))
)]
async fn show_status(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Result<Json<Shown>, Problem> {
    let whole = whole(&state, &visitor, id).await?;
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let of = |kept| Status::of(kept, &whole.activities, &[], &whole.logins);
    Ok(Json(Shown {
        body: json(&whole.kept.body),
        status: of(whole.kept),
        versions: whole
            .versions
            .iter()
            .map(|version| Earlier {
                version_at: version.version_at,
                seen_at: version.seen_at,
                body: json(&version.body),
            })
            .collect(),
        thread: whole.thread.into_iter().map(of).collect(),
    }))
}
