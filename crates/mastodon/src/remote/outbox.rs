//! An account's posts through ActivityPub: `featured` for what is pinned, `outbox` for the rest.

use chrono::{DateTime, Utc};
use model::Uri;
use net::Url;
use serde_json::Value;

use super::{
    Post, Profile,
    activitypub::{is_public, read_page},
    origin::Origin,
    posts::Listed,
};
use crate::Error;

/// More pinned posts are nobody's.
const MOST_PINNED: usize = 20;
/// More items of one page are not looked at.
const MOST_ITEMS: usize = 500;

/// A page of posts; the cursor is the address of the next page. Many servers show a count and no pages to strangers:
/// then there is nothing.
pub(super) async fn posts(pages: &mut Origin<'_>, profile: &Profile, after: Option<&str>) -> Result<Listed, Error> {
    let mut posts = Vec::new();
    let page = match after.and_then(|after| Url::parse(after).ok()) {
        Some(url) if pages.owns(&url) => pages.document(&url).await?,
        Some(_) => return Ok(Listed::default()),
        None => {
            let actor = pages.document(&profile.uri.url()).await?;
            posts = pinned(pages, &actor).await?;
            let Some(outbox) = step(pages, actor["outbox"].clone()).await? else {
                return Ok(Listed { posts, next: None });
            };
            match read_page(outbox) {
                // The items themselves, or the way to them.
                (items, next) if !items.is_empty() => {
                    return Ok(Listed {
                        posts: posts.into_iter().chain(read(pages, items)).collect(),
                        next: address(pages, next),
                    });
                }
                (_, Some(first)) => match step(pages, first).await? {
                    Some(page) => page,
                    None => return Ok(Listed { posts, next: None }),
                },
                (_, None) => return Ok(Listed { posts, next: None }),
            }
        }
    };
    let (items, next) = read_page(page);
    let nothing = items.is_empty();
    posts.extend(read(pages, items));
    let next = address(pages, next).filter(|next| !nothing && after != Some(next.as_str()));
    Ok(Listed { posts, next })
}

/// Pinned posts, where a server lists them. That it does not is no trouble.
async fn pinned(pages: &mut Origin<'_>, actor: &Value) -> Result<Vec<Post>, Error> {
    let collection = match step(pages, actor["featured"].clone()).await {
        Ok(Some(collection)) => collection,
        Ok(None) => return Ok(Vec::new()),
        Err(error) if error.is_of_host() => return Err(error),
        Err(_) => return Ok(Vec::new()),
    };
    let (items, _) = read_page(collection);
    let mut posts: Vec<Post> = read(pages, items.into_iter().take(MOST_PINNED).collect()).collect();
    posts.iter_mut().for_each(|post| post.pinned = true);
    Ok(posts)
}

/// An address to its document, an object as it is.
async fn step(pages: &mut Origin<'_>, value: Value) -> Result<Option<Value>, Error> {
    match value {
        Value::Object(_) => Ok(Some(value)),
        Value::String(text) => match Url::parse(&text).ok().filter(|url| pages.owns(url)) {
            Some(url) => pages.document(&url).await.map(Some),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn address(pages: &Origin<'_>, next: Option<Value>) -> Option<String> {
    let url = Url::parse(next?.as_str()?).ok()?;
    pages.owns(&url).then(|| url.into())
}

fn read(pages: &Origin<'_>, items: Vec<Value>) -> impl Iterator<Item = Post> {
    items
        .into_iter()
        .take(MOST_ITEMS)
        .filter_map(move |item| post(pages, &item))
}

/// What is in an activity, or is listed as itself. Boosts and other activities are not somebody's posts.
fn post(pages: &Origin<'_>, item: &Value) -> Option<Post> {
    let object = match item["type"].as_str() {
        Some("Create" | "Update") => &item["object"],
        Some("Announce" | "Like" | "Follow" | "Delete" | "Undo" | "Accept" | "Reject" | "Tombstone") => return None,
        _ => item,
    };
    let addressed = |value: &Value| !value["to"].is_null() || !value["cc"].is_null();
    if [item, object].iter().any(|value| addressed(value) && !is_public(value)) {
        return None;
    }
    let (id, details) = match object {
        Value::String(id) => (id.as_str(), item),
        object => (object["id"].as_str()?, object),
    };
    let uri = Uri::parse(id).ok()?;
    if !pages.owns(&uri.url()) {
        return None;
    }
    Some(Post {
        uri,
        created_at: time(&details["published"]).or_else(|| time(&item["published"])),
        replies: details["replies"]["totalItems"].as_u64(),
        pinned: false,
    })
}

fn time(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?)
        .ok()
        .map(|time| time.to_utc())
}
