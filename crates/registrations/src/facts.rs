//! What is known of an applicant: what the server shows, and what we count ourselves.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use model::AdminAccount;
use serde::{Deserialize, Serialize};
use store::applicants::Seen;

use crate::{Address, address};

/// Of a reason this many characters are kept.
const REASON: usize = 4000;

/// What is known of an applicant. It prints only the account's id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Facts {
    /// On its server.
    pub account_id: String,
    /// The name asked for.
    pub username: String,
    /// As the server shows it.
    pub email: String,
    /// The address was confirmed.
    pub confirmed: bool,
    /// The account is in already.
    pub approved: bool,
    /// Where they signed up from.
    pub ip: Option<IpAddr>,
    /// Everywhere they came from.
    pub ips: BTreeSet<IpAddr>,
    /// `en`.
    pub locale: Option<String>,
    /// Why they want an account, in their words.
    pub invite_request: Option<String>,
    /// Account id of who invited them.
    pub invited_by: Option<String>,
    /// Id of the application the sign-up was made with.
    pub application: Option<String>,
    /// When they signed up.
    pub created_at: Option<DateTime<Utc>>,
    /// The hosts that take the domain's mail; `None` when nobody looked or nothing answered.
    pub mx: Option<Vec<String>>,
    /// Others from the same network within the window.
    pub neighbours: u32,
    /// Others who wrote the same reason.
    pub same_reason: u32,
    /// Others with the same address in Mastodon's reading, dots and `+` left out.
    pub same_address: u32,
    /// We turned this address away before.
    pub rejected_before: bool,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

impl Facts {
    /// What a server shows of somebody. What we count ourselves is added later.
    pub fn of(account: &AdminAccount) -> Self {
        Self {
            account_id: account.id.as_str().to_owned(),
            username: account.username.clone(),
            email: account.email.clone(),
            confirmed: account.confirmed,
            approved: account.approved,
            ip: account.ip,
            ips: account.ips.iter().copied().chain(account.ip).collect(),
            locale: account.locale.clone(),
            invite_request: account
                .invite_request
                .as_deref()
                .map(|reason| reason.chars().take(REASON).collect()),
            invited_by: account.invited_by_account_id.as_ref().map(|id| id.as_str().to_owned()),
            application: account.created_by_application_id.clone(),
            created_at: account.created_at,
            ..Self::default()
        }
    }

    /// The network they are counted with: /24 of IPv4, /64 of IPv6.
    pub fn network(&self) -> Option<String> {
        network(self.ip.or_else(|| self.ips.first().copied())?)
    }

    /// By which the same person is recognised. An address that cannot be read stands for itself.
    pub fn email_hash(&self) -> String {
        match Address::parse(&self.email) {
            Ok(address) => address.hash(),
            Err(_) => address::hex(self.email.trim().to_lowercase().as_bytes()),
        }
    }

    /// As the store keeps it.
    pub fn seen(&self, now: DateTime<Utc>) -> Seen {
        Seen {
            account_id: self.account_id.clone(),
            username: self.username.clone(),
            email: self.email.to_lowercase(),
            email_hash: self.email_hash(),
            domain: Address::parse(&self.email)
                .map(|address| address.domain().to_string())
                .unwrap_or_default(),
            network: self.network().unwrap_or_default(),
            reason_hash: self.reason_hash().unwrap_or_default(),
            facts: serde_json::to_value(self).unwrap_or_default(),
            signed_up_at: self.created_at.unwrap_or(now),
        }
    }

    /// A hash of the reason, by which two that differ only in spaces and case are one; `None` for one too short to
    /// mean anything.
    pub fn reason_hash(&self) -> Option<String> {
        let words: Vec<String> = self
            .invite_request
            .as_deref()?
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let text = words.join(" ");
        (text.chars().count() >= 20).then(|| address::hex(text.as_bytes()))
    }
}

/// The network an address is counted with.
pub(crate) fn network(ip: IpAddr) -> Option<String> {
    let ip = ip.to_canonical();
    let bits = if ip.is_ipv4() { 24 } else { 64 };
    IpNet::new(ip, bits).ok().map(|net| net.trunc().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let net = |text: &str| network(text.parse().unwrap()).unwrap();
        assert_eq!(net("192.0.2.7"), net("::ffff:192.0.2.200"));
        assert_ne!(net("192.0.2.7"), net("192.0.3.7"));
        assert_eq!(net("2001:db8:1:2::1"), net("2001:db8:1:2:ffff::9"));
        assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
    }

    #[test]
    fn the_same_reason_is_one_in_any_spacing() {
        let hash = |text: &str| {
            let facts = Facts {
                invite_request: Some(text.to_owned()),
                ..Facts::default()
            };
            facts.reason_hash()
        };
        assert_eq!(
            hash("I  want to read\nthe news here"),
            hash("i want to read the NEWS here")
        );
        assert_eq!(hash("hello"), None);
    }
}
