//! Pictures of what only a token of ours shows.

use axum::{
    extract::{Path, State as Extract},
    response::Response,
};
use chrono::{DateTime, Utc};
use metering::{
    chart::{Chart, Panel, Series},
    posts,
};
use store::{measures, metered_followers, metered_statuses};

use super::{
    Period,
    graphs::{drawn, framed},
    own::{MOST, demand_number, owned, status_over_time},
};
use crate::{State, api::Query, problem::Problem, rights::Visitor};

/// Looks at statuses in one picture.
const POINTS: u32 = 100_000;

/// A number of a server over time.
async fn numbers_chart(state: &State, server: &str, key: &str, period: &Period) -> Result<Chart, Problem> {
    let (since, to) = period.span()?.ends();
    let rows = measures::range(&state.store, server, key, since.timestamp(), to.timestamp()).await?;
    let values: Vec<(i64, i64)> = rows.iter().map(|row| (row.at, row.value)).collect();
    let panel = Panel {
        title: format!("{server}: {key}"),
        series: vec![Series::spaced(key, &values)],
        flags: Vec::new(),
    };
    framed(vec![panel], period)
}

/// A picture of a number of a server of ours over time.
#[utoipa::path(
    get, path = "/api/v1/metering/servers/{server}/graphs/{key}", tag = "metering", operation_id = "metered_server_graph",
    params(("server" = String, Path, description = "The server's host"), ("key" = String, Path, description = "Of what: `users`, `week.logins`, …"), Period),
    responses(
        (status = 200, description = "The picture, as SVG or PNG", content_type = "image/svg+xml", body = String),
        (status = 403, description = "You may not see this number", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn graph_server(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, key)): Path<(String, String)>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    demand_number(&visitor, &server, &key)?;
    drawn(numbers_chart(&state, &server, &key, &period).await?, &period).await
}

/// What the days brought a login.
async fn gains(state: &State, login: &str, period: &Period) -> Result<Vec<posts::Gain>, Problem> {
    let span = period.span()?;
    let (since, to) = span.ends();
    let points = metered_statuses::points(&state.store, login, since.timestamp(), POINTS).await?;
    Ok(posts::gains(&points, since.timestamp(), to.timestamp(), span.zone))
}

/// A picture of what the days brought a login: replies, boosts and favourites of its statuses (`posts`), or who came and
/// who left (`followers`).
#[utoipa::path(
    get, path = "/api/v1/metering/logins/{server}/{name}/graphs/{what}", tag = "metering", operation_id = "metered_login_graph",
    params(("server" = String, Path, description = "The login's server"), ("name" = String, Path, description = "The login's name"),
        ("what" = String, Path, description = "`posts` or `followers`"), Period),
    responses(
        (status = 200, description = "The picture, as SVG or PNG", content_type = "image/svg+xml", body = String),
        (status = 403, description = "The login is somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such picture", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn graph_login(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, name, what)): Path<(String, String, String)>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let login = format!("{server}/{name}");
    owned(&visitor, &login)?;
    let panel = match what.as_str() {
        "posts" => {
            let gains = gains(&state, &login, &period).await?;
            let rows = gains
                .iter()
                .map(|gain| (gain.at, gain.replies, gain.reblogs, gain.favourites));
            posts::panel(format!("{login}: what each day brought"), Series::spaced, rows)
        }
        "followers" => {
            let span = period.span()?;
            let (since, to) = span.ends();
            let came = metered_followers::came(&state.store, &login, since, MOST).await?;
            let left = metered_followers::left(&state.store, &login, since, MOST).await?;
            let moments = |rows: Vec<metered_followers::Follower>,
                           at: fn(&metered_followers::Follower) -> Option<DateTime<Utc>>| {
                let moments: Vec<i64> = rows.iter().filter_map(|row| Some(at(row)?.timestamp())).collect();
                posts::per_day(&moments, (since.timestamp(), to.timestamp()), span.zone)
            };
            let (came, left) = (moments(came, |row| row.came_at), moments(left, |row| row.left_at));
            Panel {
                title: format!("{login}: who came and who left, by day"),
                series: vec![Series::spaced("came", &came), Series::spaced("left", &left)],
                flags: Vec::new(),
            }
        }
        _ => return Err(Problem::not_found("there are graphs of posts and followers")),
    };
    drawn(framed(vec![panel], &period)?, &period).await
}

/// A picture of what one of your statuses brought over time.
#[utoipa::path(
    get, path = "/api/v1/metering/logins/{server}/{name}/posts/{id}/graph", tag = "metering", operation_id = "metered_post_graph",
    params(("server" = String, Path, description = "The login's server"), ("name" = String, Path, description = "The login's name"),
        ("id" = String, Path, description = "The status, as its server calls it"), Period),
    responses(
        (status = 200, description = "The picture, as SVG or PNG", content_type = "image/svg+xml", body = String),
        (status = 403, description = "The login is somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It was never looked at", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn graph_status(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, name, id)): Path<(String, String, String)>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let (status, points) = status_over_time(&state, &visitor, &format!("{server}/{name}"), &id).await?;
    let start = (status.created_at.timestamp(), 0, 0, 0);
    let looked = points
        .iter()
        .map(|point| (point.at, point.replies, point.reblogs, point.favourites));
    // Rows are written where something changed: until then it stayed, and it stays until now.
    let end = points
        .last()
        .map(|last| (status.seen_at.timestamp(), last.replies, last.reblogs, last.favourites));
    let panel = posts::panel(
        status.url.clone(),
        Series::held,
        std::iter::once(start).chain(looked).chain(end),
    );
    drawn(framed(vec![panel], &period)?, &period).await
}
