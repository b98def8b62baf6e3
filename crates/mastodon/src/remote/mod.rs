//! Other people's servers, of any software, without a token.
//!
//! `software.rs` names a server's program from nodeinfo (a table, one row per family), `shapes.rs` reads addresses (a
//! table, one row per shape). One file per family knows how to list a conversation and an account's posts there:
//! `mastodon_api.rs`, `misskey.rs`, `lemmy.rs`, `peertube.rs`, `friendica.rs`; `activitypub.rs` and `outbox.rs` serve
//! whatever has no API of its own, and whatever does not let strangers use it. `listing.rs` and `posts.rs` choose.
//! `counts.rs` reads what an account's server counts.

mod activitypub;
mod conversation;
mod counts;
mod family;
mod friendica;
mod lemmy;
mod listing;
mod mastodon_api;
mod misskey;
mod origin;
mod outbox;
mod peertube;
mod posts;
mod shapes;
mod software;
#[cfg(test)]
mod tests;
mod walk;

pub use counts::{ACCOUNTS_BATCH, Count, Found, Measured, Whom, actor, measure, measure_batch, webfinger};
pub use listing::{Listing, Reply, list_replies, replies_counts, resume_replies};
pub use posts::{Post, Posts, Profile, list_posts};
pub use shapes::{Shape, read};
pub use software::{Flavour, Software, detect};
pub use walk::Walk;
