//! Other people's servers, of any software, without a token.
//!
//! `software.rs` names a server's program from nodeinfo, `shapes.rs` reads post addresses (a table, one row per shape),
//! `mastodon_api.rs` and `activitypub.rs` list a conversation. Software that neither serves waits in the same table.

mod activitypub;
mod conversation;
mod listing;
mod mastodon_api;
mod origin;
mod shapes;
mod software;
mod walk;

pub use listing::{Listing, Reply, list_replies, replies_counts, resume_replies};
pub use shapes::{Shape, read};
pub use software::{Flavour, Software, detect};
pub use walk::Walk;
