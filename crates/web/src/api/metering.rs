//! `/api/v1/metering`: accounts that are measured; add, remove, measure now; series, graphs and the report.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State as Extract},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use metering::{
    address::Address,
    chart::{Chart, Flag, Metric, Panel, Series, Theme},
    export, report,
};
use model::{Clock as _, SystemClock};
use serde::{Deserialize, Serialize};
use store::{
    job_states,
    metered_accounts::{self, Filter, Metered},
    metered_events, metered_points,
    metered_wishes::{self, Wish},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

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
        .routes(routes!(data))
        .routes(routes!(graph))
        .routes(routes!(graphs))
        .routes(routes!(tell_report))
        .routes(routes!(openmetrics))
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

/// Writes a wish down, wakes the job, and waits a little for what comes of it.
pub(crate) async fn ask(
    state: &State,
    address: &str,
    groups: Vec<String>,
    patience: Duration,
) -> Result<Wish, Problem> {
    Address::parse(address).map_err(|error| Problem::field(422, "address", error.to_string()))?;
    if groups.len() > 50 || groups.iter().any(|group| group.len() > 100) {
        return Err(Problem::field(422, "groups", "at most 50 of at most 100 bytes"));
    }
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

/// A period and how it is shown.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Period {
    /// From when: `2026-03-01`, `2026-03-01 03:00`, RFC 3339, or how far back: `24h`, `7d`, `month`.
    pub(crate) since: Option<String>,
    /// Until when, likewise; now where not said.
    pub(crate) to: Option<String>,
    /// Whose days count, as an IANA name; UTC where not said.
    pub(crate) zone: Option<String>,
    /// `json` or `csv` for data, `svg` or `png` for graphs, `json`, `text` or `html` for the report.
    pub(crate) format: Option<String>,
    /// `light` or `dark`.
    pub(crate) theme: Option<String>,
    /// Pixels across, 120 to 4000.
    pub(crate) width: Option<u32>,
    /// Pixels down, 60 to 4000.
    pub(crate) height: Option<u32>,
    /// Each pixel of a PNG as so many by so many, 1 to 4.
    pub(crate) scale: Option<u32>,
    /// 404 instead of a picture that says so where nothing was measured.
    pub(crate) strict: bool,
    /// Ids with commas between them, for comparisons and reports.
    pub(crate) accounts: Option<String>,
    /// The accounts of a group instead.
    pub(crate) group: Option<String>,
    /// Rows before this slot's successor were read already: the cursor of the page before.
    pub(crate) before: Option<String>,
    /// Rows of data, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub(crate) limit: Limit,
}

/// A period that was understood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    pub(crate) zone: Tz,
}

impl Period {
    pub(crate) fn span(&self) -> Result<Span, Problem> {
        let zone = match self.zone.as_deref().filter(|zone| !zone.is_empty()) {
            None => Tz::UTC,
            Some(name) => name
                .parse()
                .map_err(|_| Problem::field(422, "zone", "must be an IANA name such as Europe/Berlin"))?,
        };
        let read = |name: &'static str, text: &Option<String>| match text.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => moment(text, zone).map(Some).ok_or_else(|| {
                Problem::field(
                    422,
                    name,
                    "must be 2026-03-01, 2026-03-01 03:00, RFC 3339, or as far back as 24h or 7d",
                )
            }),
        };
        let (since, to) = (read("since", &self.since)?, read("to", &self.to)?);
        if since.zip(to).is_some_and(|(since, to)| since > to) {
            return Err(Problem::field(422, "since", "must not be later than `to`"));
        }
        Ok(Span { since, to, zone })
    }

    fn is_dark(&self) -> Result<bool, Problem> {
        match self.theme.as_deref() {
            None | Some("" | "light") => Ok(false),
            Some("dark") => Ok(true),
            Some(_) => Err(Problem::field(422, "theme", "must be light or dark")),
        }
    }
}

fn moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some(back) = report::period(text) {
        return SystemClock.now().checked_sub_signed(back);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let text = text.replace('T', " ");
    let naive = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M")
        .ok()
        .or_else(|| Some(text.parse::<NaiveDate>().ok()?.and_time(chrono::NaiveTime::MIN)))?;
    zone.from_local_datetime(&naive).earliest().map(|time| time.to_utc())
}

/// Something that happened to an account.
#[derive(Debug, Serialize, ToSchema)]
struct Event {
    /// When we saw it.
    at: DateTime<Utc>,
    /// `renamed`, `moved`, `suspended`, `deleted`, `returned`, `spike`, `drop`, `milestone`, `silent`.
    kind: String,
    /// What was before.
    was: Option<String>,
    /// What is now.
    became: Option<String>,
}

/// Rows of a series: the same counts at every slot from `slot` to `slot` + `span` seconds.
#[derive(Debug, Serialize, ToSchema)]
struct Data {
    /// Oldest first.
    #[schema(value_type = Vec<Object>)]
    data: Vec<export::Row>,
    /// On the first page.
    events: Vec<Event>,
    /// The next page's `before`; `null` on the last one.
    next: Option<String>,
}

/// What was measured of an account.
#[utoipa::path(
    get, path = "/api/v1/metering/accounts/{id}/data", tag = "metering", operation_id = "metered_data",
    params(("id" = i64, Path, description = "Ours"), Period),
    responses(
        (status = 200, description = "A page of rows, oldest first", body = Data,
            headers(("link" = String, description = "The next page, with `rel=\"next\"`"))),
        (status = 404, description = "No account is measured under this id", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No period", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn data(
    Extract(state): Extract<State>,
    uri: Uri,
    Path(id): Path<i64>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let account = one(&state, id).await?;
    let span = period.span()?;
    let (since, to) = (
        span.since.unwrap_or(DateTime::UNIX_EPOCH),
        span.to.unwrap_or_else(|| SystemClock.now()),
    );
    let cursor = paging::before(period.before.as_deref(), |text| text.parse::<i64>().ok())?;
    let csv = match period.format.as_deref() {
        None | Some("" | "json") => false,
        Some("csv") => true,
        Some(_) => return Err(Problem::field(422, "format", "must be json or csv")),
    };
    let from = cursor.map_or(since.timestamp(), |slot| {
        slot.max(since.timestamp().saturating_sub(1)) + 1
    });
    // One more shows that there is a next page, and one more comes where the last row of the page before reaches in.
    let limit = if csv { ROWS } else { period.limit.get() + 2 };
    let mut rows = metered_points::range(&state.store, id, from, to.timestamp(), limit).await?;
    // The row that reaches in was on the page before.
    rows.retain(|row| cursor.is_none_or(|slot| row.slot > slot));
    if csv {
        let mut text = format!("{}\n", export::HEADING);
        for row in &rows {
            text.push_str(&export::csv_line(&export::Row::of(&account, row)));
        }
        return Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response());
    }
    let next = period.limit.cut(&mut rows, |row| row.slot.to_string());
    let events = match cursor {
        Some(_) => Vec::new(),
        None => metered_events::range(&state.store, id, since, to, 1000).await?,
    };
    let body = Data {
        data: rows.iter().map(|row| export::Row::of(&account, row)).collect(),
        events: events
            .into_iter()
            .map(|event| Event {
                at: event.at,
                kind: event.kind,
                was: event.was,
                became: event.became,
            })
            .collect(),
        next: next.clone(),
    };
    Ok(paging::page(&uri, next.as_deref(), body))
}

/// Draws away from the threads that answer.
async fn drawn(chart: Chart, period: &Period) -> Result<Response, Problem> {
    let scale = period.scale.unwrap_or(1).clamp(1, 4);
    let png = match period.format.as_deref() {
        None | Some("" | "svg") => false,
        Some("png") => true,
        Some(_) => return Err(Problem::field(422, "format", "must be svg or png")),
    };
    if u64::from(chart.width.min(4000)) * u64::from(chart.height.min(4000)) * u64::from(scale * scale) > 16_000_000 {
        return Err(Problem::field(422, "scale", "a picture has at most 16 million pixels"));
    }
    let drawing = tokio::task::spawn_blocking(move || {
        if png {
            chart.png(scale)
        } else {
            chart.svg().into_bytes()
        }
    });
    let picture = drawing
        .await
        .map_err(|_| Problem::new(500, "this is a bug").because("the picture could not be drawn"))?;
    let kind = if png {
        "image/png"
    } else {
        "image/svg+xml; charset=utf-8"
    };
    Ok(([(header::CONTENT_TYPE, kind)], picture).into_response())
}

/// A chart of accounts: followers, following, statuses, or followers and statuses side by side.
async fn chart(state: &State, accounts: &[Metered], what: &str, period: &Period) -> Result<Chart, Problem> {
    let metrics = match what {
        "common" | "both" => vec![Metric::Followers, Metric::Statuses],
        word => vec![Metric::parse(word).ok_or_else(|| {
            Problem::not_found("there are graphs of followers, following, statuses and common (followers and statuses)")
        })?],
    };
    let span = period.span()?;
    let dark = period.is_dark()?;
    let (since, to) = (
        span.since.unwrap_or(DateTime::UNIX_EPOCH),
        span.to.unwrap_or_else(|| SystemClock.now()),
    );
    let mut rows = Vec::with_capacity(accounts.len());
    for account in accounts {
        rows.push(metered_points::range(&state.store, account.id, since.timestamp(), to.timestamp(), ROWS).await?);
    }
    if period.strict && rows.iter().flatten().all(metered_points::Point::is_gap) {
        return Err(Problem::not_found("nothing was measured in this period"));
    }
    let mut flags = Vec::new();
    if let [account] = accounts {
        let events = metered_events::range(&state.store, account.id, since, to, 200).await?;
        flags.extend(events.into_iter().map(|event| Flag {
            at: event.at.timestamp(),
            label: event.kind,
        }));
    }
    let panels = metrics
        .into_iter()
        .map(|metric| Panel {
            title: match accounts {
                [account] => format!("{}: {}", account.acct, metric.as_str()),
                _ => metric.as_str().to_owned(),
            },
            series: accounts
                .iter()
                .zip(&rows)
                .map(|(account, rows)| Series::of(&account.acct, metric, rows))
                .collect(),
            flags: flags.clone(),
        })
        .collect();
    let mut chart = Chart::new(panels, span.zone);
    chart.theme = if dark { Theme::Dark } else { Theme::Light };
    chart.width = period.width.unwrap_or(chart.width);
    chart.height = period.height.unwrap_or(chart.height);
    chart.since = span.since.map(|since| since.timestamp());
    chart.to = span.to.map(|to| to.timestamp());
    Ok(chart)
}

/// A picture of an account over time.
#[utoipa::path(
    get, path = "/api/v1/metering/accounts/{id}/graphs/{metric}", tag = "metering", operation_id = "metered_graph",
    params(("id" = i64, Path, description = "Ours"),
        ("metric" = String, Path, description = "`followers`, `following`, `statuses`, or `common` for followers and statuses"), Period),
    responses(
        (status = 200, description = "The picture, as SVG or PNG", content_type = "image/svg+xml", body = String),
        (status = 304, description = "It is the one you have"),
        (status = 404, description = "No account is measured under this id", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No period", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn graph(
    Extract(state): Extract<State>,
    Path((id, metric)): Path<(i64, String)>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let account = one(&state, id).await?;
    let chart = chart(&state, &[account], &metric, &period).await?;
    drawn(chart, &period).await
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

/// A picture that compares accounts.
#[utoipa::path(
    get, path = "/api/v1/metering/graphs/{metric}", tag = "metering", operation_id = "metered_comparison",
    params(("metric" = String, Path, description = "`followers`, `following`, `statuses`, or `common` for followers and statuses"), Period),
    responses(
        (status = 200, description = "The picture, as SVG or PNG", content_type = "image/svg+xml", body = String),
        (status = 304, description = "It is the one you have"),
        (status = 422, description = "No accounts, or no period", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn graphs(
    Extract(state): Extract<State>,
    Path(metric): Path<String>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let accounts = named(&state, &period, false).await?;
    let chart = chart(&state, &accounts, &metric, &period).await?;
    drawn(chart, &period).await
}

/// The report of a period; a day where none is named.
pub(crate) async fn report_of(state: &State, period: &Period) -> Result<(report::Report, Tz), Problem> {
    let span = period.span()?;
    let to = span.to.unwrap_or_else(|| SystemClock.now());
    let since = span.since.unwrap_or(to - chrono::TimeDelta::days(1));
    if since > to {
        return Err(Problem::field(422, "since", "must not be later than `to`"));
    }
    let accounts = named(state, period, true).await?;
    Ok((report::report(&state.store, &accounts, since, to).await?, span.zone))
}

/// What changed in a period, as JSON, as a text to paste, or as HTML.
#[utoipa::path(
    get, path = "/api/v1/metering/report", tag = "metering", operation_id = "metering_report", params(Period),
    responses(
        (status = 200, description = "The report", body = Object),
        (status = 422, description = "No period", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn tell_report(Extract(state): Extract<State>, Query(period): Query<Period>) -> Result<Response, Problem> {
    let (report, zone) = report_of(&state, &period).await?;
    match period.format.as_deref() {
        None | Some("" | "json") => Ok(Json(report).into_response()),
        Some("text") => Ok(report.text(zone, false).into_response()),
        Some("html") => {
            let page = maud::html! {
                ul { @for line in &report.accounts { li { (line.text(false)) } } }
            };
            Ok(page.into_response())
        }
        Some(_) => Err(Problem::field(422, "format", "must be json, text or html")),
    }
}

/// The newest counts for Prometheus and its kin, of at most 10,000 accounts.
#[utoipa::path(
    get, path = "/api/v1/metering/openmetrics", tag = "metering", operation_id = "metering_openmetrics", params(Period),
    responses((status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"))
)]
async fn openmetrics(Extract(state): Extract<State>, Query(period): Query<Period>) -> Result<Response, Problem> {
    let mut accounts = named(&state, &period, true).await?;
    accounts.truncate(export::MOST_METRICS as usize);
    let ids: Vec<i64> = accounts.iter().map(|account| account.id).collect();
    let mut newest: std::collections::HashMap<i64, metered_points::Point> = metered_points::newest(&state.store, &ids)
        .await?
        .into_iter()
        .map(|point| (point.account, point))
        .collect();
    let pairs: Vec<_> = accounts
        .into_iter()
        .filter_map(|account| {
            let point = newest.remove(&account.id)?;
            Some((account, point))
        })
        .collect();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], export::open_metrics(&pairs)).into_response())
}
