//! `/backfill`: whose posts are fetched, how far each account is, which of their servers answer, what failed and why.

use axum::{Router, extract::State as Extract, routing::get};
use maud::{Markup, html};
use model::{Clock as _, SystemClock};
use store::backfills::{self, Backfill, Origin};

use super::{Group, Page};
use crate::{
    State,
    api::backfill::{Params, Stage, accounts, numbers, origins},
    layout::Sheet,
    parts::{Tone, badge, empty, pager, section_head, tile, unfilled},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/backfill",
    name: "Backfill",
    icon: "M10 3v9M6.500 8.500 10 12l3.500-3.500M4 13v3.500h12V13",
    group: Group::Feature,
    right: Right::View,
    only: None,
    routes,
};

/// Rows of each table on the first page.
const FEW: u32 = 10;

fn routes() -> Router<State> {
    Router::new()
        .route("/backfill", get(show))
        .route("/backfill/accounts", get(show_accounts))
        .route("/backfill/origins", get(show_origins))
}

async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let all = numbers(&state, &visitor).await?;
    let within = visitor.servers(Right::View).filter();
    let newest = async |is: Stage| backfills::newest(&state.store, within.as_deref(), is.state(), FEW).await;
    let (reading, done, trouble) = (
        newest(Stage::Reading).await?,
        newest(Stage::Done).await?,
        newest(Stage::Trouble).await?,
    );
    let origins = origins(&state, &visitor, FEW).await?;
    let body = html! {
        div #backfill data-refresh {
            section {
                div.tiles {
                    (tile(&words::count(all.done), "accounts read"))
                    (tile(&words::count(all.waiting + all.reading), "wait or are being read"))
                    (tile(&words::count(all.trouble), "in trouble"))
                    (tile(&words::count(all.left_alone), "left alone"))
                    (tile(&words::count(all.listed), "posts listed"))
                    (tile(&words::count(all.wanted), "home lacked"))
                }
            }
            @if !reading.is_empty() {
                section { (section_head("Being read", "/backfill/accounts?state=reading", false)) (accounts_table(&reading)) }
            }
            section {
                (section_head("In trouble", "/backfill/accounts?state=trouble", trouble.is_empty()))
                @if trouble.is_empty() { (empty("None.", &html! { "An account whose posts cannot be read shows here, with the reason." })) }
                @else { (accounts_table(&trouble)) }
                @if all.left_alone > 0 {
                    p.small.quiet { (words::count(all.left_alone)) " accounts asked to be "
                        a href="/backfill/accounts?state=left_alone" { "left alone" } "." }
                }
            }
            section {
                (section_head("Last read", "/backfill/accounts?state=done", done.is_empty()))
                @if done.is_empty() { (empty("No account was read yet.", &html! {
                    code { "[backfill.followings]" } " and its sisters say whose posts are fetched; all of them begin switched off." })) }
                @else { (accounts_table(&done)) }
            }
            section {
                (section_head("Where they come from", "/backfill/origins", origins.is_empty()))
                @if origins.is_empty() { (empty("Nowhere yet.", &html! { "Servers show here with the first accounts from them." })) }
                @else { (origins_table(&origins)) }
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Backfill")
        .lead("What accounts posted before your server knew them, read at their own servers and fetched.")
        .show(&body))
}

async fn show_accounts(
    Extract(state): Extract<State>,
    visitor: Visitor,
    query: axum::extract::RawQuery,
) -> Result<Markup, Problem> {
    let params: Params = unfilled(query.0.as_deref())?;
    let (rows, next) = accounts(&state, &visitor, &params).await?;
    let body = html! {
        form.filters method="get" action="/backfill/accounts" {
            label { "State" select name="state" {
                option value="" { "any" }
                @for one in Stage::ALL { option value=(one.as_str()) selected[params.state == Some(one)] { (one.as_str().replace('_', " ")) } }
            } }
            button { "Show" }
        }
        div #accounts data-refresh {
            @if rows.is_empty() { (empty("None.", &html! { "No account is like this." })) } @else { (accounts_table(&rows)) }
        }
        (pager(&[("state", params.state.map(Stage::as_str)), ("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Accounts")
        .crumb("/backfill", "Backfill")
        .show(&body))
}

async fn show_origins(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let origins = origins(&state, &visitor, 200).await?;
    let body = html! {
        div #origins data-refresh {
            @if origins.is_empty() { (empty("Nowhere yet.", &html! { "Servers show here with the first accounts from them." })) }
            @else { (origins_table(&origins)) }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "Where accounts come from")
        .crumb("/backfill", "Backfill")
        .lead("Those with most trouble first; at most 200.")
        .show(&body))
}

fn accounts_table(accounts: &[Backfill]) -> Markup {
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Account" } th scope="col" { "State" } th.number scope="col" { "Listed" }
                    th.number scope="col" { "Lacked" } th scope="col" { "Read" } th scope="col" { "Again" }
                } }
                tbody {
                    @for one in accounts {
                        tr data-key={ (one.server) " " (one.acct) } {
                            td.uri data-label="Account" { div { "@" (one.acct)
                                span.sub { "for " (one.server) ", of " (one.source.replace('_', " ")) } } }
                            td data-label="State" { div { (badged(one)) @if let Some(trouble) = &one.trouble { span.sub { (trouble) } }
                                @if one.failures > 1 { span.sub { (one.failures) " failures in a row" } } } }
                            td.number data-label="Listed" { (words::count(one.listed)) }
                            td.number data-label="Lacked" { (words::count(one.wanted)) }
                            td data-label="Read" { @match one.finished_at { Some(at) => (words::when(at)), None => span.quiet { "not yet" } } }
                            td data-label="Again" { @match one.next_at { Some(at) => (words::when(at)), None => span.quiet { "never" } } }
                        }
                    }
                }
            }
        }
    }
}

fn badged(one: &Backfill) -> Markup {
    let stage = Stage::of(one.state());
    let tone = match stage {
        Stage::Waiting | Stage::LeftAlone => Tone::Plain,
        Stage::Reading => Tone::Live,
        Stage::Done => Tone::Good,
        Stage::Trouble => Tone::Warn,
    };
    badge(tone, &stage.as_str().replace('_', " "))
}

fn origins_table(origins: &[Origin]) -> Markup {
    let now = SystemClock.now();
    html! {
        div.table {
            table.stack {
                thead { tr {
                    th scope="col" { "Origin" } th scope="col" { "Health" } th.number scope="col" { "Accounts" }
                    th.number scope="col" { "Read" } th.number scope="col" { "In trouble" } th scope="col" { "Last error" }
                } }
                tbody {
                    @for origin in origins {
                        @let rests = origin.rests_until.filter(|until| *until > now);
                        tr data-key=(origin.domain) {
                            td.uri data-label="Origin" { div { (origin.domain)
                                @if let Some(software) = origin.software.as_deref().filter(|name| !name.is_empty()) { span.sub { (software) } } } }
                            td data-label="Health" { div {
                                @if let Some(until) = rests { (badge(Tone::Bad, "rests")) span.sub { "asked again " (words::when(until)) } }
                                @else if origin.failures.unwrap_or_default() > 0 { (badge(Tone::Warn, "fails")) }
                                @else if origin.software.is_none() { (badge(Tone::Plain, "not asked yet")) }
                                @else { (badge(Tone::Good, "well")) }
                            } }
                            td.number data-label="Accounts" { (words::count(origin.accounts)) }
                            td.number data-label="Read" { (words::count(origin.done)) }
                            td.number data-label="In trouble" { (words::count(origin.trouble)) }
                            td.anywhere data-label="Last error" { (origin.last_error.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}
