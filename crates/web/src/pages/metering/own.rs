//! What only a token of ours shows: what statuses brought, who came and who left, and what servers count of themselves.

use axum::extract::{Path, RawQuery, State as Extract};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};
use metering::posts::{self, Brought};
use model::{Clock as _, SystemClock};
use serde::Deserialize;
use store::{
    measures, metered_followers,
    metered_statuses::{self, Status},
};

use super::{PAGE, PERIODS, periods, picture};
use crate::{
    State,
    api::metering::{Whose, may_see_number, status_over_time},
    layout::Sheet,
    parts::{away, empty, encoded, tile, unfilled},
    problem::Problem,
    rights::Visitor,
    words,
};

/// Statuses and followers that one page looks at.
const MOST: u32 = 10_000;
/// Lines of each table.
const LINES: usize = 20;

/// The logins that are the visitor's, of those that something is known of; the one that is shown comes with them.
fn chosen(whose: &Whose, known: Vec<String>, visitor: &Visitor) -> Result<(Option<String>, Vec<String>), Problem> {
    let own: Vec<String> = known.into_iter().filter(|login| visitor.owns(login)).collect();
    let login = match &whose.login {
        Some(_) => Some(whose.login(visitor)?),
        None => own.first().cloned(),
    };
    Ok((login, own))
}

/// A link to the same page of each login.
fn logins(path: &str, own: &[String], now: &str) -> Markup {
    html! {
        @if own.len() > 1 {
            nav.pager aria-label="Login" {
                @for login in own {
                    a.button href={ (path) "?login=" (encoded(login)) } aria-current=[(login == now).then_some("true")] { (login) }
                }
            }
        }
    }
}

fn since(whose: &Whose) -> String {
    whose.since.clone().unwrap_or_else(|| "month".to_owned())
}

fn graphs(login: &str, what: &str) -> String {
    format!("/api/v1/metering/logins/{login}/graphs/{what}")
}

pub(super) async fn posts(
    Extract(state): Extract<State>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Markup, Problem> {
    let whose: Whose = unfilled(query.as_deref())?;
    let (login, own) = chosen(&whose, metered_statuses::logins(&state.store).await?, &visitor)?;
    let sheet = Sheet::of(&PAGE, &visitor, "What statuses brought")
        .crumb("/metering", "Metering")
        .lead("Replies, boosts and favourites of the newest statuses, and which tags and hours brought most.");
    let Some(login) = login else {
        return Ok(sheet.show(&unknown("metering.posts")));
    };
    let zone = whose.zone()?;
    let statuses = metered_statuses::since(&state.store, &login, whose.since()?, MOST).await?;
    let sum = |count: fn(&Status) -> i64| words::count(statuses.iter().map(count).sum());
    let period = since(&whose);
    let body = html! {
        (logins("/metering/posts", &own, &login))
        (periods(&format!("/metering/posts?login={}&", encoded(&login)), &period, &PERIODS[..4]))
        section { div.tiles {
            (tile(&words::count(i64::try_from(statuses.len()).unwrap_or(i64::MAX)), "statuses"))
            (tile(&sum(|status| status.replies), "replies"))
            (tile(&sum(|status| status.reblogs), "boosts"))
            (tile(&sum(|status| status.favourites), "favourites"))
        } }
        section {
            h2 { "By day" }
            (picture(&graphs(&login, "posts"), &format!("&width=900&height=320&since={}", encoded(&period)), "Replies, boosts and favourites by day"))
        }
        section {
            h2 { "What brought most" }
            @if statuses.is_empty() { (empty("Nothing in this period.", &html! { "A longer one may have some." })) }
            @else { (top(&login, &posts::top(&statuses, LINES))) }
        }
        @for (title, of, brought) in [
            ("Tags", "Tag", posts::tags(&statuses)),
            ("Hours", "Hour", posts::hours(&statuses, zone)),
            ("Days of the week", "Day", posts::days(&statuses, zone)),
        ] {
            @if !brought.is_empty() { section { h2 { (title) } (table(of, &brought)) } }
        }
    };
    Ok(sheet.show(&body))
}

fn unknown(job: &str) -> Markup {
    let why = html! { "Switch on " code { "[" (job) "]" } " with " code { "enabled = true" } "; it shows what it finds here." };
    empty("Nothing is known of your logins yet.", &why)
}

fn top(login: &str, statuses: &[&Status]) -> Markup {
    html! {
        div.table { table.stack {
            thead { tr {
                th scope="col" { "Status" } th.number scope="col" { "Replies" } th.number scope="col" { "Boosts" }
                th.number scope="col" { "Favourites" } th scope="col" { "Tags" }
            } }
            tbody { @for status in statuses { tr {
                td data-label="Status" { a href={ "/metering/posts/" (login) "/" (encoded(&status.status_id)) } { (words::when(status.created_at)) } }
                td.number data-label="Replies" { (words::count(status.replies)) }
                td.number data-label="Boosts" { (words::count(status.reblogs)) }
                td.number data-label="Favourites" { (words::count(status.favourites)) }
                td data-label="Tags" { (status.tags.join(" ")) }
            } } }
        } }
    }
}

fn table(of: &str, brought: &[Brought]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th scope="col" { (of) } th.number scope="col" { "Statuses" } th.number scope="col" { "Each brought" } } }
            tbody { @for one in brought.iter().take(24) { tr {
                td { (one.of) }
                td.number { (one.statuses) }
                td.number { (format!("{:.1}", one.each)) }
            } } }
        } }
    }
}

pub(super) async fn post(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path((server, name, id)): Path<(String, String, String)>,
) -> Result<Markup, Problem> {
    let login = format!("{server}/{name}");
    let (status, looks) = status_over_time(&state, &visitor, &login, &id).await?;
    let path = format!("/api/v1/metering/logins/{login}/posts/{}", encoded(&id));
    let body = html! {
        section { div.tiles {
            (tile(&words::count(status.replies), "replies"))
            (tile(&words::count(status.reblogs), "boosts"))
            (tile(&words::count(status.favourites), "favourites"))
        } }
        section {
            (picture(&format!("{path}/graph"), "&width=900&height=360", "What this status brought over time"))
            p { (away(&status.url)) " · written " (words::when(status.created_at)) " · changed "
                (words::count(i64::try_from(looks.len()).unwrap_or(i64::MAX))) " times · " a href=(path) { "JSON" } }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "A status over time")
        .crumb("/metering/posts", "What statuses brought")
        .show(&body))
}

pub(super) async fn followers(
    Extract(state): Extract<State>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Markup, Problem> {
    let whose: Whose = unfilled(query.as_deref())?;
    let (login, own) = chosen(&whose, metered_followers::logins(&state.store).await?, &visitor)?;
    let sheet = Sheet::of(&PAGE, &visitor, "Who came and who left")
        .crumb("/metering", "Metering")
        .lead("As far as your server tells: who is new among your followers, and who is missing.");
    let Some(login) = login else {
        return Ok(sheet.show(&unknown("metering.followers")));
    };
    let from = whose.since()?;
    let came = metered_followers::came(&state.store, &login, from, MOST).await?;
    let left = metered_followers::left(&state.store, &login, from, MOST).await?;
    let period = since(&whose);
    let count = |rows: &[metered_followers::Follower]| words::count(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    let people = |rows: &[metered_followers::Follower],
                  at: fn(&metered_followers::Follower) -> Option<DateTime<Utc>>| {
        html! {
            @if rows.is_empty() { (empty("Nobody.", &html! {})) } @else {
                div.table { table {
                    thead { tr { th scope="col" { "Account" } th scope="col" { "Noticed" } } }
                    tbody { @for row in rows.iter().take(200) { tr {
                        td.anywhere { (row.acct) }
                        td { @if let Some(at) = at(row) { (words::when(at)) } }
                    } } }
                } }
            }
        }
    };
    let body = html! {
        (logins("/metering/followers", &own, &login))
        (periods(&format!("/metering/followers?login={}&", encoded(&login)), &period, &PERIODS[..4]))
        section { div.tiles { (tile(&count(&came), "came")) (tile(&count(&left), "left")) } }
        section {
            h2 { "By day" }
            (picture(&graphs(&login, "followers"), &format!("&width=900&height=280&since={}", encoded(&period)), "Who came and who left by day"))
        }
        section { h2 { "Came" } (people(&came, |row| row.came_at)) }
        section { h2 { "Left" } (people(&left, |row| row.left_at)) }
    };
    Ok(sheet.show(&body))
}

/// Which number of which server.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Number {
    server: Option<String>,
    key: Option<String>,
    since: Option<String>,
}

/// What a number is called, for people.
fn named(key: &str) -> String {
    match key {
        "users" => "Users".to_owned(),
        "statuses" => "Statuses".to_owned(),
        "domains" => "Known servers".to_owned(),
        "active_month" => "Active in a month".to_owned(),
        "week.statuses" => "Statuses a week".to_owned(),
        "week.logins" => "People active in a week".to_owned(),
        "week.registrations" => "Sign-ups a week".to_owned(),
        key => words::title(&key.trim_start_matches("admin.").replace(['_', '.'], " ")),
    }
}

pub(super) async fn servers(
    Extract(state): Extract<State>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Markup, Problem> {
    let asked: Number = unfilled(query.as_deref())?;
    let mut known = measures::keys(&state.store).await?;
    known.retain(|(server, key)| may_see_number(&visitor, server, key));
    let mut hosts: Vec<String> = known.iter().map(|(server, _)| server.clone()).collect();
    hosts.dedup();
    let sheet = Sheet::of(&PAGE, &visitor, "Servers in numbers")
        .crumb("/metering", "Metering")
        .lead("What servers of yours count of themselves, kept for longer than they keep it.");
    let Some(server) = asked.server.clone().or_else(|| hosts.first().cloned()) else {
        let why = html! { "Switch on " code { "[metering.server]" } " with " code { "enabled = true" } "." };
        return Ok(sheet.show(&empty("No server has told its numbers yet.", &why)));
    };
    let period = asked.since.clone().unwrap_or_else(|| "year".to_owned());
    let mut newest = measures::newest(&state.store, &server).await?;
    newest.retain(|row| known.contains(&(server.clone(), row.key.clone())));
    // What everybody wants to know comes first.
    let first = [
        "users",
        "active_month",
        "week.logins",
        "week.statuses",
        "week.registrations",
        "statuses",
        "domains",
    ];
    newest.sort_by_key(|row| first.iter().position(|key| *key == row.key).unwrap_or(first.len()));
    // What is not asked for: one picture each of what can be seen over time and is not one of many of a kind.
    let many = |key: &str| key.matches('.').count() > 1;
    let shown: Vec<&measures::Measure> = match &asked.key {
        Some(key) => newest.iter().filter(|row| row.key == *key).collect(),
        None => newest.iter().filter(|row| !many(&row.key)).take(12).collect(),
    };
    let recent = SystemClock.now() - TimeDelta::days(45);
    let body = html! {
        @if hosts.len() > 1 {
            nav.pager aria-label="Server" { @for host in &hosts {
                a.button href={ "/metering/servers?server=" (encoded(host)) } aria-current=[(*host == server).then_some("true")] { (host) }
            } }
        }
        (periods(&format!("/metering/servers?server={}&key={}&", encoded(&server), encoded(asked.key.as_deref().unwrap_or_default())), &period, &PERIODS[1..4]))
        @for row in &shown {
            section {
                h2 { (named(&row.key)) }
                (picture(&format!("/api/v1/metering/servers/{}/graphs/{}", encoded(&server), encoded(&row.key)),
                    &format!("&width=900&height=260&since={}", encoded(&period)), &format!("{} over time", named(&row.key))))
            }
        }
        section {
            h2 { "All numbers" }
            div.table { table {
                thead { tr { th scope="col" { "Number" } th.number scope="col" { "Newest" } th scope="col" { "Of" } } }
                tbody { @for row in &newest { @let at = DateTime::from_timestamp(row.at, 0).unwrap_or_default(); tr {
                    td { a href={ "/metering/servers?server=" (encoded(&server)) "&key=" (encoded(&row.key)) } { (named(&row.key)) } }
                    td.number { (words::count(row.value)) }
                    td { @if at > recent { (words::when(at)) } @else { (at.format("%-d %b %Y")) } }
                } } }
            } }
        }
    };
    Ok(sheet.show(&body))
}
