//! `/blocklists`: how lists fare, what would change on each server and waits for a human, who is blocked and why, what was
//! done and how to take it back.

use axum::{
    Router,
    extract::{Form, Path, Query, State as Extract, rejection::FormRejection},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use blocklists::plan::{Kind, Operation, Plan};
use maud::{Markup, html};
use model::{Clock as _, SystemClock};
use serde::Deserialize;
use serde_json::json;
use store::{
    block_entries::{self, Change, Entry, Run, State as Whose},
    block_plans::{self, State as Is},
    block_sources::{self, Source},
    job_states,
};

use super::{Group, Page};
use crate::{
    State,
    layout::Sheet,
    parts::{Tone, badge, button, empty, note},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

/// Operations shown of a plan; `egret blocks plan` shows them all.
const MOST: usize = 200;

/// Carries plans out.
const JOB: &str = "blocklists.domain_blocks";

pub(crate) const PAGE: Page = Page {
    path: "/blocklists",
    name: "Blocklists",
    icon: "M10 2.500 16 5v5c0 4-2.600 6.500-6 7.500c-3.400-1-6-3.500-6-7.500V5zM7 10h6",
    group: Group::Feature,
    right: Right::Federation,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    Router::new()
        .route("/blocklists", get(show))
        .route("/blocklists/approve", post(approve))
        .route("/blocklists/dismiss", post(dismiss))
        .route("/blocklists/believe", post(believe))
        .route("/blocklists/undo", post(undo))
}

/// `?q=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
}

async fn show(
    visitor: Visitor,
    Extract(state): Extract<State>,
    Query(Asked { q }): Query<Asked>,
) -> Result<Markup, Problem> {
    let q = q.trim();
    let lists = block_sources::health(&state.store).await?;
    let plans = block_plans::open(&state.store).await?;
    let runs = block_entries::runs(&state.store, 20).await?;
    let mut found = Vec::new();
    let mut changes = Vec::new();
    if !q.is_empty() {
        found = block_entries::search(&state.store, q, 100).await?;
        if let Some(domain) = blocklists::config::domain(q) {
            changes = block_entries::changes(&state.store, &domain, 50).await?;
        }
    }
    let mode = state.ledger.mode("blocklists");
    let body = html! {
        p { "Mode " (badge(if mode == job::Mode::Act { Tone::Good } else { Tone::Plain }, mode.as_str()))
            @if mode == job::Mode::Observe { " Plans are made and shown; nothing is sent." } }
        form method="get" action="/blocklists" role="search" {
            label { "Domain " input type="search" name="q" value=(q) placeholder="bad.social"; }
            " " button { "Search" }
        }
        @if !q.is_empty() { (answers(q, &found, &changes)) }
        h2 { "Plans" }
        div #plans data-refresh {
            @if plans.is_empty() {
                (empty("No plan waits.", &html! { "Each server is as its policy wants it, or none has a policy: "
                    code { "[[blocklists.policies]]" } "." }))
            }
            @for stored in &plans { (plan(&visitor, stored)) }
        }
        h2 { "Lists" }
        div #lists data-refresh {
            @if lists.is_empty() {
                (empty("No list was read yet.", &html! { code { "[[blocklists.sources]]" } " names them." }))
            } @else { (health(&visitor, &lists)) }
        }
        h2 { "History" }
        @if runs.is_empty() { (empty("Nothing was changed yet.", &html! {})) } @else { (history(&visitor, &runs)) }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Blocklists")
        .lead("Shared lists, what they would change on your servers, and what they did.")
        .show(&body))
}

fn answers(q: &str, found: &[Entry], changes: &[Change]) -> Markup {
    html! {
        section aria-label="Found" {
            @if found.is_empty() && changes.is_empty() {
                (empty("Nothing is on record.", &html! { "Egret neither made nor was told to leave a block of "
                    code { (q) } ". What the lists say of it: " code { "egret blocks why " (q) } }))
            } @else {
                div.table { table.stack {
                    thead { tr { th scope="col" { "Domain" } th scope="col" { "Server" } th scope="col" { "State" } th scope="col" { "Why" } } }
                    tbody { @for entry in found { tr {
                        td.uri data-label="Domain" { (entry.domain) }
                        td data-label="Server" { (entry.server) }
                        td data-label="State" { div { (whose(entry.state)) @if let Some(note) = &entry.note { span.sub { (note) } } } }
                        td data-label="Why" { (why(&entry.reason)) }
                    } } }
                } }
                @if !changes.is_empty() {
                    ul { @for change in changes { li {
                        (words::when(change.changed_at)) " " b { (change.action) } " on " (change.server) " by " (change.who) ": " (why(&change.reason))
                        @if change.undone_by.is_some() { " " (badge(Tone::Plain, "undone")) }
                    } } }
                }
            }
        }
    }
}

fn whose(state: Whose) -> Markup {
    match state {
        Whose::Ours => badge(Tone::Good, "ours"),
        Whose::Drifted => badge(Tone::Warn, "changed by hand"),
        Whose::Dismissed => badge(Tone::Plain, "lifted by hand"),
        Whose::Covered => badge(Tone::Plain, "covered"),
        Whose::Quarantined => badge(Tone::Bad, "refused"),
    }
}

/// The rule and the lists that asked for it.
fn why(reason: &serde_json::Value) -> Markup {
    let says = reason["says"].as_array();
    html! {
        (reason["rule"].as_str().unwrap_or_default())
        @for say in says.into_iter().flatten() {
            span.sub { (say["list"].as_str().unwrap_or_default()) " " (say["severity"].as_str().unwrap_or_default()) }
        }
    }
}

fn plan(visitor: &Visitor, stored: &block_plans::Plan) -> Markup {
    let Ok(plan) = serde_json::from_value::<Plan>(stored.plan.clone()) else {
        return html! {};
    };
    let short = stored.hash.get(..12).unwrap_or(&stored.hash);
    let fields = [("server", &*stored.server), ("hash", &*stored.hash)];
    let act = |path: &str, words: &str| button(visitor, path, &fields, words, &format!("{words}: plan {short}"));
    html! {
        section aria-label={ "Plan for " (stored.server) } {
            h3 { (stored.server) " " code { (short) } @if stored.state == Is::Approved { " " (badge(Tone::Good, "approved")) } }
            p { (plan.count(Kind::Create)) " to make, " (plan.count(Kind::Update)) " to change, " (plan.count(Kind::Weaken))
                " to weaken, " (plan.count(Kind::Remove)) " to lift; " b { (plan.held().count()) " wait" } ". Made " (words::when(stored.made_at)) "." }
            @for doubt in &plan.doubts { (note(Tone::Warn, &html! { (doubt) }, None)) }
            @if stored.state == Is::Open && plan.held().any(|it| it.hold.as_ref().is_some_and(|hold| hold.human)) {
                div.actions { (act("/blocklists/approve", "Approve")) (act("/blocklists/dismiss", "Dismiss")) }
            }
            @if !plan.operations.is_empty() { (operations(&plan.operations)) }
            @if !plan.notes.is_empty() {
                details { summary { (plan.notes.len()) " stay as they are" }
                    ul { @for note in plan.notes.iter().take(MOST) { li { b { (note.domain) } ": " (note.text) } } } }
            }
        }
    }
}

fn operations(operations: &[Operation]) -> Markup {
    html! {
        details open[operations.len() <= 20] {
            summary { (operations.len()) " changes" @if operations.len() > MOST { ", the first " (MOST) } }
            div.table { table.stack {
                thead { tr { th scope="col" { "Change" } th scope="col" { "Follows" } th scope="col" { "Waits for" } } }
                tbody { @for operation in operations.iter().take(MOST) { tr {
                    td.uri data-label="Change" { (operation.text().split("; WAITS").next().unwrap_or_default()) }
                    td.number data-label="Follows" { @if let Some(ties) = &operation.ties { (ties.follows + ties.followers) } }
                    td data-label="Waits for" { @if let Some(hold) = &operation.hold { (hold.reason) } }
                } } }
            } }
        }
    }
}

fn health(visitor: &Visitor, lists: &[Source]) -> Markup {
    html! {
        div.table { table.stack {
            thead { tr { th scope="col" { "List" } th scope="col" { "State" } th.number scope="col" { "Rows" } th.number scope="col" { "Bad" }
                th scope="col" { "Read" } th scope="col" { "Changed" } } }
            tbody { @for list in lists { tr {
                td data-label="List" { (list.name) }
                td data-label="State" { div {
                    @if let Some(held) = &list.held {
                        (badge(Tone::Warn, "held")) span.sub { (held) }
                        (button(visitor, "/blocklists/believe", &[("list", &*list.name)], "Believe it", &format!("Believe it: {}", list.name)))
                    } @else if let Some(trouble) = &list.trouble {
                        (badge(Tone::Bad, "trouble")) span.sub { (trouble) }
                    } @else { (badge(Tone::Good, "good")) }
                } }
                td.number data-label="Rows" { (list.row_count) }
                td.number data-label="Bad" { (list.bad_count) }
                td data-label="Read" { @if let Some(at) = list.good_at { (words::when(at)) } @else { "never" } }
                td data-label="Changed" { @if let Some(at) = list.changed_at { (words::when(at)) } }
            } } }
        } }
    }
}

fn history(visitor: &Visitor, runs: &[Run]) -> Markup {
    html! {
        div.table { table.stack {
            thead { tr { th scope="col" { "When" } th scope="col" { "Server" } th scope="col" { "Who" } th scope="col" { "What" }
                th scope="col" { span.unseen { "Actions" } } } }
            tbody { @for run in runs { tr {
                td data-label="When" { (words::when(run.changed_at)) }
                td data-label="Server" { (run.server) }
                td data-label="Who" { (run.who) }
                td data-label="What" { (run.created) " made, " (run.updated) " changed, " (run.deleted) " lifted"
                    @if run.undone > 0 { span.sub { (run.undone) " undone" } } }
                td data-label="Actions" { @if run.undone < run.created + run.updated + run.deleted {
                    (button(visitor, "/blocklists/undo", &[("server", &*run.server), ("run", &*run.run)], "Undo", &format!("Undo the run {}", run.run)))
                } }
            } } }
        } }
    }
}

/// What a form of this page sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wish {
    server: String,
    hash: String,
    list: String,
    run: String,
}

fn not_ours() -> Problem {
    Problem::new(400, "not understood").because("the form is not one of ours")
}

async fn approve(
    visitor: Visitor,
    Extract(state): Extract<State>,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(wish) = form.map_err(|_| not_ours())?;
    decide(&visitor, &state, wish, Is::Approved).await
}

async fn dismiss(
    visitor: Visitor,
    Extract(state): Extract<State>,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(wish) = form.map_err(|_| not_ours())?;
    decide(&visitor, &state, wish, Is::Dismissed).await
}

async fn decide(visitor: &Visitor, state: &State, wish: Wish, to: Is) -> Result<Redirect, Problem> {
    let Wish { server, hash, .. } = wish;
    let now = SystemClock.now();
    if !block_plans::advance(&state.store, &server, &hash, to, Some(&visitor.name), None, now).await? {
        return Err(
            Problem::new(409, "too late").because("the plan was replaced by a newer one, or somebody decided on it")
        );
    }
    if to == Is::Approved {
        wake(state, &server).await?;
    }
    Ok(Redirect::to("/blocklists"))
}

async fn believe(Extract(state): Extract<State>, form: Result<Form<Wish>, FormRejection>) -> Result<Redirect, Problem> {
    let Form(Wish { list, .. }) = form.map_err(|_| not_ours())?;
    blocklists::gather::approve(&state.store, &list, SystemClock.now()).await?;
    wake(&state, "").await?;
    Ok(Redirect::to("/blocklists"))
}

/// Writes the wish; the server's next run takes the run back.
async fn undo(
    visitor: Visitor,
    Extract(state): Extract<State>,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(Wish { server, run, .. }) = form.map_err(|_| not_ours())?;
    let changes = block_entries::of_run(&state.store, &run).await?;
    if !changes.iter().any(|change| change.server == server) {
        return Err(Problem::not_found("there is no such run"));
    }
    let now = SystemClock.now();
    let wanted = block_plans::Plan {
        hash: format!("undo {run}"),
        policy: format!("undo {run}"),
        state: Is::Approved,
        plan: json!({ "run": run }),
        who: Some(visitor.name),
        run: None,
        made_at: now,
        changed_at: now,
        server,
    };
    block_plans::save(&state.store, &wanted).await?;
    wake(&state, &wanted.server).await?;
    Ok(Redirect::to("/blocklists"))
}

async fn wake(state: &State, server: &str) -> Result<(), Problem> {
    job_states::wake(&state.store, JOB, server, SystemClock.now()).await?;
    state.board.nudge();
    Ok(())
}

/// `/lists/NAME`, and `/lists/NAME.sig`: what we publish, for everybody.
pub(crate) async fn output(Extract(state): Extract<State>, Path(name): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::not_found("no such list is published here");
    if let Some(output) = block_plans::output(&state.store, &name).await? {
        return Ok(([(header::CONTENT_TYPE, output.kind)], output.body).into_response());
    }
    let of = name.strip_suffix(".sig").ok_or_else(missing)?;
    let output = block_plans::output(&state.store, of).await?.ok_or_else(missing)?;
    let signature = output.signature.ok_or_else(missing)?;
    Ok(([(header::CONTENT_TYPE, "text/plain")], format!("{signature}\n")).into_response())
}
