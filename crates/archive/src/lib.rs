//! Keeps a person's whole activity, searchable.
//!
//! | job, per login | what it keeps | scopes |
//! | --- | --- | --- |
//! | `archive.statuses` | own statuses and boosts | `read:accounts` `read:statuses` |
//! | `archive.favourites` | favourites | `read:favourites` |
//! | `archive.bookmarks` | bookmarks | `read:bookmarks` |
//! | `archive.mentions` | statuses that mention the login | `read:notifications` |
//! | `archive.polls` | polls voted in, and their results | `read:notifications` `read:statuses` |
//! | `archive.conversations` | direct messages | `read:statuses` |
//! | `archive.context` | what kept statuses reply to | `read:statuses` |
//! | `archive.lists` | followers, mutes, filters and the like, as dated snapshots | `read:accounts` and what each list asks |
//! | `archive.media` | the files that statuses show | |
//! | `archive.recheck` | edits, deletions, what was taken back | `read:statuses` |
//! | `archive.audit` | nothing: compares counts with the server | `read:accounts` |
//!
//! A page and the cursor behind it are saved together, so that a crash anywhere costs one page of requests and nothing
//! else.

mod apply;
mod blobs;
mod config;
mod diff;
mod export;
mod gather;
mod html;
mod import;
mod item;
mod jobs;
mod json_files;
mod names;
mod plan;
mod query;
mod snippet;
mod text;
mod view;
mod words;

pub use apply::{Checked, Forgotten, Gap, Verified, checked, forget, verify};
pub use blobs::Blobs;
pub use config::{
    Audit, Bookmarks, Config, Context, Conversations, Favourites, Lists, Media, Mentions, Polls, Recheck, Statuses,
};
pub use diff::{Change, changes};
pub use export::{Format, Wish, Written, export};
pub use html::{Emoji, harmless, with_emoji};
pub use import::{Imported, Into, lama, mastodon_archive, mastodon_zip};
pub use item::read;
pub use jobs::jobs;
pub use query::parse;
pub use snippet::{Piece, snippet};
pub use text::plain;
pub use view::{Found, addresses, emoji, found};
