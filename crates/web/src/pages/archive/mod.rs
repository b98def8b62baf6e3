//! `/archive`: what is kept of your own activity, to search and to read. What strangers wrote is shown as harmless HTML,
//! written anew, and files come from here: reading an old post tells nobody.

mod file;
mod gallery;
mod numbers;
mod status;

use axum::{Router, extract::State as Extract, routing::get};
use maud::{Markup, html};

use super::{Group, Page};
use crate::{
    State,
    api::archive::{Activity, Params, Piece, Status, statuses},
    layout::Sheet,
    parts::{Tone, badge, empty, encoded, pager, unfilled},
    problem::Problem,
    rights::{Right, Visitor},
    words,
};

pub(crate) const PAGE: Page = Page {
    path: "/archive",
    name: "Archive",
    icon: "M3 5h14v3H3zM4.500 8v8h11V8M8 11h4",
    group: Group::Feature,
    right: Right::View,
    only: None,
    routes,
};

/// Kinds of activities to look at by themselves, and what people call them.
const KINDS: [(&str, &str); 7] = [
    ("", "All"),
    ("post", "Posts"),
    ("boost", "Boosts"),
    ("favourite", "Favourites"),
    ("bookmark", "Bookmarks"),
    ("mention", "Mentions"),
    ("conversation", "Direct"),
];

fn routes() -> Router<State> {
    Router::new()
        .route("/archive", get(show))
        .route("/archive/media", get(gallery::show))
        .route("/archive/numbers", get(numbers::show))
        .route("/archive/statuses/{id}", get(status::show))
        .route("/archive/files/{blob}", get(file::get))
}

async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    query: axum::extract::RawQuery,
) -> Result<Markup, Problem> {
    let params: Params = unfilled(query.0.as_deref())?;
    let (found, next) = statuses(&state, &visitor, &params).await?;
    let (theirs, others) = crate::api::archive::theirs(&state, &visitor).await?;
    let body = html! {
        form.filters method="get" action="/archive" role="search" {
            label { "Look for" input type="search" name="q" value=(params.q) maxlength="500" placeholder="words \"in a row\" begin* -without kind:bookmark"; }
            button { "Search" }
        }
        (tabs(&params.q))
        p.quiet {
            "Narrow by " code { "from:user@host" } " " code { "kind:post" } " " code { "has:image" } " " code { "is:direct" } " "
            code { "lang:de" } " " code { "tag:birds" } " " code { "since:2026-01-31" } " " code { "until:2026-02-28" } " " code { "is:gone" }
        }
        @if found.is_empty() {
            (empty("Nothing.", &html! {
                @if params.q.is_empty() { "What your logins write, boost and mark shows here once the jobs " code { "archive.…" } " have run." }
                @else { "Nothing that is kept for you is like this." }
            }))
            // An administrator would look for what is there, and find no reason why they do not see it.
            @if theirs.is_empty() && others > 0 && visitor.may_at(Right::Admin, "") {
                p.quiet { "What is kept is other people's. Each sees their own by signing in with their account. If all logins here are
                    yours, " code { "one_person = true" } " in " code { "[web]" } " shows it to whoever opens the link of " code { "egret login" } "." }
            }
        } @else {
            section { @for one in &found { (card(one)) } }
        }
        (pager(&[("q", Some(&params.q)), ("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Archive")
        .lead("What you wrote, boosted, marked and were told of. Only you see yours.")
        .actions(
            html! { a.button href="/archive/media" { "Media" } " " a.button href="/archive/numbers" { "In numbers" } },
        )
        .show(&body))
}

/// A found status.
fn card(one: &Status) -> Markup {
    html! {
        article.card.padded {
            p { (who(&one.author_name, &one.author)) " · " a href={ "/archive/statuses/" (one.id) } { (words::when(one.created_at)) }
                " " (marks(&one.visibility, one.edited_at.is_some(), one.gone_at.is_some())) }
            p.anywhere { (pieces(&one.snippet)) }
            p.sub { (kinds(&one.activities)) }
        }
    }
}

fn who(name: &str, acct: &str) -> Markup {
    html! { b { (if name.trim().is_empty() { acct } else { name }) } " " span.quiet { "@" (acct) } }
}

fn marks(visibility: &str, edited: bool, gone: bool) -> Markup {
    html! {
        @if visibility == "direct" { (badge(Tone::Warn, "direct")) }
        @else if visibility == "private" { (badge(Tone::Plain, "followers only")) }
        @if edited { " " (badge(Tone::Plain, "edited")) }
        @if gone { " " (badge(Tone::Bad, "deleted")) }
    }
}

fn kinds(activities: &[Activity]) -> Markup {
    html! {
        @for (n, one) in activities.iter().enumerate() {
            @if n > 0 { ", " }
            (one.kind) @if let Some(ended) = one.ended_at { " until " (words::when(ended)) }
        }
    }
}

fn pieces(pieces: &[Piece]) -> Markup {
    html! { @for piece in pieces { @if piece.hit { mark { (piece.text) } } @else { (piece.text) } } }
}

/// The archive by kind; what else is looked for stays.
fn tabs(asked: &str) -> Markup {
    let rest: Vec<&str> = asked
        .split_whitespace()
        .filter(|word| !word.starts_with("kind:"))
        .collect();
    let of = |kind: &str| {
        let all = [
            rest.join(" "),
            if kind.is_empty() {
                String::new()
            } else {
                format!("kind:{kind}")
            },
        ];
        let query = all
            .iter()
            .filter(|part| !part.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        format!("/archive?q={}", encoded(&query))
    };
    html! {
        nav.tabs aria-label="Kinds" {
            @for (kind, name) in KINDS {
                @let here = if kind.is_empty() { !asked.contains("kind:") } else { asked.contains(&format!("kind:{kind}")) };
                a href=(of(kind)) aria-current=[here.then_some("true")] { (name) }
            }
        }
    }
}
