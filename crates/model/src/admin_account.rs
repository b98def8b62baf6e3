//! Somebody with an account, as admins see them.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{Account, AccountId, lenient};

/// `Admin::Account`. It holds an address and where somebody came from, so it prints only its id.
#[derive(Clone, PartialEq, Deserialize)]
pub struct AdminAccount {
    /// Where this server keeps it.
    pub id: AccountId,
    /// Name without the server.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub username: String,
    /// `None` for the server's own people.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub domain: Option<String>,
    /// When they signed up.
    #[serde(default, deserialize_with = "lenient::time")]
    pub created_at: Option<DateTime<Utc>>,
    /// As they typed it.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub email: String,
    /// Where they came from: the last visit, else the sign-up. Gone on `GoToSocial` after the approval.
    #[serde(default, deserialize_with = "ip")]
    pub ip: Option<IpAddr>,
    /// Everywhere they came from; empty on `GoToSocial`.
    #[serde(default, deserialize_with = "ips")]
    pub ips: BTreeSet<IpAddr>,
    /// `en`.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub locale: Option<String>,
    /// Why they want an account.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub invite_request: Option<String>,
    /// They followed the link in the server's letter.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub confirmed: bool,
    /// They may come in.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub approved: bool,
    /// Cannot sign in.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub disabled: bool,
    /// Suspended.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub suspended: bool,
    /// Limited.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub silenced: bool,
    /// Who invited them.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub invited_by_account_id: Option<AccountId>,
    /// What they signed up with.
    #[serde(default, deserialize_with = "text_or_number")]
    pub created_by_application_id: Option<String>,
    /// The public side.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub account: Option<Account>,
}

impl fmt::Debug for AdminAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminAccount")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl AdminAccount {
    /// Whether they are the server's own.
    pub fn is_local(&self) -> bool {
        self.domain.is_none() && self.account.as_ref().is_none_or(Account::is_local)
    }
}

/// A text, or the object that 3.5 sent.
fn read_ip(value: &Value) -> Option<IpAddr> {
    let text = value.as_str().or_else(|| value.get("ip")?.as_str())?;
    // Some servers store a network.
    text.split('/').next()?.trim().parse().ok()
}

fn ip<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    Ok(read_ip(&Value::deserialize(deserializer)?))
}

fn ips<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<IpAddr>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items.iter().take(100).filter_map(read_ip).collect(),
        _ => BTreeSet::new(),
    })
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_send_is_read() {
        let mastodon: AdminAccount = serde_json::from_str(
            r#"{"id":"108","username":"jane","domain":null,"created_at":"2026-08-01T13:49:58.223Z","email":"jane@nyc.gov",
                "ip":{"user_id":1,"ip":"192.0.2.7","used_at":null},"confirmed":true,"approved":false,"locale":"en",
                "ips":[{"ip":"192.0.2.8","used_at":"2026-08-01T13:49:58.223Z"},{"ip":"2001:db8::1/64"},{"ip":null}],
                "invite_request":null,"created_by_application_id":7,"invited_by_account_id":"9",
                "account":{"id":"108","username":"jane","acct":"jane"}}"#,
        )
        .unwrap();
        assert!(mastodon.is_local() && mastodon.confirmed && !mastodon.approved);
        assert_eq!(mastodon.ip, Some("192.0.2.7".parse().unwrap()));
        assert_eq!(mastodon.ips.len(), 2);
        assert_eq!(mastodon.created_by_application_id.as_deref(), Some("7"));
        assert!(!format!("{mastodon:?}").contains("nyc"));
        let little: AdminAccount = serde_json::from_str(
            r#"{"id":"01A","username":"x","domain":"b.test","ip":null,"ips":[],"email":null,"account":{"id":"01A","acct":"x@b.test"}}"#,
        )
        .unwrap();
        assert!(!little.is_local() && !little.confirmed && !little.approved);
    }
}
