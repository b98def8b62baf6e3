//! A status, the thread around it, what it said before and what it quotes.

use std::collections::HashMap;

use axum::extract::{Path, State as Extract};
use chrono::{DateTime, Utc};
use maud::{Markup, PreEscaped, html};
use serde_json::Value;
use store::archive::{self, Kept, files};

use super::{PAGE, marks};
use crate::{
    State,
    api::archive::{Whole, whole},
    layout::Sheet,
    parts::away,
    problem::Problem,
    rights::Visitor,
    words,
};

pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Result<Markup, Problem> {
    let all = whole(&state, &visitor, id).await?;
    let kept = kept_files(&state, &all).await?;
    let depths = depths(&all.thread);
    // A server's history tells of the version of now as well.
    let before: Vec<_> = all
        .versions
        .iter()
        .filter(|version| version.version_at < all.kept.version_at)
        .collect();
    let quotes = archive::quotes(&state.store, &[id]).await?;
    let body = html! {
        section {
            @for one in &all.thread {
                article.card.padded #{ "s" (one.id) } aria-current=[(one.id == id).then_some("true")] {
                    (status(one, &kept, *depths.get(&one.id).unwrap_or(&0)))
                }
            }
        }
        @if !before.is_empty() {
            section {
                h2 { "What it said, version by version" }
                div.cards {
                    @for version in &before { (earlier(&version.body, version.version_at, "from", &kept)) }
                    (earlier(&all.kept.body, all.kept.version_at, "now, since", &kept))
                }
            }
            section {
                h2 { "What changed" }
                (edits(&before.iter().map(|version| (version.body.as_str(), version.version_at))
                    .chain([(all.kept.body.as_str(), all.kept.version_at)]).collect::<Vec<_>>()))
            }
        }
        @if !quotes.is_empty() {
            section {
                h2 { "What it quotes" }
                div.table { table {
                    thead { tr { th scope="col" { "Status" } th scope="col" { "State" } th scope="col" { "Since" } th scope="col" { "Until" } } }
                    tbody { @for quote in &quotes { tr {
                        td.uri { @match &quote.uri { Some(uri) => { (away(uri)) } None => { "not shown" } } }
                        td { (quote.state) } td { (words::when(quote.since)) }
                        td { @if let Some(until) = quote.until { (words::when(until)) } }
                    } } }
                } }
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
    let bodies = all.thread.iter().map(|kept| &kept.body);
    let mut urls: Vec<String> = bodies
        .chain(all.versions.iter().map(|version| &version.body))
        .flat_map(|body| ::archive::addresses(&serde_json::from_str(body).unwrap_or_default()))
        .collect();
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
    let face = value["account"]["avatar"].as_str().and_then(|url| files.get(url));
    let name = if kept.author_name.trim().is_empty() {
        &kept.author
    } else {
        &kept.author_name
    };
    html! {
        p { @if depth > 0 { span.quiet aria-label={ "reply at depth " (depth) } { (("↳ ").repeat(depth.min(6))) } }
            @if let Some((path, _)) = face { img.face src=(path) alt="" loading="lazy"; " " }
            b dir="auto" { (PreEscaped(::archive::with_emoji(name, &emoji(&value, files)))) } " " span.quiet { "@" (kept.author) }
            " · " a href={ "/archive/statuses/" (kept.id) } { (words::when(kept.created_at)) }
            " " (marks(&kept.visibility, kept.version_at > kept.created_at, kept.gone_at.is_some())) }
        (written(&value, files))
    }
}

fn earlier(body: &str, at: DateTime<Utc>, since: &str, files: &Files) -> Markup {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    html! { article.card.padded { p.quiet { (since) " " (words::when(at)) } (written(&value, files)) } }
}

/// From each version to the next, word by word. Of a status that says what somebody hid, as folded as it is.
fn edits(versions: &[(&str, DateTime<Utc>)]) -> Markup {
    let read = |body: &str| -> Value { serde_json::from_str(body).unwrap_or_default() };
    let warned = versions
        .iter()
        .any(|(body, _)| read(body)["spoiler_text"].as_str().is_some_and(|text| !text.is_empty()));
    let all = html! {
        @for pair in versions.windows(2) {
            @let (before, after) = (said(&read(pair[0].0)), said(&read(pair[1].0)));
            article.card.padded {
                p.quiet { (words::when(pair[1].1)) }
                @if before == after { p.quiet { "Nothing that can be read." } }
                @else { div.words.changes dir="auto" { @for change in ::archive::changes(&before, &after) { @match change {
                    ::archive::Change::Same(text) => { (text) }
                    ::archive::Change::Gone(text) => { del { (text) } }
                    ::archive::Change::New(text) => { ins { (text) } }
                } } } }
            }
        }
    };
    html! { @if warned { details { summary { "Behind a content warning" } (all) } } @else { (all) } }
}

/// All that a version says, as text: its warning, its words, its poll and what its media show.
fn said(value: &Value) -> String {
    let mut lines = vec![value["spoiler_text"].as_str().unwrap_or_default().to_owned()];
    lines.push(::archive::plain(value["content"].as_str().unwrap_or_default()));
    for option in value["poll"]["options"].as_array().into_iter().flatten() {
        lines.push(format!("\u{2022} {}", option["title"].as_str().unwrap_or_default()));
    }
    for medium in value["media_attachments"].as_array().into_iter().flatten() {
        let kind = medium["type"].as_str().unwrap_or("file");
        lines.push(format!(
            "[{kind}: {}]",
            medium["description"].as_str().unwrap_or_default()
        ));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn emoji(value: &Value, files: &Files) -> ::archive::Emoji {
    ::archive::emoji(value, |url| files.get(url).map(|(path, _)| path.clone()))
}

/// Text, poll and media of a status or an edit; folded where its author warned.
fn written(value: &Value, files: &Files) -> Markup {
    let emoji = emoji(value, files);
    let with_emoji = |text: &Value| PreEscaped(::archive::with_emoji(text.as_str().unwrap_or_default(), &emoji));
    let spoiler = value["spoiler_text"].as_str().unwrap_or_default();
    let text = ::archive::harmless(value["content"].as_str().unwrap_or_default(), &emoji);
    let quoted = &value["quote"]["quoted_status"];
    let inside = html! {
        div.words dir="auto" { (PreEscaped(text)) }
        @if let Some(options) = value["poll"]["options"].as_array() {
            ul { @for option in options { li { (with_emoji(&option["title"]))
                @if let Some(votes) = option["votes_count"].as_i64() { span.quiet { " " (words::count(votes)) } } } } }
        }
        @if let Some(state) = value["quote"]["state"].as_str() {
            blockquote.words {
                p.quiet { "Quotes a status (" (state) ")" @if let Some(acct) = quoted["account"]["acct"].as_str() { " of @" (acct) } }
                (PreEscaped(::archive::harmless(quoted["content"].as_str().unwrap_or_default(), &::archive::Emoji::new())))
            }
        }
    };
    let sensitive = value["sensitive"].as_bool() == Some(true);
    html! {
        @if spoiler.is_empty() { (inside) } @else { details { summary { (with_emoji(&value["spoiler_text"])) } (inside) } }
        @if value["media_attachments"].as_array().is_some_and(|media| !media.is_empty()) {
            @if sensitive { details { summary { "Sensitive media" } (gallery(value, files)) } } @else { (gallery(value, files)) }
        }
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
