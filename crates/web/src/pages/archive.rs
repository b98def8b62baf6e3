//! `/archive`: what is kept of your own activity, to search and to read. Shown is text, never the HTML that strangers
//! sent, and files come from here: reading an old post tells nobody.

use std::{collections::HashMap, io};

use axum::{
    Router,
    body::Body,
    extract::{Path, State as Extract},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures::stream;
use maud::{Markup, html};
use serde_json::Value;
use store::archive::{self, Kept, Version, files};
use tokio::io::AsyncReadExt as _;

use super::{Group, Page};
use crate::{
    State,
    api::archive::{Activity, Params, Piece, Status, Whole, logins, statuses, whole},
    layout::Sheet,
    parts::{Tone, away, badge, empty, pager, section_head, tile, unfilled},
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

/// Bytes of a file sent at once.
const PIECE: usize = 64 << 10;

fn routes() -> Router<State> {
    Router::new()
        .route("/archive", get(show))
        .route("/archive/numbers", get(numbers))
        .route("/archive/statuses/{id}", get(show_status))
        .route("/archive/files/{blob}", get(file))
}

async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    query: axum::extract::RawQuery,
) -> Result<Markup, Problem> {
    let params: Params = unfilled(query.0.as_deref())?;
    let (found, next) = statuses(&state, &visitor, &params).await?;
    let body = html! {
        form.filters method="get" action="/archive" role="search" {
            label { "Look for" input type="search" name="q" value=(params.q) maxlength="500" placeholder="words \"in a row\" begin* -without kind:bookmark"; }
            button { "Search" }
        }
        p.quiet {
            "Narrow by " code { "from:user@host" } " " code { "kind:post" } " " code { "has:image" } " " code { "is:direct" } " "
            code { "lang:de" } " " code { "tag:birds" } " " code { "since:2026-01-31" } " " code { "until:2026-02-28" } " " code { "is:gone" }
        }
        @if found.is_empty() {
            (empty("Nothing.", &html! {
                @if params.q.is_empty() { "What your logins write, boost and mark shows here once the jobs " code { "archive.…" } " have run." }
                @else { "Nothing that is kept for you is like this." }
            }))
        } @else {
            section { @for one in &found { (card(one)) } }
        }
        (pager(&[("q", Some(&params.q)), ("before", params.before.as_deref())], next.as_deref()))
    };
    Ok(Sheet::of(&PAGE, &visitor, "Archive")
        .lead("What you wrote, boosted, marked and were told of. Only you see yours.")
        .actions(html! { a.button href="/archive/numbers" { "In numbers" } })
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

async fn numbers(Extract(state): Extract<State>, visitor: Visitor) -> Result<Markup, Problem> {
    let logins = logins(&state, &visitor).await?;
    let mut counts = archive::counts(&state.store).await?;
    counts.retain(|count| logins.contains(&count.login));
    let months = archive::months(&state.store, &logins).await?;
    let all: i64 = counts.iter().map(|count| count.count).sum();
    let body = html! {
        section { div.tiles { (tile(&words::count(all), "things kept"))
            @for count in &counts { (tile(&words::count(count.count), &format!("{} of {}", count.what, count.login))) } } }
        section {
            (section_head("By month", "/archive", true))
            @if months.is_empty() { (empty("Nothing yet.", &html! {})) } @else {
                div.table { table {
                    thead { tr { th scope="col" { "Month" } th scope="col" { "Kind" } th.number scope="col" { "Count" } } }
                    tbody { @for one in months.iter().rev() { tr { td { (one.what) } td { (one.login) } td.number { (words::count(one.count)) } } } }
                } }
            }
        }
    };
    Ok(Sheet::of(&PAGE, &visitor, "The archive in numbers")
        .crumb("/archive", "Archive")
        .show(&body))
}

async fn show_status(Extract(state): Extract<State>, visitor: Visitor, Path(id): Path<i64>) -> Result<Markup, Problem> {
    let all = whole(&state, &visitor, id).await?;
    let kept = kept_files(&state, &all).await?;
    let depths = depths(&all.thread);
    let body = html! {
        section {
            @for one in &all.thread {
                article.card.padded #{ "s" (one.id) } aria-current=[(one.id == id).then_some("true")] {
                    (status(one, &kept, *depths.get(&one.id).unwrap_or(&0)))
                }
            }
        }
        @if !all.versions.is_empty() {
            section {
                h2 { "What it said before" }
                div.cards { @for version in &all.versions { (earlier(version, &kept)) } }
            }
        }
        @if let Some(uri) = all.kept.url.as_deref().or(Some(&all.kept.uri)) { p.quiet { "On its server: " (away(uri)) } }
    };
    Ok(Sheet::of(&PAGE, &visitor, "A status and its thread")
        .crumb("/archive", "Archive")
        .show(&body))
}

/// Address to the path of the file here, and its type.
type Files = HashMap<String, (String, String)>;

async fn kept_files(state: &State, all: &Whole) -> Result<Files, Problem> {
    let mut urls = Vec::new();
    let bodies = all.thread.iter().map(|kept| &kept.body);
    for body in bodies.chain(all.versions.iter().map(|version| &version.body)) {
        let value: Value = serde_json::from_str(body).unwrap_or_default();
        let address = |value: &Value| value.as_str().map(str::to_owned);
        for medium in value["media_attachments"].as_array().into_iter().flatten() {
            urls.extend(
                [address(&medium["url"]), address(&medium["remote_url"])]
                    .into_iter()
                    .flatten(),
            );
        }
        urls.extend(address(&value["account"]["avatar"]));
    }
    urls.sort_unstable();
    urls.dedup();
    let found = files::kept(&state.store, &urls).await?;
    let path = |blob: &str| format!("/archive/files/{blob}");
    Ok(found
        .into_iter()
        .map(|(url, blob, kind)| (url, (path(&blob), kind)))
        .collect())
}

/// How far each status stands below the first one kept.
fn depths(thread: &[Kept]) -> HashMap<i64, usize> {
    let mut depths: HashMap<i64, usize> = HashMap::new();
    let by_id: HashMap<(&str, &str), i64> = thread
        .iter()
        .map(|kept| ((kept.server.as_str(), kept.server_id.as_str()), kept.id))
        .collect();
    // Oldest first, so a parent's depth is known before its replies'.
    for kept in thread {
        let parent = kept
            .in_reply_to
            .as_deref()
            .and_then(|to| by_id.get(&(kept.server.as_str(), to)));
        let depth = parent
            .and_then(|parent| depths.get(parent))
            .map_or(0, |depth| depth + 1);
        depths.insert(kept.id, depth);
    }
    depths
}

fn status(kept: &Kept, files: &Files, depth: usize) -> Markup {
    let value: Value = serde_json::from_str(&kept.body).unwrap_or_default();
    html! {
        p { @if depth > 0 { span.quiet aria-label={ "reply at depth " (depth) } { (("↳ ").repeat(depth.min(6))) } }
            (who(&kept.author_name, &kept.author)) " · " a href={ "/archive/statuses/" (kept.id) } { (words::when(kept.created_at)) }
            " " (marks(&kept.visibility, kept.version_at > kept.created_at, kept.gone_at.is_some())) }
        (written(&value, files))
    }
}

fn earlier(version: &Version, files: &Files) -> Markup {
    let value: Value = serde_json::from_str(&version.body).unwrap_or_default();
    html! { article.card.padded { p.quiet { "from " (words::when(version.version_at)) } (written(&value, files)) } }
}

/// Text, poll and media of a status or an edit; folded where its author warned.
fn written(value: &Value, files: &Files) -> Markup {
    let spoiler = value["spoiler_text"].as_str().unwrap_or_default();
    let text = ::archive::plain(value["content"].as_str().unwrap_or_default());
    let inside = html! {
        @for line in text.lines() { p.anywhere { (linked(line)) } }
        @if let Some(options) = value["poll"]["options"].as_array() {
            ul { @for option in options { li { (option["title"].as_str().unwrap_or_default())
                @if let Some(votes) = option["votes_count"].as_i64() { span.quiet { " " (words::count(votes)) } } } } }
        }
        @if let Some(state) = value["quote"]["state"].as_str() { p.quiet { "Quotes a status (" (state) ")" } }
    };
    let sensitive = value["sensitive"].as_bool() == Some(true);
    html! {
        @if spoiler.is_empty() { (inside) } @else { details { summary { (spoiler) } (inside) } }
        @if value["media_attachments"].as_array().is_some_and(|media| !media.is_empty()) {
            @if sensitive { details { summary { "Sensitive media" } (gallery(value, files)) } } @else { (gallery(value, files)) }
        }
    }
}

/// A line with its web addresses as links.
fn linked(line: &str) -> Markup {
    html! { @for (n, word) in line.split(' ').enumerate() { @if n > 0 { " " } (away_if_web(word)) } }
}

fn away_if_web(word: &str) -> Markup {
    if word.starts_with("https://") {
        away(word)
    } else {
        html! { (word) }
    }
}

fn gallery(value: &Value, files: &Files) -> Markup {
    html! {
        div.cards { @for medium in value["media_attachments"].as_array().into_iter().flatten() {
            figure {
                @let here = ["url", "remote_url"].iter().find_map(|name| files.get(medium[*name].as_str()?));
                @let description = medium["description"].as_str().unwrap_or_default();
                @match here {
                    Some((path, kind)) if kind.starts_with("image/") => { a href=(path) { img.shown src=(path) alt=(description) loading="lazy"; } }
                    Some((path, kind)) if kind.starts_with("video/") => { video.shown src=(path) controls preload="none" {} }
                    Some((path, _)) => { audio src=(path) controls preload="none" {} }
                    None => { span.quiet { "(" (medium["type"].as_str().unwrap_or("file")) ", not kept)" } }
                }
                @if !description.is_empty() { figcaption.sub { (description) } }
            }
        } }
    }
}

/// A file, for those whose statuses show it. It is sent as what its bytes are, and can do nothing but be seen or heard.
async fn file(Extract(state): Extract<State>, visitor: Visitor, Path(blob): Path<String>) -> Result<Response, Problem> {
    let absent = || Problem::not_found("no such file is kept for you");
    let logins = logins(&state, &visitor).await?;
    let found = files::blob(&state.store, &blob, Some(&logins))
        .await?
        .ok_or_else(absent)?;
    let blobs = ::archive::Blobs::at(state.archive.clone());
    let path = blobs.path(&found.blob).ok_or_else(absent)?;
    let file = tokio::fs::File::open(path).await.map_err(|_| absent())?;
    let body = Body::from_stream(stream::try_unfold(file, async |mut file| {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, io::Error>((read > 0).then_some((piece, file)))
    }));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&found.kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(found.bytes));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=31536000, immutable"),
    );
    Ok(response)
}
