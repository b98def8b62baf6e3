//! A rule as an operator writes it, in the config or on the page.

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::{Name, Verdict};

/// A compiled pattern may take this much memory.
const PATTERN_SIZE: usize = 1 << 20;

/// `[[registrations.rules]]`. Each kind of condition that is stated must fit; within a kind one of its values must.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// By which its verdicts are explained and counted.
    pub name: String,
    /// What it says of those it fits.
    pub verdict: Verdict,
    /// The address: `".gov"` is that domain and all below, `"=gmail.com"` that domain alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<Name>,
    /// Files and `https://` addresses with a domain a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain_lists: Vec<String>,
    /// The hosts that take the domain's mail, written like `domains`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mx: Vec<Name>,
    /// Patterns of the name asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usernames: Vec<String>,
    /// Patterns of what they wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Where they came from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpNet>,
    /// `"de"` also fits `de-AT`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locales: Vec<String>,
    /// Account ids of who invited them; `"*"` is anybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inviters: Vec<String>,
    /// Ids of the applications they signed up with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applications: Vec<String>,
    /// More than this many others from the same network within `[registrations] window`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_over: Option<u32>,
    /// At least this many others wrote the same reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_reason: Option<u32>,
    /// The reason is shorter than this many characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_below: Option<u32>,
    /// The reason holds at least this many links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_links: Option<u32>,
    /// We turned the address away before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejected_before: bool,
    /// Sent to those it turns away, when `[registrations.mail]` is set up: `{username}` and `{server}` are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

impl Rule {
    /// A rule without conditions, to be completed.
    pub fn new(name: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            name: name.into(),
            verdict,
            domains: Vec::new(),
            domain_lists: Vec::new(),
            mx: Vec::new(),
            usernames: Vec::new(),
            reasons: Vec::new(),
            ips: Vec::new(),
            locales: Vec::new(),
            inviters: Vec::new(),
            applications: Vec::new(),
            network_over: None,
            same_reason: None,
            reason_below: None,
            reason_links: None,
            rejected_before: false,
            mail: None,
        }
    }

    /// Whether it speaks of the address's domain.
    pub(crate) fn is_about_the_domain(&self) -> bool {
        !self.domains.is_empty() || !self.domain_lists.is_empty()
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let name = &self.name;
        if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            return Err(format!("name: {name:?} must be 1 to 64 characters"));
        }
        let weak = [
            !self.usernames.is_empty(),
            !self.reasons.is_empty(),
            !self.ips.is_empty(),
            !self.locales.is_empty(),
            !self.inviters.is_empty(),
            !self.applications.is_empty(),
            self.network_over.is_some(),
            self.same_reason.is_some(),
            self.reason_below.is_some(),
            self.reason_links.is_some(),
            self.rejected_before,
        ];
        let weak = weak.into_iter().filter(|stated| *stated).count();
        let strong = self.is_about_the_domain() || !self.mx.is_empty();
        if !strong && weak == 0 {
            return Err(format!("{name}: states no condition, and would fit everybody"));
        }
        if !strong && weak < 2 && self.verdict == Verdict::Reject {
            return Err(format!(
                "{name}: a rejection cannot be undone, and this is one weak sign; add `domains`, `mx` or a second condition, or \
                 say verdict = \"hold\""
            ));
        }
        if self.mail.is_some() && self.verdict != Verdict::Reject {
            return Err(format!("{name}: mail goes only to those whom a rule turns away"));
        }
        let most = store::applicants::COUNTED;
        if self.network_over.is_some_and(|over| over >= most) || self.same_reason.is_some_and(|least| least > most) {
            return Err(format!(
                "{name}: network_over, same_reason: others are counted up to {most} only"
            ));
        }
        for (key, patterns) in [("usernames", &self.usernames), ("reasons", &self.reasons)] {
            for text in patterns {
                pattern(text).map_err(|error| format!("{name}: {key}: {text:?} is no pattern: {error}"))?;
            }
        }
        for list in &self.domain_lists {
            if list.trim().is_empty() || (list.contains("://") && !list.starts_with("https://")) {
                return Err(format!(
                    "{name}: domain_lists: {list:?} must be a file or an https:// address"
                ));
            }
        }
        Ok(())
    }
}

/// A pattern that takes linear time on any text, upper and lower case alike.
pub(crate) fn pattern(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(PATTERN_SIZE)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hurt_is_refused() {
        let refused = |rule: Rule| rule.validate().unwrap_err();
        assert!(refused(Rule::new("all", Verdict::Approve)).contains("no condition"));
        let rule = Rule {
            usernames: vec!["bot".into()],
            ..Rule::new("bots", Verdict::Reject)
        };
        assert!(refused(rule.clone()).contains("cannot be undone"));
        let rule = Rule {
            rejected_before: true,
            ..rule
        };
        rule.validate().unwrap();
        let rule = Rule {
            reasons: vec!["(".into()],
            ..rule
        };
        assert!(refused(rule).contains("no pattern"));
        let rule = Rule {
            network_over: Some(200),
            ..Rule::new("crowd", Verdict::Hold)
        };
        assert!(refused(rule.clone()).contains("counted"));
        let rule = Rule {
            network_over: Some(199),
            same_reason: Some(200),
            ..rule
        };
        rule.validate().unwrap();
        let rule = Rule {
            domain_lists: vec!["http://lists.example/a".into()],
            ..Rule::new("list", Verdict::Hold)
        };
        assert!(refused(rule).contains("https"));
    }

    #[test]
    fn a_pattern_is_bounded() {
        assert!(pattern("(a{1000}){1000}").is_err());
        assert!(pattern("^bot[0-9]+$").unwrap().is_match("BOT7"));
    }
}
