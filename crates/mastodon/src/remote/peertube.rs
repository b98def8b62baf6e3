//! PeerTube: the comments below a video, and an account's or a channel's videos.

use chrono::DateTime;
use model::Uri;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{Post, Profile, conversation::Conversation, origin::Origin, posts::Listed};
use crate::Error;

/// The most that a call gives.
const PAGE: usize = 100;

/// The video that an address belongs to: `/w/ID`, `/videos/watch/ID`, and comments below either.
fn video(uri: &Uri) -> Option<String> {
    let url = uri.url();
    let mut segments = url.path_segments()?;
    let id = match (segments.next()?, segments.next()?) {
        ("w", id) => id,
        ("videos", "watch") => segments.next()?,
        _ => return None,
    };
    // `/w/ID;threadId=7`
    let id = id.split(';').next().unwrap_or_default();
    let fits = !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    fits.then(|| id.to_owned())
}

/// Every comment below a video.
pub(super) async fn context(
    api: &mut Origin<'_>,
    talk: &mut Conversation,
    uri: &Uri,
) -> Result<Option<&'static str>, Error> {
    let Some(video) = video(uri) else { return Ok(None) };
    let root = uri.clone();
    let path = format!("/api/v1/videos/{video}/comment-threads");
    let mut start = 0;
    while talk.may_ask(api) {
        let query = [("count", PAGE.to_string()), ("start", start.to_string())];
        let query = query.each_ref().map(|(key, value)| (*key, value.as_str()));
        let answer = match api.json(&path, &query).await {
            Ok((answer, _)) => answer,
            Err(error) if start == 0 => return Err(error),
            // What came before is worth keeping.
            Err(error) => {
                talk.skip(error)?;
                break;
            }
        };
        let Some(threads) = answer["data"].as_array() else {
            return Ok(None);
        };
        for thread in threads {
            add(talk, thread, &root);
            let replies = thread["totalReplies"].as_u64().unwrap_or(0);
            let Some(id) = thread["threadId"]
                .as_u64()
                .or(thread["id"].as_u64())
                .filter(|_| replies > 0)
            else {
                continue;
            };
            if !talk.may_ask(api) {
                break;
            }
            match api.json(&format!("{path}/{id}"), &[]).await {
                Ok((tree, _)) => below(talk, &tree, &root),
                Err(error) => talk.skip(error)?,
            }
        }
        start += threads.len();
        let total = answer["total"].as_u64().unwrap_or(0);
        if threads.is_empty() || start as u64 >= total {
            break;
        }
    }
    Ok(Some("comment threads"))
}

/// A tree of comments, without recursion: its depth is a stranger's.
fn below(talk: &mut Conversation, tree: &Value, root: &Uri) {
    let mut open = vec![(tree, root.clone())];
    while let Some((node, parent)) = open.pop() {
        let own = add(talk, &node["comment"], &parent).unwrap_or(parent);
        let children = node["children"].as_array().map(Vec::as_slice).unwrap_or_default();
        // The newest versions cut wide trees.
        if node["totalChildren"]
            .as_u64()
            .is_some_and(|total| total > children.len() as u64)
        {
            talk.partial = true;
        }
        open.extend(children.iter().map(|child| (child, own.clone())));
    }
}

fn add(talk: &mut Conversation, comment: &Value, parent: &Uri) -> Option<Uri> {
    let uri = Uri::parse(comment["url"].as_str()?).ok()?;
    if comment["isDeleted"] != true {
        talk.add(&uri, Some(parent.clone()));
    }
    Some(uri)
}

/// An account's or a channel's videos, newest first.
pub(super) async fn posts(api: &mut Origin<'_>, profile: &Profile, after: Option<&str>) -> Result<Listed, Error> {
    let start: usize = after.and_then(|after| after.parse().ok()).unwrap_or(0);
    let channel = ["/video-channels/", "/c/"]
        .iter()
        .any(|prefix| profile.uri.url().path().starts_with(prefix));
    let kind = if channel { "video-channels" } else { "accounts" };
    let query = [
        ("start", start.to_string()),
        ("count", PAGE.to_string()),
        ("sort", "-publishedAt".to_owned()),
    ];
    let query = query.each_ref().map(|(key, value)| (*key, value.as_str()));
    let name = utf8_percent_encode(&profile.username, NON_ALPHANUMERIC);
    let (answer, _) = api.json(&format!("/api/v1/{kind}/{name}/videos"), &query).await?;
    let videos = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let posts = videos
        .iter()
        .filter_map(|video| {
            let uri = match video["url"].as_str() {
                Some(url) => Uri::parse(url).ok()?,
                None => Uri::parse(
                    api.url(&format!("/videos/watch/{}", video["uuid"].as_str()?), &[])
                        .as_str(),
                )
                .ok()?,
            };
            Some(Post {
                uri,
                created_at: video["publishedAt"]
                    .as_str()
                    .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
                    .map(|time| time.to_utc()),
                replies: video["comments"].as_u64(),
                pinned: false,
            })
        })
        .collect();
    let end = start + videos.len();
    let next = (!videos.is_empty() && (end as u64) < answer["total"].as_u64().unwrap_or(0)).then(|| end.to_string());
    Ok(Listed { posts, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn videos_in_all_their_addresses() {
        for (path, id) in [
            ("/w/9hRvMTnA", Some("9hRvMTnA")),
            ("/w/9hRvMTnA;threadId=7", Some("9hRvMTnA")),
            ("/videos/watch/9abc-d", Some("9abc-d")),
            ("/videos/watch/9abc-d/comments/7", Some("9abc-d")),
            ("/w/", None),
            ("/a/u", None),
        ] {
            let uri = Uri::parse(&format!("https://a.example{path}")).unwrap();
            assert_eq!(video(&uri).as_deref(), id, "{path}");
        }
    }
}
