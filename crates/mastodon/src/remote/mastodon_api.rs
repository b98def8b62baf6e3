//! Conversations through the API that Mastodon, Pleroma, Akkoma and Mitra share, without a token.

use std::collections::{HashMap, HashSet};

use model::{Context, Status, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Flavour, Post, Shape, Software, activitypub, conversation::Conversation, origin::Origin, posts::Listed, shapes,
};
use crate::Error;

/// Where Mastodon cuts a stranger's context.
const CUT_DESCENDANTS: usize = 60;
const CUT_ANCESTORS: usize = 40;
const CUT_DEPTH: usize = 20;
/// More ids in one call are refused.
const BATCH: usize = 20;
/// The most of an account's posts that one call gives.
const ACCOUNT_PAGE: usize = 40;

/// `GET /api/v1/statuses/:id/context`. A stranger's view.
pub(super) async fn context(origin: &mut Origin<'_>, id: &str) -> Result<Context, Error> {
    context_with(origin, id, &[]).await
}

/// The same with what some software wants to be asked for besides.
pub(super) async fn context_with(origin: &mut Origin<'_>, id: &str, query: &[(&str, &str)]) -> Result<Context, Error> {
    let path = format!("/api/v1/statuses/{id}/context");
    let (value, _) = origin.json(&path, query).await?;
    if !value["ancestors"].is_array() || !value["descendants"].is_array() {
        return Err(Error::NotJson {
            host: origin.host(),
            what: path,
            reason: "a context without ancestors and descendants".into(),
        });
    }
    serde_json::from_value(value).map_err(|_| Error::NotJson {
        host: origin.host(),
        what: path,
        reason: "JSON of another shape".into(),
    })
}

/// `GET /api/v1/statuses?id[]=…` (4.3+), a stranger's view of up to 20.
pub(super) async fn statuses(origin: &mut Origin<'_>, ids: &[&str]) -> Result<Vec<Status>, Error> {
    let query: Vec<(&str, &str)> = ids.iter().take(BATCH).map(|&id| ("id[]", id)).collect();
    match origin.json("/api/v1/statuses", &query).await?.0 {
        Value::Array(items) => Ok(items
            .into_iter()
            .filter_map(|item| serde_json::from_value(item).ok())
            .collect()),
        _ => Err(Error::NotJson {
            host: origin.host(),
            what: "/api/v1/statuses".into(),
            reason: "JSON that is no list".into(),
        }),
    }
}

/// An account's posts: pinned ones, then the newest. The cursor is the account's id there and the last post's.
pub(super) async fn posts(
    origin: &mut Origin<'_>,
    software: &Software,
    name: &str,
    after: Option<&str>,
) -> Result<Listed, Error> {
    let (mut posts, account, max_id) = match after.and_then(|after| after.split_once(' ')) {
        Some((account, max_id)) => (Vec::new(), account.to_owned(), Some(max_id.to_owned())),
        None => {
            let account = match software.flavour {
                // The name does as an id.
                Flavour::Pleroma => name.to_owned(),
                _ => {
                    let (who, _) = origin.json("/api/v1/accounts/lookup", &[("acct", name)]).await?;
                    id_of(&who).ok_or_else(|| Error::NotFound {
                        host: origin.host(),
                        what: format!("the account {name}"),
                    })?
                }
            };
            let pinned = match page(origin, &account, &[("pinned", "true")]).await {
                Ok(pinned) => pinned,
                Err(error) if error.is_of_host() => return Err(error),
                // Not every software has them.
                Err(_) => Vec::new(),
            };
            (
                pinned.iter().filter_map(|item| post(item, true)).collect(),
                account,
                None,
            )
        }
    };
    let mut query = vec![("exclude_reblogs", "true"), ("exclude_replies", "false")];
    if let Some(max_id) = &max_id {
        query.push(("max_id", max_id));
    }
    let items = page(origin, &account, &query).await?;
    posts.extend(items.iter().filter_map(|item| post(item, false)));
    // Mastodon fills a page as long as it can; elsewhere one may be short with more to come.
    let full = items.len() >= ACCOUNT_PAGE || (software.flavour != Flavour::Mastodon && !items.is_empty());
    let next = items
        .last()
        .and_then(id_of)
        .filter(|last| full && max_id.as_ref() != Some(last))
        .map(|last| format!("{account} {last}"));
    Ok(Listed { posts, next })
}

async fn page(origin: &mut Origin<'_>, account: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Error> {
    let limit = ACCOUNT_PAGE.to_string();
    let mut all = vec![("limit", limit.as_str())];
    all.extend_from_slice(query);
    let path = format!(
        "/api/v1/accounts/{}/statuses",
        utf8_percent_encode(account, NON_ALPHANUMERIC)
    );
    match origin.json(&path, &all).await?.0 {
        Value::Array(items) => Ok(items),
        _ => Err(Error::NotJson {
            host: origin.host(),
            what: path,
            reason: "JSON that is no list".into(),
        }),
    }
}

/// An id as a text, however it was sent.
fn id_of(item: &Value) -> Option<String> {
    match &item["id"] {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
    .filter(|id| !id.is_empty() && id.len() <= 128 && !id.contains(char::is_whitespace))
}

fn post(item: &Value, pinned: bool) -> Option<Post> {
    let status = Status::deserialize(item).ok()?;
    if status.reblog.is_some() || !status.visibility.is_open() || status.local_only {
        return None;
    }
    Some(Post {
        uri: status.identity()?.clone(),
        created_at: status.created_at,
        replies: status.replies_count,
        pinned,
    })
}

/// Whether a stranger's context may have been cut, which Mastodon does not say.
pub(super) fn is_cut(id: &str, context: &Context) -> bool {
    if context.descendants.len() >= CUT_DESCENDANTS || context.ancestors.len() >= CUT_ANCESTORS {
        return true;
    }
    let parents: HashMap<&str, &str> = context
        .descendants
        .iter()
        .filter_map(|status| Some((status.id.as_str(), status.in_reply_to_id.as_ref()?.as_str())))
        .collect();
    context.descendants.iter().any(|status| {
        let chain = std::iter::successors(Some(status.id.as_str()), |id| parents.get(id).copied());
        chain.take_while(|&above| above != id).take(CUT_DEPTH).count() >= CUT_DEPTH
    })
}

/// Statuses the origin's API knows, for re-entering where a context was cut.
struct Nodes {
    /// API id and number of replies by uri, in the order met.
    known: Vec<(Uri, String, u64)>,
    /// Known by address only.
    unmeasured: Vec<(Uri, String)>,
    places: HashSet<Uri>,
    tried: HashSet<Uri>,
}

impl Nodes {
    fn add(&mut self, uri: &Uri, id: &str, replies: u64) {
        if self.places.insert(uri.clone()) {
            self.known.push((uri.clone(), id.to_owned(), replies));
        }
    }

    fn add_all(&mut self, statuses: &[Status]) {
        for status in statuses {
            if let Some(uri) = status.identity() {
                self.add(uri, status.id.as_str(), status.replies_count.unwrap_or(0));
            }
        }
    }

    /// Found by address: whether they have replies is asked for later.
    fn find(&mut self, pages: &Origin<'_>, found: Vec<activitypub::Item>) {
        for (uri, _) in found {
            if !self.places.contains(&uri)
                && pages.owns(&uri.url())
                && let Shape::Status { id } = shapes::read(&uri)
            {
                self.unmeasured.push((uri, id));
            }
        }
    }
}

/// Completes a cut conversation: where a status has more replies than are known, its own context is read, and where
/// that is too narrow its `replies`.
pub(super) async fn reenter(
    api: &mut Origin<'_>,
    pages: &mut Origin<'_>,
    talk: &mut Conversation,
    software: &Software,
    root: (&Uri, &Value),
    known: &[Status],
) -> Result<(), Error> {
    let (uri, note) = root;
    let mut nodes = Nodes {
        known: Vec::new(),
        unmeasured: Vec::new(),
        places: HashSet::from([uri.clone()]),
        tried: HashSet::new(),
    };
    nodes.add_all(known);
    let found = activitypub::direct(pages, talk, uri, note).await?;
    if talk.cut.is_some() {
        // No branch tells of the direct replies that are missing: the next listing begins anew.
        return Ok(());
    }
    talk.interrupted = false;
    nodes.find(pages, found);
    search(api, pages, talk, software, nodes).await
}

/// Goes on with a walk.
pub(super) async fn go_on(
    api: &mut Origin<'_>,
    pages: &mut Origin<'_>,
    talk: &mut Conversation,
    software: &Software,
) -> Result<(), Error> {
    let walk = &mut talk.walk;
    let known = std::mem::take(&mut walk.nodes);
    let unmeasured = std::mem::take(&mut walk.unmeasured);
    let tried: HashSet<Uri> = walk.tried.drain(..).collect();
    let places = known.iter().map(|(uri, ..)| uri.clone()).chain(tried.iter().cloned());
    let nodes = Nodes {
        places: places.collect(),
        known,
        unmeasured,
        tried,
    };
    search(api, pages, talk, software, nodes).await
}

async fn search(
    api: &mut Origin<'_>,
    pages: &mut Origin<'_>,
    talk: &mut Conversation,
    software: &Software,
    mut nodes: Nodes,
) -> Result<(), Error> {
    let (mut whole, mut first) = (false, true);
    while talk.may_ask(api) && talk.may_ask(pages) {
        if !nodes.unmeasured.is_empty() {
            if let Err(error) = measure(api, software, &mut nodes).await {
                talk.cut_by(error)?;
            }
            continue;
        }
        // The cut is depth first, so what was met last lies nearest to it.
        let lacking = {
            let lacks = |(uri, _, replies): &&(Uri, String, u64)| {
                !nodes.tried.contains(uri) && *replies > talk.children_of(uri)
            };
            nodes.known.iter().rfind(lacks).cloned()
        };
        let Some((uri, id, replies)) = lacking else {
            whole = true;
            break;
        };
        match context(api, &id).await {
            Ok(context) => {
                let open = talk.add_context(&id, &uri, context);
                nodes.add_all(&open);
            }
            Err(error) => talk.skip(error)?,
        }
        let known = talk.children_of(&uri);
        if talk.cut.is_none() && known < replies && known >= CUT_DESCENDANTS as u64 / 2 && pages.owns(&uri.url()) {
            match pages.document(&uri.url()).await {
                Ok(note) => {
                    let found = activitypub::direct(pages, talk, &uri, &note).await?;
                    nodes.find(pages, found);
                }
                Err(error) => talk.skip(error)?,
            }
        }
        // What was left in the middle is asked for again; not where it alone was more than a listing may take.
        let interrupted = std::mem::take(&mut talk.interrupted) && !first;
        if talk.cut.is_none() && !interrupted {
            nodes.tried.insert(uri);
        }
        first = false;
    }
    if !whole {
        talk.walk.nodes = nodes.known;
        talk.walk.unmeasured = nodes.unmeasured;
    }
    talk.walk.tried = nodes.tried.into_iter().collect();
    Ok(())
}

/// Learns which of some replies found by address have replies themselves.
async fn measure(api: &mut Origin<'_>, software: &Software, nodes: &mut Nodes) -> Result<(), Error> {
    let from = nodes.unmeasured.len().saturating_sub(BATCH);
    let some = &nodes.unmeasured[from..];
    let ids: Vec<&str> = some.iter().map(|(_, id)| id.as_str()).collect();
    let statuses = if software.is_mastodon((4, 3)) {
        match statuses(api, &ids).await {
            Err(error) if error.is_of_host() => return Err(error),
            answer => answer.ok(),
        }
    } else {
        None
    };
    let some = nodes.unmeasured.split_off(from);
    match statuses {
        Some(statuses) => nodes.add_all(&statuses),
        // Each has to be looked at.
        None => some.iter().for_each(|(uri, id)| nodes.add(uri, id, 1)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain(length: usize) -> Context {
        let items: Vec<Value> = (1..=length)
            .map(|n| json!({"id": n.to_string(), "in_reply_to_id": (n - 1).to_string()}))
            .collect();
        serde_json::from_value(json!({"ancestors": [], "descendants": items})).unwrap()
    }

    #[test]
    fn sixty_items_or_twenty_deep_may_be_cut() {
        assert!(!is_cut("0", &chain(19)));
        assert!(is_cut("0", &chain(20)));
        let flat = |n: usize| -> Context {
            let items: Vec<Value> = (1..=n).map(|n| json!({"id": n, "in_reply_to_id": "0"})).collect();
            serde_json::from_value(json!({"ancestors": [], "descendants": items})).unwrap()
        };
        assert!(!is_cut("0", &flat(59)));
        assert!(is_cut("0", &flat(60)));
    }
}
