//! FediBlockHole's config as ours, and what will be different.

use std::{collections::BTreeSet, fmt::Write as _};

use toml::{Table, Value};

/// A config of ours, and what changes in behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// TOML for our config file.
    pub text: String,
    /// One line each, for people.
    pub differences: Vec<String>,
}

/// Turns FediBlockHole's TOML into ours.
///
/// # Errors
/// When it is no TOML, with the place and without its text: it may hold tokens.
pub fn fediblockhole(text: &str) -> Result<Imported, String> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
        });
        format!("line {line}: {}", error.message())
    })?;
    let mut import = Import {
        table: &table,
        text: String::new(),
        differences: Vec::new(),
        names: BTreeSet::new(),
    };
    import.lists();
    let policies = import.policies();
    import.outputs(policies);
    import.rest();
    Ok(Imported {
        text: import.text,
        differences: import.differences,
    })
}

struct Import<'t> {
    table: &'t Table,
    text: String,
    differences: Vec<String>,
    names: BTreeSet<String>,
}

impl Import<'_> {
    fn tables(&self, key: &str) -> Vec<Table> {
        let list = self.table.get(key).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(|value| value.as_table().cloned())
            .collect()
    }

    fn say(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.differences.contains(&text) {
            self.differences.push(text);
        }
    }

    /// A word that no other list has: of an address the file's name, unless every list is called so.
    fn name(&mut self, place: &str) -> String {
        let plain = place.split_once("://").map_or(place, |(_, rest)| rest);
        let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
        let file = path.rsplit('/').next().unwrap_or_default();
        let stem = file.split('.').next().unwrap_or_default();
        let word = match stem.to_ascii_lowercase().as_str() {
            "" => host.to_owned(),
            "blocklist" | "blocks" | "list" | "domains" | "domain_blocks" | "index" | "latest" if !host.is_empty() => {
                format!("{host}-{stem}")
            }
            _ => stem.to_owned(),
        };
        let fits = |c: char| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
                c
            } else {
                '-'
            }
        };
        let mut name: String = word.chars().map(fits).collect();
        name.truncate(60);
        let name = name.trim_matches(['.', '-']).to_owned();
        let name = if name.is_empty() { "list".to_owned() } else { name };
        let free = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") });
        let free = free.into_iter().find(|name| !self.names.contains(name)).unwrap_or(name);
        self.names.insert(free.clone());
        free
    }

    fn lists(&mut self) {
        for source in self.tables("blocklist_url_sources") {
            self.published(&source, false);
        }
        for source in self.tables("allowlist_url_sources") {
            self.published(&source, true);
        }
        for source in self.tables("blocklist_instance_sources") {
            let domain = text(&source, "domain");
            let name = self.name(&domain);
            let _ = write!(self.text, "[[blocklists.sources]]\nname = {}\n", quoted(&name));
            let is_admin = source.get("admin").and_then(Value::as_bool) == Some(true);
            if is_admin {
                let _ = writeln!(self.text, "login = {}", quoted(&format!("{domain}/admin")));
                self.say(format!(
                    "{domain} is read with a token: add it as [[servers]] with a login named \"admin\" and a token_file"
                ));
                self.say("blocks that Egret made on a server do not count as that server's own opinion");
            } else {
                let _ = writeln!(self.text, "server = {}", quoted(&domain));
                if source.contains_key("token") || source.contains_key("token_env_var") {
                    self.say(format!(
                        "{domain} was read with a token and is read without one: where it shows its blocks to its own people \
                         only, it cannot be read"
                    ));
                }
                self.say("entries that a server hides behind stars are resolved by their digest; they were thrown away before");
            }
            self.fields(&source);
            self.text.push('\n');
        }
    }

    fn published(&mut self, source: &Table, allow: bool) {
        let url = text(source, "url");
        let name = self.name(&url);
        let _ = write!(self.text, "[[blocklists.sources]]\nname = {}\n", quoted(&name));
        match url.strip_prefix("file://") {
            Some(path) => {
                let _ = writeln!(self.text, "file = {}", quoted(path));
            }
            None => {
                let _ = writeln!(self.text, "url = {}", quoted(&url));
            }
        }
        let format = match text(source, "format").as_str() {
            "rapidblock.json" => Some("rapidblock"),
            "rapidblock.csv" => Some("plain"),
            "json" | "mastodon_api_public" => Some("json"),
            "csv" | "mastodon_csv" | "" => None,
            other => {
                self.say(format!(
                    "the format {other:?} of {name} is not known; it is found out by looking"
                ));
                None
            }
        };
        if let Some(format) = format {
            let _ = writeln!(self.text, "format = {}", quoted(format));
        }
        if allow {
            self.text.push_str("role = \"allow\"\n");
            self.say("an allowed domain also spares what is below it, and a block that would cover it is left out");
        } else {
            // FediBlockHole takes a list without the column for suspensions, and says so nowhere.
            self.text.push_str("default_severity = \"suspend\"\n");
            self.say(
                "an empty severity was taken for noop, and a missing column for suspend; both are default_severity now",
            );
        }
        let most = text(source, "max_severity");
        if !most.is_empty() && most != "suspend" {
            let _ = writeln!(self.text, "max_severity = {}", quoted(&most));
        }
        if !allow {
            self.fields(source);
        }
        self.text.push('\n');
    }

    fn fields(&mut self, source: &Table) {
        let words = |table: &Table| -> Vec<String> {
            let list = table.get("import_fields").and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        let mut fields: Vec<String> = words(self.table);
        fields.extend(words(source));
        let known = [
            "public_comment",
            "private_comment",
            "reject_media",
            "reject_reports",
            "obfuscate",
        ];
        let taken: Vec<&str> = known
            .into_iter()
            .filter(|known| fields.iter().any(|field| field == known))
            .collect();
        let list: Vec<String> = taken.iter().map(|field| quoted(field)).collect();
        let _ = writeln!(self.text, "fields = [{}]", list.join(", "));
    }

    /// Gives how many there are.
    fn policies(&mut self) -> usize {
        let destinations = self.tables("blocklist_instance_destinations");
        let mut policies: Vec<(String, Vec<String>)> = Vec::new();
        for destination in &destinations {
            let most = text(destination, "max_followed_severity");
            let most = if most.is_empty() { "silence".to_owned() } else { most };
            let domain = text(destination, "domain");
            match policies.iter_mut().find(|(known, _)| *known == most) {
                Some((_, domains)) => domains.push(domain.clone()),
                None => policies.push((most, vec![domain.clone()])),
            }
            self.say(format!(
                "{domain} is written to with a token: `egret init https://{domain} --admin` makes a login"
            ));
        }
        if policies.is_empty() {
            policies.push(("silence".to_owned(), Vec::new()));
        }
        let count = policies.len();
        for (n, (most, servers)) in policies.into_iter().enumerate() {
            let name = if count == 1 {
                "default".to_owned()
            } else {
                format!("policy-{}", n + 1)
            };
            let servers: Vec<String> = servers.iter().map(|server| quoted(server)).collect();
            let _ = write!(
                self.text,
                "[[blocklists.policies]]\nname = {}\nservers = [{}]\nmax_followed_severity = {}\n",
                quoted(&name),
                servers.join(", "),
                quoted(&most)
            );
            if text(self.table, "mergeplan") == "min" {
                self.text.push_str("merge = \"min\"\n");
                self.say("under min a list without a column no longer clears the flag that others set");
            }
            let threshold = self
                .table
                .get("merge_threshold")
                .and_then(Value::as_integer)
                .unwrap_or_default();
            if threshold > 0 {
                let key = if text(self.table, "merge_threshold_type") == "pct" {
                    "percent"
                } else {
                    "votes"
                };
                let _ = writeln!(self.text, "{key} = {threshold}");
                self.say("a list that cannot be read votes with its last good copy; before, the whole run failed");
            }
            let stamp = text(self.table, "override_private_comment");
            if !stamp.is_empty() {
                let _ = writeln!(self.text, "stamp = {}", quoted(&stamp));
            }
            self.text.push('\n');
        }
        count
    }

    fn outputs(&mut self, policies: usize) {
        let file = text(self.table, "blocklist_savefile");
        if !file.is_empty() {
            let policy = if policies > 1 { "policy-1" } else { "default" };
            let _ = write!(
                self.text,
                "[[blocklists.outputs]]\nname = \"merged.csv\"\npolicy = {}\nfile = {}\n\n",
                quoted(policy),
                quoted(&file)
            );
            self.say("the saved list has Mastodon's header (#domain, …), so Mastodon imports it as it is");
        }
    }

    fn rest(&mut self) {
        self.text.insert_str(
            0,
            "[blocklists]\n# \"observe\" shows plans; \"act\" carries them out.\nmode = \"observe\"\n\n",
        );
        for key in ["save_intermediate", "savedir", "blocklist_auditfile", "export_fields"] {
            if self.table.contains_key(key) {
                self.say(format!(
                    "{key} has no counterpart: `egret blocks why`, `lists` and `export` show the same"
                ));
            }
        }
        for key in ["no_fetch_url", "no_fetch_instance", "no_push_instance"] {
            if self.table.get(key).and_then(Value::as_bool) == Some(true) {
                self.say(format!(
                    "{key} has no counterpart: leave out what is not wanted, or stay in mode observe"
                ));
            }
        }
        self.say("blocks made by hand are never changed, weaker ones neither: the plan suggests");
        self.say("a block that Egret made is lifted when every list dropped it for a day and three good copies");
        let stamp = text(self.table, "override_private_comment");
        let stamp = if stamp.is_empty() { "TEXT".to_owned() } else { stamp };
        self.say(format!(
            "blocks that FediBlockHole made count as made by hand; `egret blocks adopt --private-comment {}` hands all over \
             whose private comment holds that",
            quoted(&stamp)
        ));
        self.say("nothing is sent before mode is \"act\"; the first large import waits for `egret blocks apply HASH`");
    }
}

fn text(table: &Table, key: &str) -> String {
    table
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    const THEIRS: &str = r#"
        blocklist_instance_sources = [
          { domain = 'public.social' },
          { domain = 'admin.social', admin = true, token = 'SECRET-TOKEN' },
        ]
        blocklist_url_sources = [
          { url = 'file:///etc/fediblockhole/own.csv', format = 'csv' },
          { url = 'https://raw.example-lists.org/x/main/tier0.csv', max_severity = 'silence', import_fields = ['public_comment'] },
          { url = 'https://rapidblock.org/blocklist.json', format = 'rapidblock.json' },
        ]
        allowlist_url_sources = [ { url = 'https://lists.example.org/allow.csv', format = 'csv' } ]
        blocklist_instance_destinations = [
          { domain = 'one.social', token = 'SECRET-TOKEN', max_followed_severity = 'silence' },
          { domain = 'two.social', token_env_var = 'X', max_followed_severity = 'suspend' },
        ]
        mergeplan = 'min'
        merge_threshold = 60
        merge_threshold_type = 'pct'
        override_private_comment = 'Added by Fediblock Sync'
        import_fields = ['reject_media']
        blocklist_savefile = '/var/lib/merged.csv'
        save_intermediate = true
    "#;

    #[test]
    fn their_config_is_a_config_of_ours() {
        let imported = fediblockhole(THEIRS).unwrap();
        let table: Table = toml::from_str(&imported.text).unwrap();
        let config: Config = table["blocklists"].clone().try_into().unwrap();
        config.validate().unwrap();
        assert_eq!(
            (config.sources.len(), config.policies.len(), config.outputs.len()),
            (6, 2, 1)
        );
        assert_eq!(config.policies[0].servers, ["one.social"]);
        assert_eq!(
            (config.policies[1].percent, config.policies[1].max_followed_severity),
            (60, model::Severity::Suspend)
        );
        assert_eq!(config.policies[0].stamp, "Added by Fediblock Sync");
        let capped = config
            .sources
            .iter()
            .find(|source| source.max_severity == model::Severity::Silence)
            .unwrap();
        assert_eq!(capped.fields.len(), 2);
        let names: Vec<&str> = config.sources.iter().map(|source| &*source.name).collect();
        assert_eq!(
            names,
            [
                "own",
                "tier0",
                "rapidblock.org-blocklist",
                "allow",
                "public.social",
                "admin.social"
            ]
        );
        assert_eq!(
            config
                .sources
                .iter()
                .filter(|source| source.role == crate::merge::Role::Allow)
                .count(),
            1
        );
        assert_eq!(config.mode, job::Mode::Observe);
        assert!(!imported.text.contains("SECRET") && !imported.differences.concat().contains("SECRET"));
        assert!(imported.differences.len() > 6, "{:?}", imported.differences);
    }

    /// A list may be called what the only policy is called.
    #[test]
    fn what_is_saved_is_a_policys() {
        let text = r#"
            blocklist_url_sources = [ { url = 'https://lists.example.org/default.csv' } ]
            blocklist_instance_destinations = [
              { domain = 'one.social', max_followed_severity = 'silence' },
              { domain = 'two.social', max_followed_severity = 'suspend' },
            ]
            blocklist_savefile = '/var/lib/merged.csv'
        "#;
        let table: Table = toml::from_str(&fediblockhole(text).unwrap().text).unwrap();
        let config: Config = table["blocklists"].clone().try_into().unwrap();
        config.validate().unwrap();
        assert_eq!(config.outputs[0].policy, config.policies[0].name);
    }

    #[test]
    fn a_broken_config_is_named_by_its_line() {
        let error = fediblockhole("mergeplan = 'max'\ntoken = 'SECRET\n").unwrap_err();
        assert!(error.contains("line 2") && !error.contains("SECRET"), "{error}");
    }
}
