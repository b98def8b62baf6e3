//! `/settings`: modes and the panic stop, which can be switched here, and the effective config, which cannot.

use axum::{
    Router,
    extract::{Form, Path, State as Extract, rejection::FormRejection},
    response::Redirect,
    routing::{get, post},
};
use job::{Mode, ModeNow};
use maud::{Markup, html};
use serde::Deserialize;
use store::effects;

use super::{Group, Page};
use crate::{
    State,
    api::settings::{stop_all, switch},
    layout::Sheet,
    parts::{Tone, badge, empty, form, note},
    problem::Problem,
    rights::{Right, Visitor, only_with_all},
    settings::Setting,
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/settings",
    name: "Settings",
    icon: "M3 6h6.500M13.500 6H17M3 14h3.500M10.500 14H17M11.500 4a2 2 0 1 0 0 4a2 2 0 1 0 0-4M8.500 12a2 2 0 1 0 0 4a2 2 0 1 0 0-4",
    group: Group::Last,
    right: Right::Admin,
    only: Some(|visitor| visitor.may_at(Right::Admin, "")),
    routes,
};

fn routes() -> Router<State> {
    let routes = Router::new()
        .route("/settings", get(show))
        .route("/settings/modes/{feature}", get(confirm_mode).post(set_mode))
        .route("/settings/panic_stop", get(confirm_stop).post(stop))
        .route("/settings/panic_stop/lift", post(lift));
    // What is set here is set for all servers.
    only_with_all(Right::Admin, routes)
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let modes = state.ledger.modes_now().await?;
    let panic_stop = effects::panic_stop(&state.store).await?;
    let settings = state.settings.list();
    let body = html! {
        section {
            h2 { "Panic stop" }
            @match &panic_stop {
                Some((who, since)) => (note(Tone::Bad,
                    &html! { b { "All effects are held." } " Set by " (who) ", " (words::when(*since)) "." },
                    Some(&html! { a.button href="/settings/panic_stop" { "Lift it…" } }))),
                None => div.card.padded {
                    p { "Holds everything Egret would write on other people's servers, of all features, from the next effect on. Nothing is lost: what waits goes on once it is lifted." }
                    br; a.button.danger href="/settings/panic_stop" { "Stop everything…" }
                },
            }
        }
        section { h2 { "Modes" } (modes_table(&modes)) }
        section {
            h2 { "Config" }
            @if settings.is_empty() { (empty("Nothing is known of the config.", &html! {})) }
            @else {
                p.quiet.small { "As it holds now. To change it, change the file and reload (" code { "SIGHUP" } "). Secrets are masked." }
                br;
                (config_table(&settings))
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Settings").show(&body))
}

fn modes_table(modes: &[ModeNow]) -> Markup {
    if modes.is_empty() {
        return empty(
            "No feature that is set up writes on other people's servers.",
            &html! { "Those that do have a mode, and begin with " b { "observe" } "." },
        );
    }
    html! {
        div.table {
            table.stack {
                thead { tr { th scope="col" { "Feature" } th scope="col" { "Mode" } th scope="col" { "In the config" } th scope="col" { span.unseen { "Actions" } } } }
                tbody {
                    @for now in modes {
                        tr data-key=(now.feature) {
                            td data-label="Feature" { (words::title(now.feature)) }
                            td data-label="Mode" { div {
                                (badge(if now.mode == Mode::Act { Tone::Good } else { Tone::Plain }, now.mode.as_str()))
                                @if let Some((who, at)) = &now.switched { span.sub { "switched by " (who) ", " (words::when(*at)) } }
                            } }
                            td data-label="In the config" { (now.config.as_str()) }
                            td { a.button href={ "/settings/modes/" (now.feature) } { "Switch…" } }
                        }
                    }
                }
            }
        }
    }
}

/// One table for each section of the config.
fn config_table(settings: &[Setting]) -> Markup {
    let section = |key: &str| key.split(['.', '[']).next().unwrap_or_default().to_owned();
    let mut sections: Vec<String> = Vec::new();
    for setting in settings {
        let name = section(&setting.key);
        if !sections.contains(&name) {
            sections.push(name);
        }
    }
    html! {
        @for name in sections {
            @let own: Vec<&Setting> = settings.iter().filter(|setting| section(&setting.key) == name).collect();
            @let changed = own.iter().filter(|setting| setting.source != "default").count();
            details.card open[changed > 0] {
                summary.config-head { b { "[" (name) "]" } " " span.quiet.small { (own.len()) @if own.len() == 1 { " key" } @else { " keys" }
                    @if changed > 0 { ", " (changed) " not default" } } }
                table.stack.even {
                    thead { tr { th scope="col" { "Key" } th scope="col" { "Value" } th scope="col" { "From" } } }
                    tbody {
                        @for setting in own {
                            tr {
                                td.anywhere data-label="Key" { code { (setting.key) } }
                                td.anywhere data-label="Value" { code { (setting.value) } }
                                td.anywhere data-label="From" {
                                    @if setting.source == "default" { span.quiet { "default" } } @else { (setting.source) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

async fn mode_now(state: &State, feature: &str) -> Result<ModeNow, Problem> {
    let modes = state.ledger.modes_now().await?;
    let found = modes.into_iter().find(|now| now.feature == feature);
    found.ok_or_else(|| Problem::not_found("no feature of that name writes on other people's servers"))
}

async fn confirm_mode(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(feature): Path<String>,
) -> Result<Markup, Problem> {
    let now = mode_now(&state, &feature).await?;
    let path = format!("/settings/modes/{feature}");
    let (other, means, class) = match now.mode {
        Mode::Observe => (
            Mode::Act,
            "From the next effect on, plans are carried out: what was only shown so far is sent to the servers.",
            "danger",
        ),
        Mode::Act => (
            Mode::Observe,
            "From the next effect on, nothing is sent any more. Plans are still made and shown, as rehearsed.",
            "main",
        ),
    };
    let title = format!("Switch {} to {}?", feature, other.as_str());
    let body = html! {
        div.card.padded {
            p { (means) }
            p.quiet { "The config says " b { (now.config.as_str()) } "; a switch outweighs it until it is taken back, restarts included." }
            br;
            div.actions {
                (form(&visitor, &path, &[("mode", other.as_str())], &html! { button class=(class) { "Switch to " (other.as_str()) } }))
                @if now.switched.is_some() {
                    (form(&visitor, &path, &[("mode", "")], &html! { button { "Do as the config says" } }))
                }
                a.button href="/settings" { "Leave it" }
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, &title)
        .crumb("/settings", "Settings")
        .show(&body))
}

/// Which mode; empty for the config's.
#[derive(Debug, Deserialize)]
struct Wanted {
    mode: String,
}

async fn set_mode(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(feature): Path<String>,
    wanted: Result<Form<Wanted>, FormRejection>,
) -> Result<Redirect, Problem> {
    let Form(Wanted { mode }) =
        wanted.map_err(|error| Problem::new(400, "cannot read the form").because(error.body_text()))?;
    let mode = match mode.as_str() {
        "" => None,
        name => Some(Mode::parse(name).ok_or_else(|| Problem::field(422, "mode", "must be observe or act"))?),
    };
    switch(&state, &visitor, &feature, mode).await?;
    Ok(Redirect::to("/settings"))
}

async fn confirm_stop(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let panic_stop = effects::panic_stop(&state.store).await?;
    let waiting: i64 = effects::waiting(&state.store)
        .await?
        .iter()
        .map(|(.., count)| count)
        .sum();
    let (title, body) = match panic_stop {
        None => (
            "Stop everything?",
            html! {
                p { "Nothing that Egret would write on other people's servers goes out any more, whatever the feature and whatever its mode. Reading goes on." }
                p.quiet { "What is planned meanwhile waits, and goes on once the stop is lifted." }
                br;
                div.actions {
                    (form(&visitor, "/settings/panic_stop", &[], &html! { button.danger { "Stop everything" } }))
                    a.button href="/settings" { "Leave it" }
                }
            },
        ),
        Some((who, since)) => (
            "Lift the panic stop?",
            html! {
                p { "Set by " b { (who) } ", " (words::when(since)) "." }
                p { b { (words::count(waiting)) } " effects wait and go on with the next runs of their features. "
                    a href="/effects?state=held" { "Look at them first" } }
                br;
                div.actions {
                    (form(&visitor, "/settings/panic_stop/lift", &[], &html! { button.main { "Lift it" } }))
                    a.button href="/settings" { "Leave it" }
                }
            },
        ),
    };
    let body = html! { div.card.padded { (body) } };
    Ok(Sheet::of(&PAGE, &visitor, title)
        .crumb("/settings", "Settings")
        .show(&body))
}

async fn stop(Extract(state): Extract<State>, visitor: Visitor) -> Result<Redirect, Problem> {
    stop_all(&state, &visitor, true).await?;
    Ok(Redirect::to("/settings"))
}

async fn lift(Extract(state): Extract<State>, visitor: Visitor) -> Result<Redirect, Problem> {
    stop_all(&state, &visitor, false).await?;
    Ok(Redirect::to("/settings"))
}
