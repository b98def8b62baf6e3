//! Reads subjects out of what servers send: public accounts, `Admin::Account` with the public one nested, statuses.
//!
//! It reads JSON rather than types of the `mastodon` crate, since webhooks, streams, pages and stored statuses all bring
//! JSON. Fields of another shape are left out; e-mail and IP addresses are not looked at.

use chrono::{DateTime, Utc};
use model::{Domain, Visibility};
use serde_json::Value;

use crate::{AccountFacts, MediaFacts, MentionFacts, StatusFacts, Subject};

/// Most of any list that is read: statuses of hostile servers may hold anything.
const MOST: usize = 64;
/// Most of any text, in bytes.
const LONGEST: usize = 200_000;

impl Subject {
    /// A status with its author.
    pub fn from_status(status: &Value) -> Option<Self> {
        Some(Self {
            account: AccountFacts::from_json(status.get("account")?)?,
            statuses: vec![StatusFacts::from_json(status)?],
        })
    }

    /// An account alone, public or `Admin::Account`.
    pub fn from_account(account: &Value) -> Option<Self> {
        Some(Self {
            account: AccountFacts::from_json(account)?,
            statuses: Vec::new(),
        })
    }
}

impl AccountFacts {
    /// Reads an account, public or `Admin::Account`.
    pub fn from_json(value: &Value) -> Option<Self> {
        let (admin, public) = match value.get("account") {
            Some(public) if public.is_object() => (Some(value), public),
            _ => (None, value),
        };
        let id = id(public).or_else(|| id(value))?;
        let flag = |key: &str| public.get(key).and_then(Value::as_bool).unwrap_or_default();
        let either = |key: &str, other: &str| flag(key) || admin.is_some_and(|a| a[other].as_bool() == Some(true));
        let acct = text(public, "acct");
        let domain = acct
            .split_once('@')
            .map(|(_, domain)| domain.to_owned())
            .or_else(|| admin.map(|a| text(a, "domain")).filter(|domain| !domain.is_empty()));
        let mut username = text(public, "username");
        if username.is_empty() {
            username = acct.split('@').next().unwrap_or_default().to_owned();
        }
        let role = admin.and_then(|a| a.get("role")).or_else(|| public.get("role"));
        let fields = list(public, "fields").map(|field| (text(field, "name"), text(field, "value")));
        // The picture everybody has who has none.
        let own = |key: &str| {
            let url = public.get(key)?.as_str()?;
            Some(!url.is_empty() && !url.ends_with("/missing.png"))
        };
        Some(Self {
            id,
            username,
            display_name: text(public, "display_name"),
            bio: text(public, "note"),
            fields: fields.collect(),
            domain: domain.map(|text| Domain::parse(&text).map_or_else(|_| text.to_lowercase(), String::from)),
            url: some(public, "url"),
            // The admins' one has the time of day.
            created_at: admin
                .and_then(|a| time(a, "created_at"))
                .or_else(|| time(public, "created_at")),
            followers: count(public, "followers_count"),
            following: count(public, "following_count"),
            statuses_count: count(public, "statuses_count"),
            bot: flag("bot"),
            locked: flag("locked"),
            silenced: either("limited", "silenced"),
            suspended: either("suspended", "suspended"),
            has_avatar: own("avatar"),
            has_header: own("header"),
            permissions: role.map(|role| text(role, "permissions")).unwrap_or_default(),
            role: role.and_then(id_or_name),
            is_own: false,
            followed: None,
            follows: None,
            hides_follows: public.get("hide_collections").and_then(Value::as_bool),
        })
    }
}

impl StatusFacts {
    /// Reads a status. A boost is read as the wrapper it is, without what it passes on.
    pub fn from_json(value: &Value) -> Option<Self> {
        let is_reblog = value.get("reblog").is_some_and(Value::is_object);
        let html = if is_reblog {
            String::new()
        } else {
            text(value, "content")
        };
        let media = list(value, "media_attachments").map(|media| MediaFacts {
            kind: text(media, "type"),
            description: text(media, "description"),
            url: some(media, "remote_url").or_else(|| some(media, "url")),
            blurhash: some(media, "blurhash"),
            file: some(media, "url"),
            preview: some(media, "preview_url"),
            ..MediaFacts::default()
        });
        let options = value
            .get("poll")
            .into_iter()
            .flat_map(|poll| list(poll, "options").map(|o| text(o, "title")));
        let mentions = list(value, "mentions").map(|mention| MentionFacts {
            acct: text(mention, "acct"),
            knows_author: None,
        });
        let card = value.get("card").and_then(|card| some(card, "url"));
        Some(Self {
            id: id(value)?,
            uri: some(value, "uri"),
            url: some(value, "url"),
            content: html,
            content_warning: text(value, "spoiler_text"),
            sensitive: value.get("sensitive").and_then(Value::as_bool).unwrap_or_default(),
            language: some(value, "language"),
            application: value.get("application").and_then(|app| some(app, "name")),
            visibility: value
                .get("visibility")
                .and_then(|v| serde_json::from_value::<Visibility>(v.clone()).ok())
                .unwrap_or_default(),
            created_at: time(value, "created_at"),
            edited_at: time(value, "edited_at"),
            is_reply: value.get("in_reply_to_id").is_some_and(|v| !v.is_null()),
            is_reblog,
            media: if is_reblog { Vec::new() } else { media.collect() },
            poll_options: if is_reblog { Vec::new() } else { options.collect() },
            tags: list(value, "tags").map(|tag| text(tag, "name")).collect(),
            mentions: mentions.collect(),
            links: card.into_iter().collect(),
            context: false,
        })
    }
}

fn id(value: &Value) -> Option<String> {
    match value.get("id")? {
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn id_or_name(role: &Value) -> Option<String> {
    id(role).or_else(|| some(role, "name"))
}

fn text(value: &Value, key: &str) -> String {
    let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

fn some(value: &Value, key: &str) -> Option<String> {
    Some(text(value, key)).filter(|text| !text.is_empty())
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(MOST)
}

/// `-1` is how glitch-soc says that it is hidden.
fn count(value: &Value, key: &str) -> Option<u64> {
    match value.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn time(value: &Value, key: &str) -> Option<DateTime<Utc>> {
    let text = value.get(key)?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}
