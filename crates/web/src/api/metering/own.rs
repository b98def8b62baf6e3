//! `/api/v1/metering/posts`, `/followers`, `/servers`: what only a token of ours shows, for whom it is.

use axum::{
    Json,
    extract::{Path, State as Extract},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use metering::{posts, report};
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use store::{measures, metered_followers, metered_statuses};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::own_graphs;
use crate::{
    State,
    api::Query,
    problem::Problem,
    rights::{Right, Visitor},
};

/// Statuses and followers that one answer looks at.
pub(super) const MOST: u32 = 10_000;

pub(crate) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(show_posts))
        .routes(routes!(show_followers))
        .routes(routes!(show_servers))
        .routes(routes!(show_status))
        .routes(routes!(own_graphs::graph_status))
        .routes(routes!(own_graphs::graph_login))
        .routes(routes!(own_graphs::graph_server))
}

/// Whose, and since when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Whose {
    /// `server/login`; your own where you have one only.
    pub(crate) login: Option<String>,
    /// How far back: `24h`, `7d`, `month`, `year`; 30 days where not said.
    pub(crate) since: Option<String>,
    /// Whose hours count, as an IANA name; UTC where not said.
    pub(crate) zone: Option<String>,
}

impl Whose {
    pub(crate) fn since(&self) -> Result<DateTime<Utc>, Problem> {
        let back = match self.since.as_deref().filter(|text| !text.is_empty()) {
            None => TimeDelta::days(30),
            Some(word) => report::period(word)
                .ok_or_else(|| Problem::field(422, "since", "must be as far back as 24h, 7d, month or year"))?,
        };
        Ok(SystemClock
            .now()
            .checked_sub_signed(back)
            .unwrap_or(DateTime::UNIX_EPOCH))
    }

    pub(crate) fn zone(&self) -> Result<Tz, Problem> {
        match self.zone.as_deref().filter(|zone| !zone.is_empty()) {
            None => Ok(Tz::UTC),
            Some(name) => name
                .parse()
                .map_err(|_| Problem::field(422, "zone", "must be an IANA name such as Europe/Berlin")),
        }
    }

    /// The login that is asked about, which must be the visitor's own.
    pub(crate) fn login(&self, visitor: &Visitor) -> Result<String, Problem> {
        let own = || {
            visitor
                .grants()
                .iter()
                .filter_map(|grant| grant.scope())
                .find(|scope| scope.contains('/'))
        };
        let login = match self.login.as_deref().filter(|login| !login.is_empty()) {
            Some(login) => login.to_owned(),
            None => own()
                .map(str::to_owned)
                .ok_or_else(|| Problem::field(422, "login", "whose? Write server/login"))?,
        };
        owned(visitor, &login)?;
        Ok(login)
    }
}

pub(super) fn owned(visitor: &Visitor, login: &str) -> Result<(), Problem> {
    if visitor.owns(login) {
        Ok(())
    } else {
        Err(Problem::new(403, "not yours").because("what a login's owner wrote and who follows them is for them"))
    }
}

/// A status and what it brought.
#[derive(Debug, Serialize, ToSchema)]
struct Post {
    /// On its server.
    id: String,
    /// For people.
    url: String,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// Its hashtags.
    tags: Vec<String>,
    /// Replies.
    replies: i64,
    /// Boosts.
    reblogs: i64,
    /// Favourites.
    favourites: i64,
}

impl Post {
    fn of(status: &metered_statuses::Status) -> Self {
        Self {
            id: status.status_id.clone(),
            url: status.url.clone(),
            created_at: status.created_at,
            tags: status.tags.clone(),
            replies: status.replies,
            reblogs: status.reblogs,
            favourites: status.favourites,
        }
    }
}

/// What brought most.
#[derive(Debug, Serialize, ToSchema)]
struct Posts {
    /// Whose.
    login: String,
    /// The twenty that brought most.
    top: Vec<Post>,
    /// What each tag brought, best first.
    #[schema(value_type = Vec<Object>)]
    tags: Vec<posts::Brought>,
    /// What each hour brought.
    #[schema(value_type = Vec<Object>)]
    hours: Vec<posts::Brought>,
    /// What each day of the week brought.
    #[schema(value_type = Vec<Object>)]
    days: Vec<posts::Brought>,
}

/// Which of your statuses, tags and hours brought most.
#[utoipa::path(
    get, path = "/api/v1/metering/posts", tag = "metering", operation_id = "metered_posts", params(Whose),
    responses(
        (status = 200, description = "What brought most", body = Posts),
        (status = 403, description = "The login is somebody else's", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show_posts(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(params): Query<Whose>,
) -> Result<Json<Posts>, Problem> {
    let (login, since, zone) = (params.login(&visitor)?, params.since()?, params.zone()?);
    let statuses = metered_statuses::since(&state.store, &login, since, MOST).await?;
    let mut tags = posts::tags(&statuses);
    tags.truncate(100);
    Ok(Json(Posts {
        login,
        top: posts::top(&statuses, 20).into_iter().map(Post::of).collect(),
        tags,
        hours: posts::hours(&statuses, zone),
        days: posts::days(&statuses, zone),
    }))
}

/// Somebody who came or left.
#[derive(Debug, Serialize, ToSchema)]
struct Follower {
    /// As your server spells it.
    acct: String,
    /// The actor.
    uri: String,
    /// When that was noticed.
    at: Option<DateTime<Utc>>,
}

/// Who came and who left.
#[derive(Debug, Serialize, ToSchema)]
struct Followers {
    /// Whose.
    login: String,
    /// Newest first.
    came: Vec<Follower>,
    /// Newest first.
    left: Vec<Follower>,
}

/// Who followed you, and who does not any more, as far as your server tells.
#[utoipa::path(
    get, path = "/api/v1/metering/followers", tag = "metering", operation_id = "metered_followers", params(Whose),
    responses(
        (status = 200, description = "Who came and who left", body = Followers),
        (status = 403, description = "The login is somebody else's", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show_followers(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(params): Query<Whose>,
) -> Result<Json<Followers>, Problem> {
    let (login, since) = (params.login(&visitor)?, params.since()?);
    let came = metered_followers::came(&state.store, &login, since, MOST).await?;
    let left = metered_followers::left(&state.store, &login, since, MOST).await?;
    let told = |row: metered_followers::Follower, at: Option<DateTime<Utc>>| Follower {
        acct: row.acct,
        uri: row.uri,
        at,
    };
    Ok(Json(Followers {
        login,
        came: came
            .into_iter()
            .map(|row| {
                let at = row.came_at;
                told(row, at)
            })
            .collect(),
        left: left
            .into_iter()
            .map(|row| {
                let at = row.left_at;
                told(row, at)
            })
            .collect(),
    }))
}

/// Which number of which server.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
struct Which {
    /// The server's host; without one, what is known of each.
    server: Option<String>,
    /// Of what: `users`, `week.logins`, `admin.new_users`, …
    key: Option<String>,
    /// How far back: `24h`, `7d`, `month`, `year`; a year where not said.
    since: Option<String>,
}

/// What is known of a server.
#[derive(Debug, Serialize, ToSchema)]
struct Known {
    server: String,
    key: String,
}

/// A number of a server.
#[derive(Debug, Serialize, ToSchema)]
struct Measure {
    at: Option<DateTime<Utc>>,
    value: i64,
}

/// Whether a number is for those only who administer the server.
fn is_for_admins(key: &str) -> bool {
    !matches!(key, "users" | "statuses" | "domains" | "active_month") && !key.starts_with("week.")
}

/// Whether a visitor may see a number of a server.
pub(crate) fn may_see_number(visitor: &Visitor, server: &str, key: &str) -> bool {
    let right = if is_for_admins(key) {
        Right::Moderation
    } else {
        Right::View
    };
    visitor.may_at(right, server)
}

pub(super) fn demand_number(visitor: &Visitor, server: &str, key: &str) -> Result<(), Problem> {
    if may_see_number(visitor, server, key) {
        return Ok(());
    }
    let right = if is_for_admins(key) {
        Right::Moderation
    } else {
        Right::View
    };
    visitor.demand(right, server)
}

/// What servers of ours count of themselves, over time. What their admins see is for their admins.
#[utoipa::path(
    get, path = "/api/v1/metering/servers", tag = "metering", operation_id = "metered_servers", params(Which),
    responses(
        (status = 200, description = "One number over time, oldest first; or which there are", body = Object),
        (status = 403, description = "You may not see this number", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show_servers(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let (Some(server), Some(key)) = (&which.server, &which.key) else {
        let known = measures::keys(&state.store)
            .await?
            .into_iter()
            .filter(|(server, key)| may_see_number(&visitor, server, key));
        let known: Vec<Known> = known.map(|(server, key)| Known { server, key }).collect();
        return Ok(Json(serde_json::json!({ "known": known })).into_response());
    };
    demand_number(&visitor, server, key)?;
    let back = match which.since.as_deref().filter(|text| !text.is_empty()) {
        None => TimeDelta::days(365),
        Some(word) => report::period(word)
            .ok_or_else(|| Problem::field(422, "since", "must be as far back as 24h, 7d, month or year"))?,
    };
    let now = SystemClock.now();
    let since = now.checked_sub_signed(back).unwrap_or(DateTime::UNIX_EPOCH);
    let rows = measures::range(&state.store, server, key, since.timestamp(), now.timestamp()).await?;
    let rows: Vec<Measure> = rows
        .into_iter()
        .map(|row| Measure {
            at: DateTime::from_timestamp(row.at, 0),
            value: row.value,
        })
        .collect();
    Ok(Json(serde_json::json!({ "server": server, "key": key, "measures": rows })).into_response())
}

/// What a status brought over time.
#[derive(Debug, Serialize, ToSchema)]
struct Brought {
    #[serde(flatten)]
    post: Post,
    /// Oldest first.
    points: Vec<BroughtAt>,
}

/// What a status had brought at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct BroughtAt {
    at: Option<DateTime<Utc>>,
    replies: i64,
    reblogs: i64,
    favourites: i64,
}

/// One of a login's statuses and what it had brought over time, or 404.
pub(crate) async fn status_over_time(
    state: &State,
    visitor: &Visitor,
    login: &str,
    id: &str,
) -> Result<(metered_statuses::Status, Vec<metered_statuses::StatusPoint>), Problem> {
    owned(visitor, login)?;
    let status = metered_statuses::load(&state.store, login, id).await?;
    let status =
        status.ok_or_else(|| Problem::not_found("this login has no such status, or it was not looked at yet"))?;
    Ok((status, metered_statuses::points_of(&state.store, login, id).await?))
}

/// What one of your statuses brought over time.
#[utoipa::path(
    get, path = "/api/v1/metering/logins/{server}/{name}/posts/{id}", tag = "metering", operation_id = "metered_post",
    params(("server" = String, Path, description = "The login's server"), ("name" = String, Path, description = "The login's name"),
        ("id" = String, Path, description = "The status, as its server calls it")),
    responses(
        (status = 200, description = "What it brought", body = Brought),
        (status = 403, description = "The login is somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It was never looked at", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn show_status(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, name, id)): Path<(String, String, String)>,
) -> Result<Json<Brought>, Problem> {
    let (status, points) = status_over_time(&state, &visitor, &format!("{server}/{name}"), &id).await?;
    let points = points.into_iter().map(|point| BroughtAt {
        at: DateTime::from_timestamp(point.at, 0),
        replies: point.replies,
        reblogs: point.reblogs,
        favourites: point.favourites,
    });
    Ok(Json(Brought {
        post: Post::of(&status),
        points: points.collect(),
    }))
}
