//! A registered name on the internet, in the one spelling used for every comparison.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A domain name: lower case, punycode, no trailing dot, no port. `MÜNCHEN.example.` and
/// `xn--mnchen-3ya.example` are the same `Domain`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

/// Why a text is no domain.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a domain name")]
pub struct DomainError(String);

impl Domain {
    /// Reads a domain as people write it.
    ///
    /// # Errors
    /// When the text is empty, an IP address, holds a port or a character no domain can have.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let error = || DomainError(text.to_owned());
        match url::Host::parse(text.trim().trim_end_matches('.')) {
            Ok(url::Host::Domain(domain)) if !domain.is_empty() && !domain.split('.').any(str::is_empty) => {
                Ok(Self(domain))
            }
            _ => Err(error()),
        }
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `other` or one of its subdomains.
    pub fn is_within(&self, other: &Domain) -> bool {
        self.0
            .strip_suffix(&other.0)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Domain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        Self::parse(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_domain_are_equal() {
        let plain = Domain::parse("xn--mnchen-3ya.example").unwrap();
        for spelling in ["münchen.example", "MÜNCHEN.example.", " xn--mnchen-3ya.EXAMPLE"] {
            assert_eq!(Domain::parse(spelling).unwrap(), plain, "{spelling}");
        }
    }

    #[test]
    fn addresses_ports_and_gaps_are_refused() {
        for text in [
            "",
            ".",
            "127.0.0.1",
            "[::1]",
            "a..example",
            "bad.example:8443",
            "0x7f.1",
        ] {
            assert!(Domain::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_suffix_counts_by_labels() {
        let bad = Domain::parse("bad.example").unwrap();
        assert!(Domain::parse("x.bad.example").unwrap().is_within(&bad));
        assert!(bad.is_within(&bad));
        assert!(!Domain::parse("notbad.example").unwrap().is_within(&bad));
        assert!(!Domain::parse("example").unwrap().is_within(&bad));
    }
}
