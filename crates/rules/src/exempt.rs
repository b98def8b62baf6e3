//! Whom rules spare. What they do is still judged and kept, as a hit that leads to nothing.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use model::Domain;
use serde::Serialize;

use crate::AccountFacts;

/// Whom rules spare.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Exemptions {
    /// People who may see reports or change accounts here; spared unless the set says `staff = false`.
    pub staff: bool,
    /// Whom somebody of ours follows.
    pub followed: bool,
    /// Who follows somebody of ours. Anybody can, so it is for small servers that look at who follows them.
    pub follows: bool,
    /// Accounts, `user` or `user@domain`, lower case.
    pub accounts: BTreeSet<String>,
    /// Their domains, and all below.
    pub domains: BTreeSet<Domain>,
    /// Ids of roles.
    pub roles: BTreeSet<String>,
    /// Accounts that are older.
    pub older_than_days: Option<u32>,
}

impl Exemptions {
    /// Why the account is spared, if it is. Our own logins always are.
    pub fn spares(&self, account: &AccountFacts, now: DateTime<Utc>) -> Option<String> {
        if account.is_own {
            return Some("one of our own logins".to_owned());
        }
        if self.staff && account.is_staff() {
            return Some("staff, by its role's permissions".to_owned());
        }
        if self.followed && account.followed == Some(true) {
            return Some("followed by somebody of ours".to_owned());
        }
        if self.follows && account.follows == Some(true) {
            return Some("follows somebody of ours".to_owned());
        }
        if !self.accounts.is_empty() && self.accounts.contains(&account.acct()) {
            return Some("on the list of spared accounts".to_owned());
        }
        if !self.domains.is_empty()
            && let Some(domain) = account.domain.as_deref().and_then(|text| Domain::parse(text).ok())
            && let Some(spared) = self.domains.iter().find(|spared| domain.is_within(spared))
        {
            return Some(format!("of {spared}, which is spared"));
        }
        if account.is_local() && account.role.as_ref().is_some_and(|role| self.roles.contains(role)) {
            return Some("spared for its role".to_owned());
        }
        let age = account.created_at.map(|created| now - created);
        match (self.older_than_days, age) {
            (Some(days), Some(age)) if age > TimeDelta::days(days.into()) => Some(format!("older than {days} days")),
            _ => None,
        }
    }
}
