//! The config as it holds, for looking at: every key, secrets masked, and which layer its value came from.

use std::collections::BTreeMap;

use config::{Value, ValueKind};
use url::Url;
use web::Setting;

use super::{Config, Server};

/// Words in a key whose text may be a secret. (Numbers are not: `token_per_five_minutes` is none.)
const SECRET: [&str; 4] = ["token", "secret", "password", "key"];

/// Where each value came from that is not a default, by key.
pub(super) fn origins(cache: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect("", cache, &mut found);
    found
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match &value.kind {
        ValueKind::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                collect(&path, value, found);
            }
        }
        ValueKind::Array(items) => {
            if let Some(first) = items.first() {
                found.insert(path.to_owned(), origin(first));
            }
            for (n, item) in items.iter().enumerate() {
                collect(&format!("{path}[{n}]"), item, found);
            }
        }
        _ => {
            found.insert(path.to_owned(), origin(value));
        }
    }
}

fn origin(value: &Value) -> String {
    value.origin().map_or_else(|| "a flag".to_owned(), str::to_owned)
}

/// Every key with its value and where it came from.
pub fn effective(config: &Config) -> Vec<Setting> {
    let mut settings = Vec::new();
    let source = |key: &str| {
        let origin = config.origins.get(key);
        origin.cloned().unwrap_or_else(|| "default".to_owned())
    };
    let mut add = |key: String, value: String| {
        settings.push(Setting {
            source: source(&key),
            key,
            value,
        })
    };
    match toml::Value::try_from(config) {
        Ok(value) => walk("", &value, &mut add),
        Err(error) => add("config".to_owned(), format!("cannot be shown: {error}")),
    }
    for (n, server) in config.servers.iter().enumerate() {
        servers(n, server, &mut add);
    }
    settings
}

fn servers(n: usize, server: &Server, add: &mut impl FnMut(String, String)) {
    add(format!("servers[{n}].url"), server.url.to_string());
    for (m, login) in server.logins.iter().enumerate() {
        let key = format!("servers[{n}].logins[{m}]");
        add(format!("{key}.name"), login.name.clone());
        if let Some(file) = &login.token_file {
            add(format!("{key}.token_file"), file.display().to_string());
        }
        if login.token.is_some() {
            add(format!("{key}.token"), "…".to_owned());
        }
    }
}

fn walk(path: &str, value: &toml::Value, add: &mut impl FnMut(String, String)) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(&path, value, add);
            }
        }
        // A list of tables has keys of its own; other lists are one value.
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            for (n, item) in items.iter().enumerate() {
                walk(&format!("{path}[{n}]"), item, add);
            }
        }
        value => add(path.to_owned(), shown(path, value)),
    }
}

/// A value as it may be shown.
fn shown(key: &str, value: &toml::Value) -> String {
    let toml::Value::String(text) = value else {
        return value.to_string();
    };
    let name = key.rsplit('.').next().unwrap_or(key);
    let secret = SECRET.iter().any(|word| name.contains(word)) && !name.ends_with("_file");
    match Url::parse(text) {
        _ if secret => "…".to_owned(),
        // Whoever knows a callback's path can pretend to be us.
        Ok(url) if name.starts_with("on_") => format!("{}/…", url.origin().ascii_serialization()),
        Ok(url) if has_secret(&url) => percent(masked(url).as_str()),
        _ => text.clone(),
    }
}

/// A parameter of an address whose value is a secret: Postgres takes its password so, too.
fn is_secret(parameter: &str) -> bool {
    let parameter = parameter.to_ascii_lowercase();
    SECRET.iter().any(|word| parameter.contains(word))
}

fn has_secret(url: &Url) -> bool {
    url.password().is_some() || url.query_pairs().any(|(name, _)| is_secret(&name))
}

fn masked(mut url: Url) -> Url {
    if url.password().is_some() {
        // Refused for addresses that cannot have one, and those have none.
        let _ = url.set_password(Some("…"));
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let shown = pairs.iter().map(|(name, value)| match is_secret(name) {
            true => (name.as_str(), "…"),
            false => (name.as_str(), value.as_str()),
        });
        url.query_pairs_mut().clear().extend_pairs(shown);
    }
    url
}

/// The mask as people read it: an address writes it in percents.
fn percent(url: &str) -> String {
    url.replace("%E2%80%A6", "…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layers, load};

    #[test]
    fn every_key_says_where_it_came_from_and_secrets_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("egret.toml");
        let text = "[store]\nurl = \"postgres://egret:hunter2@db.example/egret\"\n\
                    [replies.home]\nevery = \"20m\"\non_done = \"https://hc.example/ping/hush\"\n\
                    [[blocklists.sources]]\nname = \"a\"\nurl = \"https://lists.example/l.csv?of=all&token=hush\"\n\
                    [[servers]]\nurl = \"https://a.example\"\n[[servers.logins]]\nname = \"me\"\ntoken = \"hush-hush\"\n";
        std::fs::write(&file, text).unwrap();
        let layers = Layers {
            file: Some(file.clone()),
            environment: vec![("EGRET__NET__ALLOW".into(), "127.0.0.0/8".into())],
            flags: vec![("web.listen", "127.0.0.1:1".to_owned())],
        };
        let settings = effective(&load(&layers).unwrap());
        let find = |key: &str| {
            let found = settings.iter().find(|setting| setting.key == key);
            let found = found.unwrap_or_else(|| panic!("{key}: {settings:#?}"));
            (found.value.as_str(), found.source.as_str())
        };
        let in_file = file.display().to_string();
        assert_eq!(find("replies.home.every").0, "20m");
        assert!(
            in_file.ends_with(find("replies.home.every").1.trim_start_matches("../")),
            "{}",
            find("replies.home.every").1
        );
        assert_eq!(find("replies.home.length"), ("200", "default"));
        assert_eq!(find("store.url").0, "postgres://egret:…@db.example/egret");
        let source = find("blocklists.sources[0].url").0;
        assert_eq!(source, "https://lists.example/l.csv?of=all&token=…");
        assert_eq!(find("replies.home.on_done").0, "https://hc.example/…");
        assert_eq!(find("net.token_per_five_minutes").0, "300");
        assert!(find("net.allow").1.contains("EGRET__NET__ALLOW"));
        assert_eq!(find("web.listen").1, "a flag");
        assert_eq!(find("servers[0].logins[0].token").0, "…");
        let all = format!("{settings:?}");
        assert!(!all.contains("hunter2") && !all.contains("hush"), "{all}");
    }
}
