//! `[[blocklists.sources]]`: where a list is, how it is read, and when a newer copy of it is believed.

use std::{path::PathBuf, time::Duration};

use model::Severity;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{domain, optional_severity, severity, word};
use crate::{
    list::{Field, Format, Reading},
    merge::Role,
    signature::sha256_hex,
};

/// `[[blocklists.sources]]`: a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// One word, for policies, plans and `why`.
    pub name: String,
    /// Where it is published.
    #[serde(default)]
    pub url: Option<Url>,
    /// Or a file of this machine.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Or what one of our own servers blocks: `server/login`.
    #[serde(default)]
    pub login: Option<String>,
    /// Or what somebody else's server shows of its blocks: a domain.
    #[serde(default)]
    pub server: Option<String>,
    /// Or the domains that moderators took from what moderation found.
    #[serde(default)]
    pub findings: bool,
    /// How it is written.
    #[serde(default)]
    pub format: Format,
    /// What it is for.
    #[serde(default)]
    pub role: Role,
    /// How many votes it has.
    #[serde(default = "one")]
    pub weight: u32,
    /// Nothing harder than this is believed.
    #[serde(default = "suspend", with = "severity")]
    pub max_severity: Severity,
    /// For rows that tell none.
    #[serde(default, with = "optional_severity", skip_serializing_if = "Option::is_none")]
    pub default_severity: Option<Severity>,
    /// What is taken beside domain and severity.
    #[serde(default = "fields")]
    pub fields: Vec<Field>,
    /// Rows it should have, at least.
    #[serde(default)]
    pub at_least: Option<usize>,
    /// Rows it should have, at most.
    #[serde(default)]
    pub at_most: Option<usize>,
    /// Unchanged for longer than this it is called stale.
    #[serde(default = "month", with = "humantime_serde")]
    pub max_age: Duration,
    /// The owner's Ed25519 key in base64: without a fitting signature nothing is taken.
    #[serde(default)]
    pub key: Option<String>,
    /// Where the signature is; `url` with `.sig` unless told.
    #[serde(default)]
    pub signature_url: Option<Url>,
    /// The only text that is taken, by its SHA-256 in hex.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Losing more than this share of its rows, in percent, holds all its losses.
    #[serde(default = "ten")]
    pub shrink_percent: u32,
    /// So does losing more rows than this.
    #[serde(default = "twenty_five")]
    pub shrink_rows: usize,
    /// Growing to more than this many times its size holds what is new.
    #[serde(default = "ten")]
    pub grow_times: u32,
    /// A row counts until it was missing in this many good copies in a row …
    #[serde(default = "three")]
    pub leave_copies: u32,
    /// … over at least this time.
    #[serde(default = "day", with = "humantime_serde")]
    pub leave_after: Duration,
    /// Nothing is read from what it suspends, by replies and backfill either, whatever becomes of a block.
    #[serde(default)]
    pub keep_away: bool,
}

fn one() -> u32 {
    1
}
fn three() -> u32 {
    3
}
fn ten() -> u32 {
    10
}
fn twenty_five() -> usize {
    25
}
fn suspend() -> Severity {
    Severity::Suspend
}
fn fields() -> Vec<Field> {
    Reading::default().fields
}
fn day() -> Duration {
    Duration::from_secs(24 * 3600)
}
fn month() -> Duration {
    Duration::from_secs(30 * 24 * 3600)
}

impl Source {
    /// How to read it.
    pub fn reading(&self) -> Reading {
        Reading {
            format: self.format,
            // A list of exceptions says enough by naming a domain.
            default_severity: match self.role {
                Role::Block => self.default_severity,
                Role::Allow | Role::Veto => Some(self.default_severity.unwrap_or(Severity::Noop)),
            },
            max_severity: self.max_severity,
            fields: self.fields.clone(),
            // People may have taken nothing, a server that we hold a token for may block nobody, and the operator's own
            // file may spare nobody. What others publish is empty by accident.
            may_be_empty: self.findings || self.login.is_some() || (self.file.is_some() && self.role != Role::Block),
        }
    }

    /// Where it is read, in hex: an address may hold a secret.
    pub(crate) fn place(&self) -> String {
        let Self {
            url,
            file,
            login,
            server,
            ..
        } = self;
        sha256_hex(format!("{url:?} {file:?} {login:?} {server:?}").as_bytes())
    }
}

impl Source {
    pub(super) fn validate(&self) -> Result<(), String> {
        let Self { name, .. } = self;
        word("sources", name)?;
        let places = [
            self.url.is_some(),
            self.file.is_some(),
            self.login.is_some(),
            self.server.is_some(),
            self.findings,
        ];
        if places.iter().filter(|is| **is).count() != 1 {
            return Err(format!(
                "sources: {name:?} needs one of url, file, login, server and findings"
            ));
        }
        if self
            .url
            .as_ref()
            .is_some_and(|url| !matches!(url.scheme(), "http" | "https"))
        {
            return Err(format!(
                "sources: the url of {name:?} must begin with https://; for a file of this machine use `file`"
            ));
        }
        if self.server.as_deref().is_some_and(|server| domain(server).is_none()) {
            return Err(format!(
                "sources: the server of {name:?} must be a domain, such as mastodon.social"
            ));
        }
        if self.key.is_some() && (self.login.is_some() || self.server.is_some() || self.findings) {
            return Err(format!(
                "sources: nobody signs what a server answers or moderators took; leave out the key of {name:?}"
            ));
        }
        if self.weight == 0 {
            return Err(format!(
                "sources: {name:?} has weight 0, so it says nothing; leave it out instead"
            ));
        }
        if self.grow_times < 2 {
            return Err(format!("sources: grow_times of {name:?} must be 2 or more"));
        }
        if self.leave_copies == 0 {
            return Err(format!("sources: leave_copies of {name:?} must be 1 or more"));
        }
        let is_hex = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.sha256.as_ref().is_some_and(|text| !is_hex(text)) {
            return Err(format!("sources: sha256 of {name:?} must be 64 hexadecimal digits"));
        }
        Ok(())
    }
}
