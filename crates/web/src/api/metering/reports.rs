//! The report, and the newest counts for scrapers.

use axum::{
    Json,
    extract::State as Extract,
    http::header,
    response::{IntoResponse as _, Response},
};
use chrono_tz::Tz;
use metering::{export, report};
use model::{Clock as _, SystemClock};
use store::metered_points;

use super::{Period, named};
use crate::{State, api::Query, problem::Problem};

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
pub(super) async fn tell_report(
    Extract(state): Extract<State>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let (report, zone) = report_of(&state, &period).await?;
    match period.format.as_deref() {
        None | Some("" | "json") => Ok(Json(report).into_response()),
        Some("text") => Ok(report.text(zone, false).into_response()),
        Some("html") => Ok((
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            report.html(zone, false),
        )
            .into_response()),
        Some(_) => Err(Problem::field(422, "format", "must be json, text or html")),
    }
}

/// The newest counts for Prometheus and its kin, of at most 10,000 accounts.
#[utoipa::path(
    get, path = "/api/v1/metering/openmetrics", tag = "metering", operation_id = "metering_openmetrics", params(Period),
    responses((status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"))
)]
pub(super) async fn openmetrics(
    Extract(state): Extract<State>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
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
