//! Decides who may come in: sign-ups that wait for approval are judged by rules, and each decision can be explained.
//!
//! | job | does | scopes |
//! | --- | --- | --- |
//! | `registrations.pending` | judges those who wait; lets in, turns away, or leaves them to people | `admin:read:accounts`, and `admin:write:accounts` to act |
//! | `registrations.lists` | reads the lists that rules name | |
//! | `registrations.mail` | tells those who were turned away why | |
//! | `registrations.digest` | says once a day what was decided; forgets what is old | |
//!
//! Whoever is in a server's list is written to the store before anything is decided. Verdicts are pure functions of what
//! the server shows and the rules; before an effect the server is asked again. Webhooks are hints that make it quick.

mod address;
mod apply;
mod config;
mod facts;
mod gather;
mod jobs;
mod names;
mod plan;
mod replay;
mod rule;
mod ruleset;
mod verdict;

pub use address::{Address, AddressError};
pub use config::{Config, Digest, ListsJob, Mail, Pending, Record};
pub use facts::Facts;
pub use gather::in_place;
pub use jobs::jobs;
pub use names::{Closeness, Fit, Name, NameError, Names};
pub use replay::{Change, Replay, known_lists, replay};
pub use rule::Rule;
pub use ruleset::{Lists, Ruleset};
pub use verdict::{Judgement, Verdict};

/// Whose notices and effects these are.
pub const FEATURE: &str = "registrations";

/// What servers should push to us: hints that make decisions quick.
pub const WEBHOOKS: [&str; 2] = ["account.created", "account.approved"];
