//! Somebody on the fediverse.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Role, Uri, lenient};

/// An account as a server shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Where this server keeps it.
    pub id: AccountId,
    /// Name without the server.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub username: String,
    /// `user` for local accounts, `user@domain` for remote ones.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub acct: String,
    /// The profile page.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub url: Option<Uri>,
    /// The ActivityPub id (4.2+).
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub uri: Option<Uri>,
    /// Bio, as HTML.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub note: String,
    /// Wants to be found; `null` means never asked.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub discoverable: Option<bool>,
    /// Lets public statuses be searched (4.3+).
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub indexable: Option<bool>,
    /// Statuses written, as far as this server knows.
    #[serde(default, deserialize_with = "lenient::count")]
    pub statuses_count: Option<u64>,
    /// Day of the last status: `2026-08-01`, a full time on some software.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub last_status_at: Option<String>,
    /// Suspended here.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub suspended: bool,
    /// When the account was made.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<DateTime<Utc>>,
}

impl Account {
    /// Whether the account lives on the server that sent it.
    pub fn is_local(&self) -> bool {
        !self.acct.contains('@')
    }
}

/// The token's owner, from `verify_credentials`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialAccount {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// What the account may do on its server.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub role: Option<Role>,
}
