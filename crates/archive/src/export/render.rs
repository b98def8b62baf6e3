//! A status as a piece of a page that needs no server.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use store::archive::{Activity, Kept, Version};

use crate::{
    emoji, harmless,
    html::{Emoji, escape},
    item::list,
    with_emoji,
};

/// Where files are, and their types, by address.
pub(super) type Files = HashMap<String, (String, String)>;

/// A status with what it said before.
pub(super) fn article(
    kept: &Kept,
    activities: &[&Activity],
    versions: &[Version],
    files: &Files,
    parent: Option<&str>,
) -> String {
    let status: Value = serde_json::from_str(&kept.body).unwrap_or_default();
    let emoji = emoji(&status, |url| files.get(url).map(|(path, _)| path.clone()));
    let mut out = format!("<article id=\"s{}\">\n<header>", kept.id);
    let avatar = status["account"]["avatar"].as_str().and_then(|url| files.get(url));
    if let Some((path, _)) = avatar {
        out += &format!("<img class=\"face\" alt=\"\" loading=\"lazy\" src=\"{}\">", text(path));
    }
    let name = if kept.author_name.trim().is_empty() {
        &kept.author
    } else {
        &kept.author_name
    };
    out += &format!(
        "<b>{}</b> <span class=\"quiet\">@{}</span> · {}",
        with_emoji(name, &emoji),
        text(&kept.author),
        time(kept.created_at)
    );
    let mut marks: Vec<String> = activities
        .iter()
        .filter(|one| one.kind != "post")
        .map(|one| one.kind.clone() + if one.ended_at.is_some() { ", taken back" } else { "" })
        .collect();
    marks.dedup();
    match kept.visibility.as_str() {
        "direct" => marks.push("direct".to_owned()),
        "private" => marks.push("followers only".to_owned()),
        _ => {}
    }
    if kept.version_at > kept.created_at {
        marks.push("edited".to_owned());
    }
    if kept.gone_at.is_some() {
        marks.push("deleted".to_owned());
    }
    for mark in marks {
        out += &format!(" <span class=\"mark\">{}</span>", text(&mark));
    }
    out += "</header>\n";
    if let Some(parent) = parent {
        out += &format!("<p class=\"quiet\"><a href=\"{}\">in reply to</a></p>\n", text(parent));
    }
    out += &written(&status, &emoji, files);
    if !versions.is_empty() {
        out += "<details class=\"versions\"><summary>What it said before</summary>";
        for version in versions {
            let edit: Value = serde_json::from_str(&version.body).unwrap_or_default();
            out += &format!(
                "<div class=\"quiet\">from {}</div>{}",
                time(version.version_at),
                written(&edit, &emoji, files)
            );
        }
        out += "</details>\n";
    }
    if let Some(url) = kept.url.as_deref().filter(|url| url.starts_with("https://")) {
        out += &format!(
            "<footer><a rel=\"nofollow noreferrer noopener\" href=\"{}\">on its server</a></footer>\n",
            text(url)
        );
    }
    out + "</article>\n"
}

fn written(status: &Value, emoji: &Emoji, files: &Files) -> String {
    let mut inside = format!(
        "<div class=\"words\" dir=\"auto\">{}</div>\n",
        harmless(status["content"].as_str().unwrap_or_default(), emoji)
    );
    let options: Vec<&Value> = list(&status["poll"]["options"]).collect();
    if !options.is_empty() {
        inside += "<ul class=\"poll\">";
        for option in options {
            inside += &format!(
                "<li>{}",
                with_emoji(option["title"].as_str().unwrap_or_default(), emoji)
            );
            if let Some(votes) = option["votes_count"].as_i64() {
                inside += &format!(" <span class=\"quiet\">{votes}</span>");
            }
            inside += "</li>";
        }
        inside += "</ul>\n";
    }
    if let Some(state) = status["quote"]["state"].as_str() {
        let quoted = &status["quote"]["quoted_status"];
        inside += &format!(
            "<blockquote class=\"quote\"><span class=\"quiet\">quote, {}",
            text(state)
        );
        if let Some(acct) = quoted["account"]["acct"].as_str() {
            inside += &format!(", of @{}", text(acct));
        }
        inside += "</span>";
        inside += &harmless(quoted["content"].as_str().unwrap_or_default(), &Emoji::new());
        inside += "</blockquote>\n";
    }
    let spoiler = status["spoiler_text"].as_str().unwrap_or_default();
    let mut out = if spoiler.is_empty() {
        inside
    } else {
        format!(
            "<details><summary>{}</summary>{inside}</details>\n",
            with_emoji(spoiler, emoji)
        )
    };
    let media: String = list(&status["media_attachments"])
        .map(|medium| figure(medium, files))
        .collect();
    if !media.is_empty() {
        let media = format!("<div class=\"media\">{media}</div>");
        if status["sensitive"].as_bool() == Some(true) {
            out += &format!("<details><summary>Sensitive media</summary>{media}</details>\n");
        } else {
            out += &media;
        }
    }
    out
}

fn figure(medium: &Value, files: &Files) -> String {
    let here = ["url", "remote_url"]
        .iter()
        .find_map(|name| files.get(medium[*name].as_str()?));
    let description = text(medium["description"].as_str().unwrap_or_default());
    let shown = match here {
        Some((path, kind)) if kind.starts_with("image/") => format!(
            "<a href=\"{0}\"><img loading=\"lazy\" src=\"{0}\" alt=\"{description}\"></a>",
            text(path)
        ),
        Some((path, kind)) if kind.starts_with("video/") => {
            format!("<video controls preload=\"none\" src=\"{}\"></video>", text(path))
        }
        Some((path, _)) => format!("<audio controls preload=\"none\" src=\"{}\"></audio>", text(path)),
        None => format!(
            "<span class=\"quiet\">({}, not kept)</span>",
            text(medium["type"].as_str().unwrap_or("file"))
        ),
    };
    let caption = if description.is_empty() {
        String::new()
    } else {
        format!("<figcaption>{description}</figcaption>")
    };
    format!("<figure>{shown}{caption}</figure>")
}

/// Text for text and values alike.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

fn time(at: DateTime<Utc>) -> String {
    format!(
        "<time datetime=\"{}\">{} UTC</time>",
        at.to_rfc3339(),
        at.format("%Y-%m-%d %H:%M")
    )
}
