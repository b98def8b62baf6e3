//! `EGRET__A__B=value` as a layer of the config.
//!
//! Written by hand instead of the config crate's own source for two reasons: its parsing turns a token `007` into the
//! number 7, and lists need to know which keys are lists.

use std::{collections::HashSet, ffi::OsString};

use config::{ConfigError, Map, Source, Value, ValueKind};

/// Variables whose name starts so belong to the config.
const PREFIX: &str = "EGRET__";

/// And these are known besides.
const KNOWN: [&str; 1] = ["EGRET_CONFIG"];

/// The environment, as a layer.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    variables: Vec<(String, String)>,
    kinds: Kinds,
}

/// Keys whose text is read in a way of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    /// Split at commas, such as `net.allow`.
    pub(super) lists: HashSet<String>,
    /// Yes or no. An empty variable is a no: that is how compose files and charts leave a thing out.
    pub(super) booleans: HashSet<String>,
}

/// Variables that look as if they were meant for the config, and are not: nobody reads `EGRET_WEB_LISTEN`.
pub(super) fn strays(variables: &[(OsString, OsString)]) -> Vec<String> {
    let names = variables.iter().filter_map(|(name, _)| name.to_str());
    names
        .filter(|name| name.starts_with("EGRET_") && !name.starts_with(PREFIX) && !KNOWN.contains(name))
        .map(|name| {
            let meant = name.trim_start_matches("EGRET_").replace('_', "__");
            format!(
                "the environment variable {name} is not read: keys are joined by two underscores, as in {PREFIX}{meant}"
            )
        })
        .collect()
}

impl Environment {
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>, kinds: Kinds) -> Self {
        let variables = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        Self { variables, kinds }
    }

    /// The names of the variables that belong to the config.
    pub(super) fn names(&self) -> Vec<String> {
        self.variables.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The same layer without one of them.
    pub(super) fn without(&self, name: &str) -> Self {
        let mut rest = self.clone();
        rest.variables.retain(|(known, _)| known != name);
        rest
    }
}

impl Source for Environment {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let mut map = Map::new();
        for (name, text) in &self.variables {
            let key = key(&name[PREFIX.len()..]);
            let origin = format!("the environment variable {name}");
            let kind = if self.kinds.booleans.contains(&key) && text.trim().is_empty() {
                ValueKind::Boolean(false)
            } else if self.kinds.lists.contains(&key) || key.ends_with(".logins") {
                ValueKind::Array(
                    text.split(',')
                        .map(str::trim)
                        .filter(|item| !item.is_empty())
                        .map(|item| Value::new(Some(&origin), ValueKind::String(item.to_owned())))
                        .collect(),
                )
            } else {
                ValueKind::String(text.clone())
            };
            map.insert(key, Value::new(Some(&origin), kind));
        }
        Ok(map)
    }
}

/// `SERVERS__0__URL` to `servers[0].url`.
fn key(name: &str) -> String {
    let mut key = String::new();
    for part in name.split("__") {
        if !key.is_empty() && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            key.push_str(&format!("[{part}]"));
            continue;
        }
        if !key.is_empty() {
            key.push('.');
        }
        key.push_str(&part.to_lowercase());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_keys() {
        assert_eq!(key("REPLIES__HOME__EVERY"), "replies.home.every");
        assert_eq!(
            key("SERVERS__0__LOGINS__1__TOKEN_FILE"),
            "servers[0].logins[1].token_file"
        );
    }
}
