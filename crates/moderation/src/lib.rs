//! Watches statuses and accounts, judges them by rules that people can read, and files one good report.
//!
//! | job | does | scopes |
//! | --- | --- | --- |
//! | `moderation.inbox` | judges what servers push, within a second | none; to act: see below |
//! | `moderation.accounts` | walks through local and remote accounts and looks at what they wrote lately | `admin:read:accounts`, `read:statuses` |
//! | `moderation.stream` | listens to the public timeline, for statuses of other servers | `read:statuses` |
//! | `moderation.media` | hashes files of statuses, where rules ask for it, and judges these again | `admin:read:accounts` |
//! | `moderation.cases` | files reports that waited, does what people asked, takes actions back, learns from verdicts | `admin:read:accounts`, `admin:read:reports` |
//! | `moderation.backtests` | tries rules on what was seen | |
//! | `moderation.tidy` | forgets what is old, and returns rules to shadow that people disagree with | |
//!
//! To act, all of them need `write:reports` and `admin:read:reports`, and `admin:write:accounts` where rules may do more.
//!
//! What is seen is kept without anybody's address; what is judged is judged by [`rules`]; whom rules have something
//! against gets one case, and a case one report. Every report is an effect.

mod apply;
mod book;
mod comment;
mod config;
mod gather;
mod hashes;
mod jobs;
mod plan;
mod replay;

pub use apply::would_send;
pub use book::{BookError, Edit, Page, compile, digests, edit, pages_of, rollback, stand};
pub use config::{Accounts, Allowed, Backtests, Cases, Config, Inbox, Media, Stream, Tidy, WhenReported};
pub use jobs::jobs;
pub use replay::{Tried, ask_backtest, conditions, outcome, replay, try_out};

/// Whose notices and effects these are.
pub const FEATURE: &str = "moderation";

/// The job that judges what servers push.
pub const INBOX: &str = "moderation.inbox";

/// The job that looks after cases.
pub const CASES: &str = "moderation.cases";

/// The job that tries rules on the past.
pub const BACKTESTS: &str = "moderation.backtests";

/// The job that hashes files.
pub const MEDIA: &str = "moderation.media";

/// What servers should push to us.
pub const WEBHOOKS: [&str; 7] = [
    "account.created",
    "account.approved",
    "account.updated",
    "report.created",
    "report.updated",
    "status.created",
    "status.updated",
];
