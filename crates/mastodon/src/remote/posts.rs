//! An account's posts, from the server it lives on.

use chrono::{DateTime, Utc};
use model::Uri;
use net::Net;

use super::{Flavour, Software, lemmy, mastodon_api, misskey, origin::Origin, outbox, peertube};
use crate::Error;

/// An account as another server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its ActivityPub id, else its page.
    pub uri: Uri,
    /// Its name on its own server.
    pub username: String,
}

/// A public post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its identity.
    pub uri: Uri,
    /// When it was written.
    pub created_at: Option<DateTime<Utc>>,
    /// Replies that its server knows of, where told.
    pub replies: Option<u64>,
    /// Pinned by its author.
    pub pinned: bool,
}

/// A page of posts: pinned ones first, then newest first. No boosts, nothing private.
#[derive(Debug, Clone, Default)]
pub struct Posts {
    /// The posts.
    pub posts: Vec<Post>,
    /// Where the list goes on: opaque, and good for the same account only.
    pub next: Option<String>,
    /// Requests it took.
    pub requests: u32,
}

/// What a family found.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) posts: Vec<Post>,
    pub(super) next: Option<String>,
}

/// Cursors of the outbox begin so, all others are the family's own.
const OUTBOX: &str = "outbox ";

/// The posts that an account's own server shows to strangers, a page at a time: through the API of its software where
/// that is open, else through its outbox.
///
/// # Errors
/// `Gone` and `NotFound` when the account is no more, `NoToken` when the server shows nothing to strangers.
pub async fn list_posts(
    net: &Net,
    software: &Software,
    profile: &Profile,
    after: Option<&str>,
) -> Result<Posts, Error> {
    // Takahē shows documents, if no API; others show them to those who sign.
    if software.flavour == Flavour::Closed && software.name != "takahe" && !net.signs() {
        return Err(Error::NoToken {
            host: profile.uri.host(),
        });
    }
    let unknown = || Error::NotFound {
        host: profile.uri.host(),
        what: profile.uri.to_string(),
    };
    let mut api = Origin::of(net, &software.api_host, &profile.uri).ok_or_else(unknown)?;
    let mut pages = Origin::of(net, &profile.uri.host(), &profile.uri).ok_or_else(unknown)?;
    let outbox_at = after.and_then(|after| after.strip_prefix(OUTBOX));
    let mut listed = match outbox_at {
        Some(_) => None,
        None => match family(&mut api, software, profile, after).await {
            Some(Ok(listed)) => Some(listed),
            Some(Err(error)) if error.is_of_host() => return Err(error),
            Some(Err(error)) if after.is_some() => return Err(error),
            // What the API hides, the outbox may show.
            Some(Err(_)) | None => None,
        },
    };
    if listed.is_none() {
        let mut found = outbox::posts(&mut pages, profile, outbox_at).await?;
        found.next = found.next.map(|next| format!("{OUTBOX}{next}"));
        listed = Some(found);
    }
    let listed = listed.unwrap_or_default();
    Ok(Posts {
        posts: listed.posts,
        next: listed.next.filter(|next| Some(next.as_str()) != after),
        requests: api.requests + pages.requests,
    })
}

async fn family(
    api: &mut Origin<'_>,
    software: &Software,
    profile: &Profile,
    after: Option<&str>,
) -> Option<Result<Listed, Error>> {
    Some(match software.flavour {
        Flavour::Mastodon | Flavour::Pleroma | Flavour::Mitra | Flavour::Compatible => {
            mastodon_api::posts(api, software, &profile.username, after).await
        }
        Flavour::Misskey => misskey::posts(api, &profile.username, after).await,
        Flavour::Lemmy | Flavour::PieFed => lemmy::posts(api, software, profile, after).await,
        Flavour::PeerTube => peertube::posts(api, profile, after).await,
        Flavour::Friendica | Flavour::Closed | Flavour::Foreign | Flavour::Unknown => return None,
    })
}
