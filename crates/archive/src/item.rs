//! A server's JSON as a row of the archive.

use chrono::{DateTime, Utc};
use mastodon::raw_field;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::archive::{Facet, File, Item, NewActivity, Quote, Version};

use crate::{
    html,
    text::plain,
    words::{fold, words},
};

/// Larger statuses are not kept: a server sends megabytes at most, and these are somebody's joke.
const LARGEST: usize = 4 << 20;

/// Whose archive it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// Our server's host.
    pub(crate) server: &'a str,
    /// `user@domain` of the login, lower case; empty where it does not matter.
    pub(crate) acct: &'a str,
}

/// A status as its server spelled it, and what it boosts if it is a boost. `None` for what is no status.
pub(crate) fn of_status(owner: Owner<'_>, body: &str, activity: NewActivity, now: DateTime<Utc>) -> Option<Item> {
    let original = raw_field(body, "reblog").unwrap_or(body);
    let status: Value = (original.len() <= LARGEST).then(|| serde_json::from_str(original).ok())??;
    let mut activity = activity;
    if original.len() != body.len() {
        let wrapper = |name: &str| raw_field(body, name).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let text = |name: &str| wrapper(name).and_then(|value| id(&value));
        if activity.kind == "post" {
            "boost".clone_into(&mut activity.kind);
        }
        activity.at = wrapper("created_at").as_ref().and_then(time).or(activity.at);
        activity.activity_id = text("id").or(activity.activity_id);
        activity.visibility = text("visibility");
    }
    of_value(owner, &status, original, activity, now)
}

/// A status as its server spelled it, as a row that a login has to do with in this way. `None` for what is no status.
pub fn read(body: &str, server: &str, kind: &str, now: DateTime<Utc>) -> Option<Item> {
    let owner = Owner { server, acct: "" };
    let activity = NewActivity {
        kind: kind.to_owned(),
        ..NewActivity::default()
    };
    of_status(owner, body, activity, now)
}

/// A status and, if it quotes one that its server shows, the quoted one: a row of its own, kept as a quote.
pub(crate) fn all_of(owner: Owner<'_>, body: &str, activity: NewActivity, now: DateTime<Utc>) -> Vec<Item> {
    let quoted = of_quoted(owner, body, now);
    of_status(owner, body, activity, now)
        .into_iter()
        .chain(quoted)
        .collect()
}

/// What a status quotes.
pub(crate) fn of_quoted(owner: Owner<'_>, body: &str, now: DateTime<Utc>) -> Option<Item> {
    let original = raw_field(body, "reblog").unwrap_or(body);
    let quoted = raw_field(raw_field(original, "quote")?, "quoted_status")?;
    let activity = NewActivity {
        kind: "quote".to_owned(),
        ..NewActivity::default()
    };
    let item = of_status(owner, quoted, activity, now)?;
    Some(Item {
        wants_context: false,
        links: Vec::new(),
        ..item
    })
}

fn of_value(owner: Owner<'_>, status: &Value, body: &str, activity: NewActivity, now: DateTime<Utc>) -> Option<Item> {
    let text = |name: &str| status[name].as_str().unwrap_or_default();
    let uri = [text("uri"), text("url")]
        .into_iter()
        .find(|uri| uri.starts_with("http"))?;
    let account = &status["account"];
    let author = full_acct(account["acct"].as_str().unwrap_or_default(), owner.server);
    let created_at = time(&status["created_at"]).unwrap_or(now);
    let version_at = time(&status["edited_at"]).unwrap_or(created_at).max(created_at);
    let tags: Vec<String> = list(&status["tags"])
        .filter_map(|tag| tag["name"].as_str().map(fold))
        .collect();
    let poll = &status["poll"];
    let poll_ends_at = time(&poll["expires_at"]).filter(|_| poll["expired"].as_bool() == Some(false));
    Some(Item {
        url: status["url"].as_str().map(str::to_owned),
        author_name: account["display_name"].as_str().unwrap_or_default().to_owned(),
        created_at,
        version_at,
        visibility: text("visibility").to_owned(),
        language: status["language"].as_str().map(str::to_owned),
        in_reply_to: id(&status["in_reply_to_id"]),
        server_id: id(&status["id"])?,
        digest: digest(status),
        body: body.to_owned(),
        words: words(&searchable(status, &author)),
        facets: facets(status, &author, &tags),
        files: files(status, author == owner.acct),
        links: links(status),
        quote: quote(status),
        wants_context: !status["in_reply_to_id"].is_null(),
        poll_ends_at,
        activities: vec![activity],
        uri: uri.to_owned(),
        author,
        tags,
    })
}

/// More links of one status are not followed.
const MOST_LINKS: usize = 10;

/// Addresses that look like statuses', by their shape; a page that is none costs one request in vain.
fn links(status: &Value) -> Vec<String> {
    let quoted = status["quote"]["quoted_status"]["url"].as_str();
    let mut links = html::links(status["content"].as_str().unwrap_or_default());
    links.retain(|link| Some(link.as_str()) != quoted && is_status(link));
    links.truncate(MOST_LINKS);
    links
}

fn is_status(link: &str) -> bool {
    use mastodon::remote::Shape;
    model::Uri::parse(link).is_ok_and(|uri| {
        matches!(
            mastodon::remote::read(&uri),
            Shape::Status { .. } | Shape::Redirecting { .. } | Shape::Copy | Shape::Foreign { .. }
        )
    })
}

fn quote(status: &Value) -> Option<Quote> {
    let quote = status["quote"].as_object().map(|_| &status["quote"])?;
    let quoted = &quote["quoted_status"];
    Some(Quote {
        uri: quoted["uri"].as_str().or(quoted["url"].as_str()).map(str::to_owned),
        state: quote["state"].as_str().unwrap_or("accepted").to_owned(),
    })
}

/// A version that a server's history tells of.
pub(crate) fn of_edit(id: i64, body: &str, now: DateTime<Utc>) -> Option<Version> {
    let edit: Value = (body.len() <= LARGEST).then(|| serde_json::from_str(body).ok())??;
    Some(Version {
        status: id,
        version_at: time(&edit["created_at"])?,
        digest: digest(&edit),
        body: body.to_owned(),
        seen_at: now,
    })
}

/// The files that such a version showed.
pub(crate) fn files_of_edit(body: &str, own: bool) -> Vec<File> {
    let edit: Option<Value> = (body.len() <= LARGEST)
        .then(|| serde_json::from_str(body).ok())
        .flatten();
    edit.map(|edit| files(&edit, own)).unwrap_or_default()
}

/// Whether a status was replied to, as far as its server says.
pub(crate) fn has_replies(body: &str) -> bool {
    raw_field(body, "replies_count").is_some_and(|count| count != "0")
}

/// Everything of a status that can be looked for.
pub(crate) fn searchable(status: &Value, author: &str) -> String {
    let mut parts = vec![
        status["spoiler_text"].as_str().unwrap_or_default().to_owned(),
        plain(status["content"].as_str().unwrap_or_default()),
    ];
    let texts = |values: &Value, name: &'static str| -> Vec<String> {
        list(values)
            .filter_map(|value| value[name].as_str().map(str::to_owned))
            .collect()
    };
    parts.extend(texts(&status["media_attachments"], "description"));
    parts.extend(texts(&status["poll"]["options"], "title"));
    parts.extend(texts(&status["tags"], "name"));
    for card in ["title", "description", "url"] {
        parts.extend(status["card"][card].as_str().map(str::to_owned));
    }
    parts.push(
        status["account"]["display_name"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    );
    parts.push(author.to_owned());
    parts.join("\n")
}

fn facets(status: &Value, author: &str, tags: &[String]) -> Vec<Facet> {
    let facet = |kind, value: &str| Facet {
        kind,
        value: fold(value),
    };
    let mut facets = vec![
        facet('a', author),
        facet('v', status["visibility"].as_str().unwrap_or_default()),
    ];
    if let Some(language) = status["language"].as_str() {
        facets.push(facet('l', language));
        // `de` finds `de-AT` too.
        facets.extend(language.split_once('-').map(|(base, _)| facet('l', base)));
    }
    for media in list(&status["media_attachments"]) {
        facets.push(facet('m', "any"));
        facets.push(facet('m', media["type"].as_str().unwrap_or("unknown")));
    }
    if status["poll"].is_object() {
        facets.push(facet('m', "poll"));
    }
    if status["quote"].is_object() {
        facets.push(facet('m', "quote"));
    }
    facets.extend(tags.iter().map(|tag| facet('t', tag)));
    facets.sort_unstable();
    facets.dedup();
    facets
}

fn files(status: &Value, own: bool) -> Vec<File> {
    let mut files = Vec::new();
    let web = |value: &Value| {
        let url = value
            .as_str()
            .filter(|url| url.starts_with("https://") || url.starts_with("http://"));
        url.map(str::to_owned)
    };
    for media in list(&status["media_attachments"]) {
        let (url, remote) = (web(&media["url"]), web(&media["remote_url"]));
        // A link to a proxy makes our server fetch what its origin gives as well, under a much lower limit.
        let proxied = url.as_ref().is_none_or(|url| url.contains("/media_proxy/"));
        let (first, second) = if proxied { (remote, url) } else { (url, remote) };
        if let Some(url) = first.clone().or(second.clone()) {
            files.push(File {
                fallback: second.filter(|second| *second != url),
                kind: if own { "own" } else { "other" },
                url,
            });
        }
    }
    let mut other = |value: &Value, kind| {
        files.extend(web(value).map(|url| File {
            url,
            kind,
            fallback: None,
        }));
    };
    other(&status["account"]["avatar"], "avatar");
    for emoji in list(&status["emojis"]).chain(list(&status["account"]["emojis"])) {
        other(&emoji["url"], "emoji");
    }
    other(&status["card"]["image"], "card");
    files
}

/// What people wrote, in 32 letters: counters, and what a login has done with it, do not change it.
pub(crate) fn digest(status: &Value) -> String {
    let mut hash = Sha256::new();
    let mut add = |value: &Value| {
        hash.update(value.to_string());
        hash.update([0]);
    };
    for name in ["content", "spoiler_text", "sensitive"] {
        add(&status[name]);
    }
    for media in list(&status["media_attachments"]) {
        add(&media["id"]);
        add(&media["description"]);
    }
    for option in list(&status["poll"]["options"]) {
        add(&option["title"]);
        if status["poll"]["expired"].as_bool() == Some(true) {
            add(&option["votes_count"]);
        }
    }
    add(&status["quote"]["state"]);
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `user@domain`, lower case, whatever the server leaves out for its own.
pub(crate) fn full_acct(acct: &str, server: &str) -> String {
    let acct = acct.trim_start_matches('@').to_lowercase();
    if acct.contains('@') || acct.is_empty() {
        acct
    } else {
        format!("{acct}@{server}")
    }
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An id or a word; some servers send numbers.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(crate) fn time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    // LAMA's archives have a blank for the T.
    let time =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)));
    Some(time.ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner<'_> = Owner {
        server: "home.example",
        acct: "me@home.example",
    };

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn post() -> NewActivity {
        NewActivity {
            kind: "post".into(),
            ..NewActivity::default()
        }
    }

    /// Check 36: every field that can be searched.
    #[test]
    fn everything_written_can_be_searched() {
        let body = r#"{"id":"7","uri":"https://home.example/7","created_at":"2026-01-01T00:00:00.000Z","edited_at":null,
            "visibility":"direct","language":"de-AT","spoiler_text":"warning","sensitive":true,"content":"<p>Grüße</p>",
            "account":{"acct":"me","display_name":"Me Myself","avatar":"https://home.example/a.png"},
            "media_attachments":[{"id":"1","type":"image","url":"https://home.example/m.png","description":"a heron"}],
            "poll":{"expires_at":"2026-01-02T00:00:00.000Z","expired":false,"options":[{"title":"yesish"}]},
            "quote":{"state":"pending"},"tags":[{"name":"Birds"}],"emojis":[{"url":"https://home.example/e.png"}],
            "card":{"title":"Cardy","url":"https://c.example/x"}}"#;
        let item = of_status(OWNER, body, post(), now()).unwrap();
        for word in [
            "warning", "grusse", "heron", "yesish", "birds", "cardy", "myself", "home",
        ] {
            assert!(item.words.iter().any(|w| w == word), "{word}: {:?}", item.words);
        }
        let has = |kind, value: &str| item.facets.iter().any(|f| f.kind == kind && f.value == value);
        assert!(has('a', "me@home.example") && has('v', "direct") && has('l', "de") && has('l', "de-at"));
        assert!(has('m', "image") && has('m', "poll") && has('m', "quote") && has('t', "birds"));
        assert_eq!(
            item.files.iter().map(|f| f.kind).collect::<Vec<_>>(),
            ["own", "avatar", "emoji"]
        );
        assert_eq!(item.body, body, "byte for byte");
        assert!(item.poll_ends_at.is_some());
    }

    /// Check 35.
    #[test]
    fn a_boost_is_an_activity_on_the_original() {
        let body = r#"{"id":"9","uri":"https://home.example/9/activity","created_at":"2026-02-01T00:00:00.000Z",
            "visibility":"unlisted","content":"","account":{"acct":"me"},
            "reblog":{"id":"8","uri":"https://a.example/8","visibility":"public","content":"x","account":{"acct":"b@a.example"},
            "created_at":"2026-01-01T00:00:00.000Z"}}"#;
        let item = of_status(OWNER, body, post(), now()).unwrap();
        assert_eq!(
            (item.uri.as_str(), item.author.as_str()),
            ("https://a.example/8", "b@a.example")
        );
        let activity = &item.activities[0];
        assert_eq!(
            (activity.kind.as_str(), activity.activity_id.as_deref()),
            ("boost", Some("9"))
        );
        assert_eq!(activity.visibility.as_deref(), Some("unlisted"));
        assert_eq!(activity.at.unwrap().to_rfc3339(), "2026-02-01T00:00:00+00:00");
        assert!(item.body.starts_with(r#"{"id":"8""#) && item.body.ends_with('}'));
    }

    #[test]
    fn counters_do_not_make_a_version() {
        let status = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let before = digest(&status(r#"{"content":"a","favourites_count":1,"favourited":false}"#));
        assert_eq!(
            before,
            digest(&status(r#"{"content":"a","favourites_count":2,"favourited":true}"#))
        );
        assert_ne!(before, digest(&status(r#"{"content":"b","favourites_count":1}"#)));
    }

    #[test]
    fn what_is_no_status_is_left_out() {
        for body in [
            "null",
            "{}",
            "[]",
            "5",
            r#"{"id":"1"}"#,
            r#"{"id":"1","uri":"javascript:x"}"#,
            r#"{"uri":"https://a.example/1"}"#,
        ] {
            assert_eq!(of_status(OWNER, body, post(), now()), None, "{body}");
        }
    }
}
