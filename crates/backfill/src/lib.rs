//! Fetches the posts of accounts that federation never delivered.
//!
//! | job | whose posts | scopes |
//! | --- | --- | --- |
//! | `backfill.followings` | accounts followed | `read:accounts` `read:statuses` |
//! | `backfill.followers` | followers | the same |
//! | `backfill.follow_requests` | those who ask to follow | and `read:follows` |
//! | `backfill.notifications` | those in notifications | and `read:notifications` |
//! | `backfill.lists` | accounts in lists | and `read:lists` |
//! | `backfill.mentioned` | authors and mentions of timelines | and, for lists, `read:lists` |
//! | `backfill.contexts` | none: lists the replies of posts that were fetched | `read:statuses` |
//!
//! An account's own server lists its posts, home lists what it has of them, and the difference is written to the store
//! as wanted. Fetching it and proving that it arrived is the business of `replies.wanted`.

mod apply;
mod config;
mod gather;
mod jobs;
mod plan;

pub use config::{Config, Contexts, FollowRequests, Followers, Followings, Lists, Mentioned, Notifications, Order};
pub use jobs::jobs;
