//! Facts: whose posts are asked for, what home has of them, what their origins show.

mod accounts;
mod known;
mod mentioned;

pub(crate) use accounts::{follow_requests, followers, followings, lists, notifications};
pub(crate) use known::Known;
pub(crate) use mentioned::mentioned;

use std::collections::HashSet;

use model::Account;

/// Accounts of other servers, each once, in the order they were met.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) accounts: Vec<Account>,
    seen: HashSet<String>,
    pub(crate) local: u64,
}

impl Found {
    /// Takes an account unless it is home's own or was met before.
    pub(crate) fn take(&mut self, account: Account) {
        if account.is_local() {
            self.local += 1;
        } else if self.seen.insert(key(&account.acct)) {
            self.accounts.push(account);
        }
    }
}

/// An account as the store spells it.
pub(crate) fn key(acct: &str) -> String {
    acct.trim().trim_start_matches('@').to_lowercase()
}
