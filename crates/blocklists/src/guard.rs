//! What is never blocked, whoever asks: whole countries, ourselves, names that are nobody's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::{is_within, with_parents};

/// Why a domain is never blocked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The server itself, its web address, a parent or a subdomain of either.
    #[error("it is {0}'s own, its parent or its subdomain")]
    Own(String),
    /// `com`, `.tk`, `co.uk`, `github.io`: everything below it would be blocked.
    #[error("a public suffix: everything below it would be blocked, unless the policy's `force` names it")]
    PublicSuffix,
    /// `misskey-forkbomb`.
    #[error("a single word is no domain")]
    SingleLabel,
    /// A reserved name: lists put such rows in so that a blind import can be told.
    #[error("a canary: this list asks you to read its notes")]
    Canary,
}

impl Refusal {
    /// In one word, for counters.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Own(_) => "own",
            Self::PublicSuffix => "public_suffix",
            Self::SingleLabel => "single_label",
            Self::Canary => "canary",
        }
    }
}

/// Names that RFC 2606, 6761, 6762, 7686 and 8375 keep from everybody.
const RESERVED: [&str; 11] = [
    "invalid",
    "test",
    "example",
    "localhost",
    "local",
    "internal",
    "arpa",
    "alt",
    "example.com",
    "example.net",
    "example.org",
];

/// What stands between a list and a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guard {
    own: BTreeSet<String>,
    force: BTreeSet<String>,
    reserved: bool,
}

impl Guard {
    /// `own`: the server's domains, for accounts and for the web. `force`: domains that an explicit rule lets through
    /// although they are suffixes or reserved. `reserved`: whether reserved names pass, for a simulated fediverse.
    pub fn new<'d>(
        own: impl IntoIterator<Item = &'d str>,
        force: impl IntoIterator<Item = &'d str>,
        reserved: bool,
    ) -> Self {
        let known = |domain: &&str| !domain.is_empty();
        Self {
            own: own.into_iter().filter(known).map(str::to_owned).collect(),
            force: force.into_iter().filter(known).map(str::to_owned).collect(),
            reserved,
        }
    }

    /// Why a normalised domain is never blocked; `None` when it may be.
    pub fn refuses(&self, domain: &str) -> Option<Refusal> {
        if let Some(own) = self
            .own
            .iter()
            .find(|own| is_within(domain, own) || is_within(own, domain))
        {
            return Some(Refusal::Own(own.clone()));
        }
        if !self.force.is_empty() && self.force.contains(domain) {
            return None;
        }
        if is_reserved(domain) {
            return (!self.reserved).then_some(Refusal::Canary);
        }
        match psl::suffix(domain.as_bytes()) {
            Some(suffix) if suffix.is_known() && suffix.as_bytes().len() == domain.len() => Some(Refusal::PublicSuffix),
            _ if !domain.contains('.') => Some(Refusal::SingleLabel),
            _ => None,
        }
    }
}

fn is_reserved(domain: &str) -> bool {
    // Nearly every domain ends otherwise: one look at the last label tells.
    let last = domain.rsplit('.').next().unwrap_or(domain);
    matches!(
        last,
        "invalid" | "test" | "example" | "localhost" | "local" | "internal" | "arpa" | "alt" | "com" | "net" | "org"
    ) && with_parents(domain).any(|parent| RESERVED.contains(&parent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(["home.social", "web.home-base.net"], ["cf"], false)
    }

    /// Check 7. Suffixes and single words. What is no domain at all is refused when it is read.
    #[test]
    fn nobody_blocks_a_country() {
        for suffix in ["tk", "co.uk", "su", "vc", "com", "github.io", "pages.dev"] {
            assert_eq!(guard().refuses(suffix), Some(Refusal::PublicSuffix), "{suffix}");
        }
        assert_eq!(guard().refuses("misskey-forkbomb"), Some(Refusal::SingleLabel));
        for domain in ["bad.social", "x.github.io", "bad.co.uk", "xn--bcher-kva.social"] {
            assert_eq!(guard().refuses(domain), None, "{domain}");
        }
        assert_eq!(guard().refuses("cf"), None, "an explicit rule lets it through");
    }

    /// Check 17. The pure part; every path to a server asks this guard.
    #[test]
    fn nobody_blocks_home() {
        let own = [
            "home.social",
            "social",
            "sub.home.social",
            "web.home-base.net",
            "home-base.net",
            "x.web.home-base.net",
        ];
        for domain in own {
            assert!(matches!(guard().refuses(domain), Some(Refusal::Own(_))), "{domain}");
        }
        assert_eq!(guard().refuses("nothome.social"), None);
        let forced = Guard::new(["home.social"], ["home.social", "social"], true);
        assert!(
            matches!(forced.refuses("home.social"), Some(Refusal::Own(_))),
            "no rule forces that"
        );
    }

    /// Check 23. The pure part.
    #[test]
    fn canaries_stay_in_their_lists() {
        for canary in [
            "canary.tier0.example.com",
            "aud.invalid",
            "dni.invalid",
            "a.test",
            "localhost",
            "b.example",
        ] {
            assert_eq!(guard().refuses(canary), Some(Refusal::Canary), "{canary}");
        }
        assert_eq!(guard().refuses("notexample.com"), None);
        assert_eq!(Guard::new(["home.social"], [], true).refuses("bad.example"), None);
    }
}
