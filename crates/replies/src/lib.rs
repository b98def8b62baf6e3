//! Fetches the replies that federation never delivered.
//!
//! | job | which statuses | scopes |
//! | --- | --- | --- |
//! | `replies.home` | the home timeline | `read:statuses` `read:search` |
//! | `replies.bookmarks` | bookmarks | and `read:bookmarks` |
//! | `replies.favourites` | favourites | and `read:favourites` |
//! | `replies.lists` | lists | and `read:lists` |
//! | `replies.joined` | what local users replied to, whole server | and `admin:read:accounts` |
//! | `replies.live` | what arrives, within seconds | `read:statuses` `read:search` |
//! | `replies.wanted` | none: drains what any feature wants home to have | `read:statuses` `read:search` |
//!
//! For each status worth it, its origin lists the whole conversation, what our server lacks is written to the store as
//! wanted, and our server is asked to fetch the leaves of that; their ancestors come along. A reply counts as done
//! only when our server shows it.

mod apply;
mod config;
mod fetch;
mod gather;
mod jobs;
mod live;
mod plan;

pub use config::{Bookmarks, Config, Favourites, Home, Joined, Lists, Live, Wanted};
pub use fetch::{Report, fetch};
pub use jobs::jobs;
pub use live::listen;
