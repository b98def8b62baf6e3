//! What home's moderators keep: blocks of every kind, and reports.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::world::{AccountIx, StatusIx};

#[derive(Debug, Clone)]
pub(crate) struct DomainBlock {
    pub(crate) id: u64,
    pub(crate) domain: String,
    pub(crate) severity: String,
    pub(crate) reject_media: bool,
    pub(crate) reject_reports: bool,
    pub(crate) private_comment: Option<String>,
    pub(crate) public_comment: Option<String>,
    pub(crate) obfuscate: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) created_by: Option<AccountIx>,
}

impl DomainBlock {
    pub(crate) fn new(id: u64, domain: String, severity: &str, created_at: DateTime<Utc>) -> Self {
        Self {
            id,
            domain,
            severity: severity.to_owned(),
            reject_media: false,
            reject_reports: false,
            private_comment: None,
            public_comment: None,
            obfuscate: false,
            created_at,
            created_by: None,
        }
    }

    /// Whether this would do what `other` does not do already.
    pub(crate) fn stricter_than(&self, other: &Self) -> bool {
        match (self.severity.as_str(), other.severity.as_str()) {
            ("suspend", _) => true,
            (_, "suspend") | ("noop", "silence") => false,
            _ => (self.reject_media || !other.reject_media) && (self.reject_reports || !other.reject_reports),
        }
    }

    /// As strangers see the domain.
    pub(crate) fn public_domain(&self) -> String {
        if !self.obfuscate {
            return self.domain.clone();
        }
        let length = self.domain.chars().count();
        let shown = length / 4;
        let hide = |(n, letter)| {
            if n > shown && n < length - shown && letter != '.' {
                '*'
            } else {
                letter
            }
        };
        self.domain.chars().enumerate().map(hide).collect()
    }
}

/// SHA-256 in hex: a domain's digest, an address's hash.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An address without what mail servers ignore.
pub(crate) fn canonical(email: &str) -> String {
    let email = email.trim().to_lowercase();
    let (name, domain) = email.split_once('@').unwrap_or((&email, ""));
    let name = name.split('+').next().unwrap_or_default().replace('.', "");
    format!("{name}@{domain}")
}

/// As servers keep a domain: `None` for what is none.
pub(crate) fn normalised(domain: &str) -> Option<String> {
    let domain = domain.trim();
    let domain = domain.strip_suffix('/').unwrap_or(domain).to_lowercase();
    let domain = domain.strip_suffix('.').unwrap_or(&domain);
    let ascii = match domain.is_ascii() {
        true => domain.to_owned(),
        false => match url::Host::parse(domain).ok()? {
            url::Host::Domain(name) => name,
            _ => return None,
        },
    };
    let fine =
        |label: &str| (1..64).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (ascii.len() < 256 && ascii.split('.').all(fine)).then_some(ascii)
}

#[derive(Debug, Clone)]
pub(crate) struct DomainAllow {
    pub(crate) domain: String,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct EmailDomainBlock {
    pub(crate) domain: String,
    pub(crate) allow_with_approval: bool,
    pub(crate) created_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct IpBlock {
    /// With its prefix.
    pub(crate) ip: String,
    pub(crate) severity: String,
    pub(crate) comment: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) by: AccountIx,
    pub(crate) target: AccountIx,
    pub(crate) statuses: Vec<StatusIx>,
    pub(crate) rules: Vec<String>,
    pub(crate) category: String,
    pub(crate) comment: String,
    pub(crate) forwarded: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) action_taken_at: Option<DateTime<Utc>>,
    pub(crate) action_taken_by: Option<AccountIx>,
    pub(crate) assigned: Option<AccountIx>,
}

/// Everything but domain blocks, by row.
#[derive(Debug, Default)]
pub(crate) struct Moderation {
    pub(crate) domain_allows: BTreeMap<u64, DomainAllow>,
    pub(crate) email_domain_blocks: BTreeMap<u64, EmailDomainBlock>,
    pub(crate) ip_blocks: BTreeMap<u64, IpBlock>,
    pub(crate) canonical_email_blocks: BTreeMap<u64, String>,
    pub(crate) reports: BTreeMap<u64, Report>,
    /// Follows out and followers in, of domains that are not simulated.
    pub(crate) follows: BTreeMap<String, (u64, u64)>,
    /// When a domain's block was last changed.
    pub(crate) changed: BTreeMap<String, Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_kept_as_servers_keep_them() {
        for (given, kept) in [
            ("Bad.Example", Some("bad.example")),
            (" bad.example./ ", Some("bad.example")),
            ("bad.example/", Some("bad.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("com", Some("com")),
            ("129.159.139.0", Some("129.159.139.0")),
            ("*.bad.example", None),
            ("under_score.example", None),
            (".example", None),
            ("a..b", None),
            ("", None),
        ] {
            assert_eq!(normalised(given).as_deref(), kept, "{given}");
        }
        assert_eq!(normalised(&format!("{}.example", "a".repeat(64))), None);
    }

    #[test]
    fn hidden_domains_keep_their_length() {
        let mut block = DomainBlock::new(1, "very-bad.example".to_owned(), "suspend", crate::clock::now());
        assert_eq!(block.public_domain(), "very-bad.example");
        block.obfuscate = true;
        assert_eq!(block.public_domain(), "very-***.***mple");
    }

    #[test]
    fn hashes_are_the_servers_own() {
        assert_eq!(
            digest("chitter.xyz"),
            "06f1118b8a3b4cb0b92683b284f4c0c4a03e43b151247acda54c054fcb0d5174"
        );
        assert_eq!(canonical("A.Nn+news@Example.com"), "ann@example.com");
    }
}
