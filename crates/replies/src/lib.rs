//! Fetches the replies that federation never delivered.
//!
//! | job | which statuses |
//! | --- | --- |
//! | `replies.home` | the home timeline |
//! | `replies.bookmarks` | bookmarks |
//! | `replies.favourites` | favourites |
//! | `replies.lists` | lists |
//! | `replies.joined` | what local users replied to, whole server |
//! | `replies.wanted` | none: drains what any feature wants home to have |

mod config;

pub use config::Config;

use std::sync::Arc;

use job::Job;

/// The feature's jobs, those switched off left out.
pub fn jobs(_config: &Config) -> Vec<Arc<dyn Job>> {
    todo!()
}
