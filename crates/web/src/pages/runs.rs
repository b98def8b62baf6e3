//! `/runs/{id}`: one run of a job, and the table of runs that other pages show.

use axum::{
    Router,
    extract::{Path, State as Extract},
    routing::get,
};
use chrono::SecondsFormat;
use maud::{Markup, html};
use store::{job_runs::JobRun, run_logs::Line};

use super::jobs;
use crate::{
    State,
    api::job_runs,
    layout::Sheet,
    parts::{Tone, empty, note},
    problem::Problem,
    rights::Visitor,
    words,
};

/// Hangs below the Jobs page.
pub(super) fn routes() -> Router<State> {
    Router::new().route("/runs/{id}", get(show))
}

async fn show(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Problem> {
    let run = job_runs::load(&state, &visitor, &id).await?;
    let lines = job_runs::lines(&state, &run.id).await?;
    let body = html! {
        div #run data-refresh {
            @if let Some(error) = &run.error { (note(Tone::Warn, &html! { (error) }, None)) }
            div.columns {
                section { h2 { "What it did" } div.card.padded { (facts(&run)) } }
                section { h2 { "Requests" } (hosts(&run)) }
            }
            section { h2 { "Log" } (log(&lines)) }
        }
    };
    let path = format!("/jobs/{}", run.job);
    Ok(Sheet::of(&jobs::PAGE, &visitor, &format!("A run of {}", run.job))
        .crumb(&path, &run.job)
        .show(&body))
}

fn facts(run: &JobRun) -> Markup {
    html! {
        dl.facts {
            dt { "Outcome" } dd { (words::outcome(run.outcome)) }
            dt { "For" } dd { @if run.scope.is_empty() { "the daemon" } @else { (run.scope) } }
            dt { "Started" } dd { (words::when(run.started_at)) }
            @if let Some(took) = words::duration(run) { dt { "Took" } dd { (words::took(took)) } }
            dt { "Counted" } dd { (words::did(run)) }
        }
    }
}

fn hosts(run: &JobRun) -> Markup {
    let hosts = words::by_host(run);
    if hosts.is_empty() {
        return empty("It asked nobody.", &html! {});
    }
    html! {
        div.table {
            table {
                thead { tr { th scope="col" { "Host" } th.number scope="col" { "Requests" } } }
                tbody { @for (host, count) in hosts { tr { td.anywhere { (host) } td.number { (count) } } } }
            }
        }
    }
}

fn log(lines: &[Line]) -> Markup {
    if lines.is_empty() {
        return empty(
            "It said nothing.",
            &html! { "A run is logged while it does its work; what it counted is above." },
        );
    }
    html! {
        div.card {
            ol.log tabindex="0" aria-label="Log of the run" {
                @for line in lines {
                    li {
                        time datetime=(line.at.to_rfc3339_opts(SecondsFormat::Millis, true)) data-clock { (line.at.format("%H:%M:%S")) }
                        span class=(line.level) { (line.level) }
                        span { (line.text) }
                    }
                }
            }
        }
    }
}

/// Runs, newest first; `named` where they are of several jobs.
pub(super) fn runs_table(runs: &[JobRun], named: bool) -> Markup {
    if runs.is_empty() {
        return empty("Nothing ran yet.", &html! {});
    }
    let whose = if named { "Job" } else { "For" };
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { (whose) } th scope="col" { "Outcome" } th scope="col" { "Did" }
                    th.number scope="col" { "Took" } th scope="col" { "Requests" }
                } }
                tbody {
                    @for run in runs {
                        tr data-key=(run.id) {
                            td data-label=(whose) { div {
                                @if named { a href={ "/jobs/" (run.job) } { (run.job) } span.sub { (run.scope) } }
                                @else if run.scope.is_empty() { span.quiet { "the daemon" } } @else { (run.scope) }
                            } }
                            td data-label="Outcome" { div {
                                a href={ "/runs/" (run.id) } { (words::outcome(run.outcome)) }
                                span.sub { (words::when(run.started_at)) }
                            } }
                            td data-label="Did" { div { (words::did(run))
                                @if let Some(error) = &run.error { span.sub { (error) } } } }
                            td.number.nowrap data-label="Took" { @if let Some(took) = words::duration(run) { (words::took(took)) } }
                            td data-label="Requests" { (requests(run)) }
                        }
                    }
                }
            }
        }
    }
}

/// All, and by host behind a summary.
fn requests(run: &JobRun) -> Markup {
    let hosts = words::by_host(run);
    html! {
        @match hosts.as_slice() {
            [] => span.quiet { "0" },
            [(host, count)] => div { (count) span.sub { (host) } },
            many => details {
                summary.nowrap { (words::requests(run)) " " span.small.quiet { "to " (many.len()) " hosts" } }
                @for (host, count) in many { span.sub { (count) " " (host) } }
            },
        }
    }
}
