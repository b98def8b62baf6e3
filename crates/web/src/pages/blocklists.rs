//! `/blocklists`: how lists fare, what would change on each server and waits for a human, who is blocked and why, what was
//! done and how to take it back.

use axum::{
    Router,
    extract::{Form, Path, Query, State as Extract, rejection::FormRejection},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use blocklists::{
    list::severity_word,
    plan::{Kind, Operation, Plan},
    undo::CLEAR,
    why::{Explanation, Opinion},
};
use maud::{Markup, html};
use serde::Deserialize;
use store::{
    block_entries::{self, Entry, Run, State as Whose},
    block_plans::{self, State as Is},
    block_sources::{self, Source},
};

use super::{Group, Page};
use crate::{
    State,
    api::{
        blocklists::{domains, lists, mode, plans, runs},
        paging::Limit,
    },
    layout::Sheet,
    parts::{Tone, badge, button, empty, note, pager},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

/// Operations shown of a plan; `egret blocks plan` shows them all.
const MOST: usize = 200;

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

/// `?q=`, and where the history goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
    before: Option<String>,
}

async fn show(
    visitor: Visitor,
    Extract(state): Extract<State>,
    Query(Asked { q, before }): Query<Asked>,
) -> Result<Markup, Problem> {
    let q = q.trim();
    let lists = block_sources::health(&state.store).await?;
    let plans = plans::current(&state, &visitor).await?;
    let (runs, older) = runs::page(&state, &visitor, before.as_deref(), Limit::default()).await?;
    let mut found = Vec::new();
    let mut told = None;
    if !q.is_empty() {
        let within = visitor.servers(Right::Federation).filter();
        found = block_entries::search(&state.store, within.as_deref(), q, ("", ""), 100).await?;
        told = domains::explain(&state, &visitor, q).await?;
    }
    let mode = mode(&state).await?;
    let undone: Vec<&str> = plans.iter().map(|plan| &*plan.policy).collect();
    let body = html! {
        form.filters method="get" action="/blocklists" role="search" {
            label { "Domain" input type="search" name="q" value=(q) placeholder="bad.social"; }
            button { "Search" }
            span { "Mode " (badge(if mode == job::Mode::Act { Tone::Good } else { Tone::Plain }, mode.as_str()))
                @if mode == job::Mode::Observe { span.quiet { " Plans are made and shown; nothing is sent." } } }
        }
        @if !q.is_empty() { (answers(q, &found, told.as_ref())) }
        div #plans data-refresh {
            @if !plans.iter().any(is_shown) {
                section { h2 { "Plans" } (empty("There is no plan yet.", &html! { "Each server that a policy is for gets one: "
                    code { "[[blocklists.policies]]" } "." })) }
            }
            @for stored in &plans { (plan(&visitor, stored)) }
        }
        div #lists data-refresh { section { h2 { "Lists" }
            @if lists.is_empty() {
                (empty("No list was read yet.", &html! { code { "[[blocklists.sources]]" } " names them." }))
            } @else { (health(&visitor, &lists)) }
        } }
        section { h2 { "History" }
            @if runs.is_empty() { (empty("Nothing was changed yet.", &html! {})) } @else {
                (history(&visitor, &runs, &undone, mode))
                (pager(&[("q", Some(q)), ("before", before.as_deref())], older.as_deref()))
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Blocklists")
        .lead("Shared lists, what they would change on your servers, and what they did.")
        .show(&body))
}

fn answers(q: &str, found: &[Entry], told: Option<&Explanation>) -> Markup {
    let said = told.filter(|told| {
        !told.changes.is_empty()
            || told
                .policies
                .iter()
                .any(|it| !it.says.is_empty() || it.severity.is_some() || !it.covered_by.is_empty())
    });
    html! {
        @if let Some(told) = said { section {
            h2 { "Why " (told.domain) }
            div.card.padded { @for policy in &told.policies { (opinion(policy)) } }
        } }
        @if let Some(told) = said.filter(|told| !told.changes.is_empty()) { section { h2 { "What was done" }
            div.table { table.stack {
                thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Server" } th scope="col" { "Who" } th scope="col" { "Why" } } }
                tbody { @for change in &told.changes { tr {
                    td data-label="When" { (words::when(change.changed_at)) }
                    td data-label="What" { div { (change.action) @if change.undone_by.is_some() { " " (badge(Tone::Plain, "undone")) } } }
                    td data-label="Server" { (change.server) }
                    td data-label="Who" { (change.who) }
                    td data-label="Why" { div { (why(&change.reason)) } }
                } } }
            } }
        } }
        section { h2 { "On record" }
            @if found.is_empty() {
                (empty("Nothing is on record.", &html! { "Egret neither blocked " code { (q) } " anywhere nor was told to leave it." }))
            } @else {
                div.table { table.stack {
                    thead { tr { th scope="col" { "Domain" } th scope="col" { "Server" } th scope="col" { "State" } th scope="col" { "Why" } } }
                    tbody { @for entry in found { tr {
                        td.uri data-label="Domain" { (entry.domain) }
                        td data-label="Server" { (entry.server) }
                        td data-label="State" { div { (whose(entry.state)) @if let Some(note) = &entry.note { span.sub { (note) } } } }
                        td data-label="Why" { div { (why(&entry.reason)) } }
                    } } }
                } }
            }
        }
    }
}

/// What one policy makes of a domain, and who says what.
fn opinion(it: &Opinion) -> Markup {
    html! {
        p { "Policy " b { (it.policy) } ": " (it.verdict)
            @for say in &it.says {
                span.sub { (say.list) " " (severity_word(say.severity))
                    @if say.by_digest { ", by digest" } @if say.is_leaving { ", until lately" } }
            }
            @for parent in &it.covered_by { span.sub { "covered by " (parent) } }
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

/// A wish to take a run back stands among the plans, and is shown with its run.
fn is_shown(stored: &block_plans::Plan) -> bool {
    stored.plan.get("operations").is_some()
}

fn plan(visitor: &Visitor, stored: &block_plans::Plan) -> Markup {
    let Ok(plan) = serde_json::from_value::<Plan>(stored.plan.clone()) else {
        return html! {};
    };
    let short = stored.hash.get(..12).unwrap_or(&stored.hash);
    let fields = [("server", &*stored.server), ("hash", &*stored.hash)];
    let act = |path: &str, words: &str| button(visitor, path, &fields, words, &format!("{words}: plan {short}"));
    html! {
        section {
            h2 { "Plan for " (stored.server) " " code { (short) } @if stored.state == Is::Approved { " " (badge(Tone::Good, "approved")) } }
            @if plan.operations.is_empty() {
                p { "As the policy " b { (plan.policy) } " wants it: " (plan.blocks) " blocks. Looked at " (words::when(stored.made_at)) "." }
            } @else {
                p { @if plan.policy == CLEAR { "To clear, made by a command: " } @else { "By the policy " b { (plan.policy) } ": " }
                    (plan.count(Kind::Create)) " to make, " (plan.count(Kind::Update)) " to change, " (plan.count(Kind::Weaken))
                    " to weaken, " (plan.count(Kind::Remove)) " to lift; " b { (plan.held().count()) " wait" } ". Made " (words::when(stored.made_at)) "." }
                @if plan.policy == CLEAR { p { code { "egret blocks apply " (short) } " carries it out." } }
            }
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
                    td.uri data-label="Change" { (operation.change()) }
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

fn history(visitor: &Visitor, runs: &[Run], wished: &[&str], mode: job::Mode) -> Markup {
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
                td data-label="Actions" {
                    @if wished.contains(&&*runs::wish(&run.run)) { (badge(Tone::Live, "is being undone")) }
                    @else if run.undone < run.created + run.updated + run.deleted {
                        @if mode == job::Mode::Act {
                            (button(visitor, "/blocklists/undo", &[("run", &*run.run)], "Undo", &format!("Undo the run {}", run.run)))
                        } @else { span.sub { "can be undone in mode act" } }
                    }
                }
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
    plans::decide(state, visitor, &wish.server, &wish.hash, to).await?;
    Ok(Redirect::to("/blocklists"))
}

async fn believe(
    visitor: Visitor,
    Extract(state): Extract<State>,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(Wish { list, .. }) = form.map_err(|_| not_ours())?;
    lists::approve(&state, &visitor, &list).await?;
    Ok(Redirect::to("/blocklists"))
}

async fn undo(
    visitor: Visitor,
    Extract(state): Extract<State>,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(Wish { run, .. }) = form.map_err(|_| not_ours())?;
    runs::undo(&state, &visitor, &run).await?;
    Ok(Redirect::to("/blocklists"))
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
