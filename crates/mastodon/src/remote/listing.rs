//! The full list of a conversation's replies, from the server where it began.

use model::{Status, Uri};
use net::Net;

use super::Software;
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
    /// The list may be cut short (a limit was met).
    pub partial: bool,
}

/// Lists the replies to the status `uri` at its origin in the cheapest complete way: the conversation collection, the
/// API's context (re-entered at leaves where it is cut at 60), the `replies` collections.
///
/// # Errors
/// `Gone` and `NotFound` when the origin no longer has the status, `NoToken` when it shows nothing to strangers.
pub async fn list_replies(_net: &Net, _software: &Software, _uri: &Uri) -> Result<Listing, Error> {
    todo!()
}

/// The origin's own view of up to 20 of its statuses in one request (Mastodon 4.3+), for noticing growth cheaply.
/// `None` where the origin has no such call.
///
/// # Errors
/// As any call.
pub async fn replies_counts(_net: &Net, _software: &Software, _uris: &[Uri]) -> Result<Option<Vec<Status>>, Error> {
    todo!()
}
