//! `/`: is all well, and what is it worth?

use axum::{Router, extract::State as Extract, routing::get};
use maud::{Markup, html};
use store::{
    job_runs,
    servers::{self, Login, Server},
    wanted::{self, State as Wanted},
};

use super::{Group, Page, runs::runs_table};
use crate::{
    State,
    layout::Sheet,
    overview::{self, Health},
    parts::tile,
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/",
    name: "Overview",
    icon: "M3 10.500 10 4l7 6.500M5.200 9v7.500h9.600V9",
    group: Group::First,
    right: Right::View,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    Router::new().route("/", get(show))
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let health = overview::health(&state).await;
    let servers = servers::list(&state.store).await?;
    let logins = servers::list_logins(&state.store).await?;
    let counts = wanted::counts(&state.store).await?;
    let runs = job_runs::list(&state.store, None, None, 200).await?;
    let count = |wanted: Wanted| {
        counts
            .iter()
            .filter(|(_, state, _)| *state == wanted)
            .map(|(.., n)| n)
            .sum::<i64>()
    };
    let given_up = count(Wanted::Failed) + count(Wanted::Gone) + count(Wanted::Blocked);
    let cost = overview::requests_per_reply(&runs);
    let body = html! {
        div #overview data-refresh {
            (warnings(&health))
            div.tiles {
                (tile(&count(Wanted::Done).to_string(), "replies recovered"))
                (tile(&count(Wanted::Wanted).to_string(), "still wanted"))
                (tile(&given_up.to_string(), "given up, gone or blocked"))
                (tile(&cost.map_or("–".to_owned(), |cost| format!("{cost:.2}")), "requests to home per reply"))
            }
            h2 { "Servers" }
            (servers_table(&servers, &logins))
            h2 { "Last runs" }
            (runs_table(runs.get(..10).unwrap_or(&runs), true))
            @if !runs.is_empty() { p.more { a href="/jobs" { "All jobs" } } }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Overview")
        .actions(html! { a.button href="/jobs" { "Jobs" } })
        .show(&body))
}

fn warnings(health: &Health) -> Markup {
    html! {
        @if let Some(who) = &health.panic_stop {
            p.note.bad { b { "Panic stop. " } "All effects are held: " (who) "." }
        }
        @for login in &health.logins {
            p.note.bad { b { (login.login) } ": " (login.trouble.as_deref().unwrap_or_default()) }
        }
        @for live in &health.resting {
            p.note.warn { b { (live.job) } " rests" @if !live.scope.is_empty() { " for " (live.scope) } ": "
                (live.rests.as_deref().unwrap_or_default()) }
        }
    }
}

fn servers_table(servers: &[Server], logins: &[Login]) -> Markup {
    if servers.is_empty() && logins.is_empty() {
        return html! { p.empty { "No server has answered yet. " code { "egret check" } " says what each one needs." } };
    }
    let has_login = |host: &str| logins.iter().any(|login| login.login.split('/').next() == Some(host));
    html! {
        div.table {
            table.stack {
                thead { tr { th { "Server" } th { "Version" } th { "Login" } th { "Token" } th { "State" } th { "Checked" } } }
                tbody {
                    @for login in logins {
                        @let host = login.login.split('/').next().unwrap_or_default();
                        @let server = servers.iter().find(|server| server.host == host);
                        tr {
                            td data-label="Server" { (host) }
                            td data-label="Version" { (server.map_or("–", |server| server.version.as_str())) }
                            td data-label="Login" { div { (login.login.split_once('/').map_or("", |(_, name)| name))
                                @if let Some(acct) = &login.acct { span.sub { "@" (acct) } } } }
                            td data-label="Token" { code { (login.masked) } }
                            td data-label="State" {
                                @match &login.trouble {
                                    Some(trouble) => div { span.badge.bad { "trouble" } span.sub { (trouble) } },
                                    None => span.badge.good { "works" },
                                }
                            }
                            td data-label="Checked" { (words::when(login.checked_at)) }
                        }
                    }
                    @for server in servers.iter().filter(|server| !has_login(&server.host)) {
                        tr {
                            td data-label="Server" { (server.host) }
                            td data-label="Version" { (server.version) }
                            td data-label="Login" { span.quiet { "none" } }
                            td data-label="Token" {} td data-label="State" {}
                            td data-label="Checked" { (words::when(server.checked_at)) }
                        }
                    }
                }
            }
        }
    }
}
