//! `/metering`: how accounts grow. A list with a line beside each name, a page for each account, comparisons, groups.

use std::time::Duration;

use axum::{
    Router,
    extract::{Form, Path, Query, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta};
use maud::{Markup, html};
use metering::chart::{Metric, Series, sparkline};
use model::{Clock as _, SystemClock};
use serde::Deserialize;
use store::{
    metered_accounts, metered_events, metered_points,
    metered_wishes::{self, Wish},
};

use super::{Group, Page};
use crate::{
    State,
    api::metering::{self as api, Account, Params, Period},
    layout::Sheet,
    parts::{Tone, away, badge, button, empty, encoded, form as post_form, note, pager, tile},
    problem::Problem,
    rights::{Right, Visitor, only_with_all},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/metering",
    name: "Metering",
    icon: "M3 15.500l4.500-5 3 3L17 5.500M3 17h14",
    group: Group::Feature,
    right: Right::View,
    only: None,
    routes,
};

/// How far back the line beside a name reaches.
const RECENT: TimeDelta = TimeDelta::days(30);
/// Rows of it at most.
const ROWS: u32 = 2000;
/// How long a page waits for an account to be looked up.
const PATIENCE: Duration = Duration::from_secs(3);

fn routes() -> Router<State> {
    let changes = Router::new()
        .route("/metering/add", post(add))
        .route("/metering/accounts/{id}/remove", post(remove))
        .route("/metering/accounts/{id}/measure", post(measure))
        .route("/metering/accounts/{id}/groups", post(join));
    Router::new()
        .route("/metering", get(list))
        .route("/metering/accounts/{id}", get(show))
        .route("/metering/compare", get(compare))
        .route("/metering/report", get(report))
        .merge(only_with_all(Right::Admin, changes))
}

async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(params): Query<Params>,
) -> Result<Markup, Problem> {
    let (rows, next) = api::accounts(&state, &params).await?;
    let mut lines = Vec::with_capacity(rows.len());
    let now = SystemClock.now();
    for row in &rows {
        let since = (now - RECENT).timestamp();
        let points = metered_points::range(&state.store, row.id, since, now.timestamp(), ROWS).await?;
        lines.push(Series::of("", Metric::Followers, &points));
    }
    let accounts = api::told(&state, rows).await?;
    let counts = metered_accounts::counts(&state.store).await?;
    let groups = metered_accounts::groups(&state.store).await?;
    let wishes = metered_wishes::open(&state.store, 10).await?;
    let count = |name: &str| {
        counts
            .iter()
            .find(|(state, _)| state == name)
            .map_or(0, |(_, count)| *count)
    };
    let query = [
        ("state", params.state.as_deref()),
        ("group", params.group.as_deref()),
        ("search", params.search.as_deref()),
        ("before", params.before.as_deref()),
    ];
    let body = html! {
        section {
            div.tiles {
                (tile(&words::count(count("tracked")), "accounts measured"))
                (tile(&words::count(count("archived")), "gone, kept"))
                (tile(&words::count(i64::try_from(groups.len()).unwrap_or(i64::MAX)), "groups"))
            }
        }
        @if visitor.may_at(Right::Admin, "") { section { (add_form(&visitor)) (wishes_list(&wishes)) } }
        @if !groups.is_empty() {
            section {
                h2 { "Groups" }
                ul.counters {
                    @for (name, count) in &groups {
                        li { a href={ "/metering?group=" (encoded(name)) } { (name) } " " (count) " "
                            a.small href={ "/metering/compare?group=" (encoded(name)) } { "compare" } }
                    }
                }
            }
        }
        section #accounts data-refresh {
            h2 { @if let Some(group) = &params.group { "Group " (group) } @else { "Accounts" } }
            @if accounts.is_empty() {
                (empty("Nobody is measured here.", &html! { code { "egret meter add @user@host" } " begins." }))
            } @else {
                (table(&accounts, &lines))
                (pager(&query, next.as_deref()))
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Metering")
        .lead("How accounts grow: followers, accounts followed and statuses, measured by the clock.")
        .actions(html! { a.button href="/metering/report" { "Report" } })
        .show(&body))
}

fn add_form(visitor: &Visitor) -> Markup {
    let inside = html! {
        div.actions {
            label { span.unseen { "Account" } input type="text" name="address" placeholder="@user@host" required maxlength="1000"; }
            label { span.unseen { "Groups" } input type="text" name="groups" placeholder="groups" maxlength="200"; }
            button { "Measure" }
        }
    };
    post_form(visitor, "/metering/add", &[], &inside)
}

fn wishes_list(wishes: &[Wish]) -> Markup {
    html! {
        @for wish in wishes.iter().filter(|wish| wish.source != ::metering::NOW) {
            @let why = html! { b { (wish.address) } " " (wish.reason.as_deref().unwrap_or("is being looked up")) };
            (note(if wish.state == "refused" { Tone::Warn } else { Tone::Plain }, &why, None))
        }
    }
}

fn table(accounts: &[Account], lines: &[Series]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Account" } th scope="col" { "30 days" } th.number scope="col" { "Followers" }
                    th.number scope="col" { "Statuses" } th scope="col" { "Groups" } th scope="col" { "State" }
                } }
                tbody {
                    @for (account, line) in accounts.iter().zip(lines) {
                        tr data-key=(account.id) {
                            td data-label="Account" { div { a href={ "/metering/accounts/" (account.id) } { (account.acct) }
                                @if !account.name.is_empty() { span.sub { (account.name) } } } }
                            td data-label="30 days" { (spark(line)) }
                            td.number data-label="Followers" { (told(account.followers)) }
                            td.number data-label="Statuses" { (told(account.statuses)) }
                            td data-label="Groups" { (account.groups.join(" ")) }
                            td data-label="State" { div { (standing(account)) } }
                        }
                    }
                }
            }
        }
    }
}

fn told(count: Option<i32>) -> Markup {
    html! { @if let Some(count) = count { (words::count(count.into())) } @else { span.quiet { "–" } } }
}

fn spark(line: &Series) -> Markup {
    let runs = sparkline(&line.samples, 120, 28);
    html! {
        @if !runs.is_empty() {
            svg viewBox="0 0 120 28" width="120" height="28" aria-hidden="true" {
                @for run in &runs {
                    @if let [(x, y)] = run.as_slice() { circle cx=(x) cy=(y) r="2" fill="currentColor" {} }
                    @else {
                        polyline fill="none" stroke="currentColor" stroke-width="1.5"
                            points=(run.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")) {}
                    }
                }
            }
        }
    }
}

fn standing(account: &Account) -> Markup {
    html! {
        @if account.state != "tracked" { (badge(Tone::Plain, &account.state)) }
        @else if !account.condition.is_empty() { (badge(Tone::Warn, &account.condition)) }
        @else if account.trouble.is_some() { (badge(Tone::Warn, "missed")) }
        @else if let Some(at) = account.measured_at { span.small.quiet { (words::when(at)) } }
        @else { span.quiet { "not yet" } }
        @if let Some(trouble) = &account.trouble { span.sub { (trouble) } }
    }
}

/// A picture in both grounds; the browser takes the one that fits.
fn picture(path: &str, query: &str, alt: &str) -> Markup {
    html! {
        picture {
            source media="(prefers-color-scheme: dark)" srcset={ (path) "?theme=dark" (query) };
            img.chart src={ (path) "?theme=light" (query) } alt=(alt) width="900" height="360" loading="lazy";
        }
    }
}

/// Which period of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shown {
    since: Option<String>,
}

const PERIODS: [(&str, &str); 5] = [
    ("7d", "7 days"),
    ("month", "30 days"),
    ("90d", "90 days"),
    ("year", "a year"),
    ("", "all"),
];

fn periods(base: &str, now: &str) -> Markup {
    html! {
        nav.pager aria-label="Period" {
            @for (word, name) in PERIODS {
                a.button href={ (base) "since=" (word) } aria-current=[(word == now).then_some("true")] { (name) }
            }
        }
    }
}

async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(shown): Query<Shown>,
) -> Result<Markup, Problem> {
    let row = api::one(&state, id).await?;
    let events = metered_events::range(&state.store, id, DateTime::UNIX_EPOCH, SystemClock.now(), 1000).await?;
    let measured = metered_points::count(&state.store, id).await?;
    let account = api::told(&state, vec![row]).await?.remove(0);
    let since = shown.since.unwrap_or_else(|| "month".to_owned());
    let query = if since.is_empty() {
        "&width=900&height=360".to_owned()
    } else {
        format!("&width=900&height=360&since={}", encoded(&since))
    };
    let body = html! {
        section {
            div.tiles {
                (tile(&count(account.followers), "followers"))
                (tile(&count(account.following), "accounts followed"))
                (tile(&count(account.statuses), "statuses"))
                (tile(&words::count(measured), "times measured"))
            }
        }
        @if let Some(to) = &account.moved_to { (note(Tone::Warn, &html! { "Moved to " (away(to)) }, None)) }
        @if let Some(trouble) = &account.trouble { (note(Tone::Warn, &html! { "Not measured: " (trouble) }, None)) }
        (periods(&format!("/metering/accounts/{id}?"), &since))
        @for metric in Metric::ALL {
            section {
                h2 { (words::title(metric.as_str())) }
                (picture(&format!("/api/v1/metering/accounts/{id}/graphs/{}", metric.as_str()), &query,
                    &format!("{} of {} over time", metric.as_str(), account.acct)))
            }
        }
        section {
            h2 { "What happened" }
            @if events.is_empty() { (empty("Nothing yet.", &html! { "Renames, moves, suspensions and spikes show here." })) }
            @else {
                div.table { table.stack {
                    thead { tr { th scope="col" { "When" } th scope="col" { "What" } th scope="col" { "Was" } th scope="col" { "Became" } } }
                    tbody { @for event in events.iter().rev() { tr {
                        td data-label="When" { (words::when(event.at)) }
                        td data-label="What" { (event.kind) }
                        td data-label="Was" { (event.was.as_deref().unwrap_or_default()) }
                        td data-label="Became" { (event.became.as_deref().unwrap_or_default()) }
                    } } }
                } }
            }
        }
        section {
            h2 { "Data" }
            p { a href={ "/api/v1/metering/accounts/" (id) "/data?format=csv" } { "CSV" } " · "
                a href={ "/api/v1/metering/accounts/" (id) "/data" } { "JSON" } " · "
                a href={ "/api/v1/metering/accounts/" (id) "/graphs/common?format=png&scale=2" } { "PNG" } " · "
                a href={ "/api/v1/metering/accounts/" (id) "/graphs/common" } { "SVG" } }
        }
        @if visitor.may_at(Right::Admin, "") { section { h2 { "Change" } (changes(&visitor, &account)) } }
    };
    Ok(Sheet::of(&PAGE, &visitor, &account.acct)
        .crumb("/metering", "Metering")
        .lead(account.name.clone())
        .show(&body))
}

fn count(count: Option<i32>) -> String {
    count.map_or_else(|| "–".to_owned(), |count| words::count(count.into()))
}

fn changes(visitor: &Visitor, account: &Account) -> Markup {
    let path = |action: &str| format!("/metering/accounts/{}/{action}", account.id);
    let groups = html! {
        div.actions {
            label { span.unseen { "Group" } input type="text" name="group" placeholder="group" required maxlength="100"; }
            button { "Put into the group" }
        }
    };
    html! {
        div.actions {
            (button(visitor, &path("measure"), &[], "Measure now", "Measure now"))
            (button(visitor, &path("remove"), &[("purge", "")], "Stop measuring", "Stop measuring"))
            (button(visitor, &path("remove"), &[("purge", "yes")], "Forget all of it", "Forget all of it"))
        }
        (post_form(visitor, &path("groups"), &[], &groups))
        @for group in &account.groups {
            (button(visitor, &path("groups"), &[("group", group), ("leave", "yes")], &format!("Take out of {group}"), &format!("Take out of {group}")))
        }
    }
}

async fn compare(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(period): Query<Period>,
) -> Result<Markup, Problem> {
    let accounts = api::named(&state, &period, false).await?;
    let since = period.since.clone().unwrap_or_else(|| "month".to_owned());
    let who = match (&period.accounts, &period.group) {
        (Some(ids), _) if !ids.is_empty() => format!("accounts={}", encoded(ids)),
        (_, group) => format!("group={}", encoded(group.as_deref().unwrap_or_default())),
    };
    let query = if since.is_empty() {
        format!("&width=900&height=420&{who}")
    } else {
        format!("&width=900&height=420&since={}&{who}", encoded(&since))
    };
    let body = html! {
        (periods(&format!("/metering/compare?{who}&"), &since))
        @for metric in Metric::ALL {
            section {
                h2 { (words::title(metric.as_str())) }
                (picture(&format!("/api/v1/metering/graphs/{}", metric.as_str()), &query,
                    &format!("{} of {} accounts over time", metric.as_str(), accounts.len())))
            }
        }
        ul { @for account in &accounts { li { a href={ "/metering/accounts/" (account.id) } { (account.acct) } } } }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Comparison")
        .crumb("/metering", "Metering")
        .show(&body))
}

async fn report(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(period): Query<Period>,
) -> Result<Markup, Problem> {
    let (report, zone) = api::report_of(&state, &period).await?;
    let since = period.since.clone().unwrap_or_else(|| "24h".to_owned());
    let body = html! {
        nav.pager aria-label="Period" {
            @for (word, name) in [("24h", "24 hours"), ("7d", "7 days"), ("month", "30 days"), ("year", "a year")] {
                a.button href={ "/metering/report?since=" (word) } aria-current=[(word == since).then_some("true")] { (name) }
            }
        }
        pre { (report.text(zone, false)) }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Report")
        .crumb("/metering", "Metering")
        .lead("What changed, as a text to paste.")
        .show(&body))
}

/// Who is to be measured.
#[derive(Debug, Deserialize)]
struct Asked {
    address: String,
    #[serde(default)]
    groups: String,
}

fn read<T>(form: Result<Form<T>, FormRejection>) -> Result<T, Problem> {
    let Form(form) = form.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    Ok(form)
}

async fn add(Extract(state): Extract<State>, form: Result<Form<Asked>, FormRejection>) -> Result<Redirect, Problem> {
    let asked = read(form)?;
    let groups = asked
        .groups
        .split([',', ';', ' '])
        .filter(|group| !group.is_empty())
        .map(str::to_owned)
        .collect();
    let wish = api::ask(&state, &asked.address, groups, PATIENCE).await?;
    Ok(match wish.account {
        Some(id) => Redirect::to(&format!("/metering/accounts/{id}")),
        None => Redirect::to("/metering"),
    })
}

/// How to remove an account.
#[derive(Debug, Deserialize)]
struct Removal {
    #[serde(default)]
    purge: String,
}

async fn remove(
    Extract(state): Extract<State>,
    Path(id): Path<i64>,
    form: Result<Form<Removal>, FormRejection>,
) -> Result<Redirect, Problem> {
    let removal = read(form)?;
    api::one(&state, id).await?;
    if removal.purge.is_empty() {
        metered_accounts::remove(&state.store, id).await?;
    } else {
        metered_accounts::purge(&state.store, id).await?;
    }
    Ok(Redirect::to("/metering"))
}

async fn measure(Extract(state): Extract<State>, Path(id): Path<i64>) -> Result<Redirect, Problem> {
    let account = api::one(&state, id).await?;
    api::measure_now(&state, &account).await?;
    Ok(Redirect::to(&format!("/metering/accounts/{id}")))
}

/// Which group.
#[derive(Debug, Deserialize)]
struct Membership {
    group: String,
    #[serde(default)]
    leave: String,
}

async fn join(
    Extract(state): Extract<State>,
    Path(id): Path<i64>,
    form: Result<Form<Membership>, FormRejection>,
) -> Result<Redirect, Problem> {
    let membership = read(form)?;
    api::one(&state, id).await?;
    if membership.leave.is_empty() {
        metered_accounts::join(&state.store, id, std::slice::from_ref(&membership.group)).await?;
    } else {
        metered_accounts::leave(&state.store, id, &membership.group).await?;
    }
    Ok(Redirect::to(&format!("/metering/accounts/{id}")))
}
