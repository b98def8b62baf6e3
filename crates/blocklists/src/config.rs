//! The `[blocklists]` section: which lists, which policy for which server, what we publish.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use job::Mode;
use model::Severity;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::{
    list::{self, Field, Format, Reading},
    merge::{Covering, Merging, Method, Role},
    name::{self, Name},
};

/// `[blocklists]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `observe` makes plans and shows them; `act` carries them out.
    pub mode: Mode,
    /// Changes on servers in any 24 hours, at most; without it, no bound.
    pub quota: Option<u32>,
    /// `[blocklists.lists]`: the job that reads lists.
    pub lists: Lists,
    /// `[blocklists.domain_blocks]`: the job that plans and applies.
    pub domain_blocks: DomainBlocks,
    /// `[[blocklists.sources]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// `[[blocklists.policies]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// `[[blocklists.outputs]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
}

job::section! {
    /// `[blocklists.lists]`.
    pub struct Lists(enabled = true, every = "1h", timeout = "30m") {
    }
}

job::section! {
    /// `[blocklists.domain_blocks]`.
    pub struct DomainBlocks(enabled = true, every = "1h", timeout = "12h") {
    }
}

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
    #[serde(default, with = "optional_severity")]
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
        }
    }
}

/// What to do with a weaker block that a moderator made by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeakerLocal {
    /// It stays; the plan suggests more.
    #[default]
    Suggest,
    /// It becomes as hard as the lists say, and returns to what it was when they change their mind.
    Raise,
}

/// What to do with our block when no list wants it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retract {
    /// Lift it.
    #[default]
    Delete,
    /// Leave a record of severity `noop`, which says why.
    Noop,
    /// Leave it.
    Keep,
}

/// `[[blocklists.policies]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// One word.
    pub name: String,
    /// Hosts of `[[servers]]`; empty: every server that no other policy names.
    pub servers: Vec<String>,
    /// Names of lists; empty: all.
    pub sources: Vec<String>,
    /// How votes become a block.
    pub merge: Method,
    /// Votes that a domain needs.
    pub votes: u32,
    /// The same as a share of all votes.
    pub percent: u32,
    /// Blocks that cover an allowed domain.
    pub covering: Covering,
    /// Domains that are never blocked, nor what is below them.
    pub allow: Vec<String>,
    /// Domains that may be blocked although they are public suffixes or reserved names.
    pub force: Vec<String>,
    /// Whether reserved names (`.test`, `.example`) may be blocked: for trying things out.
    pub reserved: bool,
    /// Where local people follow, or are followed, nothing harder than this.
    #[serde(with = "severity")]
    pub max_followed_severity: Severity,
    /// … until this time has passed: silence first, tell, suspend later.
    #[serde(with = "humantime_serde")]
    pub stage: Option<Duration>,
    /// Whether follows are counted in mode `observe` too: a request for each candidate that is a peer.
    pub count_follows: bool,
    /// Weaker blocks that were made by hand.
    pub weaker_local: WeakerLocal,
    /// Our blocks that no list wants any more.
    pub retract: Retract,
    /// Whether a block that was ours and vanished is made again.
    pub recreate: bool,
    /// Private comment of new blocks for which no list gives one.
    pub stamp: String,
    /// New blocks that one run may make without a human.
    pub alone_creates: usize,
    /// Changes to blocks that one run may make without a human.
    pub alone_updates: usize,
    /// Blocks that one run may lift or weaken without a human.
    pub alone_removals: usize,
    /// A domain with more follows than this waits for a human.
    pub alone_follows: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            servers: Vec::new(),
            sources: Vec::new(),
            merge: Method::Max,
            votes: 0,
            percent: 0,
            covering: Covering::Hold,
            allow: Vec::new(),
            force: Vec::new(),
            reserved: false,
            max_followed_severity: Severity::Silence,
            stage: None,
            count_follows: false,
            weaker_local: WeakerLocal::Suggest,
            retract: Retract::Delete,
            recreate: false,
            stamp: "egret".to_owned(),
            alone_creates: 500,
            alone_updates: 100,
            alone_removals: 25,
            alone_follows: 100,
        }
    }
}

impl Policy {
    /// How to merge.
    pub fn merging(&self) -> Merging {
        Merging {
            method: self.merge,
            votes: self.votes,
            percent: self.percent,
            covering: self.covering,
        }
    }
}

/// How a merged list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As Mastodon imports it.
    #[default]
    Csv,
    /// As its public API answers.
    Json,
    /// RapidBlock's.
    Rapidblock,
    /// A FIRES snapshot.
    Fires,
}

/// `[[blocklists.outputs]]`: a merged list that we publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The last part of its address: `/lists/NAME`.
    pub name: String,
    /// The policy whose result it is.
    #[serde(default = "default_policy")]
    pub policy: String,
    /// How it is written.
    #[serde(default)]
    pub format: Form,
    /// A file to write it to as well.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// A file with an Ed25519 key (32 bytes in base64) to sign it with.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
}

fn default_policy() -> String {
    "default".to_owned()
}

impl Config {
    /// The policy of a server: the first that names it, else the first that names none.
    pub fn policy(&self, server: &str) -> Option<&Policy> {
        let named = self
            .policies
            .iter()
            .find(|policy| policy.servers.iter().any(|it| it == server));
        named.or_else(|| self.policies.iter().find(|policy| policy.servers.is_empty()))
    }

    /// The lists of a policy.
    pub fn sources_of<'c>(&'c self, policy: &'c Policy) -> impl Iterator<Item = &'c Source> {
        let all = policy.sources.is_empty();
        self.sources
            .iter()
            .filter(move |source| all || policy.sources.contains(&source.name))
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        self.lists.section().validate("blocklists.lists")?;
        self.domain_blocks.section().validate("blocklists.domain_blocks")?;
        let mut names = BTreeSet::new();
        for source in &self.sources {
            source.validate()?;
            if !names.insert(&source.name) {
                return Err(format!(
                    "sources: two lists are called {:?}; give each a name of its own",
                    source.name
                ));
            }
        }
        let mut policies = BTreeSet::new();
        for policy in &self.policies {
            policy.validate(&names)?;
            if !policies.insert(&policy.name) {
                return Err(format!(
                    "policies: two are called {:?}; give each a name of its own",
                    policy.name
                ));
            }
        }
        let mut outputs = BTreeSet::new();
        for output in &self.outputs {
            word("outputs", &output.name)?;
            if !outputs.insert(&output.name) {
                return Err(format!(
                    "outputs: two are called {:?}; give each a name of its own",
                    output.name
                ));
            }
            if !policies.contains(&output.policy) {
                return Err(format!(
                    "outputs: {:?} publishes the policy {:?}, which is not there",
                    output.name, output.policy
                ));
            }
        }
        Ok(())
    }
}

impl Source {
    fn validate(&self) -> Result<(), String> {
        let Self { name, .. } = self;
        word("sources", name)?;
        let places = [
            self.url.is_some(),
            self.file.is_some(),
            self.login.is_some(),
            self.server.is_some(),
        ];
        if places.iter().filter(|is| **is).count() != 1 {
            return Err(format!("sources: {name:?} needs one of url, file, login and server"));
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
        if self.key.is_some() && (self.login.is_some() || self.server.is_some()) {
            return Err(format!(
                "sources: nobody signs what a server answers; leave out the key of {name:?}"
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

impl Policy {
    fn validate(&self, sources: &BTreeSet<&String>) -> Result<(), String> {
        let Self { name, .. } = self;
        word("policies", name)?;
        if let Some(missing) = self.sources.iter().find(|source| !sources.contains(source)) {
            return Err(format!(
                "policies: {name:?} names the list {missing:?}, which is not there"
            ));
        }
        if self.percent > 100 {
            return Err(format!("policies: percent of {name:?} must be 100 or less"));
        }
        for text in self.allow.iter().chain(&self.force) {
            if domain(text).is_none() {
                return Err(format!("policies: {text:?}, in {name:?}, is no domain"));
            }
        }
        Ok(())
    }
}

/// A domain of the config, normalised.
pub fn domain(text: &str) -> Option<String> {
    match name::read(text).ok()?.name {
        Name::Plain(name) => Some(name.into_owned()),
        Name::Hidden(_) => None,
    }
}

fn word(key: &str, name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || name.len() > 80 || !name.chars().all(fits) {
        return Err(format!(
            "{key}: the name {name:?} must be one word of letters, digits, - _ and ."
        ));
    }
    Ok(())
}

/// A severity in the config: unlike a server's, an unknown word is an error and not a suspension.
mod severity {
    use super::*;

    pub(super) fn serialize<S: Serializer>(severity: &Severity, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(list::severity_word(*severity))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Severity, D::Error> {
        let text = String::deserialize(deserializer)?;
        list::severity(&text)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no severity; write noop, silence or suspend")))
    }
}

mod optional_severity {
    use super::*;

    pub(super) fn serialize<S: Serializer>(severity: &Option<Severity>, serializer: S) -> Result<S::Ok, S::Error> {
        match severity {
            Some(severity) => serializer.serialize_some(list::severity_word(*severity)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
        super::severity::deserialize(deserializer).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        config.validate()?;
        Ok(config)
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = read("[[sources]]\nname = \"a\"\nurl = \"https://a.social/l.csv\"\n[[policies]]\n").unwrap();
        assert_eq!(config.mode, Mode::Observe);
        assert_eq!(config.sources[0].max_severity, Severity::Suspend);
        assert_eq!(
            (config.sources[0].shrink_percent, config.sources[0].shrink_rows),
            (10, 25)
        );
        assert_eq!(config.policy("any.social").unwrap().name, "default");
        assert_eq!(config.sources_of(&config.policies[0]).count(), 1);
        let shown = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<Config>(&shown).unwrap(), config, "{shown}");
    }

    #[test]
    fn a_typing_error_is_never_a_suspension() {
        let source = "[[sources]]\nname = \"a\"\nurl = \"https://a.social/l.csv\"\n";
        let error = read(&format!("{source}max_severity = \"silense\"\n")).unwrap_err();
        assert!(error.contains("silense"), "{error}");
        assert!(read(&format!("{source}default_severity = \"banish\"\n")).is_err());
        assert!(read(&format!("{source}weigth = 2\n")).is_err());
    }

    #[test]
    fn what_cannot_work_is_said() {
        for (text, word) in [
            ("[[sources]]\nname = \"a\"\n", "one of url"),
            ("[[sources]]\nname = \"a b\"\nfile = \"x\"\n", "one word"),
            (
                "[[sources]]\nname = \"a\"\nfile = \"x\"\n[[sources]]\nname = \"a\"\nfile = \"y\"\n",
                "two lists",
            ),
            ("[[policies]]\nsources = [\"gone\"]\n", "gone"),
            ("[[policies]]\nallow = [\"a..b\"]\n", "no domain"),
            ("[[outputs]]\nname = \"x\"\n", "not there"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_server_has_the_policy_that_names_it() {
        let config =
            read("[[policies]]\nname = \"all\"\n[[policies]]\nname = \"one\"\nservers = [\"one.social\"]\n").unwrap();
        assert_eq!(config.policy("one.social").unwrap().name, "one");
        assert_eq!(config.policy("two.social").unwrap().name, "all");
    }
}
