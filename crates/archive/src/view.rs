//! A kept status as commands, the API and pages show it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use store::archive::{Activity, Kept, search::Term};

use crate::{Emoji, Piece, item::list, snippet, text::plain};

/// A status that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Ours, and the cursor of the page behind.
    pub id: i64,
    /// Its identity.
    pub uri: String,
    /// The page for people.
    pub url: Option<String>,
    /// `user@domain`.
    pub author: String,
    /// As shown.
    pub author_name: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// Noticed to be deleted.
    pub gone_at: Option<DateTime<Utc>>,
    /// Who may see it.
    pub visibility: String,
    /// Its language.
    pub language: Option<String>,
    /// The content warning, if there is one.
    pub spoiler: String,
    /// All of its text.
    pub text: String,
    /// The piece around what was looked for.
    pub snippet: Vec<Piece>,
    /// Types of media and what they show.
    pub media: Vec<Medium>,
    /// What logins have to do with it.
    pub activities: Vec<Activity>,
}

/// A picture, sound or video.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Medium {
    /// image, video, gifv, audio or unknown.
    pub kind: String,
    /// Where its server has it.
    pub url: String,
    /// What it shows, in its author's words.
    pub description: String,
}

/// Addresses of all pictures, sounds and videos that a status or an edit shows, its author's portrait and the custom
/// emoji among them.
pub fn addresses(status: &Value) -> Vec<String> {
    let media = list(&status["media_attachments"]).flat_map(|medium| [&medium["url"], &medium["remote_url"]]);
    let account = &status["account"];
    let emoji = list(&status["emojis"])
        .chain(list(&account["emojis"]))
        .map(|emoji| &emoji["url"]);
    media
        .chain(emoji)
        .chain([&account["avatar"], &status["card"]["image"]])
        .filter_map(|url| url.as_str().map(str::to_owned))
        .collect()
}

/// The custom emoji of a status and its author that are kept, by what stands between the colons. `path` says where a
/// file is, by its address.
pub fn emoji(status: &Value, path: impl Fn(&str) -> Option<String>) -> Emoji {
    list(&status["emojis"])
        .chain(list(&status["account"]["emojis"]))
        .filter_map(|emoji| Some((emoji["shortcode"].as_str()?.to_owned(), path(emoji["url"].as_str()?)?)))
        .collect()
}

/// Makes a status showable. `logins`: whose activities may be told; `None` is everybody's.
pub fn found(kept: Kept, activities: &[Activity], terms: &[Term], logins: Option<&[String]>) -> Found {
    let status: Value = serde_json::from_str(&kept.body).unwrap_or_default();
    let text = plain(status["content"].as_str().unwrap_or_default());
    let spoiler = status["spoiler_text"].as_str().unwrap_or_default().to_owned();
    let media: Vec<Medium> = list(&status["media_attachments"])
        .map(|medium| {
            let text = |name: &str| medium[name].as_str().unwrap_or_default().to_owned();
            let url = medium["url"]
                .as_str()
                .or(medium["remote_url"].as_str())
                .unwrap_or_default();
            Medium {
                kind: text("type"),
                url: url.to_owned(),
                description: text("description"),
            }
        })
        .collect();
    let parts = [spoiler.as_str(), text.as_str()].into_iter();
    let parts = parts.chain(media.iter().map(|medium| medium.description.as_str()));
    let options: Vec<&str> = list(&status["poll"]["options"])
        .filter_map(|option| option["title"].as_str())
        .collect();
    let whole = parts
        .chain(options)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ");
    let mine = |activity: &&Activity| {
        activity.status == kept.id && logins.is_none_or(|logins| logins.contains(&activity.login))
    };
    Found {
        snippet: snippet(&whole.replace('\n', " "), terms),
        activities: activities.iter().filter(mine).cloned().collect(),
        edited_at: (kept.version_at > kept.created_at).then_some(kept.version_at),
        id: kept.id,
        uri: kept.uri,
        url: kept.url,
        author: kept.author,
        author_name: kept.author_name,
        created_at: kept.created_at,
        gone_at: kept.gone_at,
        visibility: kept.visibility,
        language: kept.language,
        spoiler,
        text,
        media,
    }
}
