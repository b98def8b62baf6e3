//! `/moderation`: the queue of cases; a case with its evidence, its history and what would be sent.

use axum::{
    Router,
    extract::{Form, Path, RawQuery, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use store::{
    cases::{self, Asked, Case, Line, State as Is},
    reversals, rule_hits,
    rule_hits::Hit,
    webhook_events,
};

use super::{Group, Page, moderation_numbers, moderation_rules};
use crate::{
    State,
    api::cases::{Params, ask, load, page, would_send},
    layout::Sheet,
    parts::{Tone, badge, empty, encoded, form, note, pager, tile, unfilled},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/moderation",
    name: "Moderation",
    icon: "M10 2.500l6.500 2.500v4.500c0 4-2.700 6.800-6.500 8c-3.800-1.200-6.500-4-6.500-8V5zM10 6.500v4M10 13.200v.3",
    group: Group::Feature,
    right: Right::Moderation,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    Router::new()
        .route("/moderation", get(queue))
        .route("/moderation/cases/{id}", get(show).post(change))
        .route("/moderation/cases", post(change_many))
        .merge(moderation_rules::routes())
        .merge(moderation_numbers::routes())
}

/// Looked through for those within reach, of which a few are shown.
const LETTERS: u32 = 200;

/// The ways to the other pages of moderation.
pub(super) fn ways() -> Markup {
    html! {
        a.button href="/moderation" { "Cases" }
        a.button href="/moderation/rules" { "Rules" }
        a.button href="/moderation/backtests" { "Backtests" }
        a.button href="/moderation/numbers" { "Numbers" }
        a.button href="/moderation/audit" { "Audit" }
    }
}

async fn queue(Extract(state): Extract<State>, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Markup, Problem> {
    let which: Params = unfilled(query.as_deref())?;
    let (found, next) = page(&state, &visitor, &which).await?;
    let mut counts = cases::counts(&state.store).await?;
    counts.retain(|(server, ..)| visitor.may_at(Right::Moderation, server));
    let count = |wanted: Is| -> i64 {
        let mine = counts.iter().filter(|(_, is, _)| *is == wanted);
        mine.map(|(.., count)| count).sum()
    };
    let letters = webhook_events::letters(&state.store, LETTERS).await?;
    let letters: Vec<_> = letters
        .iter()
        .filter(|one| visitor.may_at(Right::Moderation, &one.server))
        .take(5)
        .collect();
    let body = html! {
        @if !letters.is_empty() {
            (note(Tone::Warn, &html! {
                b { "Some of what servers push cannot be read. " }
                @for one in &letters { span.sub { (one.server) " " (one.event) ", " (words::when(one.received_at)) ": " (one.why) } }
            }, None))
        }
        div.tiles {
            @for is in [Is::Open, Is::Ready, Is::Reported, Is::Resolved, Is::Dismissed] {
                a href={ "?state=" (is.as_str()) } { (tile(&count(is).to_string(), label(is))) }
            }
        }
        form.filters method="get" action="/moderation" role="search" {
            label { "Account or reference " input type="search" name="search" value=(which.search.as_deref().unwrap_or_default()); }
            label { "Rule " input type="text" name="rule" value=(which.rule.as_deref().unwrap_or_default()); }
            label { "Domain " input type="text" name="domain" value=(which.domain.as_deref().unwrap_or_default()); }
            label { "State " select name="state" {
                option value="" { "all that are not over" }
                @for is in Is::ALL { option value=(is.as_str()) selected[which.state.as_deref() == Some(is.as_str())] { (label(is)) } }
            } }
            button { "Show" }
        }
        @if found.is_empty() {
            (empty("There is no case.", &html! { "What live rules find appears here, once " code { "[moderation.inbox]" }
                " is enabled. Rules in shadow only count: see " a href="/moderation/rules" { "Rules" } "." }))
        } @else {
            (form(&visitor, "/moderation/cases", &[], &html! {
                div #cases data-keys { (table(&found)) }
                p.actions { span { "Of those that are ticked: " }
                    button name="what" value="approve" accesskey="a" { "Report" } " "
                    button name="what" value="dismiss" accesskey="d" { "Dismiss" } " "
                    button name="what" value="escalate" accesskey="e" { "Escalate" }
                }
                p.small.quiet { "Keys: j and k go down and up, x ticks, Enter opens. With your browser's modifier: a reports, d dismisses, e escalates." }
            }))
        }
        (pager(&[("state", which.state.as_deref()), ("search", which.search.as_deref()), ("rule", which.rule.as_deref()),
            ("domain", which.domain.as_deref()), ("before", which.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Moderation")
        .lead("What rules have against whom. One case per account, one report per case.")
        .actions(ways())
        .show(&body))
}

pub(super) fn label(is: Is) -> &'static str {
    match is {
        Is::Open => "for a person",
        Is::Ready => "decided, not sent",
        Is::Reported => "reported",
        Is::Resolved => "resolved",
        Is::Dismissed => "dismissed",
        Is::Gone => "gone",
    }
}

fn chip(is: Is) -> Markup {
    let tone = match is {
        Is::Open => Tone::Warn,
        Is::Ready => Tone::Live,
        Is::Reported | Is::Resolved => Tone::Good,
        Is::Dismissed | Is::Gone => Tone::Plain,
    };
    badge(tone, label(is))
}

fn table(found: &[Case]) -> Markup {
    html! {
        div.table { table.stack {
            thead { tr { th scope="col" { span.unseen { "Tick" } } th scope="col" { "Account" } th scope="col" { "Rules" }
                th.number scope="col" { "Score" } th scope="col" { "State" } th scope="col" { "Opened" } th scope="col" { "Why" } } }
            tbody { @for case in found {
                tr data-key=(case.id) {
                    td { @if !case.state.is_end() {
                        input type="checkbox" name="id" value=(case.id) aria-label={ "Tick the case against " (case.acct) };
                    } }
                    td data-label="Account" { div { a href={ "/moderation/cases/" (case.id) } { (case.acct) }
                        span.sub { (case.server) " · " (case.reference) } } }
                    td data-label="Rules" { @if case.rules.is_empty() { "none" } @else { (case.rules.join(", ")) } }
                    td.number data-label="Score" { (format!("{:.2}", case.score)) }
                    td data-label="State" { div { (standing(case)) } }
                    td data-label="Opened" { (words::when(case.opened_at)) }
                    td data-label="Why" { (case.why) }
                }
            } }
        } }
    }
}

fn standing(case: &Case) -> Markup {
    html! {
        (chip(case.state))
        @if let Some(stopped) = &case.stopped { span.sub { (stopped) } }
        @if let Some(asked) = &case.asked { span.sub { (case.asked_by.as_deref().unwrap_or("somebody")) " asks: " (asked) } }
        @if let Some(verdict) = &case.verdict { span.sub { "verdict: " (verdict) } }
        @if let Some(by) = &case.ended_by { span.sub { "by " (by) } }
    }
}

async fn show(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Problem> {
    let case = load(&state, &visitor, &id).await?;
    let hits = rule_hits::of_case(&state.store, &case.id, 200).await?;
    let history = cases::lines(&state.store, &case.id).await?;
    let report = would_send(&state, &case, &hits).await?;
    let ends = reversals::of_case(&state.store, &case.id).await?;
    let others = cases::of_account(&state.store, &case.server, &case.account_id, 20).await?;
    let similar = rule_hits::similar(&state.store, &case.server, &case.account_id, 10).await?;
    let body = html! {
        p { (standing(&case)) " " (case.why) }
        dl.facts {
            div { dt { "server" } dd { (case.server) } }
            div { dt { "account" } dd { (case.acct) " (" code { (case.account_id) } ")" } }
            div { dt { "reference" } dd { (case.reference) } }
            div { dt { "score" } dd { (format!("{:.2}", case.score)) } }
            div { dt { "rules" } dd { @for rule in &case.rules { a href={ "/moderation/rules#" (rule) } { (rule) } " " } } }
            div { dt { "opened" } dd { (words::when(case.opened_at)) } }
            @if let Some(report) = &case.report_id { div { dt { "report" } dd {
                a href={ "https://" (case.server) "/admin/reports/" (report) } rel="noreferrer noopener" { (report) } } } }
            @for end in &ends { div { dt { (end.action) } dd { (end.state) ", ends " (words::when(end.due_at))
                @if let Some(note) = &end.note { " (" (note) ")" } } } }
        }
        section { (actions(&visitor, &case)) }
        section { h2 { "Evidence" } (evidence(&hits)) }
        section { h2 { @if case.report_id.is_some() { "The report, as it would go out now" } @else { "What would be sent" } } (sent(&report)) }
        @if !similar.is_empty() { section { h2 { "Similar accounts" }
            ul { @for (_, acct, rules) in &similar {
                li { a href={ "/moderation?search=" (encoded(acct)) } { (acct) } ": " (rules) " of the same rules" } } } } }
        @if others.len() > 1 { section { h2 { "Other cases of this account" }
            ul { @for other in others.iter().filter(|other| other.id != case.id) {
                li { a href={ "/moderation/cases/" (other.id) } { (other.reference) } " " (chip(other.state)) " " (words::when(other.opened_at)) } } } } }
        section { h2 { "History" } (lines(&history)) }
    };
    Ok(Sheet::of(&PAGE, &visitor, &case.acct)
        .crumb("/moderation", "Moderation")
        .show(&body))
}

fn actions(visitor: &Visitor, case: &Case) -> Markup {
    let path = format!("/moderation/cases/{}", case.id);
    html! {
        @if !case.state.is_end() {
            (form(visitor, &path, &[], &html! {
                label { "A word for the history " input type="text" name="note" maxlength="500" autocomplete="off"; }
                p.actions {
                    @if case.state != Is::Reported { button name="what" value="approve" accesskey="a" { "Report" } " " }
                    button name="what" value="dismiss" accesskey="d" { "Dismiss" } " "
                    button name="what" value="escalate" accesskey="e" { "Escalate" } " "
                    button name="what" value="exempt" accesskey="x" { "Leave this account alone" }
                }
                p.small.quiet { "Keys, with your browser's modifier: a reports, d dismisses, e escalates, x leaves the account alone." }
            }))
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn evidence(hits: &[Hit]) -> Markup {
    html! {
        @if hits.is_empty() { (empty("No rule spoke.", &html! { "A person or another feature opened this case." })) }
        @else { div.table { table.stack {
            thead { tr { th scope="col" { "Rule" } th scope="col" { "Where" } th scope="col" { "Written" } th scope="col" { "Read as" }
                th scope="col" { "When" } } }
            tbody { @for hit in hits {
                tr data-key=(hit.id) {
                    td data-label="Rule" { div { (hit.rule) span.sub { "adds " (hit.weight) ", version " (hit.ruleset) } } }
                    td data-label="Where" { div { (text(&hit.evidence, "field"))
                        @if hit.status_id.is_empty() { span.sub { "profile" } } @else { span.sub { "status " (hit.status_id) } } } }
                    td.uri data-label="Written" { @if hit.evidence == serde_json::json!({}) { "forgotten" } @else { (text(&hit.evidence, "original")) } }
                    td.uri data-label="Read as" { div { (text(&hit.evidence, "matched")) span.sub { (text(&hit.evidence, "condition")) } } }
                    td.nowrap data-label="When" { (words::when(hit.at)) }
                }
            } }
        } } }
    }
}

fn sent(report: &Value) -> Markup {
    html! {
        dl.facts {
            div { dt { "category" } dd { (text(report, "category")) } }
            div { dt { "statuses" } dd { (report["status_ids"].as_array().map_or(0, Vec::len)) } }
            div { dt { "forwarded" } dd { @if report["forward"].as_bool() == Some(true) { "to the account's own server" } @else { "no" } } }
        }
        pre { (text(report, "comment")) }
    }
}

pub(super) fn lines(history: &[Line]) -> Markup {
    html! {
        div.table { table.stack {
            thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "By" } th scope="col" { "Detail" } } }
            tbody { @for line in history {
                tr data-key=(line.id) {
                    td.nowrap data-label="When" { (words::when(line.at)) }
                    td data-label="What" { @if let Some(case) = &line.case_id { a href={ "/moderation/cases/" (case) } { (line.kind) } } @else { (line.kind) } }
                    td data-label="By" { (line.by) }
                    td data-label="Detail" { div {
                        @for (key, value) in line.detail.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
                            span.sub { (key.replace('_', " ")) ": " @if let Some(text) = value.as_str() { (text) } @else { (value) } }
                        }
                    } }
                }
            } }
        } }
    }
}

/// What somebody wants of a case.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wish {
    what: String,
    note: String,
}

fn named(what: &str) -> Result<Asked, Problem> {
    Asked::named(what).ok_or_else(|| Problem::field(400, "what", "approve, dismiss, escalate or exempt"))
}

async fn change(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(wish) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    let case = ask(&state, &visitor, &id, named(&wish.what)?, &wish.note).await?;
    Ok(Redirect::to(&format!("/moderation/cases/{}", case.id)))
}

/// Several at once: a form's ticks come as pairs of one name.
async fn change_many(
    Extract(state): Extract<State>,
    visitor: Visitor,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(pairs) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    let what = pairs
        .iter()
        .find(|(name, _)| name == "what")
        .map_or("", |(_, value)| value);
    let asked = named(what)?;
    for (_, id) in pairs.iter().filter(|(name, _)| name == "id").take(200) {
        // One that was over a moment before is no reason to leave the others.
        match ask(&state, &visitor, id, asked, "").await {
            Ok(_) => {}
            Err(problem) if problem.http_status() == 409 => {}
            Err(problem) => return Err(problem),
        }
    }
    Ok(Redirect::to("/moderation"))
}
