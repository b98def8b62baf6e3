//! Pictures.

use std::{num::NonZeroUsize, sync::LazyLock};

use axum::{
    extract::{Path, State as Extract},
    http::header,
    response::{IntoResponse as _, Response},
};
use metering::chart::{Chart, Flag, Metric, Panel, Series, Theme};
use store::{metered_accounts::Metered, metered_events, metered_points};
use tokio::sync::Semaphore;

use super::{Period, ROWS, named, one};
use crate::{State, api::Query, problem::Problem};

/// So many pictures are drawn at once: half of the processor is left for who asks for something else.
static DRAWING: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Semaphore::new((cores / 2).max(1))
});

/// Draws away from the threads that answer.
pub(crate) async fn drawn(chart: Chart, period: &Period) -> Result<Response, Problem> {
    let scale = period.scale.unwrap_or(1).clamp(1, 4);
    let png = match period.format.as_deref() {
        None | Some("" | "svg") => false,
        Some("png") => true,
        Some(_) => return Err(Problem::field(422, "format", "must be svg or png")),
    };
    if u64::from(chart.width.min(4000)) * u64::from(chart.height.min(4000)) * u64::from(scale * scale) > 16_000_000 {
        return Err(Problem::field(422, "scale", "a picture has at most 16 million pixels"));
    }
    // Nobody closes it.
    let turn = DRAWING.acquire().await.ok();
    let drawing = tokio::task::spawn_blocking(move || {
        // Whoever asked may be gone before it is drawn, and it is drawn all the same.
        let _turn = turn;
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
    let (since, to) = span.ends();
    let mut series: Vec<Vec<Series>> = metrics.iter().map(|_| Vec::with_capacity(accounts.len())).collect();
    let mut measured = false;
    for account in accounts {
        // Rows are many times as long as what is drawn of them: those of one account are held at a time.
        let rows = metered_points::range(&state.store, account.id, since.timestamp(), to.timestamp(), ROWS).await?;
        measured |= !rows.iter().all(metered_points::Point::is_gap);
        for (metric, series) in metrics.iter().zip(&mut series) {
            series.push(Series::of(&account.acct, *metric, &rows));
        }
    }
    if period.strict && !measured {
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
        .zip(series)
        .map(|(metric, series)| Panel {
            title: match accounts {
                [account] => format!("{}: {}", account.acct, metric.as_str()),
                _ => metric.as_str().to_owned(),
            },
            series,
            flags: flags.clone(),
        })
        .collect();
    framed(panels, period)
}

/// Panels in the frame that was asked for.
pub(crate) fn framed(panels: Vec<Panel>, period: &Period) -> Result<Chart, Problem> {
    let span = period.span()?;
    let mut chart = Chart::new(panels, span.zone);
    chart.theme = if period.is_dark()? { Theme::Dark } else { Theme::Light };
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
pub(super) async fn graph(
    Extract(state): Extract<State>,
    Path((id, metric)): Path<(i64, String)>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let account = one(&state, id).await?;
    let chart = chart(&state, &[account], &metric, &period).await?;
    drawn(chart, &period).await
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
pub(super) async fn graphs(
    Extract(state): Extract<State>,
    Path(metric): Path<String>,
    Query(period): Query<Period>,
) -> Result<Response, Problem> {
    let accounts = named(&state, &period, false).await?;
    let chart = chart(&state, &accounts, &metric, &period).await?;
    drawn(chart, &period).await
}
