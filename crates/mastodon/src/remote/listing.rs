//! The full list of a conversation's replies, from the server where it began.

use model::{Status, Uri};
use net::Net;

use super::{
    Flavour, Shape, Software, Walk, activitypub, conversation::Conversation, family, mastodon_api, origin::Origin,
    shapes,
};
use crate::Error;

/// One public reply as its origin lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its identity.
    pub uri: Uri,
    /// The parent, where told: leaves can only be picked where it is.
    pub in_reply_to: Option<Uri>,
}

/// What an origin told about a conversation.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Each reply once, the root not among them. Only public and unlisted ones.
    pub replies: Vec<Reply>,
    /// Requests it took.
    pub requests: u32,
    /// How it was read: `context collection`, `api context`, `replies collection`.
    pub source: &'static str,
    /// Oddities met (a cycle, a page that is its own next), each once.
    pub warnings: Vec<String>,
    /// The list may be cut short: a limit was met, or the origin failed in the middle (see `cut`).
    pub partial: bool,
    /// Why the origin did not tell the rest.
    pub cut: Option<String>,
    /// Where to go on another time ([`resume_replies`]), if there is anything left to ask.
    pub walk: Option<Walk>,
}

/// Lists the replies to the status `uri` at its origin in the cheapest complete way: the conversation collection, the
/// API's context (re-entered at leaves where it is cut at 60), the `replies` collections.
///
/// What was read before the origin failed is given as a partial list, with the reason.
///
/// # Errors
/// `Gone` and `NotFound` when the origin no longer has the status, `NoToken` when it shows nothing to strangers.
pub async fn list_replies(net: &Net, software: &Software, uri: &Uri) -> Result<Listing, Error> {
    resume_replies(net, software, (uri, None), None).await
}

/// Goes on where an earlier listing of the same status stopped. The list is the whole one, what it held before included.
/// `page` is the status's page for people, where known: on some software it tells what else would have to be asked.
///
/// # Errors
/// As [`list_replies`].
pub async fn resume_replies(
    net: &Net,
    software: &Software,
    (uri, page): (&Uri, Option<&Uri>),
    walk: Option<Walk>,
) -> Result<Listing, Error> {
    if software.flavour == Flavour::Closed && !net.signs() {
        return Err(Error::NoToken { host: uri.host() });
    }
    let unknown = || Error::NotFound {
        host: uri.host(),
        what: uri.to_string(),
    };
    // On a split domain the API is elsewhere than the documents.
    let mut api = Origin::of(net, &software.api_host, uri).ok_or_else(unknown)?;
    let mut pages = Origin::of(net, &uri.host(), uri).ok_or_else(unknown)?;
    let mut talk = match walk {
        Some(walk) => Conversation::resume(uri, walk),
        None => Conversation::about(uri),
    };
    let source = if !talk.walk.queue.is_empty() {
        activitypub::go_on(&mut pages, &mut talk, Vec::new()).await?;
        COLLECTIONS
    } else if !talk.walk.is_over() {
        mastodon_api::go_on(&mut api, &mut pages, &mut talk, software).await?;
        API
    } else {
        list(&mut api, &mut pages, &mut talk, software, (uri, page)).await?
    };
    let (talk, walk) = talk.finish();
    Ok(Listing {
        replies: talk.replies,
        requests: api.requests + pages.requests,
        source,
        warnings: talk.warnings,
        partial: talk.partial,
        cut: talk.cut,
        walk,
    })
}

const API: &str = "api context";
const WHOLE: &str = "context collection";
pub(super) const COLLECTIONS: &str = "replies collection";

async fn list(
    api: &mut Origin<'_>,
    pages: &mut Origin<'_>,
    talk: &mut Conversation,
    software: &Software,
    (uri, page): (&Uri, Option<&Uri>),
) -> Result<&'static str, Error> {
    if let Some(source) = family::context(api, pages, talk, software, uri).await? {
        return Ok(source);
    }
    let read = match api_id(pages, software.flavour, uri, page).await? {
        Some(id) => mastodon_api::context(api, &id).await.map(|context| (id, context)),
        None => {
            let note = pages.document(&uri.url()).await?;
            return activitypub::list(pages, talk, uri, &note).await;
        }
    };
    let (id, context) = match read {
        Ok(read) => read,
        // The host's trouble is not the API's.
        Err(error) if error.is_of_host() => return Err(error),
        Err(error) => {
            let note = match pages.document(&uri.url()).await {
                // The API knew that it is not there; that ActivityPub wants a signature says less.
                Err(Error::NoToken { .. } | Error::Forbidden { .. } | Error::NotJson { .. })
                    if matches!(error, Error::NotFound { .. } | Error::Gone { .. }) =>
                {
                    return Err(error);
                }
                other => other?,
            };
            return activitypub::list(pages, talk, uri, &note).await;
        }
    };
    let cut = software.flavour == Flavour::Mastodon && mastodon_api::is_cut(&id, &context);
    let known = talk.add_context(&id, uri, context);
    if !cut {
        return Ok(API);
    }
    let note = match pages.document(&uri.url()).await {
        Ok(note) => note,
        Err(error @ Error::Net(net::Error::Stopped)) => return Err(error),
        // Secure mode: the API alone has to do.
        Err(error) => {
            talk.warn(error.to_string());
            serde_json::Value::Null
        }
    };
    match activitypub::whole(pages, talk, &note).await {
        Ok(true) => return Ok(WHOLE),
        Ok(false) => {}
        Err(error) => {
            // What the API showed is worth keeping.
            talk.cut_by(error)?;
            return Ok(API);
        }
    }
    mastodon_api::reenter(api, pages, talk, software, (uri, &note), &known).await?;
    Ok(API)
}

/// The status's id in its origin's API, if that is spoken.
async fn api_id(
    pages: &mut Origin<'_>,
    flavour: Flavour,
    uri: &Uri,
    page: Option<&Uri>,
) -> Result<Option<String>, Error> {
    let told = page.filter(|page| pages.owns(&page.url())).map(shapes::read);
    match (flavour, shapes::read(uri)) {
        (Flavour::Mastodon | Flavour::Pleroma | Flavour::Mitra | Flavour::Compatible, Shape::Status { id }) => {
            Ok(Some(id))
        }
        // Iceshrimp.NET
        (Flavour::Compatible, Shape::Foreign { kind: "note", id }) => Ok(Some(id)),
        (Flavour::Mitra, Shape::Redirecting { id }) => Ok(Some(id)),
        (Flavour::Pleroma, Shape::Redirecting { .. }) if matches!(told, Some(Shape::Status { .. })) => Ok(told
            .and_then(|shape| match shape {
                Shape::Status { id } => Some(id),
                _ => None,
            })),
        (Flavour::Pleroma, Shape::Redirecting { .. }) => match pages.page_of(uri).await {
            Ok(url) => Ok(Uri::parse(url.as_str()).ok().and_then(|uri| match shapes::read(&uri) {
                Shape::Status { id } if pages.owns(&uri.url()) => Some(id),
                _ => None,
            })),
            Err(error) if error.is_of_host() => Err(error),
            // ActivityPub tells gone from hidden.
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

/// The origin's own view of up to 20 of its statuses in one request (Mastodon 4.3+), for noticing growth cheaply.
/// `None` where the origin has no such call.
///
/// # Errors
/// As any call.
pub async fn replies_counts(net: &Net, software: &Software, uris: &[Uri]) -> Result<Option<Vec<Status>>, Error> {
    let Some(mut api) = uris
        .first()
        .filter(|_| software.is_mastodon((4, 3)))
        .and_then(|uri| Origin::of(net, &software.api_host, uri))
    else {
        return Ok(None);
    };
    let ids: Vec<String> = uris
        .iter()
        .filter_map(|uri| match shapes::read(uri) {
            Shape::Status { id } => Some(id),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    match mastodon_api::statuses(&mut api, &ids).await {
        Err(Error::NotFound { .. }) => Ok(None),
        other => other.map(Some),
    }
}
