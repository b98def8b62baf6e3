//! `/jobs`: what runs, what is due, what came of it; run now, pause, resume.

use axum::{
    extract::{Form, Path, Query, State as Extract, rejection::FormRejection},
    response::Redirect,
};
use job::Live;
use maud::{Markup, html};
use model::{Clock, SystemClock};
use serde::Deserialize;
use store::{job_runs::JobRun, job_states};

use crate::{
    State,
    api::{job_runs, jobs::Entry},
    layout::{self, Place},
    problem::Problem,
    words,
};

pub(crate) async fn list(Extract(state): Extract<State>) -> Result<Markup, Problem> {
    let entries = crate::api::jobs::entries(&state).await?;
    let body = html! {
        h1 { "Jobs" }
        div #jobs data-refresh {
            @if entries.is_empty() {
                p.empty { "No job is configured. " code { "config/example.toml" } " shows them all." }
            } @else { (table(&entries)) }
        }
    };
    Ok(layout::page("Jobs", Some(Place::Jobs), &body))
}

fn table(entries: &[Entry]) -> Markup {
    html! {
        div.card {
            table.stack {
                thead { tr {
                    th { "Job" } th { "Schedule" } th { "Now" } th { "Last run" }
                    th.number { "Took" } th.number { "Requests" } th { span.quiet { "Actions" } }
                } }
                tbody {
                    @for Entry { live, last_run } in entries {
                        @let last = last_run.as_ref();
                        tr {
                            td data-label="Job" { div { a href={ "/jobs/" (live.job) } { (live.job) }
                                @if !live.scope.is_empty() { span.sub { (live.scope) } } } }
                            td.nowrap data-label="Schedule" { (live.schedule) }
                            td data-label="Now" { div { (now(live)) } }
                            td data-label="Last run" { @if let Some(run) = last { div { (ended(run)) } } }
                            td.number.nowrap data-label="Took" { @if let Some(took) = last.and_then(words::duration) { (words::took(took)) } }
                            td.number data-label="Requests" { @if let Some(run) = last { (words::requests(run)) } }
                            td data-label="Actions" { (actions(live)) }
                        }
                    }
                }
            }
        }
    }
}

fn now(live: &Live) -> Markup {
    html! {
        @if let Some(since) = live.running_since {
            span.chip { "running" }
            @if let Some((done, of, what)) = &live.progress {
                span.sub {
                    @if let Some(of) = of {
                        progress value=(done) max=(of) aria-label=(what) {} " " (done) " of " (of) " " (what)
                    } @else { (done) " " (what) }
                }
            } @else { span.sub { "since " (words::when(since)) } }
        } @else if live.paused {
            span.chip.plain { "paused" }
        } @else if let Some(why) = &live.rests {
            span.chip.bad { "rests" } span.sub { (why) }
        } @else if let Some(due) = live.due_at {
            span.nowrap { "due " (words::when(due)) }
        } @else { span.quiet { "off" } }
    }
}

fn ended(run: &JobRun) -> Markup {
    html! {
        (words::outcome(run.outcome)) " " span.small.quiet { (words::when(run.finished_at.unwrap_or(run.started_at))) }
        div { (words::did(run)) }
        @if let Some(error) = &run.error { span.sub { (error) } }
    }
}

fn actions(live: &Live) -> Markup {
    let form = |action: &str, words: &str| {
        html! {
            form method="post" action={ "/jobs/" (live.job) "/" (action) } {
                input type="hidden" name="scope" value=(live.scope);
                button aria-label={ (words) ": " (live.job) " " (live.scope) } { (words) }
            }
        }
    };
    html! {
        div.actions {
            @if live.running_since.is_none() && !live.paused { (form("run", "Run now")) }
            @if live.paused { (form("resume", "Resume")) } @else { (form("pause", "Pause")) }
        }
    }
}

/// `?before=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Before {
    before: Option<String>,
}

/// `/jobs/{name}`: its history.
pub(crate) async fn show(
    Extract(state): Extract<State>,
    Path(name): Path<String>,
    Query(Before { before }): Query<Before>,
) -> Result<Markup, Problem> {
    let (runs, next) = job_runs::page(&state, Some(&name), before.as_deref(), 50).await?;
    let lives: Vec<Entry> = crate::api::jobs::entries(&state)
        .await?
        .into_iter()
        .filter(|entry| entry.live.job == name)
        .collect();
    if runs.is_empty() && lives.is_empty() {
        return Err(Problem::not_found("there is no such job"));
    }
    let body = html! {
        h1 { (name) }
        div #job data-refresh {
            @if !lives.is_empty() { (table(&lives)) }
            h2 { "Runs" }
            (runs_table(&runs, false))
        }
        @if let Some(next) = next { p.more { a href={ "?before=" (next) } { "Older" } } }
    };
    Ok(layout::page(&name, Some(Place::Jobs), &body))
}

/// Runs, newest first; `named` where they are of several jobs.
pub(super) fn runs_table(runs: &[JobRun], named: bool) -> Markup {
    if runs.is_empty() {
        return html! { p.empty { "Nothing ran yet." } };
    }
    html! {
        div.card {
            table.stack {
                thead { tr {
                    th { @if named { "Job" } @else { "Scope" } } th { "Outcome" } th { "Did" } th.number { "Took" } th { "Requests" }
                } }
                tbody {
                    @for run in runs {
                        tr {
                            td data-label=(if named { "Job" } else { "Scope" }) { div {
                                @if named { a href={ "/jobs/" (run.job) } { (run.job) } span.sub { (run.scope) } }
                                @else if run.scope.is_empty() { span.quiet { "daemon" } } @else { (run.scope) }
                            } }
                            td data-label="Outcome" { div { (words::outcome(run.outcome)) span.sub { (words::when(run.started_at)) } } }
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

/// All, and by host, most first, behind a summary.
fn requests(run: &JobRun) -> Markup {
    let mut hosts: Vec<_> = run.requests.iter().collect();
    hosts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    html! {
        @match hosts.len() {
            0 => "0",
            1 => div { (words::requests(run)) span.sub { (hosts[0].0) } },
            many => details {
                summary.nowrap { (words::requests(run)) " " span.small.quiet { "to " (many) " hosts" } }
                @for (host, count) in hosts { span.sub { (count) " " (host) } }
            },
        }
    }
}

/// Which of a job's scopes.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    scope: String,
}

type Asked = Result<Form<Which>, FormRejection>;

pub(crate) async fn run(
    Extract(state): Extract<State>,
    Path(job): Path<String>,
    form: Asked,
) -> Result<Redirect, Problem> {
    let scope = known(&state, &job, form)?;
    job_states::wake(&state.store, &job, &scope, SystemClock.now()).await?;
    done(&state)
}

pub(crate) async fn pause(
    Extract(state): Extract<State>,
    Path(job): Path<String>,
    form: Asked,
) -> Result<Redirect, Problem> {
    let scope = known(&state, &job, form)?;
    job_states::set_paused(&state.store, &job, &scope, true, SystemClock.now()).await?;
    done(&state)
}

pub(crate) async fn resume(
    Extract(state): Extract<State>,
    Path(job): Path<String>,
    form: Asked,
) -> Result<Redirect, Problem> {
    let scope = known(&state, &job, form)?;
    job_states::set_paused(&state.store, &job, &scope, false, SystemClock.now()).await?;
    done(&state)
}

fn known(state: &State, job: &str, form: Asked) -> Result<String, Problem> {
    let Form(Which { scope }) =
        form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    let known = state
        .board
        .list()
        .iter()
        .any(|live| live.job == job && live.scope == scope);
    known
        .then_some(scope)
        .ok_or_else(|| Problem::not_found("there is no such job"))
}

fn done(state: &State) -> Result<Redirect, Problem> {
    state.board.nudge();
    Ok(Redirect::to("/jobs"))
}
