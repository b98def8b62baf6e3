//! `/metering`: how accounts grow. A list with a line beside each name, a page for each account, comparisons, groups;
//! what statuses brought, who came and left, servers in numbers.

mod account;
mod compare;
mod forms;
mod own;

use axum::{
    Router,
    extract::{Query, State as Extract},
    routing::{get, post},
};
use chrono::TimeDelta;
use maud::{Markup, html};
use metering::chart::{Metric, Series, sparkline};
use model::{Clock as _, SystemClock};
use serde::Deserialize;
use store::{
    metered_accounts, metered_points,
    metered_wishes::{self, Wish},
};

use super::{Group, Page};
use crate::{
    State,
    api::metering::{self as api, Account, Params},
    layout::Sheet,
    parts::{Tone, badge, empty, encoded, form as post_form, note, tile},
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
/// Rows of it at most: a measure each minute, which is as often as there are any. Of fewer the newest would be missing.
const ROWS: u32 = 43_200;

fn routes() -> Router<State> {
    let changes = Router::new()
        .route("/metering/add", post(forms::add))
        .route("/metering/accounts/{id}/remove", post(forms::remove))
        .route("/metering/accounts/{id}/measure", post(forms::measure))
        .route("/metering/accounts/{id}/groups", post(forms::join));
    Router::new()
        .route("/metering", get(list))
        .route("/metering/accounts/{id}", get(account::show))
        .route("/metering/compare", get(compare::compare))
        .route("/metering/report", get(compare::report))
        .route("/metering/posts", get(own::posts))
        .route("/metering/posts/{server}/{name}/{id}", get(own::post))
        .route("/metering/followers", get(own::followers))
        .route("/metering/servers", get(own::servers))
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
            div.section-head {
                h2 { @if let Some(group) = params.group.as_deref().filter(|group| !group.is_empty()) { "Group " (group) } @else { "Accounts" } }
                @if let Some(group) = params.group.as_deref().filter(|group| !group.is_empty()) {
                    a.small href={ "/metering/compare?group=" (encoded(group)) } { "Compare" } " "
                    a.small href={ "/metering/report?group=" (encoded(group)) } { "Report" } " "
                    a.small href="/metering" { "All accounts" }
                }
            }
            (filters(&params))
            @if accounts.is_empty() {
                (empty("Nobody is measured here.", &html! { code { "egret meter add @user@host" } " begins." }))
            } @else {
                (table(&accounts, &lines))
                (more(&params, next.as_deref()))
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Metering")
        .lead("How accounts grow: followers, accounts followed and statuses, measured by the clock.")
        .actions(html! {
            a.button href="/metering/report" { "Report" }
            a.button href="/metering/posts" { "Statuses" }
            a.button href="/metering/followers" { "Followers" }
            a.button href="/metering/servers" { "Servers" }
        })
        .show(&body))
}

/// What the list shows; a group goes along unseen.
fn filters(params: &Params) -> Markup {
    let state = params.state.as_deref().unwrap_or_default();
    html! {
        form.filters method="get" action="/metering" {
            @if let Some(group) = &params.group { input type="hidden" name="group" value=(group); }
            label { "Name" input type="search" name="search" value=(params.search.as_deref().unwrap_or_default()) maxlength="200"; }
            label { "State" select name="state" {
                @for (value, name) in [("", "measured or gone"), ("tracked", "measured"), ("archived", "gone, kept"), ("removed", "removed")] {
                    option value=(value) selected[value == state] { (name) }
                }
            } }
            button { "Show" }
        }
    }
}

/// The way on, and back to those that were added first.
fn more(params: &Params, next: Option<&str>) -> Markup {
    let mut query = String::new();
    for (name, value) in [
        ("state", &params.state),
        ("group", &params.group),
        ("search", &params.search),
    ] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            query.push_str(&format!("{name}={}&", encoded(value)));
        }
    }
    let is_first = params.before.as_deref().is_none_or(str::is_empty);
    html! {
        @if next.is_some() || !is_first {
            nav.pager aria-label="More" {
                @if !is_first { a.button href={ "/metering?" (query) } { "First" } }
                @if let Some(next) = next { a.button href={ "/metering?" (query) "before=" (encoded(next)) } rel="next" { "More" } }
            }
        }
    }
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

/// A picture in both grounds, and one each for narrow screens, where letters of the wide one would be too small; the
/// browser takes the one that fits.
fn picture(path: &str, query: &str, alt: &str) -> Markup {
    let narrow = query.replace("width=900", "width=440");
    html! {
        picture {
            source media="(prefers-color-scheme: dark) and (max-width: 620px)" srcset={ (path) "?theme=dark" (narrow) };
            source media="(max-width: 620px)" srcset={ (path) "?theme=light" (narrow) };
            source media="(prefers-color-scheme: dark)" srcset={ (path) "?theme=dark" (query) };
            img.chart src={ (path) "?theme=light" (query) } alt=(alt) loading="lazy";
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

fn periods(base: &str, now: &str, of: &[(&str, &str)]) -> Markup {
    html! {
        nav.pager aria-label="Period" {
            @for (word, name) in of.iter().copied() {
                a.button href={ (base) "since=" (word) } aria-current=[(word == now).then_some("true")] { (name) }
            }
        }
    }
}
