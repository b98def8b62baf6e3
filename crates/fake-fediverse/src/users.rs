//! Home's users: what a server knows of its own people besides their accounts, and what their roles let them do.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::ids;
use crate::world::AccountIx;

/// Everything: as owners' roles show it.
pub(crate) const ALL: u64 = 8_388_607;
/// What everybody may do: invite.
const EVERYONE: u64 = 0x10000;

pub(crate) const ADMINISTRATOR: u64 = 0x1;
pub(crate) const MANAGE_REPORTS: u64 = 0x10;
pub(crate) const MANAGE_FEDERATION: u64 = 0x20;
pub(crate) const MANAGE_BLOCKS: u64 = 0x80;
pub(crate) const VIEW_DASHBOARD: u64 = 0x8;
pub(crate) const MANAGE_USERS: u64 = 0x400;
pub(crate) const DELETE_USER_DATA: u64 = 0x80000;

/// A role. Everybody has a copy of their own, so that a test can change one person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// As the server's admin ticked them; see [`Role::computed`].
    pub(crate) permissions: u64,
    pub(crate) position: i64,
    pub(crate) highlighted: bool,
}

impl Role {
    /// The one that everybody has who has no other.
    pub(crate) fn everyone() -> Self {
        Self {
            id: -99,
            name: String::new(),
            permissions: EVERYONE,
            position: -1,
            highlighted: false,
        }
    }

    /// One that an admin made.
    pub(crate) fn named(id: i64, name: &str, permissions: u64) -> Self {
        Self {
            id,
            name: name.to_owned(),
            permissions,
            position: if permissions & ADMINISTRATOR != 0 { 1000 } else { 10 },
            highlighted: permissions != 0,
        }
    }

    /// What it comes to: with what everybody may do, and with everything for an administrator.
    pub(crate) fn computed(&self) -> u64 {
        match self.permissions & ADMINISTRATOR {
            0 => self.permissions | EVERYONE,
            _ => ALL,
        }
    }

    /// Whether it has one of these.
    pub(crate) fn may(&self, one_of: u64) -> bool {
        self.computed() & one_of != 0
    }
}

/// A user of home.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) role: Role,
    pub(crate) confirmed: bool,
    pub(crate) approved: bool,
    pub(crate) disabled: bool,
    /// The addresses they came from, newest first, with the time.
    pub(crate) ips: Vec<(String, DateTime<Utc>)>,
    pub(crate) locale: Option<String>,
    pub(crate) invite_request: Option<String>,
    pub(crate) created_by_application_id: Option<String>,
    pub(crate) invited_by: Option<AccountIx>,
}

impl User {
    /// Somebody who has been here for long.
    pub(crate) fn settled(name: &str, role: Role) -> Self {
        Self {
            email: format!("{name}@example.invalid"),
            password: password(name),
            role,
            confirmed: true,
            approved: true,
            disabled: false,
            ips: Vec::new(),
            locale: Some("en".to_owned()),
            invite_request: None,
            created_by_application_id: None,
            invited_by: None,
        }
    }
}

/// What everybody who comes with a scenario signs in with.
pub(crate) fn password(name: &str) -> String {
    format!("{name}'s password")
}

/// Home's users by account.
pub(crate) type Users = BTreeMap<AccountIx, User>;

/// A browser that was here before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) user: Option<AccountIx>,
    /// Where to go after signing in.
    pub(crate) return_to: Option<String>,
    /// What every form carries back.
    pub(crate) form_token: String,
    /// Shown on the next page.
    pub(crate) notice: Option<&'static str>,
}

/// A cookie nobody else has, and the same for the same seed.
pub(crate) fn cookie(seed: u64, made: u64) -> String {
    let half = |n: u64| format!("{:016x}", ids::mix(seed ^ 0x5e55_1075 ^ n, made));
    half(1) + &half(2)
}
