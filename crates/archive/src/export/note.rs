//! A status of one's own as Mastodon's archives have it: an activity of `ActivityPub`.

use std::collections::HashMap;

use serde_json::{Value, json};
use store::archive::Kept;

use crate::item::list;

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// Whose archive it is.
pub(super) struct Owner {
    /// The actor's id.
    pub(super) uri: String,
    /// `user@domain`.
    pub(super) acct: String,
}

impl Owner {
    /// From the account that stands in a status of theirs. `server` is where they are at home.
    pub(super) fn of(account: &Value, acct: &str) -> Self {
        let (user, host) = acct.split_once('@').unwrap_or((acct, ""));
        let uri = account["uri"].as_str().map(str::to_owned);
        Self {
            uri: uri.unwrap_or_else(|| format!("https://{host}/users/{user}")),
            acct: acct.to_owned(),
        }
    }

    /// `actor.json`.
    pub(super) fn actor(&self, account: &Value, icon: Option<(&str, &str)>) -> Value {
        let user = self.acct.split('@').next().unwrap_or_default();
        let mut actor = json!({
            "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
            "id": self.uri, "type": "Person", "preferredUsername": user,
            "name": account["display_name"].as_str().unwrap_or(user),
            "summary": account["note"].as_str().unwrap_or_default(),
            "url": account["url"], "published": account["created_at"],
            "manuallyApprovesFollowers": account["locked"].as_bool().unwrap_or(false),
            "outbox": "outbox.json", "likes": "likes.json", "bookmarks": "bookmarks.json",
            "attachment": list(&account["fields"]).map(|field| json!({
                "type": "PropertyValue", "name": field["name"], "value": field["value"],
            })).collect::<Vec<_>>(),
        });
        if let Some((path, kind)) = icon {
            actor["icon"] = json!({ "type": "Image", "mediaType": kind, "url": path });
        }
        actor
    }

    /// Whom a status goes to.
    fn addressed(&self, visibility: &str, mentioned: &[Value]) -> (Value, Value) {
        let followers = json!(format!("{}/followers", self.uri));
        let with = |first: Value| Value::from_iter([first].into_iter().chain(mentioned.iter().cloned()));
        match visibility {
            "public" => (json!([PUBLIC]), with(followers)),
            "unlisted" => (json!([followers]), with(json!(PUBLIC))),
            "private" => (json!([followers]), Value::from(mentioned)),
            _ => (Value::from(mentioned), json!([])),
        }
    }

    /// A status that they wrote. `parent` is the uri of what it answers; `path` says where a file is in the archive, and
    /// its type.
    pub(super) fn create(&self, kept: &Kept, parent: Option<&str>, files: &HashMap<String, (String, String)>) -> Value {
        let status: Value = serde_json::from_str(&kept.body).unwrap_or_default();
        let mentioned: Vec<Value> = list(&status["mentions"])
            .filter_map(|mention| mention["url"].as_str().map(|url| json!(url)))
            .collect();
        let (to, cc) = self.addressed(&kept.visibility, &mentioned);
        let published = kept.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let attachment: Vec<Value> = list(&status["media_attachments"])
            .map(|medium| {
                let here = ["url", "remote_url"]
                    .iter()
                    .find_map(|name| files.get(medium[*name].as_str()?));
                let url = medium["url"]
                    .as_str()
                    .or(medium["remote_url"].as_str())
                    .unwrap_or_default();
                let (url, kind) = match here {
                    Some((path, kind)) => (format!("/{path}"), kind.as_str()),
                    None => (
                        url.to_owned(),
                        match medium["type"].as_str() {
                            Some("video" | "gifv") => "video/mp4",
                            Some("audio") => "audio/mpeg",
                            _ => "image/jpeg",
                        },
                    ),
                };
                json!({
                    "type": "Document", "mediaType": kind, "url": url, "name": medium["description"],
                    "blurhash": medium["blurhash"],
                })
            })
            .collect();
        let mentions = list(&status["mentions"]).map(|mention| {
            let acct = mention["acct"].as_str().unwrap_or_default();
            json!({ "type": "Mention", "href": mention["url"], "name": format!("@{acct}") })
        });
        let tags = list(&status["tags"]).map(|tag| {
            let name = tag["name"].as_str().unwrap_or_default();
            json!({ "type": "Hashtag", "href": tag["url"], "name": format!("#{name}") })
        });
        let emoji = list(&status["emojis"]).map(|emoji| {
            let name = emoji["shortcode"].as_str().unwrap_or_default();
            json!({ "type": "Emoji", "name": format!(":{name}:"), "icon": { "type": "Image", "url": emoji["url"] } })
        });
        let mut note = json!({
            "id": kept.uri, "type": "Note", "summary": status["spoiler_text"].as_str().filter(|text| !text.is_empty()),
            "inReplyTo": parent, "published": published, "url": kept.url.as_deref().unwrap_or(&kept.uri),
            "attributedTo": self.uri, "to": to, "cc": cc, "sensitive": status["sensitive"].as_bool().unwrap_or(false),
            "content": status["content"], "attachment": attachment,
            "tag": mentions.chain(tags).chain(emoji).collect::<Vec<_>>(),
        });
        if let Some(language) = &kept.language {
            note["contentMap"] = json!({ language: status["content"] });
        }
        if kept.version_at > kept.created_at {
            note["updated"] = json!(kept.version_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        }
        let options: Vec<Value> = list(&status["poll"]["options"])
            .map(|option| {
                json!({ "type": "Note", "name": option["title"],
                    "replies": { "type": "Collection", "totalItems": option["votes_count"] } })
            })
            .collect();
        if !options.is_empty() {
            note["type"] = json!("Question");
            note["endTime"] = status["poll"]["expires_at"].clone();
            let several = status["poll"]["multiple"].as_bool() == Some(true);
            note[if several { "anyOf" } else { "oneOf" }] = Value::from(options);
        }
        json!({
            "id": format!("{}/activity", kept.uri), "type": "Create", "actor": self.uri, "published": published,
            "to": to, "cc": cc, "object": note,
        })
    }

    /// Something that they boosted.
    pub(super) fn announce(&self, kept: &Kept, boost: &store::archive::Activity) -> Value {
        let visibility = boost.visibility.as_deref().unwrap_or("public");
        let (to, cc) = self.addressed(visibility, &[]);
        let at = boost.at.unwrap_or(boost.noticed_at);
        let id = boost.activity_id.clone().unwrap_or_else(|| kept.id.to_string());
        json!({
            "id": format!("{}/statuses/{id}/activity", self.uri), "type": "Announce", "actor": self.uri,
            "published": at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), "to": to, "cc": cc, "object": kept.uri,
        })
    }
}
