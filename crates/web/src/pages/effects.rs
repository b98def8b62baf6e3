//! `/effects`: every write on somebody else's server, planned, held, sent.

use axum::{
    Router,
    extract::{Query, State as Extract},
    routing::get,
};
use job::Mode;
use maud::{Markup, html};
use serde::Deserialize;
use store::effects::{self, Effect, State as Is};

use super::{Group, Page};
use crate::{
    State,
    layout::Sheet,
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

const MOST: u32 = 50;

/// `?before=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Before {
    before: Option<String>,
}

pub(crate) const PAGE: Page = Page {
    path: "/effects",
    name: "Effects",
    icon: "M11.500 2.500 4.500 11.500H10l-1.500 6 7-9.500h-5.500z",
    group: Group::Last,
    right: Right::View,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    Router::new().route("/effects", get(show))
}

async fn show(
    visitor: Visitor,
    Extract(state): Extract<State>,
    Query(Before { before }): Query<Before>,
) -> Result<Markup, Problem> {
    let panic_stop = effects::panic_stop(&state.store).await?;
    let effects = effects::list(&state.store, None, None, before.as_deref(), MOST).await?;
    let modes = state.ledger.modes();
    let next = effects
        .last()
        .filter(|_| effects.len() == MOST as usize)
        .map(|effect| effect.id.clone());
    let body = html! {
        @if let Some((who, since)) = &panic_stop {
            p.note.bad { b { "Panic stop. " } "All effects are held by " (who) ", since " (words::when(*since)) "." }
        }
        p.quiet { "What Egret writes on other people's servers, each recorded before it is sent." }
        @if !modes.is_empty() {
            p { @for (feature, mode) in &modes { (feature) " " span class=(if *mode == Mode::Act { "badge good" } else { "badge plain" }) { (mode.as_str()) } " " } }
        }
        div #effects data-refresh {
            @if effects.is_empty() { p.empty { "No effect was planned yet." } } @else { (table(&effects)) }
        }
        @if let Some(next) = next { p.more { a href={ "?before=" (next) } { "Older" } } }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Effects").show(&body))
}

fn table(effects: &[Effect]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr { th { "Effect" } th { "Server" } th { "State" } th { "Why" } th { "Changed" } } }
                tbody {
                    @for effect in effects {
                        tr {
                            td.uri data-label="Effect" { div { (effect.kind) " " code { (effect.key) } span.sub { (effect.feature) } } }
                            td data-label="Server" { (effect.server) }
                            td data-label="State" { div { (state(effect.state)) @if let Some(note) = &effect.note { span.sub { (note) } } } }
                            td.uri data-label="Why" { details { summary { "Evidence" } code { (effect.reason) } } }
                            td data-label="Changed" { (words::when(effect.changed_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn state(state: Is) -> Markup {
    let (class, word) = match state {
        Is::Rehearsed => ("badge plain", "rehearsed"),
        Is::Held => ("badge warn", "held"),
        Is::Intended => ("badge", "sending"),
        Is::Done => ("badge good", "done"),
        Is::Failed => ("badge bad", "failed"),
        Is::Undone => ("badge plain", "undone"),
    };
    html! { span class=(class) { (word) } }
}
