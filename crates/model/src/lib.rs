//! The nouns of the fediverse, as Mastodon's API spells them. No I/O and no async: everything here can be
//! built in a test in one line.
//!
//! Decoding is lenient throughout: servers of other software leave fields out, send `null` where Mastodon
//! sends a value, and add their own. A missing or odd field only matters to the code that needs it.

mod account;
mod admin_account;
mod clock;
mod context;
mod domain;
mod domain_block;
mod host;
mod id;
mod instance;
mod lenient;
mod list;
mod role;
mod status;
mod uri;

pub use account::{Account, CredentialAccount};
pub use admin_account::AdminAccount;
pub use clock::{Clock, FakeClock, SystemClock};
pub use context::{AsyncRefresh, Context};
pub use domain::{Domain, DomainError};
pub use domain_block::{DomainBlock, Severity};
pub use host::{Host, HostError};
pub use id::{AccountId, ListId, StatusId};
pub use instance::{ApiVersions, Instance, NodeInfo, Software};
pub use list::List;
pub use role::Role;
pub use status::{Mention, Status, Visibility};
pub use uri::{Uri, UriError};
