//! `/effects`: every write on somebody else's server, planned, held, sent; hold and release.

use axum::{
    Router,
    extract::{Path, State as Extract},
    response::Redirect,
    routing::{get, post},
};
use maud::{Markup, html};
use serde_json::Value;
use store::effects::Effect;

use super::{Group, Page};
use crate::{
    State,
    api::effects::{self, Params, Stage, Wish},
    layout::Sheet,
    parts::{Tone, badge, button, empty, note, pager, unfilled},
    problem::Problem,
    rights::{Right, Visitor, only_with},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/effects",
    name: "Effects",
    icon: "M11.500 2.500 4.500 11.500H10l-1.500 6 7-9.500h-5.500z",
    group: Group::Last,
    right: Right::View,
    only: Some(looks_after_any),
    routes,
};

fn routes() -> Router<State> {
    let changes = Router::new()
        .route("/effects/{id}/release", post(release))
        .route("/effects/{id}/hold", post(hold));
    Router::new()
        .route("/effects", get(list))
        .route("/effects/{id}", get(show))
        .merge(only_with(Right::Admin, changes))
}

fn looks_after_any(visitor: &Visitor) -> bool {
    !effects::visible(visitor).is_empty()
}

async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
    query: axum::extract::RawQuery,
) -> Result<Markup, Problem> {
    let params: Params = unfilled(query.0.as_deref())?;
    let panic_stop = store::effects::panic_stop(&state.store).await?;
    let (rows, next) = effects::page(&state, &visitor, &params).await?;
    let modes = state.ledger.modes_now().await?;
    let features: Vec<&str> = modes.iter().map(|now| now.feature).collect();
    let filtered = params.feature.is_some() || params.state.is_some() || params.server.is_some();
    let body = html! {
        @if let Some((who, since)) = &panic_stop {
            (note(Tone::Bad, &html! { b { "Panic stop. " } "All effects are held by " (who) ", since " (words::when(*since)) "." }, None))
        }
        (filters(&params, &features))
        div #effects data-refresh {
            @if rows.is_empty() && filtered {
                (empty("No effect is like this.", &html! { a href="/effects" { "Show all" } }))
            } @else if rows.is_empty() {
                (empty("No effect was planned yet.", &html! {
                    "What Egret would write on other people's servers is recorded here before anything is sent." }))
            } @else { (table(&rows)) }
        }
        (pager(&[("feature", params.feature.as_deref()), ("state", params.state.map(Stage::as_str)),
            ("server", params.server.as_deref()), ("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Effects")
        .lead("What Egret writes on other people's servers, each recorded before it is sent.")
        .show(&body))
}

fn filters(params: &Params, features: &[&str]) -> Markup {
    html! {
        form.filters method="get" action="/effects" {
            label { "Feature" select name="feature" {
                option value="" { "any" }
                @for feature in features {
                    option value=(feature) selected[params.feature.as_deref() == Some(feature)] { (words::title(feature)) }
                }
            } }
            label { "State" select name="state" {
                option value="" { "any" }
                @for stage in Stage::ALL {
                    option value=(stage.as_str()) selected[params.state == Some(stage)] { (stage.as_str()) }
                }
            } }
            label { "Server" input name="server" value=[params.server.as_deref()] placeholder="mastodon.example" autocomplete="off"; }
            button { "Show" }
        }
    }
}

fn table(rows: &[Effect]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Effect" } th scope="col" { "Server" } th scope="col" { "State" }
                    th scope="col" { "Why" } th scope="col" { "Changed" }
                } }
                tbody {
                    @for row in rows {
                        tr data-key=(row.id) {
                            td.uri data-label="Effect" { div { a href={ "/effects/" (row.id) } { (row.kind) } " " code { (row.key) }
                                span.sub { (words::title(&row.feature)) } } }
                            td data-label="Server" { (row.server) }
                            td data-label="State" { div { (stage(row)) @if let Some(note) = &row.note { span.sub { (note) } } } }
                            td.uri data-label="Why" { div { (brief(&row.reason)) } }
                            td data-label="Changed" { (words::when(row.changed_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn stage(row: &Effect) -> Markup {
    let stage = Stage::of(row.state);
    let tone = match stage {
        Stage::Rehearsed | Stage::Undone => Tone::Plain,
        Stage::Held => Tone::Warn,
        Stage::Intended => Tone::Live,
        Stage::Done => Tone::Good,
        Stage::Failed => Tone::Bad,
    };
    badge(
        tone,
        if stage == Stage::Intended {
            "sending"
        } else {
            stage.as_str()
        },
    )
}

/// The first few facts of the evidence, in a line.
fn brief(reason: &Value) -> Markup {
    html! {
        @match reason {
            Value::Object(facts) if !facts.is_empty() => {
                @for (name, value) in facts.iter().take(3) { span.sub { (name.replace('_', " ")) ": " (plain(value)) } }
            },
            Value::Null => {},
            other => span.sub { (plain(other)) },
        }
    }
}

/// A value in a line, cut where it is long.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    if text.chars().count() > 120 {
        return text.chars().take(119).chain(['…']).collect();
    }
    text
}

/// All of a value, nested as it is.
fn whole(value: &Value, depth: usize) -> Markup {
    html! {
        @match value {
            Value::Object(facts) if facts.is_empty() => span.quiet { "nothing" },
            Value::Object(facts) if depth < 6 => dl.facts {
                @for (name, value) in facts { dt { (name.replace('_', " ")) } dd { (whole(value, depth + 1)) } }
            },
            Value::Array(items) if items.is_empty() => span.quiet { "none" },
            Value::Array(items) if depth < 6 => ul { @for item in items { li { (whole(item, depth + 1)) } } },
            Value::String(text) => span.anywhere { (text) },
            Value::Null => span.quiet { "–" },
            other => code { (other.to_string()) },
        }
    }
}

async fn show(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Problem> {
    let row = effects::load(&state, &visitor, &id).await?;
    let title = format!("{} {}", row.kind, row.key);
    let held = Stage::of(row.state) == Stage::Held && visitor.may_at(Right::Admin, &row.server);
    let act = |action: &str, words: &str| button(&visitor, &format!("/effects/{id}/{action}"), &[], words, words);
    let body = html! {
        div #effect data-refresh {
            div.columns {
                section { h2 { "What became of it" } div.card.padded { dl.facts {
                    dt { "State" } dd { (stage(&row)) @if let Some(note) = &row.note { span.sub { (note) } } }
                    dt { "Feature" } dd { (words::title(&row.feature)) }
                    dt { "Server" } dd { (row.server) }
                    dt { "Planned" } dd { (words::when(row.planned_at)) }
                    dt { "Changed" } dd { (words::when(row.changed_at)) }
                } } }
                section { h2 { "Why" } div.card.padded { (whole(&row.reason, 0)) } }
                section { h2 { "What is sent" } div.card.padded { (whole(&row.intent, 0)) } }
                section { h2 { "What came back" } div.card.padded {
                    @match &row.result { Some(result) => (whole(result, 0)), None => span.quiet { "Nothing yet." } }
                } }
            }
        }
    };
    let mut sheet = Sheet::of(&PAGE, &visitor, &title).crumb("/effects", "Effects");
    if held {
        sheet = sheet.actions(html! { (act("release", "Release")) (act("hold", "Hold")) });
    }
    Ok(sheet.show(&body))
}

async fn release(state: Extract<State>, visitor: Visitor, id: Path<String>) -> Result<Redirect, Problem> {
    change(state, visitor, id, Wish::Release).await
}

async fn hold(state: Extract<State>, visitor: Visitor, id: Path<String>) -> Result<Redirect, Problem> {
    change(state, visitor, id, Wish::Hold).await
}

async fn change(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<String>,
    wish: Wish,
) -> Result<Redirect, Problem> {
    effects::tell(&state, &visitor, &id, wish).await?;
    Ok(Redirect::to(&format!("/effects/{id}")))
}
