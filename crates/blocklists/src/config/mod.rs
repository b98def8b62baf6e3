//! The `[blocklists]` section: which lists, which policy for which server, what we publish.

mod optional_severity;
mod policy;
mod severity;
mod source;

use std::{collections::BTreeSet, path::PathBuf};

use job::Mode;
use serde::{Deserialize, Serialize};

pub use policy::{Policy, Retract, WeakerLocal};
pub use source::Source;

use crate::name::{self, Name};

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

#[cfg(test)]
mod tests {
    use model::Severity;

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
        // As it is kept for the pages.
        let kept = serde_json::to_value(&config).unwrap();
        assert_eq!(serde_json::from_value::<Config>(kept).unwrap(), config);
    }

    #[test]
    fn only_what_is_ours_may_be_empty() {
        let is_read = |source: &str, text: &str| {
            let config = read(&format!("[[sources]]\nname = \"a\"\n{source}\n")).unwrap();
            crate::list::parse(text, &config.sources[0].reading()).is_ok()
        };
        for text in ["", "domain,severity\n"] {
            assert!(is_read("file = \"allow.csv\"\nrole = \"allow\"", text), "{text:?}");
            assert!(!is_read("file = \"block.csv\"", text), "{text:?}");
            assert!(
                !is_read("url = \"https://a.social/allow.csv\"\nrole = \"allow\"", text),
                "{text:?}"
            );
        }
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
            ("[[policies]]\nname = \"clear\"\n", "another name"),
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
