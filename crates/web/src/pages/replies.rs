//! `/replies`: threads that are followed, what was recovered, what failed and why, who rests, and what it costs.

use axum::{Router, extract::State as Extract, routing::get};
use maud::{Markup, html};
use model::{Clock, SystemClock};
use store::{
    hosts::{self, Origin},
    threads::{self, Thread},
    wanted::{State as Is, Wanted},
};

use super::{Group, Page};
use crate::{
    State,
    api::{
        Query,
        replies::{self, Fate, Params, WantedParams},
    },
    charts::Line,
    layout::Sheet,
    overview,
    parts::{Tone, away, badge, empty, pager, section_head, tile},
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

/// Rows of each table on the first page; each has a page of its own with all.
const FEW: u32 = 10;

/// What a plain Mastodon home should cost at most: leaves are asked for, ancestors come along.
const GOAL: f64 = 0.7;

fn routes() -> Router<State> {
    Router::new()
        .route("/replies", get(show))
        .route("/replies/threads", get(show_threads))
        .route("/replies/wanted", get(show_wanted))
        .route("/replies/origins", get(show_origins))
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let servers = overview::in_sight(&state, &visitor).await?;
    let threads = threads::page(&state.store, &servers, None, FEW).await?;
    let mut failed = Vec::new();
    for is in [Is::Failed, Is::Blocked, Is::Gone] {
        failed.extend(store::wanted::page(&state.store, &servers, is, None, FEW).await?);
    }
    failed.sort_by_key(|row| std::cmp::Reverse(row.ended_at));
    failed.truncate(FEW as usize);
    let now = SystemClock.now();
    let mut resting = hosts::list(&state.store, 50).await?;
    resting.retain(|origin| origin.rests_until.is_some_and(|until| until > now));
    let (known, rests) = hosts::counts(&state.store, now).await?;
    let within = visitor.servers(Right::View);
    let count = async |states: &[Is]| state.counts.of(&state.store, &within, states).await;
    let (done, wanted) = (count(&[Is::Done]).await?, count(&[Is::Wanted]).await?);
    let lost = count(&[Is::Failed, Is::Gone, Is::Blocked]).await?;
    let costs = overview::costs(&state, &visitor).await?;
    let body = html! {
        div #replies data-refresh {
            section {
                div.tiles {
                    (tile(&words::count(done), "replies recovered"))
                    (tile(&words::count(wanted), "still wanted"))
                    (tile(&words::count(lost), "given up, gone or blocked"))
                    (tile(&words::count(known), "origins known"))
                    (tile(&words::count(rests), "of them rest"))
                }
            }
            section { h2 { "Requests to home per recovered reply" } (chart(&costs)) }
            section {
                (section_head("Threads last visited", "/replies/threads", threads.is_empty()))
                @if threads.is_empty() {
                    (empty("No thread was visited yet.", &html! { "They come from the timelines that " a href="/jobs" { "the jobs" } " read." }))
                } @else { (threads_table(&threads)) }
            }
            section {
                (section_head("Given up, gone or blocked", "/replies/wanted?state=failed", failed.is_empty()))
                @if failed.is_empty() { (empty("None.", &html! { "What cannot be fetched shows here, with the reason." })) }
                @else { (wanted_table(&failed)) }
            }
            section {
                (section_head("Resting origins", "/replies/origins", false))
                @if resting.is_empty() { (empty("None.", &html! { "Every origin may be asked." })) }
                @else { (origins_table(&resting)) }
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Replies")
        .lead("Replies that never reached your server, found at their origins and fetched.")
        .show(&body))
}

fn chart(costs: &[store::job_runs::Cost]) -> Markup {
    let points = overview::over_time(costs);
    let told = overview::requests_per_reply(costs).map(|cost| {
        format!(
            "{cost:.2} requests per reply over the last {} runs; the goal is {GOAL} or less.",
            costs.len()
        )
    });
    let description = told.as_deref().unwrap_or_default();
    let line = Line {
        title: "Requests to home per recovered reply",
        description,
        unit: "requests per reply",
        points: &points,
        limit: Some((GOAL, "goal 0.7")),
    };
    html! {
        @match line.svg() {
            Some(svg) => div.card.padded { (svg) p.small.quiet { (description) " Times in UTC." } },
            None => (empty("Nothing was recovered yet.", &html! { "The chart begins with the first reply that arrives." })),
        }
    }
}

async fn show_threads(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(params): Query<Params>,
) -> Result<Markup, Problem> {
    let (rows, next) = replies::threads(&state, &visitor, &params).await?;
    let body = html! {
        div #threads data-refresh {
            @if rows.is_empty() { (empty("No thread was visited yet.", &html! {})) } @else { (threads_table(&rows)) }
        }
        (pager(&[("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Threads")
        .crumb("/replies", "Replies")
        .show(&body))
}

async fn show_wanted(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(params): Query<WantedParams>,
) -> Result<Markup, Problem> {
    let (fate, before) = (params.state, params.before.clone());
    let (rows, next) = replies::wanted(&state, &visitor, params).await?;
    let body = html! {
        form.filters method="get" action="/replies/wanted" {
            label { "State" select name="state" {
                @for one in Fate::ALL { option value=(one.as_str()) selected[one == fate] { (one.as_str()) } }
            } }
            button { "Show" }
        }
        div #wanted data-refresh {
            @if rows.is_empty() { (empty("None.", &html! { "No status is in this state." })) } @else { (wanted_table(&rows)) }
        }
        (pager(&[("state", Some(fate.as_str())), ("before", before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Wanted statuses")
        .crumb("/replies", "Replies")
        .show(&body))
}

async fn show_origins(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Query(params): Query<Params>,
) -> Result<Markup, Problem> {
    let (rows, next) = replies::origins(&state, &params).await?;
    let body = html! {
        div #origins data-refresh {
            @if rows.is_empty() { (empty("No origin was asked yet.", &html! {})) } @else { (origins_table(&rows)) }
        }
        (pager(&[("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Origins")
        .crumb("/replies", "Replies")
        .show(&body))
}

fn threads_table(threads: &[Thread]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Thread" } th.number scope="col" { "Listed" } th.number scope="col" { "Found missing" }
                    th.number scope="col" { "Direct replies" } th scope="col" { "Visited" } th scope="col" { "Next visit" }
                } }
                tbody {
                    @for thread in threads {
                        tr data-key={ (thread.server) " " (thread.uri) } {
                            td.uri data-label="Thread" { div { (away(&thread.uri))
                                @if let Some(trouble) = &thread.trouble { " " (badge(Tone::Warn, trouble)) }
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
                thead { tr {
                    th scope="col" { "Status" } th scope="col" { "State" } th.number scope="col" { "Tries" }
                    th scope="col" { "Why" } th scope="col" { "Since" }
                } }
                tbody {
                    @for one in wanted {
                        tr data-key={ (one.server) " " (one.uri) } {
                            td.uri data-label="Status" { div { (away(&one.uri)) span.sub { "for " (one.server) } } }
                            td data-label="State" { (fate(one.state)) }
                            td.number data-label="Tries" { (one.tries) }
                            td.anywhere data-label="Why" { (one.reason.as_deref().unwrap_or_default()) }
                            td data-label="Since" { (words::when(one.ended_at.unwrap_or(one.found_at))) }
                        }
                    }
                }
            }
        }
    }
}

fn fate(state: Is) -> Markup {
    match Fate::of(state) {
        Fate::Wanted => badge(Tone::Live, "wanted"),
        Fate::Done => badge(Tone::Good, "arrived"),
        Fate::Failed => badge(Tone::Bad, "given up"),
        Fate::Gone => badge(Tone::Plain, "gone"),
        Fate::Blocked => badge(Tone::Plain, "blocked"),
    }
}

fn origins_table(origins: &[Origin]) -> Markup {
    let now = SystemClock.now();
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Origin" } th scope="col" { "Software" } th scope="col" { "Health" }
                    th.number scope="col" { "Failures" } th scope="col" { "Last error" } th scope="col" { "Asked again" }
                } }
                tbody {
                    @for origin in origins {
                        tr data-key=(origin.host) {
                            td.anywhere data-label="Origin" { (origin.host) }
                            td data-label="Software" { @if !origin.software.is_empty() { (origin.software) " " (origin.version) } }
                            td data-label="Health" {
                                @if origin.rests_until.is_some_and(|until| until > now) { (badge(Tone::Bad, "rests")) }
                                @else if origin.failures > 0 { (badge(Tone::Warn, "fails")) }
                                @else { (badge(Tone::Good, "well")) }
                            }
                            td.number data-label="Failures" { (origin.failures) }
                            td.anywhere data-label="Last error" { (origin.last_error.as_deref().unwrap_or_default()) }
                            td data-label="Asked again" {
                                @if let Some(until) = origin.rests_until.filter(|until| *until > now) { (words::when(until)) } }
                        }
                    }
                }
            }
        }
    }
}
