//! `/jobs`: what runs, what is due, what came of it; run now, pause, resume.

use axum::{
    Router,
    extract::{Form, Path, Query, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use job::Live;
use maud::{Markup, html};
use serde::Deserialize;
use store::job_runs::JobRun;

use super::{Group, Page, runs::runs_table};
use crate::{
    State,
    api::{
        job_runs,
        jobs::{Entry, Wish, entries, tell},
        paging::Limit,
    },
    layout::Sheet,
    parts::{Tone, badge, button, empty, pager},
    problem::Problem,
    rights::{Right, Visitor, only_with},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/jobs",
    name: "Jobs",
    icon: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6.500V10l2.700 2",
    group: Group::First,
    right: Right::View,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    let changes = Router::new()
        .route("/jobs/{job}/run", post(run))
        .route("/jobs/{job}/pause", post(pause))
        .route("/jobs/{job}/resume", post(resume));
    Router::new()
        .route("/jobs", get(list))
        .route("/jobs/{job}", get(show))
        .merge(super::runs::routes())
        .merge(only_with(Right::Admin, changes))
}

async fn list(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let entries = entries(&state, &visitor).await?;
    let body = html! {
        div #jobs data-refresh {
            @if entries.is_empty() {
                (empty("No job is configured.", &html! { code { "config/example.toml" } " shows them all, and "
                    code { "egret check" } " says what each one needs." }))
            } @else { (table(&visitor, &entries)) }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Jobs")
        .lead("What Egret does over and over, for which login or server, and how it went last time.")
        .show(&body))
}

fn table(visitor: &Visitor, entries: &[Entry]) -> Markup {
    let acts = visitor.may(Right::Admin);
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Job" } th scope="col" { "Schedule" } th scope="col" { "Now" }
                    th scope="col" { "Last run" }
                    @if acts { th scope="col" { span.unseen { "Actions" } } }
                } }
                tbody {
                    @for Entry { live, last_run } in entries {
                        @let last = last_run.as_ref();
                        tr data-key={ (live.job) " " (live.scope) } {
                            td data-label="Job" { div { a href={ "/jobs/" (live.job) } { (live.job) }
                                @if !live.scope.is_empty() { span.sub { (live.scope) } } } }
                            td.nowrap data-label="Schedule" { (live.schedule) }
                            td data-label="Now" { div { (now(live)) } }
                            td data-label="Last run" { @if let Some(run) = last { div { (ended(run)) } } }
                            @if acts { td data-label="Actions" { @if visitor.may_at(Right::Admin, &live.scope) { (actions(visitor, live)) } } }
                        }
                    }
                }
            }
        }
    }
}

/// What a job does at this moment.
pub(super) fn now(live: &Live) -> Markup {
    html! {
        @if let Some(since) = live.running_since {
            (badge(Tone::Live, "running"))
            @if let Some((done, of, what)) = &live.progress {
                span.sub {
                    @if let Some(of) = of {
                        progress value=(done) max=(of) aria-label=(what) {} " " (done) " of " (of) " " (what)
                    } @else { (done) " " (what) }
                }
            } @else { span.sub { "since " (words::when(since)) } }
        } @else if live.paused {
            (badge(Tone::Plain, "paused"))
        } @else if let Some(why) = &live.rests {
            (badge(Tone::Bad, "rests")) span.sub { (words::told(why)) }
        } @else if let Some(due) = live.due_at {
            span.nowrap { "due " (words::when(due)) }
        } @else { span.quiet { "off" } }
    }
}

fn ended(run: &JobRun) -> Markup {
    html! {
        a href={ "/runs/" (run.id) } { (words::outcome(run.outcome)) } " "
        span.small.quiet { (words::when(run.finished_at.unwrap_or(run.started_at)))
            @if let Some(took) = words::duration(run) { ", took " (words::took(took)) }
            @match words::requests(run) { 0 => {}, 1 => ", 1 request", many => { ", " (many) " requests" } } }
        div { (words::did(run)) }
        @if let Some(error) = &run.error { span.sub { (error) } }
    }
}

fn actions(visitor: &Visitor, live: &Live) -> Markup {
    let form = |action: &str, words: &str| {
        button(
            visitor,
            &format!("/jobs/{}/{action}", live.job),
            &[("scope", &live.scope)],
            words,
            &format!("{words}: {} {}", live.job, live.scope),
        )
    };
    html! {
        div.actions.line {
            @if live.running_since.is_none() && !live.paused { (form("run", "Run now")) }
            @if live.paused { (form("resume", "Resume")) } @else { (form("pause", "Pause")) }
        }
    }
}

/// `?before=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Before {
    before: Option<String>,
}

/// `/jobs/{job}`: its history.
async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(Before { before }): Query<Before>,
) -> Result<Markup, Problem> {
    let before = before.as_deref();
    let (runs, next) = job_runs::page(&state, &visitor, Some(&name), before, Limit::default()).await?;
    let entries: Vec<Entry> = entries(&state, &visitor)
        .await?
        .into_iter()
        .filter(|entry| entry.live.job == name)
        .collect();
    if runs.is_empty() && entries.is_empty() {
        return Err(Problem::not_found("there is no such job"));
    }
    let body = html! {
        div #job data-refresh {
            @if !entries.is_empty() { section { (table(&visitor, &entries)) } }
            section { h2 { "Runs" } (runs_table(&runs, false)) }
        }
        (pager(&[("before", before)], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, &name).crumb("/jobs", "Jobs").show(&body))
}

/// Which of a job's scopes.
#[derive(Debug, Deserialize)]
struct Which {
    #[serde(default)]
    scope: String,
}

type Asked = Result<Form<Which>, FormRejection>;

async fn run(state: Extract<State>, who: Visitor, job: Path<String>, form: Asked) -> Result<Redirect, Problem> {
    change(state, &who, job, form, Wish::Run).await
}

async fn pause(state: Extract<State>, who: Visitor, job: Path<String>, form: Asked) -> Result<Redirect, Problem> {
    change(state, &who, job, form, Wish::Pause).await
}

async fn resume(state: Extract<State>, who: Visitor, job: Path<String>, form: Asked) -> Result<Redirect, Problem> {
    change(state, &who, job, form, Wish::Resume).await
}

async fn change(
    Extract(state): Extract<State>,
    visitor: &Visitor,
    Path(job): Path<String>,
    form: Asked,
    wish: Wish,
) -> Result<Redirect, Problem> {
    let Form(Which { scope }) =
        form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    tell(&state, visitor, &job, &scope, wish).await?;
    Ok(Redirect::to("/jobs"))
}
