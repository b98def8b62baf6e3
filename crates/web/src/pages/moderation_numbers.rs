//! `/moderation/numbers`: how it goes, by day, rule and domain; `/moderation/audit`: everything that happened, and a file of it.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Body,
    extract::{Form, Query, State as Extract, rejection::FormRejection},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use model::{Clock as _, SystemClock};
use serde::Deserialize;
use store::{
    cases::{self, State as Is},
    exemptions,
    findings::{self, DomainFinding},
    job_states, reversals, rule_hits, seen,
};

use super::moderation::{PAGE, lines, ways};
use crate::{
    State,
    layout::Sheet,
    parts::{button, empty, encoded, pager, tile},
    problem::Problem,
    rights::{Right, Visitor, only_with_all},
    words,
};

/// Days that are shown.
const DAYS: i64 = 30;

/// Domains that are shown with their cases.
const DOMAINS: usize = 25;

/// Looked through for what is within reach: a server's few may stand behind those of others.
const READ: u32 = 1000;

/// Lines of what waits, and of who is left alone.
const FEW: usize = 50;

/// Lines of the audit on a page.
const PER_PAGE: u32 = 100;

pub(super) fn routes() -> Router<State> {
    let all = Router::new()
        .route("/moderation/audit", get(audit))
        .route("/moderation/audit.jsonl", get(export));
    Router::new()
        .route("/moderation/numbers", get(numbers))
        .route("/moderation/domains", post(domain))
        .merge(only_with_all(Right::Moderation, all))
}

async fn numbers(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let now = SystemClock.now();
    let since = now - TimeDelta::days(DAYS);
    let (accounts, statuses) = seen::counts(&state.store).await?;
    let by_day = days(
        &cases::by_day(&state.store, since).await?,
        &rule_hits::timeline(&state.store, since).await?,
    );
    let rules = rule_hits::numbers(&state.store, since).await?;
    let mine = |server: &str| visitor.may_at(Right::Moderation, server);
    let mut domains = findings::domains(&state.store, None, READ).await?;
    domains.retain(|one| mine(&one.server));
    domains.truncate(FEW);
    let mut by_domain = cases::by_domain(&state.store, since, READ).await?;
    by_domain.retain(|(server, ..)| mine(server));
    by_domain.truncate(DOMAINS);
    let mut ends = reversals::waiting(&state.store, READ).await?;
    ends.retain(|one| mine(&one.server));
    ends.truncate(FEW);
    let mut spared = exemptions::list(&state.store, now, READ).await?;
    spared.retain(|one| mine(&one.server));
    spared.truncate(2 * FEW);
    let sum = |of: fn(&Day) -> u32| by_day.values().map(of).sum::<u32>().to_string();
    let most = by_day
        .values()
        .map(|day| day.live + day.shadow)
        .max()
        .unwrap_or(0)
        .max(1);
    let body = html! {
        div.tiles {
            (tile(&accounts.to_string(), "accounts kept"))
            (tile(&statuses.to_string(), "statuses kept"))
            (tile(&sum(|day| day.live), "live hits, 30 days"))
            (tile(&sum(|day| day.shadow), "in shadow or spared"))
            (tile(&sum(|day| day.cases), "cases"))
            (tile(&sum(|day| day.confirmed), "confirmed"))
            (tile(&sum(|day| day.rejected), "rejected"))
        }
        section { h2 { "By day" }
            @if by_day.is_empty() { (empty("Nothing was found in 30 days.", &html! {})) }
            @else { div.table { table.stack {
                thead { tr { th scope="col" { "Day (UTC)" } th scope="col" { "Hits" } th.number scope="col" { "Live" } th.number scope="col" { "Shadow or spared" }
                    th.number scope="col" { "Cases" } th.number scope="col" { "Confirmed" } th.number scope="col" { "Rejected" } } }
                tbody { @for (day, of) in by_day.iter().rev() {
                    tr data-key=(day) {
                        td.nowrap data-label="Day (UTC)" { (day) }
                        td data-label="Hits" { meter min="0" max=(most) value=(of.live + of.shadow) aria-label={ (of.live + of.shadow) " hits" } {} }
                        td.number data-label="Live" { (of.live) }
                        td.number data-label="Shadow or spared" { (of.shadow) }
                        td.number data-label="Cases" { (of.cases) }
                        td.number data-label="Confirmed" { (of.confirmed) }
                        td.number data-label="Rejected" { (of.rejected) }
                    }
                } }
            } } }
        }
        @if !rules.is_empty() { section { h2 { "By rule" }
            div.table { table.stack {
                thead { tr { th scope="col" { "Rule" } th scope="col" { "As" } th.number scope="col" { "Hits" } th.number scope="col" { "Accounts" } th scope="col" { "Last" } } }
                tbody { @for line in &rules {
                    tr { td data-label="Rule" { a href={ "/moderation?rule=" (line.rule) } { (line.rule) } } td data-label="As" { (line.standing) }
                        td.number data-label="Hits" { (line.hits) } td.number data-label="Accounts" { (line.accounts) }
                        td data-label="Last" { (words::when(line.last_at)) } }
                } }
            } }
        } }
        @if !by_domain.is_empty() { section { h2 { "By domain" }
            div.table { table.stack {
                thead { tr { th scope="col" { "Domain" } th.number scope="col" { "Accounts with a case" } th.number scope="col" { "Confirmed" } } }
                tbody { @for (server, domain, accounts, confirmed) in &by_domain {
                    tr data-key={ "of " (server) " " (domain) } {
                        td data-label="Domain" { div { a href={ "/moderation?domain=" (encoded(domain)) } { (domain) } span.sub { (server) } } }
                        td.number data-label="Accounts with a case" { (accounts) }
                        td.number data-label="Confirmed" { (confirmed) }
                    }
                } }
            } }
        } }
        section { h2 { "Domains that stand out" }
            @if domains.is_empty() { (empty("No domain stands out.", &html! { "One with cases against several accounts within a month appears here, as a thought for a blocklist." })) }
            @else { div.table { table.stack {
                thead { tr { th scope="col" { "Domain" } th.number scope="col" { "Accounts" } th.number scope="col" { "Confirmed" } th scope="col" { "State" } th scope="col" { span.unseen { "Actions" } } } }
                tbody { @for one in &domains {
                    tr data-key={ (one.server) " " (one.domain) } {
                        td data-label="Domain" { div { a href={ "/moderation?domain=" (encoded(&one.domain)) } { (one.domain) } span.sub { (one.server) } } }
                        td.number data-label="Accounts" { (one.accounts) }
                        td.number data-label="Confirmed" { (one.confirmed) }
                        td data-label="State" { div { (one.state) @if let Some(severity) = &one.severity { ": " (severity) }
                            @if let Some(by) = &one.by { span.sub { "by " (by) } } } }
                        td data-label="Actions" { div.actions {
                            @if one.state == "open" {
                                a.button href={ "/blocklists?q=" (encoded(&one.domain)) } { "Look at blocks" }
                                (thought(&visitor, one, "taken", "silence", "Take to silence"))
                                (thought(&visitor, one, "taken", "suspend", "Take to suspend"))
                                (thought(&visitor, one, "dismissed", "", "Dismiss"))
                            } @else { (thought(&visitor, one, "open", "", "Think again")) }
                        } }
                    }
                } }
            } }
            p.small.quiet { "What is taken is on the list of " code { "[[blocklists.sources]]" } " with " code { "findings = true" }
                ", from which policies make blocks like from any other." } }
        }
        @if !ends.is_empty() { section { h2 { "Actions that end by themselves" }
            ul { @for one in &ends { li { a href={ "/moderation/cases/" (one.case_id) } { (one.action) } " at " (one.server) " ends " (words::when(one.due_at))
                @if one.tries > 0 { ", tried " (one.tries) " times" } @if let Some(note) = &one.note { ": " (note) } } } }
        } }
        @if !spared.is_empty() { section { h2 { "Left alone" }
            ul { @for one in &spared { li { @if one.account_id.is_empty() { (one.domain) } @else { "account " (one.account_id) }
                " at " @if one.server.is_empty() { "all servers" } @else { (one.server) } " by " @if one.rule.is_empty() { "all rules" } @else { (one.rule) }
                @if let Some(until) = one.until { ", until " (words::when(until)) } ": " (one.why) } } }
        } }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Numbers")
        .crumb("/moderation", "Moderation")
        .lead("What was seen and found in 30 days, and what people thought of it.")
        .actions(ways())
        .show(&body))
}

#[derive(Debug, Default)]
struct Day {
    live: u32,
    shadow: u32,
    cases: u32,
    confirmed: u32,
    rejected: u32,
}

fn days(opened: &[(DateTime<Utc>, Is, Option<String>)], hits: &[(DateTime<Utc>, String)]) -> BTreeMap<String, Day> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    let day = |at: &DateTime<Utc>| at.format("%Y-%m-%d").to_string();
    for (at, standing) in hits {
        let of = days.entry(day(at)).or_default();
        *(if standing == "live" {
            &mut of.live
        } else {
            &mut of.shadow
        }) += 1;
    }
    for (at, _, verdict) in opened {
        let of = days.entry(day(at)).or_default();
        of.cases += 1;
        match verdict.as_deref() {
            Some("confirmed") => of.confirmed += 1,
            Some(_) => of.rejected += 1,
            None => {}
        }
    }
    days
}

fn thought(visitor: &Visitor, one: &DomainFinding, state: &str, severity: &str, says: &str) -> Markup {
    let fields = [
        ("server", one.server.as_str()),
        ("domain", one.domain.as_str()),
        ("state", state),
        ("severity", severity),
    ];
    button(
        visitor,
        "/moderation/domains",
        &fields,
        says,
        &format!("{says}: {}", one.domain),
    )
}

/// What is thought of a domain.
#[derive(Debug, Deserialize)]
struct Thought {
    server: String,
    domain: String,
    state: String,
    #[serde(default)]
    severity: String,
}

async fn domain(
    Extract(state): Extract<State>,
    visitor: Visitor,
    form: Result<Form<Thought>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(sent) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    visitor.demand(Right::Moderation, &sent.server)?;
    if !matches!(&*sent.state, "open" | "taken" | "dismissed") {
        return Err(Problem::field(400, "state", "open, taken or dismissed"));
    }
    let severity = match (&*sent.state, &*sent.severity) {
        ("taken", "silence" | "suspend") => Some(&*sent.severity),
        ("taken", _) => return Err(Problem::field(400, "severity", "silence or suspend")),
        _ => None,
    };
    let (db, now) = (&state.store, SystemClock.now());
    if !findings::set_domain(db, &sent.server, &sent.domain, &sent.state, severity, &visitor.name).await? {
        return Err(Problem::not_found("nothing was found of this domain"));
    }
    let detail = serde_json::json!({ "domain": sent.domain, "state": sent.state, "severity": severity });
    let line = cases::Line {
        server: sent.server,
        ..cases::Line::new(None, "domain", &visitor.name, detail, now)
    };
    cases::tell(db, &line).await?;
    job_states::wake(db, "blocklists.lists", "", now).await?;
    Ok(Redirect::to("/moderation/numbers"))
}

/// `?before=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Which {
    before: Option<String>,
}

async fn audit(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(which): Query<Which>,
) -> Result<Markup, Problem> {
    let before = which.before.as_deref().filter(|text| !text.is_empty());
    let mut found = cases::newest_lines(&state.store, before, PER_PAGE + 1).await?;
    let more = found.len() > PER_PAGE as usize;
    found.truncate(PER_PAGE as usize);
    let next = found.last().filter(|_| more).map(|line| line.id.clone());
    let body = html! {
        @if found.is_empty() { (empty("Nothing happened yet.", &html! {})) } @else { (lines(&found)) }
        (pager(&[("before", which.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Audit")
        .crumb("/moderation", "Moderation")
        .lead("Everything that happened to cases and rules. Lines are added and never changed.")
        .actions(html! { a.button href="/moderation/audit.jsonl" { "Download" } (ways()) })
        .show(&body))
}

/// All lines, oldest first, a JSON object each, as they are read.
async fn export(Extract(state): Extract<State>) -> Response {
    let pages = futures::stream::unfold(Some((state.store.clone(), String::new())), |at| async {
        let (db, after) = at?;
        let page = match cases::lines_since(&db, &after, 500).await {
            Ok(page) => page,
            Err(error) => return Some((Err(error), None)),
        };
        let last = page.last()?.id.clone();
        let mut text = String::new();
        for line in &page {
            text += &serde_json::to_string(line).unwrap_or_default();
            text.push('\n');
        }
        Some((Ok(text), Some((db, last))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"moderation-audit.jsonl\"",
        ),
    ];
    (headers, Body::from_stream(pages)).into_response()
}
