//! Misskey and its forks: every question is a POST, and notes of other servers carry their own `uri`.

use std::collections::VecDeque;

use chrono::DateTime;
use model::Uri;
use serde_json::{Value, json};

use super::{Post, Shape, conversation::Conversation, origin::Origin, posts::Listed, shapes};
use crate::Error;

/// The most that a call gives.
const PAGE: usize = 100;

/// The replies to a note, all the way down, and those above it.
pub(super) async fn context(
    api: &mut Origin<'_>,
    talk: &mut Conversation,
    uri: &Uri,
) -> Result<Option<&'static str>, Error> {
    let Shape::Foreign { kind: "note", id } = shapes::read(uri) else {
        return Ok(None);
    };
    let note = api.ask("/api/notes/show", &json!({ "noteId": id })).await?;
    if !note["replyId"].is_null() {
        above(api, talk, &id).await?;
    }
    let mut queue = VecDeque::from([(id, uri.clone())]);
    if note["repliesCount"] == 0 {
        queue.clear();
    }
    while let Some((id, parent)) = queue.pop_front() {
        let mut until: Option<String> = None;
        while talk.may_ask(api) {
            let mut question = json!({ "noteId": id, "limit": PAGE });
            if let Some(until) = &until {
                question["untilId"] = json!(until);
            }
            let children = list(api.ask("/api/notes/children", &question).await);
            let children = match children {
                Ok(children) => children,
                // One note that cannot be read does not hide the others.
                Err(error) => {
                    talk.skip(error)?;
                    break;
                }
            };
            for child in &children {
                // Quotes stand among them.
                if child["replyId"].as_str() != Some(&id) || !is_open(child) {
                    continue;
                }
                let (Some(uri), Some(child_id)) = (identity(api, child), child["id"].as_str()) else {
                    continue;
                };
                let has_replies = child["repliesCount"].as_u64().is_none_or(|count| count > 0);
                if talk.add(&uri, Some(parent.clone())) && has_replies {
                    queue.push_back((child_id.to_owned(), uri));
                }
            }
            let last = children
                .last()
                .and_then(|child| child["id"].as_str())
                .map(str::to_owned);
            if children.len() < PAGE || last.is_none() || last == until {
                break;
            }
            until = last;
        }
    }
    Ok(Some("notes"))
}

/// The notes above, nearest first; the last one is the root.
async fn above(api: &mut Origin<'_>, talk: &mut Conversation, id: &str) -> Result<(), Error> {
    let question = json!({ "noteId": id, "limit": PAGE });
    let ancestors = list(api.ask("/api/notes/conversation", &question).await)?;
    let uris: Vec<Option<Uri>> = ancestors.iter().map(|note| identity(api, note)).collect();
    for (place, note) in ancestors.iter().enumerate() {
        let Some(uri) = &uris[place] else { continue };
        if note["replyId"].is_null() {
            talk.exclude(uri);
        } else if is_open(note) {
            talk.add(uri, uris.get(place + 1).cloned().flatten());
        }
    }
    Ok(())
}

/// An account's notes: pinned ones, then the newest. The cursor is the account's id and the last note's.
pub(super) async fn posts(api: &mut Origin<'_>, name: &str, after: Option<&str>) -> Result<Listed, Error> {
    let (mut posts, user, until) = match after.and_then(|after| after.split_once(' ')) {
        Some((user, until)) => (Vec::new(), user.to_owned(), Some(until.to_owned())),
        None => {
            let who = api
                .ask("/api/users/show", &json!({ "username": name, "host": null }))
                .await?;
            let user = who["id"].as_str().unwrap_or_default().to_owned();
            let pinned = who["pinnedNotes"].as_array().cloned().unwrap_or_default();
            let pinned = pinned
                .iter()
                .take(PAGE)
                .filter_map(|note| post(api, note, true))
                .collect();
            (pinned, user, None)
        }
    };
    // Old versions know `includeReplies`, new ones `withReplies`; each ignores the other.
    let mut question = json!({
        "userId": user, "limit": PAGE, "withReplies": true, "includeReplies": true,
        "withRenotes": false, "includeMyRenotes": false,
    });
    if let Some(until) = &until {
        question["untilId"] = json!(until);
    }
    let notes = list(api.ask("/api/users/notes", &question).await)?;
    posts.extend(notes.iter().filter_map(|note| post(api, note, false)));
    let last = notes.last().and_then(|note| note["id"].as_str());
    let next = last
        .filter(|last| notes.len() >= PAGE && until.as_deref() != Some(last))
        .map(|last| format!("{user} {last}"));
    Ok(Listed { posts, next })
}

fn post(api: &Origin<'_>, note: &Value, pinned: bool) -> Option<Post> {
    let is_boost = !note["renoteId"].is_null()
        && note["text"].is_null()
        && note["poll"].is_null()
        && note["fileIds"].as_array().is_none_or(Vec::is_empty);
    if is_boost || !is_open(note) {
        return None;
    }
    Some(Post {
        uri: identity(api, note)?,
        created_at: note["createdAt"]
            .as_str()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|time| time.to_utc()),
        replies: note["repliesCount"].as_u64(),
        pinned,
    })
}

/// A note's own identity: what is from elsewhere says where it is from.
fn identity(api: &Origin<'_>, note: &Value) -> Option<Uri> {
    if let Some(uri) = note["uri"].as_str() {
        return Uri::parse(uri).ok();
    }
    let id = note["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 64)?;
    id.bytes()
        .all(|b| b.is_ascii_alphanumeric())
        .then(|| Uri::parse(api.url(&format!("/notes/{id}"), &[]).as_str()).ok())
        .flatten()
}

fn is_open(note: &Value) -> bool {
    matches!(note["visibility"].as_str(), Some("public" | "home")) && note["localOnly"] != true
}

fn list(answer: Result<Value, Error>) -> Result<Vec<Value>, Error> {
    Ok(match answer? {
        Value::Array(notes) => notes,
        _ => Vec::new(),
    })
}
