//! `/replies`: what was looked at, what is still missing, and who rests.

use axum::{Router, extract::State as Extract, routing::get};
use maud::{Markup, html};
use model::{Clock, SystemClock};
use store::{
    hosts::{self, Origin},
    threads::{self, Thread},
    wanted::{self, State as Is, Wanted},
};

use super::{Group, Page};
use crate::{
    State,
    layout::Sheet,
    parts::away,
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/replies",
    name: "Replies",
    icon: "M4 4.500h12v8.500H9.500L6 16.500V13H4z",
    group: Group::Feature,
    right: Right::View,
    only: None,
    routes,
};

fn routes() -> Router<State> {
    Router::new().route("/replies", get(show))
}

async fn show(visitor: Visitor, Extract(state): Extract<State>) -> Result<Markup, Problem> {
    let threads = threads::list(&state.store, 50).await?;
    let mut failed = Vec::new();
    for is in [Is::Failed, Is::Blocked, Is::Gone] {
        failed.extend(wanted::list(&state.store, is, 20).await?);
    }
    let trying: Vec<_> = wanted::list(&state.store, Is::Wanted, 50).await?;
    let now = SystemClock.now();
    let mut resting = hosts::list(&state.store, 100).await?;
    resting.retain(|origin| origin.rests_until.is_some_and(|until| until > now));
    let body = html! {
        div #replies data-refresh {
            h2 { "Threads last visited" }
            @if threads.is_empty() { p.empty { "No thread was visited yet." } } @else { (threads_table(&threads)) }
            @if !trying.is_empty() { h2 { "Still wanted" } (wanted_table(&trying)) }
            h2 { "Given up, gone or blocked" }
            @if failed.is_empty() { p.empty { "None." } } @else { (wanted_table(&failed)) }
            h2 { "Resting origins" }
            @if resting.is_empty() { p.empty { "None: every origin may be asked." } } @else { (origins_table(&resting)) }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Replies").show(&body))
}

fn threads_table(threads: &[Thread]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th { "Thread" } th.number { "Listed" } th.number { "Found missing" } th.number { "Direct replies" }
                    th { "Visited" } th { "Next visit" }
                } }
                tbody {
                    @for thread in threads {
                        tr {
                            td.uri data-label="Thread" { div { (away(&thread.uri))
                                @if let Some(trouble) = &thread.trouble { " " span.badge.warn { (trouble) } }
                                span.sub { "for " (thread.server) } } }
                            td.number data-label="Listed" { (thread.listed) }
                            td.number data-label="Found missing" { (thread.missing) }
                            td.number data-label="Direct replies" { (thread.replies_seen.map_or("–".to_owned(), |seen| seen.to_string())) }
                            td data-label="Visited" { @if let Some(visited) = thread.visited_at { (words::when(visited)) } @else { "not yet" } }
                            td data-label="Next visit" { (words::when(thread.next_visit_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn wanted_table(wanted: &[Wanted]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr { th { "Status" } th { "State" } th.number { "Tries" } th { "Why" } th { "Since" } } }
                tbody {
                    @for one in wanted {
                        tr {
                            td.uri data-label="Status" { div { (away(&one.uri)) span.sub { "for " (one.server) } } }
                            td data-label="State" { (state(one.state)) }
                            td.number data-label="Tries" { (one.tries) }
                            td data-label="Why" { (one.reason.as_deref().unwrap_or_default()) }
                            td data-label="Since" { (words::when(one.ended_at.unwrap_or(one.found_at))) }
                        }
                    }
                }
            }
        }
    }
}

fn state(state: Is) -> Markup {
    let (class, word) = match state {
        Is::Wanted => ("badge", "wanted"),
        Is::Done => ("badge good", "arrived"),
        Is::Failed => ("badge bad", "given up"),
        Is::Gone => ("badge plain", "gone"),
        Is::Blocked => ("badge plain", "blocked"),
    };
    html! { span class=(class) { (word) } }
}

fn origins_table(origins: &[Origin]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr { th { "Origin" } th { "Software" } th.number { "Failures" } th { "Last error" } th { "Asked again" } } }
                tbody {
                    @for origin in origins {
                        tr {
                            td data-label="Origin" { (origin.host) }
                            td data-label="Software" { @if !origin.software.is_empty() { (origin.software) " " (origin.version) } }
                            td.number data-label="Failures" { (origin.failures) }
                            td data-label="Last error" { (origin.last_error.as_deref().unwrap_or_default()) }
                            td data-label="Asked again" { @if let Some(until) = origin.rests_until { (words::when(until)) } }
                        }
                    }
                }
            }
        }
    }
}
