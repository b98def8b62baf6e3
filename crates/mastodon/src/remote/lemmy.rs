//! Lemmy (v3, and v4 since 1.0) and PieFed: comments carry the path down to them.

use std::collections::HashMap;

use chrono::DateTime;
use model::Uri;
use serde_json::Value;

use super::{
    Flavour, Post, Profile, Shape, Software, conversation::Conversation, origin::Origin, posts::Listed, shapes,
};
use crate::Error;

/// The most that any of them gives.
const PAGE: usize = 50;
const LIMIT: &str = "50";

/// Which of the APIs, all of them alike.
#[derive(Clone, Copy, PartialEq)]
enum Api {
    V3,
    V4,
    PieFed,
}

impl Api {
    fn of(software: &Software) -> Self {
        let major = software
            .version
            .split('.')
            .next()
            .and_then(|n| n.trim_start_matches('v').parse::<u32>().ok());
        match software.flavour {
            Flavour::PieFed => Self::PieFed,
            _ if major.is_some_and(|major| major >= 1) => Self::V4,
            _ => Self::V3,
        }
    }

    fn path(self, call: &str) -> String {
        let version = match self {
            Self::V3 => "v3",
            Self::V4 => "v4",
            Self::PieFed => "alpha",
        };
        format!("/api/{version}/{call}")
    }

    /// Words for what is asked of each.
    fn sort(self) -> &'static str {
        match self {
            Self::V4 => "new",
            Self::V3 | Self::PieFed => "New",
        }
    }

    fn everything(self) -> &'static str {
        match self {
            Self::V4 => "all",
            Self::V3 | Self::PieFed => "All",
        }
    }

    /// How the page after `items` is asked for, if there is one.
    fn next(self, page: &str, answer: &Value, items: usize) -> Option<String> {
        match self {
            Self::V4 => answer["next_page"].as_str().map(str::to_owned),
            Self::V3 | Self::PieFed if items >= PAGE => page.parse::<u32>().ok().map(|n| (n + 1).to_string()),
            Self::V3 | Self::PieFed => None,
        }
    }

    /// The query's part that says where the page begins.
    fn at(self, page: &str) -> Option<(&'static str, &str)> {
        match self {
            Self::V4 => Some(("page_cursor", page)).filter(|_| page != FIRST),
            Self::V3 | Self::PieFed => Some(("page", page)),
        }
    }
}

const FIRST: &str = "1";

/// Every comment of a post, whether the address is the post's or that of one of its comments.
pub(super) async fn context(
    origin: &mut Origin<'_>,
    talk: &mut Conversation,
    software: &Software,
    uri: &Uri,
) -> Result<Option<&'static str>, Error> {
    let api = Api::of(software);
    let (mut post, comment) = match shapes::read(uri) {
        Shape::Foreign { kind: "post", id } => (id, false),
        Shape::Foreign { kind: "comment", id } => (id, true),
        _ => return Ok(None),
    };
    if comment {
        let (answer, _) = origin.json(&api.path("comment"), &[("id", &post)]).await?;
        let id = &answer["comment_view"]["comment"]["post_id"];
        let Some(id) = id.as_u64() else { return Ok(None) };
        post = id.to_string();
    }
    let mut comments: Vec<(String, Uri)> = Vec::new();
    let mut places: HashMap<String, Uri> = HashMap::new();
    let mut page = Some(FIRST.to_owned());
    while let Some(at) = page.take() {
        if !talk.may_ask(origin) {
            break;
        }
        let mut query = vec![
            ("post_id", post.as_str()),
            ("type_", api.everything()),
            ("sort", api.sort()),
            ("limit", LIMIT),
        ];
        query.extend(api.at(&at));
        let answer = match origin.json(&api.path("comment/list"), &query).await {
            Ok((answer, _)) => answer,
            Err(error) if at == FIRST => return Err(error),
            // What came before is worth keeping.
            Err(error) => {
                talk.skip(error)?;
                break;
            }
        };
        let list = [&answer["comments"], &answer["items"]]
            .into_iter()
            .find_map(Value::as_array);
        let Some(list) = list else { return Ok(None) };
        for view in list {
            let comment = &view["comment"];
            if let Some(root) = view["post"]["ap_id"].as_str().and_then(|text| Uri::parse(text).ok()) {
                talk.exclude(&root);
                places.insert("0".to_owned(), root);
            }
            let Some(uri) = comment["ap_id"].as_str().and_then(|text| Uri::parse(text).ok()) else {
                continue;
            };
            if let Some(id) = comment["id"].as_u64() {
                places.insert(id.to_string(), uri.clone());
            }
            if comment["deleted"] != true && comment["removed"] != true {
                comments.push((comment["path"].as_str().unwrap_or_default().to_owned(), uri));
            }
        }
        page = api.next(&at, &answer, list.len()).filter(|next| *next != at);
    }
    for (path, uri) in comments {
        // `0.12.34`: the last but one is the parent, 0 the post itself.
        let parent = path.rsplit('.').nth(1).and_then(|id| places.get(id));
        talk.add(&uri, parent.cloned());
    }
    Ok(Some("comments"))
}

/// What a person posted and commented, or what stands in a community, newest first.
pub(super) async fn posts(
    origin: &mut Origin<'_>,
    software: &Software,
    profile: &Profile,
    after: Option<&str>,
) -> Result<Listed, Error> {
    let api = Api::of(software);
    let at = after.unwrap_or(FIRST);
    let community = profile.uri.url().path().starts_with("/c/");
    let (call, key) = match (api, community) {
        (_, true) => ("post/list", "community_name"),
        (Api::V4, false) => ("person/content", "username"),
        (_, false) => ("user", "username"),
    };
    let mut query = vec![(key, profile.username.as_str()), ("limit", LIMIT)];
    if call != "person/content" {
        query.push(("sort", api.sort()));
    }
    if community {
        query.push(("type_", api.everything()));
    }
    if api == Api::PieFed {
        // Without it, the lists are empty.
        query.push(("include_content", "true"));
    }
    query.extend(api.at(at));
    let (answer, _) = origin.json(&api.path(call), &query).await?;
    let mut longest = 0;
    let mut posts = Vec::new();
    for views in ["items", "posts", "comments"]
        .iter()
        .filter_map(|name| answer[*name].as_array())
    {
        longest = longest.max(views.len());
        posts.extend(views.iter().filter_map(post));
    }
    // Posts and comments come as two lists.
    posts.sort_by_key(|post| std::cmp::Reverse(post.created_at));
    let next = api.next(at, &answer, longest).filter(|next| next != at);
    Ok(Listed { posts, next })
}

/// A comment's view holds its post too, so the comment is looked for first.
fn post(view: &Value) -> Option<Post> {
    let is_comment = view["comment"].is_object();
    let thing = if is_comment { &view["comment"] } else { &view["post"] };
    if thing["deleted"] == true || thing["removed"] == true {
        return None;
    }
    let replies = if is_comment {
        [&view["counts"]["child_count"], &thing["child_count"]]
    } else {
        [&view["counts"]["comments"], &thing["comments"]]
    };
    Some(Post {
        uri: Uri::parse(thing["ap_id"].as_str()?).ok()?,
        created_at: [&thing["published_at"], &thing["published"]]
            .into_iter()
            .find_map(Value::as_str)
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|time| time.to_utc()),
        replies: replies.into_iter().find_map(Value::as_u64),
        pinned: thing["featured_community"] == true,
    })
}
