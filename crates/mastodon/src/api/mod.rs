//! Our own server, one file per section of Mastodon's API documentation.

mod accounts;
mod admin;
mod async_refreshes;
mod bookmarks;
mod instance;
mod lists;
pub(crate) mod scopes;
mod search;
mod statuses;
mod timelines;

/// Items a page, the most that Mastodon gives for statuses.
const PAGE: u32 = 40;
