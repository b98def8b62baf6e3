//! `/`: is all well, how does each feature fare, and what waits for somebody?

use axum::{
    Router,
    extract::{Path, State as Extract},
    response::Redirect,
    routing::{get, post},
};
use job::Mode;
use maud::{Markup, html};
use store::{job_runs, notices::Severity, servers::Server, wanted::State as Wanted};

use super::{Group, PAGES, Page, budgets, runs::runs_table};
use crate::{
    State,
    api::{
        jobs::entries,
        notices::{Notice, Reach as _, mark_seen, news},
        servers::{Login, all, seen},
    },
    layout::Sheet,
    overview::{self, Feature, Health, features},
    parts::{Tone, badge, button, empty, note, tile},
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
    Router::new()
        .route("/", get(show))
        .route("/notices/{id}/seen", post(seen_it))
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let health = overview::health(&state).await.for_visitor(&visitor);
    let news = news(&state, &visitor, &health).await?;
    let entries = entries(&state, &visitor).await?;
    let features = features(&state, &visitor, &entries).await?;
    let servers = seen(&state, &visitor).await?;
    let logins = all(&state, &visitor).await?;
    let runs = job_runs::page(&state.store, visitor.runs().as_ref(), None, None, 8).await?;
    let cost = overview::requests_per_reply(&overview::costs(&state, &visitor).await?);
    let within = visitor.servers(Right::View);
    let done = state.counts.of(&state.store, &within, &[Wanted::Done]).await?;
    let wanted = state.counts.of(&state.store, &within, &[Wanted::Wanted]).await?;
    let size = match visitor.may_at(Right::Admin, "") {
        true => store::size(&state.store).await.ok(),
        false => None,
    };
    let waiting: i64 = features.iter().map(|feature| feature.waiting).sum();
    let body = html! {
        div #overview data-refresh {
            (notices(&visitor, &health))
            (told(&visitor, &news))
            section {
                div.tiles {
                    (tile(&words::count(done), "replies recovered"))
                    (tile(&words::count(wanted), "still wanted"))
                    (tile(&cost.map_or("–".to_owned(), |cost| format!("{cost:.2}")), "requests to home per reply"))
                    (tile(&words::count(waiting), "effects wait for somebody"))
                    @if let Some(bytes) = size {
                        (tile(&format!("{} MiB", bytes.div_ceil(1 << 20)), "database"))
                    }
                }
            }
            section {
                h2 { "Features" }
                @if features.is_empty() {
                    (empty("No feature is set up.", &html! { code { "config/example.toml" } " shows what can be." }))
                } @else {
                    div.cards { @for feature in &features { (card(&visitor, feature)) } }
                }
            }
            div.columns.wide {
                section { h2 { "Servers and logins" } (servers_table(&servers, &logins)) }
                section { h2 { "Request budgets" } (budgets::card(&logins)) }
            }
            section {
                div.section-head { h2 { "Last runs" } @if !runs.is_empty() { a.small href="/jobs" { "All jobs" } } }
                (runs_table(&runs, true))
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Overview").show(&body))
}

/// What wants attention, with what to do about it.
fn notices(visitor: &Visitor, health: &Health) -> Markup {
    let admin = visitor.may_at(Right::Admin, "");
    html! {
        @if let Some(who) = &health.panic_stop {
            (note(Tone::Bad, &html! { b { "Panic stop. " } "All effects of all features are held by " (who) "." },
                admin.then(|| html! { a.button href="/settings/panic_stop" { "Lift it" } }).as_ref()))
        }
        @for login in &health.logins {
            (note(Tone::Bad, &html! { b { (login.login) } ": " (words::told(login.trouble.as_deref().unwrap_or_default())) }, None))
        }
        @for live in &health.resting {
            (note(Tone::Warn, &html! {
                b { (live.job) } " rests" @if !live.scope.is_empty() { " for " (live.scope) } ": "
                (words::told(live.rests.as_deref().unwrap_or_default()))
            }, Some(&html! { a.button href={ "/jobs/" (live.job) } { "Look" } })))
        }
    }
}

/// What somebody should hear of, until somebody says that they did.
fn told(visitor: &Visitor, news: &[Notice]) -> Markup {
    html! {
        @if !news.is_empty() {
            section aria-label="News" {
                h2 { "For somebody to see" }
                ul.card.news {
                    @for one in news {
                        li data-key=(one.id) {
                            (badge(loudness(one.severity), severity(one.severity)))
                            div { (words::told(&one.text)) span.sub { (words::title(&one.feature)) ", " (words::when(one.created_at)) } }
                            @if one.may_be_marked_by(visitor) {
                                (button(visitor, &format!("/notices/{}/seen", one.id), &[], "Seen", &format!("Seen: {}", one.text)))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn loudness(severity: Severity) -> Tone {
    match severity {
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Warn,
        Severity::Error => Tone::Bad,
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "news",
        Severity::Warning => "waits",
        Severity::Error => "broken",
    }
}

async fn seen_it(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    mark_seen(&state, &visitor, &id).await?;
    Ok(Redirect::to("/"))
}

fn card(visitor: &Visitor, feature: &Feature) -> Markup {
    let path = format!("/{}", feature.name);
    let page = PAGES.iter().find(|page| page.path == path && page.opens(visitor));
    let found: Vec<_> = feature.found.iter().filter(|(_, count)| **count != 0).collect();
    html! {
        div.card.padded.feature data-key=(feature.name) {
            header {
                h3 { @if page.is_some() { a href=(path) { (words::title(&feature.name)) } } @else { (words::title(&feature.name)) } }
                (state(feature))
            }
            dl.facts {
                dt { "Mode" }
                dd { @match &feature.mode {
                    None => span.quiet { "reads only" },
                    Some(now) => {
                        (badge(if now.mode == Mode::Act { Tone::Good } else { Tone::Plain }, now.mode.as_str()))
                        @if let Some((who, _)) = &now.switched { span.sub { "switched by " (who) } }
                    }
                } }
                dt { "Last run" }
                dd { @match &feature.last_run {
                    None => span.quiet { "none yet" },
                    Some(run) => { a href={ "/runs/" (run.id) } { (words::outcome(run.outcome)) } " "
                        span.small.quiet { (words::when(run.finished_at.unwrap_or(run.started_at))) } }
                } }
                dt { "Next run" }
                dd { @match feature.next_due { None => span.quiet { "–" }, Some(due) => (words::when(due)) } }
                dt { "Found" }
                dd {
                    @if found.is_empty() { span.quiet { "nothing new" } }
                    @else { ul.counters { @for (name, count) in found.iter().take(4) { li { b { (words::count(**count)) } " " (name.replace('_', " ")) } } } }
                }
                @if feature.waiting > 0 {
                    dt { "Waiting" }
                    dd { a href={ "/effects?state=held&feature=" (feature.name) } { (words::count(feature.waiting)) " for somebody" } }
                }
            }
        }
    }
}

fn state(feature: &Feature) -> Markup {
    match feature {
        Feature { resting: 1.., .. } => badge(Tone::Bad, "rests"),
        Feature { running: 1.., .. } => badge(Tone::Live, "running"),
        Feature {
            paused: 1..,
            next_due: None,
            ..
        } => badge(Tone::Plain, "paused"),
        _ => html! {},
    }
}

fn servers_table(servers: &[Server], logins: &[Login]) -> Markup {
    if servers.is_empty() && logins.is_empty() {
        return empty(
            "No server has answered yet.",
            &html! { code { "egret check" } " says what each one needs." },
        );
    }
    let has_login = |host: &str| logins.iter().any(|login| login.login.split('/').next() == Some(host));
    html! {
        div.table {
            table.stack {
                thead { tr { th scope="col" { "Server" } th scope="col" { "Login" } th scope="col" { "State" } th scope="col" { "Checked" } } }
                tbody {
                    @for login in logins {
                        @let (host, name) = login.login.split_once('/').unwrap_or((&login.login, ""));
                        @let server = servers.iter().find(|server| server.host == host);
                        tr data-key=(login.login) {
                            td.anywhere data-label="Server" { div { (host)
                                @if let Some(server) = server { span.sub { (server.version) } } } }
                            td data-label="Login" { div { span.nowrap { (name) " " code.quiet { (login.token) } }
                                @if let Some(acct) = &login.acct { span.sub.anywhere { "@" (acct) } } } }
                            td data-label="State" {
                                @match &login.trouble {
                                    Some(trouble) => div { (badge(Tone::Bad, "trouble")) span.sub { (words::told(trouble)) } },
                                    None => (badge(Tone::Good, "works")),
                                }
                            }
                            td data-label="Checked" { (words::when(login.checked_at)) }
                        }
                    }
                    @for server in servers.iter().filter(|server| !has_login(&server.host)) {
                        tr data-key=(server.host) {
                            td data-label="Server" { div { (server.host) span.sub { (server.version) } } }
                            td data-label="Login" { span.quiet { "none" } }
                            td data-label="State" {}
                            td data-label="Checked" { (words::when(server.checked_at)) }
                        }
                    }
                }
            }
        }
    }
}
