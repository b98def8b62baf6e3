//! FediFetcher's options, whichever way they were given.
//!
//! Versions 1 to 8 took them as flags, as a JSON file, as `FF_…` variables and, in version 1, as variables of a GitHub
//! workflow. All are looked for in any text: a shell script, a compose file, a workflow, a CronJob or a `.env` hold the
//! same words.

use std::collections::BTreeMap;

use anyhow::Context as _;
use net::Secret;
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// Hours for which an account that is not followed is remembered, unless said.
pub(super) const REMEMBER_USERS: u64 = 168;

/// Every option of any version, as it is spelled as a flag.
pub(super) const NAMES: &[&str] = &[
    "server",
    "reply-interval-in-hours",
    "home-timeline-length",
    "user",
    "max-followings",
    "max-followers",
    "max-follow-requests",
    "max-bookmarks",
    "max-favourites",
    "from-notifications",
    "from-lists",
    "max-list-length",
    "max-list-accounts",
    "max-posts-per-account",
    "backfill-with-context",
    "backfill-mentioned-users",
    "remember-users-for-hours",
    "remember-hosts-for-days",
    "http-timeout",
    "instance-blocklist",
    "state-dir",
    "lock-file",
    "lock-hours",
    "on-start",
    "on-done",
    "on-fail",
    "log-level",
    "log-format",
];

/// Names of a workflow's variables in version 1 that are no flag with another spelling.
const OLD: &[(&str, &str)] = &[("mastodon-server", "server"), ("access-tokens", "access-token")];

/// What was set.
#[derive(Debug, Default)]
pub(super) struct Options {
    values: BTreeMap<&'static str, String>,
    pub(super) tokens: Vec<Secret>,
}

impl Options {
    /// Reads a JSON file, or finds flags and variables in any other text. What is read later wins.
    pub(super) fn read(&mut self, text: &str) -> anyhow::Result<()> {
        if text.trim_start().starts_with('{') {
            let values: BTreeMap<String, Value> =
                // The message of serde quotes nothing of the text, so no token either.
                serde_json::from_str(text).context("not valid JSON")?;
            for (name, value) in values {
                self.set_json(&name, &value);
            }
            return Ok(());
        }
        self.read_words(text);
        Ok(())
    }

    /// `FF_…`, and the names of version 1.
    pub(super) fn read_environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            if let Some(name) = name.to_uppercase().strip_prefix("FF_") {
                self.set(name, &value);
            }
        }
    }

    /// Whether nothing was set at all.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.tokens.is_empty()
    }

    /// A text; `None` where it was not set or is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A number. `true` counts as 1, as it did there.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.text(name)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(1),
            "false" | "no" | "off" | "none" | "null" => Some(0),
            text => text.parse().ok(),
        }
    }

    /// A switch.
    pub(super) fn is_on(&self, name: &str, default: bool) -> bool {
        self.number(name).map_or(default, |number| number > 0)
    }

    fn set_json(&mut self, name: &str, value: &Value) {
        match value {
            Value::Array(items) => {
                for item in items {
                    self.set_json(name, item);
                }
            }
            Value::String(text) => self.set(name, text),
            Value::Null | Value::Object(_) => {}
            plain => self.set(name, &plain.to_string()),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let name = name.trim_matches('-').to_lowercase().replace('_', "-");
        let value = value.trim().trim_matches(['"', '\'']).trim();
        let name = OLD
            .iter()
            .find(|(old, _)| *old == name)
            .map_or(name.as_str(), |(_, new)| new);
        if name.starts_with("access-token") {
            self.add_tokens(value);
        } else if let Some(known) = NAMES.iter().find(|known| **known == name) {
            if is_placeholder(value) {
                return;
            }
            // The blocklist alone may be a JSON list; elsewhere the last one counts.
            match self.values.get_mut(known) {
                Some(list) if *known == "instance-blocklist" => *list = format!("{list},{value}"),
                _ => {
                    self.values.insert(known, value.to_owned());
                }
            }
        }
    }

    /// A token, or a JSON list of them.
    fn add_tokens(&mut self, value: &str) {
        let list: Vec<String> = match serde_json::from_str::<Vec<String>>(value) {
            Ok(list) => list,
            Err(_) => vec![value.to_owned()],
        };
        for token in list {
            let token = token.trim();
            let known = self.tokens.iter().any(|known| known.expose_secret() == token);
            if !known && is_token(token) {
                self.tokens.push(token.to_owned().into());
            }
        }
    }

    /// `--name=value`, `--name value`, `FF_NAME=value`, `FF_NAME: value`, and the `- name:`/`value:` pairs of Kubernetes.
    fn read_words(&mut self, text: &str) {
        let mut pending: Option<String> = None;
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with('#') || line.starts_with("//") {
                continue;
            }
            if let Some((name, value)) = variable(line) {
                pending = None;
                match name {
                    // Kubernetes: the name stands in one line and the value in the next.
                    "name" => pending = Some(value.to_owned()),
                    _ => self.set_variable(name, value),
                }
            } else if let Some(value) = line.strip_prefix("value:")
                && let Some(name) = pending.take()
            {
                self.set_variable(name.trim(), value);
            }
            let mut words = line
                .split_whitespace()
                .map(|word| word.trim_matches(['\\', ',', '[', ']', '"', '\'']))
                .filter(|word| !word.is_empty())
                .peekable();
            while let Some(word) = words.next() {
                let Some(flag) = word.strip_prefix("--") else { continue };
                match flag.split_once('=') {
                    Some((name, value)) => self.set(name, value),
                    None => {
                        if let Some(value) = words.next_if(|next| !next.starts_with('-')) {
                            self.set(flag, value);
                        }
                    }
                }
            }
        }
    }

    fn set_variable(&mut self, name: &str, value: &str) {
        let name = name.trim_matches(['"', '\'']);
        match name.strip_prefix("FF_") {
            Some(name) => self.set(name, value),
            // Version 1 had the names of its flags in capitals.
            None if name == name.to_uppercase() => self.set(name, value),
            None => {}
        }
    }
}

/// `NAME=value`, `NAME: value`, with `export`, `-` or `- name:` before it.
fn variable(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.strip_prefix("- ").unwrap_or(line).trim();
    let end = line.find(['=', ':'])?;
    let (name, value) = (line[..end].trim(), line[end + 1..].trim());
    let plain = name.trim_matches(['"', '\'']);
    let is_name = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let known = plain == "name" || plain == plain.to_uppercase();
    (is_name && known).then_some((name, value))
}

/// What templates have in place of a value.
fn is_placeholder(value: &str) -> bool {
    value.contains("${") || (value.starts_with('<') && value.ends_with('>'))
}

fn is_token(text: &str) -> bool {
    text.len() >= 8 && !is_placeholder(text) && text.chars().all(|c| c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Options {
        let mut options = Options::default();
        options.read(text).unwrap();
        options
    }

    fn tokens(options: &Options) -> Vec<&str> {
        options.tokens.iter().map(|token| token.expose_secret()).collect()
    }

    #[test]
    fn the_same_settings_in_each_of_their_forms() {
        let forms = [
            // The JSON file of 2 to 8, in either spelling.
            r#"{"server": "mstdn.example", "access-token": ["TOKEN-123", "TOKEN-456"], "home_timeline_length": 200, "from-lists": true}"#,
            r#"{"server": "mstdn.example", "access_token": "[\"TOKEN-123\",\"TOKEN-456\"]", "home-timeline-length": "200", "from_lists": 1}"#,
            // A cron script.
            "# --server=commented.example\npython find_posts.py \\\n --access-token=TOKEN-123 --access-token TOKEN-456 \\\n --server=mstdn.example --home-timeline-length 200 --from-lists=1",
            // Compose.
            "environment:\n  FF_SERVER: \"mstdn.example\"\n  FF_ACCESS_TOKEN: \"TOKEN-123\"\n  FF_ACCESS_TOKEN_2: TOKEN-456\n  FF_HOME_TIMELINE_LENGTH: 200\n  - FF_FROM_LISTS=1",
            // Kubernetes.
            "- name: FF_HOME_TIMELINE_LENGTH\n  value: \"200\"\n- name: FF_FROM_LISTS\n  value: \"1\"\n- name: FF_SERVER\n  value: mstdn.example\n- name: FF_ACCESS_TOKEN\n  value: TOKEN-123\n- name: FF_ACCESS_TOKEN_B\n  value: TOKEN-456",
            // The workflow of version 1.
            "env:\n  MASTODON_SERVER: mstdn.example\n  HOME_TIMELINE_LENGTH: 200\n  FROM_LISTS: 1\n  ACCESS_TOKEN: TOKEN-123\n  run: python find_posts.py --access-token=${{ secrets.X }} --access-token=TOKEN-456",
            // A file of variables.
            "export FF_SERVER='mstdn.example'\nFF_ACCESS_TOKEN=TOKEN-123\nFF_ACCESS_TOKEN_TWO=TOKEN-456\nFF_HOME_TIMELINE_LENGTH=200\nFF_FROM_LISTS=true",
        ];
        for form in forms {
            let options = read(form);
            assert_eq!(options.text("server"), Some("mstdn.example"), "{form}");
            assert_eq!(options.number("home-timeline-length"), Some(200), "{form}");
            assert!(options.is_on("from-lists", false), "{form}");
            assert_eq!(tokens(&options), ["TOKEN-123", "TOKEN-456"], "{form}");
        }
    }

    /// Requirement S8.
    #[test]
    fn the_first_scripts_names_are_known_as_variables_and_as_flags() {
        let numbers = [
            "home-timeline-length",
            "reply-interval-in-hours",
            "max-followings",
            "max-followers",
            "max-follow-requests",
            "max-bookmarks",
            "http-timeout",
            "lock-hours",
        ];
        let texts = ["on-start", "on-done", "on-fail", "user"];
        let mut variables = "MASTODON_SERVER=mstdn.example\nACCESS_TOKEN=TOKEN-123\n".to_owned();
        let mut flags = "python get_context.py --server=mstdn.example --access-token=TOKEN-123".to_owned();
        let values = numbers
            .iter()
            .map(|name| (name, "7"))
            .chain(texts.iter().map(|name| (name, "ada")));
        for (name, value) in values {
            variables += &format!("{}={value}\n", name.to_uppercase().replace('-', "_"));
            flags += &format!(" --{name}={value}");
        }
        for form in [variables, flags] {
            let options = read(&form);
            assert_eq!(options.text("server"), Some("mstdn.example"), "{form}");
            assert_eq!(tokens(&options), ["TOKEN-123"], "{form}");
            for name in numbers {
                assert_eq!(options.number(name), Some(7), "{name} in {form}");
            }
            for name in texts {
                assert_eq!(options.text(name), Some("ada"), "{name} in {form}");
            }
        }
    }

    #[test]
    fn templates_and_odd_values_are_no_settings() {
        let options =
            read("FF_SERVER: \"<SERVER>\"\nFF_ACCESS_TOKEN: \"<TOKEN>\"\n--user=${USER} --max-followings=lots");
        assert_eq!(options.text("server"), None);
        assert!(options.tokens.is_empty());
        assert_eq!((options.text("user"), options.number("max-followings")), (None, None));
        assert!(!format!("{:?}", read("--access-token=SECRET-123")).contains("SECRET"));
        let error = Options::default()
            .read(r#"{"access-token": "SECRET-123", "#)
            .unwrap_err();
        assert!(!format!("{error:#}").contains("SECRET"), "{error:#}");
    }
}
