//! `/effects`: every write on somebody else's server, planned, held, sent.

use axum::extract::{Query, State as Extract};
use job::Mode;
use maud::{Markup, html};
use serde::Deserialize;
use store::effects::{self, Effect, State as Is};

use crate::{
    State,
    layout::{self, Place},
    problem::Problem,
    words,
};

const PAGE: u32 = 50;

/// `?before=`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Before {
    before: Option<String>,
}

pub(crate) async fn get(
    Extract(state): Extract<State>,
    Query(Before { before }): Query<Before>,
) -> Result<Markup, Problem> {
    let panic_stop = effects::panic_stop(&state.store).await?;
    let effects = effects::list(&state.store, None, None, before.as_deref(), PAGE).await?;
    let modes = state.ledger.modes();
    let next = effects
        .last()
        .filter(|_| effects.len() == PAGE as usize)
        .map(|effect| effect.id.clone());
    let body = html! {
        h1 { "Effects" }
        @if let Some((who, since)) = &panic_stop {
            p.note.bad { b { "Panic stop. " } "All effects are held by " (who) ", since " (words::when(*since)) "." }
        }
        p.quiet { "What Egret writes on other people's servers, each recorded before it is sent." }
        @if !modes.is_empty() {
            p { @for (feature, mode) in &modes { (feature) " " span class=(if *mode == Mode::Act { "chip good" } else { "chip plain" }) { (mode.as_str()) } " " } }
        }
        div #effects data-refresh {
            @if effects.is_empty() { p.empty { "No effect was planned yet." } } @else { (table(&effects)) }
        }
        @if let Some(next) = next { p.more { a href={ "?before=" (next) } { "Older" } } }
    };
    Ok(layout::page("Effects", Some(Place::Effects), &body))
}

fn table(effects: &[Effect]) -> Markup {
    html! {
        div.card {
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
        Is::Rehearsed => ("chip plain", "rehearsed"),
        Is::Held => ("chip warn", "held"),
        Is::Intended => ("chip", "sending"),
        Is::Done => ("chip good", "done"),
        Is::Failed => ("chip bad", "failed"),
        Is::Undone => ("chip plain", "undone"),
    };
    html! { span class=(class) { (word) } }
}
