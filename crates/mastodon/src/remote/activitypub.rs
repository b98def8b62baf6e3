//! Conversations through ActivityPub's collections: `context` (the whole of it) and `replies` (the direct ones).

use std::collections::{HashSet, VecDeque};

use model::Uri;
use net::Url;
use serde_json::Value;

use super::{conversation::Conversation, listing::COLLECTIONS, origin::Origin};
use crate::Error;

/// An item of a collection: its address, and the object where it came along.
pub(super) type Item = (Uri, Option<Value>);

/// Lists the conversation of `note` (the document of `uri`): its `context` where it has one, else `replies` all the
/// way down. Gives how it was read.
pub(super) async fn list(
    origin: &mut Origin<'_>,
    talk: &mut Conversation,
    uri: &Uri,
    note: &Value,
) -> Result<&'static str, Error> {
    if whole(origin, talk, note).await? {
        return Ok("context collection");
    }
    go_on(origin, talk, vec![(uri.clone(), Some(note.clone()))]).await?;
    Ok(COLLECTIONS)
}

/// Reads the collections of what is queued, and of what they hold, as long as it may.
pub(super) async fn go_on(origin: &mut Origin<'_>, talk: &mut Conversation, start: Vec<Item>) -> Result<(), Error> {
    let mut asked: HashSet<Uri> = talk.walk.tried.drain(..).collect();
    let mut queue: VecDeque<Item> = talk.walk.queue.drain(..).map(|uri| (uri, None)).collect();
    queue.extend(start);
    let mut first = true;
    while let Some((uri, note)) = queue.pop_front() {
        if asked.contains(&uri) {
            continue;
        }
        let note = match note {
            Some(note) => note,
            // Somebody else's server is another listing's business.
            None if !origin.owns(&uri.url()) => continue,
            None if !talk.may_ask(origin) => {
                queue.push_front((uri, None));
                break;
            }
            None => match origin.document(&uri.url()).await {
                Ok(note) if is_public(&note) => note,
                Ok(_) | Err(Error::NotFound { .. } | Error::Gone { .. }) => {
                    talk.forget(&uri);
                    asked.insert(uri);
                    continue;
                }
                Err(error) => {
                    talk.skip(error)?;
                    if talk.cut.is_some() {
                        queue.push_front((uri, None));
                        break;
                    }
                    asked.insert(uri);
                    continue;
                }
            },
        };
        queue.extend(direct(origin, talk, &uri, &note).await?);
        // Left in the middle of its pages, it is read again; not where it alone was more than a listing may take.
        let interrupted = std::mem::take(&mut talk.interrupted) && !first;
        if talk.cut.is_some() || interrupted {
            queue.push_front((uri, None));
            break;
        }
        first = false;
        asked.insert(uri);
    }
    talk.walk.queue = queue.into_iter().map(|(uri, _)| uri).collect();
    talk.walk.tried = asked.into_iter().collect();
    Ok(())
}

/// Walks the conversation collection that `note` names. False when it names none that could be walked.
pub(super) async fn whole(origin: &mut Origin<'_>, talk: &mut Conversation, note: &Value) -> Result<bool, Error> {
    let Some(context) = note["context"].as_str().and_then(|text| Url::parse(text).ok()) else {
        return Ok(false);
    };
    if !origin.owns(&context) {
        return Ok(false);
    }
    // Elsewhere `context` is only a name, and its address may lead anywhere.
    let collection = match origin.document(&context).await {
        Ok(collection) if is_collection(&collection) => collection,
        Err(error @ Error::Net(_)) if error.is_of_host() => return Err(error),
        _ => return Ok(false),
    };
    let before = talk.replies.len();
    walk(origin, talk, collection, None).await?;
    Ok(talk.replies.len() > before)
}

/// Walks the `replies` of one status and gives what was new in it.
pub(super) async fn direct(
    origin: &mut Origin<'_>,
    talk: &mut Conversation,
    uri: &Uri,
    note: &Value,
) -> Result<Vec<Item>, Error> {
    walk(origin, talk, note["replies"].clone(), Some(uri)).await
}

/// Walks a collection from any of its shapes: absent, an address, or an object.
async fn walk(
    origin: &mut Origin<'_>,
    talk: &mut Conversation,
    start: Value,
    parent: Option<&Uri>,
) -> Result<Vec<Item>, Error> {
    let mut found = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut next = Some(start);
    while let Some(step) = next.take() {
        let page = match step {
            Value::Object(_) => {
                if let Some(id) = step["id"].as_str() {
                    seen.insert(id.to_owned());
                }
                step
            }
            Value::String(address) => {
                let Some(url) = Url::parse(&address).ok().filter(|url| origin.owns(url)) else {
                    talk.warn("a collection goes on at another host".into());
                    talk.partial = true;
                    break;
                };
                if !seen.insert(address) {
                    talk.warn(format!("a collection of {} goes round in a circle", origin.host()));
                    break;
                }
                if !talk.may_ask(origin) {
                    talk.interrupted = true;
                    break;
                }
                match origin.document(&url).await {
                    Ok(page) => page,
                    // What came before is worth keeping, and what stands elsewhere worth asking for.
                    Err(error) => {
                        talk.skip(error)?;
                        break;
                    }
                }
            }
            _ => break,
        };
        let (items, following) = read_page(page);
        for item in items {
            let Some((uri, object)) = read_item(item, origin) else {
                continue;
            };
            let told = object.as_ref().map(|object| &object["inReplyTo"]);
            if parent.is_none() && told.is_some_and(Value::is_null) {
                talk.exclude(&uri);
                continue;
            }
            let told = told.and_then(|told| Uri::parse(told.as_str()?).ok());
            if talk.add(&uri, told.or_else(|| parent.cloned())) {
                found.push((uri, object));
            }
        }
        next = following;
    }
    Ok(found)
}

/// The items of a collection or a page of it, and where it goes on.
pub(super) fn read_page(mut page: Value) -> (Vec<Value>, Option<Value>) {
    let items = ["orderedItems", "items"]
        .into_iter()
        .map(|key| page[key].take())
        .find(|items| !items.is_null());
    let items = match items {
        Some(Value::Array(items)) => items,
        Some(item) => vec![item],
        None => Vec::new(),
    };
    let next = ["next", "first"]
        .into_iter()
        .map(|key| page[key].take())
        .find(|next| next.is_string() || next.is_object());
    (items, next)
}

/// An item that strangers may know of. An object counts as such only from its own server.
fn read_item(item: Value, origin: &Origin<'_>) -> Option<Item> {
    match item {
        Value::String(text) => Some((Uri::parse(&text).ok()?, None)),
        Value::Object(_) => {
            let uri = Uri::parse(item["id"].as_str()?).ok()?;
            if item["type"] == "Tombstone" || (is_addressed(&item) && !is_public(&item)) {
                return None;
            }
            let own = origin.owns(&uri.url()) && is_addressed(&item);
            Some((uri, own.then_some(item)))
        }
        _ => None,
    }
}

fn is_collection(document: &Value) -> bool {
    ["first", "items", "orderedItems"]
        .iter()
        .any(|key| !document[*key].is_null())
}

fn is_addressed(object: &Value) -> bool {
    !object["to"].is_null() || !object["cc"].is_null()
}

/// Whether it is addressed to everybody.
pub(super) fn is_public(object: &Value) -> bool {
    let everybody = |value: &Value| {
        matches!(
            value.as_str(),
            Some("https://www.w3.org/ns/activitystreams#Public" | "as:Public" | "Public")
        )
    };
    ["to", "cc"].iter().any(|key| match &object[*key] {
        Value::Array(list) => list.iter().any(everybody),
        one => everybody(one),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_in_all_their_shapes() {
        let (items, next) = read_page(json!({"items": ["a", "b"], "next": "n"}));
        assert_eq!((items.len(), next), (2, Some(json!("n"))));
        let (items, next) = read_page(json!({"orderedItems": "a"}));
        assert_eq!((items.len(), next), (1, None));
        let (items, next) = read_page(json!({"items": {"id": "a"}, "next": null}));
        assert_eq!((items.len(), next), (1, None));
        let (items, next) = read_page(json!({"first": {"items": ["a"], "next": "n"}}));
        assert!(items.is_empty() && next.unwrap().is_object());
        assert_eq!(read_page(json!({"first": "f"})), (vec![], Some(json!("f"))));
        assert_eq!(read_page(json!({"totalItems": 7})), (vec![], None));
    }

    #[test]
    fn everybody_in_its_spellings() {
        assert!(is_public(&json!({"to": "as:Public"})));
        assert!(is_public(&json!({"to": ["x"], "cc": ["Public"]})));
        assert!(!is_public(&json!({"to": ["https://a.example/followers"]})));
        assert!(!is_public(&json!({})));
    }
}
