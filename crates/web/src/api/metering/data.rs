//! What was measured, row by row.

use axum::{
    extract::{Path, State as Extract},
    http::{Uri, header},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use metering::export;
use serde::Serialize;
use store::{metered_events, metered_points};
use utoipa::ToSchema;

use super::{Period, ROWS, one};
use crate::{
    State,
    api::{Query, paging},
    problem::Problem,
};

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
pub(super) async fn data(
    Extract(state): Extract<State>,
    uri: Uri,
    Path(id): Path<i64>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let account = one(&state, id).await?;
    let span = period.span()?;
    let (since, to) = span.ends();
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
