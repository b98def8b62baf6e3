//! A Note of `ActivityPub`, as Mastodon's own archives have them, as a status.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use store::archive::{Item, NewActivity, wanted::Wanted};

use crate::item::{self, Owner};

/// Everybody, in the three spellings there are.
const PUBLIC: [&str; 3] = ["https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"];

/// Who wrote all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Actor {
    pub(super) uri: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) server: String,
}

impl Actor {
    /// From `actor.json`.
    pub(super) fn of(actor: &Value) -> Option<Self> {
        let uri = actor["id"].as_str()?.to_owned();
        let server = model::Uri::parse(&uri).ok()?.host().to_string();
        Some(Self {
            name: actor["preferredUsername"].as_str()?.to_lowercase(),
            display_name: actor["name"].as_str().unwrap_or_default().to_owned(),
            uri,
            server,
        })
    }

    pub(super) fn acct(&self) -> String {
        format!("{}@{}", self.name, self.server)
    }
}

/// What the outbox says that they did.
pub(super) enum Deed {
    /// They wrote something.
    Wrote(Box<Item>),
    /// They boosted something, of which an archive has the address alone.
    Boosted(Wanted),
}

/// Reads one activity of `outbox.json`. Types other than `Create` and `Announce` are none of ours.
pub(super) fn deed(actor: &Actor, activity: &Value, now: DateTime<Utc>) -> Option<Deed> {
    match activity["type"].as_str()? {
        "Announce" => {
            let object = &activity["object"];
            let uri = object.as_str().or(object["id"].as_str())?;
            Some(Deed::Boosted(Wanted {
                kind: "boost".to_owned(),
                uri: uri.to_owned(),
                at: item::time(&activity["published"]),
                visibility: Some(visibility(activity).to_owned()),
                tries: 0,
            }))
        }
        "Create" => wrote(actor, activity, now).map(|item| Deed::Wrote(Box::new(item))),
        _ => None,
    }
}

fn wrote(actor: &Actor, activity: &Value, now: DateTime<Utc>) -> Option<Item> {
    let note = &activity["object"];
    let uri = note["id"].as_str()?;
    let tags = || item::list(&note["tag"]);
    let of_type = |tag: &&Value, kind: &str| tag["type"].as_str() == Some(kind);
    let name = |tag: &Value| {
        tag["name"]
            .as_str()
            .unwrap_or_default()
            .trim_start_matches(['#', '@'])
            .to_owned()
    };
    let media: Vec<Value> = item::list(&note["attachment"])
        .map(|file| medium(actor, file))
        .collect();
    let options = ["oneOf", "anyOf"].iter().flat_map(|list| item::list(&note[*list]));
    let options: Vec<Value> = options
        .map(|option| json!({ "title": option["name"], "votes_count": option["replies"]["totalItems"] }))
        .collect();
    let language = note["contentMap"]
        .as_object()
        .and_then(|map| map.keys().next().cloned());
    let mut status = json!({
        // A server gives ids of its own; here the address is one.
        "id": uri, "uri": uri, "url": note["url"].as_str().unwrap_or(uri),
        "created_at": note["published"].as_str().or(activity["published"].as_str()),
        "edited_at": note["updated"], "in_reply_to_id": note["inReplyTo"],
        "visibility": visibility(note), "language": language, "sensitive": note["sensitive"],
        "spoiler_text": note["summary"].as_str().unwrap_or_default(), "content": note["content"],
        "account": { "acct": actor.acct(), "username": actor.name, "display_name": actor.display_name, "uri": actor.uri },
        "media_attachments": media,
        "mentions": tags().filter(|tag| of_type(tag, "Mention")).map(|tag| json!({ "acct": name(tag), "url": tag["href"] })).collect::<Vec<_>>(),
        "tags": tags().filter(|tag| of_type(tag, "Hashtag")).map(|tag| json!({ "name": name(tag), "url": tag["href"] })).collect::<Vec<_>>(),
        "emojis": [], "activity": activity,
    });
    if !options.is_empty() {
        status["poll"] = json!({ "expires_at": note["endTime"], "expired": true, "options": options });
    }
    let activity = NewActivity {
        kind: "post".to_owned(),
        at: item::time(&status["created_at"]),
        ..NewActivity::default()
    };
    let acct = actor.acct();
    let owner = Owner {
        server: &actor.server,
        acct: &acct,
    };
    item::of_status(owner, &status.to_string(), activity, now)
}

/// Addresses of files are paths inside of the archive; a server serves them below `/system`.
fn medium(actor: &Actor, file: &Value) -> Value {
    let path = file["url"].as_str().unwrap_or_default();
    let url = if path.starts_with("https://") {
        path.to_owned()
    } else {
        url_of(&actor.server, path)
    };
    let kind = file["mediaType"]
        .as_str()
        .and_then(|kind| kind.split('/').next())
        .unwrap_or("unknown");
    json!({ "id": path, "type": kind, "url": url, "description": file["name"] })
}

/// The address of a file inside of an archive.
pub(super) fn url_of(server: &str, path: &str) -> String {
    format!("https://{server}/system/{}", path.trim_start_matches('/'))
}

/// As Mastodon derives it from who it was addressed to.
fn visibility(note: &Value) -> &'static str {
    let addressed = |name: &str| -> Vec<String> {
        let one = note[name].as_str().map(str::to_owned);
        one.into_iter()
            .chain(item::list(&note[name]).filter_map(|to| to.as_str().map(str::to_owned)))
            .collect()
    };
    let (to, cc) = (addressed("to"), addressed("cc"));
    let has = |list: &[String], test: &dyn Fn(&str) -> bool| list.iter().any(|to| test(to));
    let public = |to: &str| PUBLIC.contains(&to);
    if has(&to, &public) {
        "public"
    } else if has(&cc, &public) {
        "unlisted"
    } else if has(&to, &|to| to.ends_with("/followers")) || has(&cc, &|to| to.ends_with("/followers")) {
        "private"
    } else {
        "direct"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_it_was_addressed_to_tells_who_may_see_it() {
        let public = "https://www.w3.org/ns/activitystreams#Public";
        let followers = "https://a.example/users/me/followers";
        for (to, cc, expected) in [
            (json!([public]), json!([followers]), "public"),
            (json!([followers]), json!([public]), "unlisted"),
            (json!([followers]), json!([]), "private"),
            (json!(["https://b.example/users/x"]), json!([]), "direct"),
            (json!(public), json!(null), "public"),
        ] {
            assert_eq!(visibility(&json!({ "to": to, "cc": cc })), expected);
        }
    }
}
