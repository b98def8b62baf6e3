//! `/registrations`: who asked for an account, what is thought of them and why; approve, reject, hold.

use axum::{
    Router,
    extract::{Form, Path, Query, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use store::applicants::{self, Applicant, Asked, History, State as Is};

use super::{Group, Page, registration_rules};
use crate::{
    State,
    api::{
        paging::Limit,
        registrations::{ask, load, page},
    },
    layout::Sheet,
    parts::{Tone, badge, button, empty, encoded, note, pager, tile},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/registrations",
    name: "Registrations",
    icon: "M8 9.500a3.200 3.200 0 1 0 0-6.400a3.200 3.200 0 1 0 0 6.400M2.500 16.500c.6-3.200 2.700-4.700 5.500-4.700 1.300 0 2.500.3 3.400 1M15 10.500v6M12 13.500h6",
    group: Group::Feature,
    right: Right::Registrations,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    Router::new()
        .route("/registrations", get(queue))
        .route("/registrations/ask", post(change))
        .route("/registrations/people/{server}/{id}", get(show))
        .merge(registration_rules::routes())
}

/// `?state=&search=&before=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    state: Option<String>,
    search: Option<String>,
    rule: Option<String>,
    before: Option<String>,
}

async fn queue(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Result<Markup, Problem> {
    let (people, next) = page(
        &state,
        &visitor,
        which.state.as_deref(),
        which.search.as_deref(),
        which.rule.as_deref(),
        which.before.as_deref(),
        Limit::default(),
    )
    .await?;
    let mut counts = applicants::counts(&state.store).await?;
    counts.retain(|(server, ..)| visitor.may_at(Right::Registrations, server));
    let count = |wanted: Is| {
        counts
            .iter()
            .filter(|(_, is, _)| *is == wanted)
            .map(|(_, _, count)| count)
            .sum::<i64>()
    };
    let searching = which.search.as_deref().unwrap_or_default();
    let body = html! {
        div.tiles {
            @for is in [Is::Hold, Is::Veto, Is::Ready, Is::Waiting, Is::Approved, Is::Rejected] {
                a href={ "?state=" (is.as_str()) } { (tile(&count(is).to_string(), label(is))) }
            }
        }
        form.filters method="get" action="/registrations" role="search" {
            label { "Name, address or domain " input type="search" name="search" value=(searching); }
            label { "State " select name="state" {
                option value="" { "everybody who waits" }
                @for is in Is::ALL { option value=(is.as_str()) selected[which.state.as_deref() == Some(is.as_str())] { (label(is)) } }
            } }
            button { "Show" }
        }
        div #people data-refresh {
            @if people.is_empty() {
                (empty("Nobody is here.", &html! { "Whoever asks for an account appears within a minute once "
                    code { "[registrations.pending]" } " is enabled." }))
            } @else { (table(&visitor, &people)) }
        }
        (pager(&[("state", which.state.as_deref()), ("search", which.search.as_deref()), ("rule", which.rule.as_deref()),
            ("before", which.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Registrations")
        .lead("Who asks to come in, what the rules say, and why. Nothing is decided before an address is confirmed.")
        .actions(html! { a.button href="/registrations/rules" { "Rules" } })
        .show(&body))
}

fn label(is: Is) -> &'static str {
    match is {
        Is::Waiting => "not confirmed",
        Is::Hold => "for a person",
        Is::Veto => "about to be rejected",
        Is::Ready => "decided, not sent",
        Is::Approved => "approved",
        Is::Rejected => "rejected",
        Is::Gone => "gone",
        Is::Ignored => "ignored",
    }
}

fn chip(is: Is) -> Markup {
    let tone = match is {
        Is::Waiting | Is::Gone | Is::Ignored => Tone::Plain,
        Is::Hold | Is::Veto => Tone::Warn,
        Is::Ready => Tone::Live,
        Is::Approved => Tone::Good,
        Is::Rejected => Tone::Bad,
    };
    badge(tone, label(is))
}

fn address(one: &Applicant) -> String {
    format!(
        "/registrations/people/{}/{}",
        encoded(&one.server),
        encoded(&one.account_id)
    )
}

fn table(visitor: &Visitor, people: &[Applicant]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Address" } th scope="col" { "Signed up" }
                    th scope="col" { "State" } th scope="col" { "Why" } th scope="col" { span.unseen { "Actions" } } } }
                tbody {
                    @for one in people {
                        tr data-key={ (one.server) " " (one.account_id) } {
                            td data-label="Name" { div { a href=(address(one)) {
                                @if one.username.is_empty() { "forgotten" } @else { (one.username) } } span.sub { (one.server) } } }
                            td.uri data-label="Address" { (one.email.as_deref().unwrap_or("forgotten")) }
                            td data-label="Signed up" { (words::when(one.signed_up_at)) }
                            td data-label="State" { div { (standing(one)) } }
                            td data-label="Why" { div { (one.why) @if let Some(rule) = &one.rule { span.sub { "rule " (rule) } } } }
                            td data-label="Actions" { (actions(visitor, one)) }
                        }
                    }
                }
            }
        }
    }
}

fn standing(one: &Applicant) -> Markup {
    html! {
        (chip(one.state))
        @if let Some(asked) = &one.asked { span.sub { (one.asked_by.as_deref().unwrap_or("somebody")) " asks: " (asked) } }
        @if one.state == Is::Veto { @if let Some(until) = one.act_at { span.sub { (words::when(until)) } } }
        @if let Some(by) = &one.ended_by { span.sub { "by " (by) } }
        @if let Some(stopped) = &one.stopped { span.sub { "stopped: " (stopped) } }
        @if let Some(flag) = &one.flag { span.sub { (badge(Tone::Bad, "look")) " " (flag) } }
    }
}

/// What a person may want of somebody who is not through.
fn actions(visitor: &Visitor, one: &Applicant) -> Markup {
    let form = |asked: Asked, words: &str| {
        button(
            visitor,
            "/registrations/ask",
            &[
                ("server", &one.server),
                ("id", &one.account_id),
                ("what", asked.as_str()),
            ],
            words,
            &format!("{words}: {}", one.username),
        )
    };
    html! {
        @if !one.state.is_end() {
            div.actions {
                (form(Asked::Approve, "Approve")) (form(Asked::Reject, "Reject"))
                @if one.stopped.as_deref() == Some("person") { (form(Asked::Judge, "Let rules judge")) }
                @else {
                    (form(Asked::Hold, if one.state == Is::Veto { "Stop" } else { "Hold" }))
                    @if one.stopped.is_some() { (form(Asked::Judge, "Let rules judge")) }
                }
            }
        }
    }
}

async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, id)): Path<(String, String)>,
) -> Result<Markup, Problem> {
    let one = load(&state, &visitor, &server, &id).await?;
    let history = applicants::events(&state.store, &server, &id).await?;
    let name = if one.username.is_empty() {
        "Somebody who is forgotten"
    } else {
        &one.username
    };
    let body = html! {
        @if let Some(flag) = &one.flag { (note(Tone::Bad, &html! { (flag) }, None)) }
        p { (standing(&one)) " " (one.why) }
        section { h2 { "Facts" } (facts(&one)) }
        section { h2 { "History" } (lines(&history)) }
    };
    Ok(Sheet::of(&PAGE, &visitor, name)
        .crumb("/registrations", "Registrations")
        .actions(actions(&visitor, &one))
        .show(&body))
}

fn facts(one: &Applicant) -> Markup {
    let facts = one.facts.as_object().into_iter().flatten();
    let shown: Vec<(&String, String)> = facts
        .filter(|(_, value)| !value.is_null() && *value != &Value::Bool(false))
        .map(|(key, value)| (key, plain(value)))
        .filter(|(_, text)| !text.is_empty() && text != "0")
        .collect();
    html! {
        @if shown.is_empty() { (empty("Nothing is kept.", &html! { "What was known was forgotten, as [registrations] says." })) }
        @else {
            dl.facts {
                @for (key, text) in shown { div { dt { (key.replace('_', " ")) } dd { (text) } } }
                div { dt { "verdict" } dd { (one.verdict) " (rules " code { (one.ruleset) } ")" } }
            }
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn lines(history: &[History]) -> Markup {
    html! {
        div.table { table.stack {
            thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "By" } th scope="col" { "Detail" } } }
            tbody { @for line in history {
                tr {
                    td.nowrap data-label="When" { (words::when(line.at)) }
                    td data-label="What" { (line.kind) }
                    td data-label="By" { (line.by) }
                    td data-label="Detail" { div {
                        @for (key, value) in line.detail.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
                            span.sub { (key) ": " (plain(value)) }
                        }
                    } }
                }
            } }
        } }
    }
}

/// What somebody wants of whom.
#[derive(Debug, Deserialize)]
struct Wish {
    server: String,
    id: String,
    what: String,
}

async fn change(
    Extract(state): Extract<State>,
    visitor: Visitor,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(wish) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    let asked =
        Asked::named(&wish.what).ok_or_else(|| Problem::field(400, "what", "approve, reject, hold or judge"))?;
    ask(&state, &visitor, &wish.server, &wish.id, asked).await?;
    Ok(Redirect::to(&format!(
        "/registrations/people/{}/{}",
        encoded(&wish.server),
        encoded(&wish.id)
    )))
}
