//! Somebody on the fediverse.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Uri, lenient};

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

/// A role, judged by its permission bits only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Role {
    /// For people; never decide by it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub name: String,
    /// A decimal string of a bit mask.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub permissions: String,
}

impl Role {
    /// All permissions.
    pub const ADMINISTRATOR: u64 = 0x1;
    /// Seeing and changing accounts.
    pub const MANAGE_USERS: u64 = 0x400;

    /// Whether the role has the permission `bit`, administrators having them all.
    pub fn can(&self, bit: u64) -> bool {
        let bits: u64 = self.permissions.parse().unwrap_or(0);
        bits & Self::ADMINISTRATOR != 0 || bits & bit != 0
    }
}
