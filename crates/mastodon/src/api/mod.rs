//! Our own server, one file per section of Mastodon's API documentation.

mod accounts;
mod admin;
mod async_refreshes;
mod bookmarks;
mod follows;
mod instance;
mod lists;
mod notifications;
mod numbers;
mod reports;
pub(crate) mod scopes;
mod search;
mod shelves;
mod statuses;
mod timelines;

pub use admin::{Action, AdminDomainBlock, AdminList, AdminReport, Creation, DomainBlockFields, Ties};
pub use notifications::Notification;
pub use numbers::{Counted, Number};
pub use reports::NewReport;
pub use shelves::Shelf;

/// Items a page, the most that Mastodon gives for statuses.
const PAGE: u32 = 40;

/// More ids in one call are refused.
const BATCH: usize = 20;

/// Whether a refusal says that the server has no calls for several ids: 404 and 405 where there is no such call, 400
/// and 422 where it means something else.
pub(crate) fn is_no_batch(error: &crate::Error) -> bool {
    match error {
        crate::Error::NotFound { .. } => true,
        crate::Error::NotJson { reason, .. } => ["HTTP 400", "HTTP 405", "HTTP 422"]
            .iter()
            .any(|code| reason.starts_with(code)),
        _ => false,
    }
}
