//! The `[operations.…]` sections.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use job::{Mode, Schedule};
use serde::{Deserialize, Serialize};
use store::notices::Severity;

/// `[operations]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether `egret backup restore` and direct messages may write on servers.
    pub mode: Mode,
    /// Writes in any 24 hours; default: no bound.
    pub quota: Option<u32>,
    /// Where snapshots and dumps are kept. Default: `backups` beside the SQLite file, else in the state folder.
    pub folder: Option<PathBuf>,
    /// `[operations.snapshot]`.
    pub snapshot: Box<Snapshot>,
    /// `[operations.pg_dump]`.
    pub pg_dump: Box<PgDump>,
    /// `[operations.command.NAME]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub command: BTreeMap<String, Command>,
    /// `[operations.freshness]`.
    pub freshness: Box<Freshness>,
    /// `[operations.notify]`.
    pub notify: Box<Notify>,
    /// `[operations.digest]`.
    pub digest: Box<Digest>,
}

job::section! {
    /// `[operations.snapshot]`: what moderators decided, as files.
    pub struct Snapshot(enabled = true, every = "24h", timeout = "2h") {
        /// Also one before blocks from lists are applied.
        pub before_apply: bool = true,
        /// The newest of this many days are kept.
        pub keep_daily: usize = 7,
        /// The newest of this many weeks are kept.
        pub keep_weekly: usize = 4,
    }
}

job::section! {
    /// `[operations.pg_dump]`: dumps of databases, checked.
    pub struct PgDump(enabled = true, every = "24h", timeout = "6h") {
        /// What is dumped, by name.
        pub databases: BTreeMap<String, Database> = BTreeMap::new(),
        /// The program, with what stands before it: `["docker", "exec", "-i", "db", "pg_dump"]`.
        pub pg_dump: Vec<String> = vec!["pg_dump".to_owned()],
        /// The program that reads a dump's table of contents.
        pub pg_restore: Vec<String> = vec!["pg_restore".to_owned()],
        /// The program that counts rows in a scratch database.
        pub psql: Vec<String> = vec!["psql".to_owned()],
        /// The newest of this many days are kept.
        pub keep_daily: usize = 7,
        /// The newest of this many weeks are kept.
        pub keep_weekly: usize = 4,
        /// A dump smaller than this part of the last good one is not believed.
        pub shrink: f64 = 0.7,
        /// People are told when the newest good dump of a database is older than this.
        #[serde(with = "job::section::duration")]
        pub alarm: Duration = Duration::from_secs(26 * 3600),
    }
}

/// `[operations.pg_dump.databases.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// A file that holds `postgres://…` and nothing else.
    pub url_file: PathBuf,
    /// Tables without which a dump is not believed.
    #[serde(default)]
    pub tables: Vec<String>,
    /// A file that holds the address of a database whose user may make databases: each dump is restored there once,
    /// counted and dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scratch_url_file: Option<PathBuf>,
}

job::section! {
    /// `[operations.command.NAME]`: a command of the operator.
    pub struct Command(enabled = true, every = "7d", timeout = "1h") {
        /// The program and its arguments, as they are: no shell reads them.
        pub argv: Vec<String> = Vec::new(),
        /// Where it runs; default: where the daemon does.
        pub folder: Option<PathBuf> = None,
        /// Exit codes that are no failure.
        pub codes: Vec<i32> = vec![0],
        /// People are told when the output does not hold this.
        pub expect: Option<String> = None,
    }
}

job::section! {
    /// `[operations.freshness]`: says when backups are too old, ours and others'.
    pub struct Freshness(enabled = true, every = "1h", timeout = "5m") {
        /// Files that others write, and how old the newest may be.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub files: Vec<Watched> = Vec::new(),
    }
}

/// `[[operations.freshness.files]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// A file, or a folder: its newest file counts.
    pub path: PathBuf,
    /// People are told when it is older.
    #[serde(with = "job::section::duration")]
    pub alarm: Duration,
}

job::section! {
    /// `[operations.notify]`: hands notices to people.
    pub struct Notify(enabled = true, every = "1m", timeout = "5m") {
        /// Where they go.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub channels: Vec<Channel> = Vec::new(),
        /// What happens within this time goes into one message.
        #[serde(with = "job::section::duration")]
        pub gather: Duration = Duration::from_secs(60),
        /// Messages an hour to each channel; what is more waits and goes into the next.
        pub per_hour: u32 = 10,
    }
}

job::section! {
    /// `[operations.digest]`: a week in one message, to channels with `digest = true`.
    pub struct Digest(enabled = true, every = "7d", timeout = "5m") {}
}

/// What carries messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An incoming webhook of Slack (and Mattermost, Rocket.Chat).
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A room of Matrix.
    Matrix,
    /// A letter.
    Mail,
    /// A topic of ntfy.
    Ntfy,
    /// JSON, signed.
    Webhook,
    /// A direct message on a server that we hold a token for.
    Mastodon,
}

/// How much it matters, at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything.
    Info,
    /// What waits for somebody, and what is worse.
    #[default]
    Warning,
    /// What does not work.
    Error,
}

impl Level {
    /// The same as the store has it.
    pub fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

/// `[[operations.notify.channels]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// One word, for the log and `egret notify test`.
    pub name: String,
    /// What carries it.
    pub kind: Kind,
    /// How much it matters, at least.
    #[serde(default)]
    pub severity: Level,
    /// Only these features' (`blocklists`) or events' (`blocklists.plan_waits`) notices; empty: all.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether it gets the weekly digest.
    #[serde(default)]
    pub digest: bool,
    /// Slack, Discord, ntfy, webhook: a file that holds the address. Matrix: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// The same, where the address is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<net::Url>,
    /// Matrix, ntfy: a file that holds the token. Webhook: the secret that signs. Mail: the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// Matrix: the room's id. Mail: addresses. Mastodon: who gets it, `@me@mastodon.example`.
    #[serde(default)]
    pub to: Vec<String>,
    /// Mastodon: which login writes.
    #[serde(default)]
    pub login: String,
    /// Mail: the server, `mail.example.org`.
    #[serde(default)]
    pub host: String,
    /// Mail: its port.
    #[serde(default = "smtps")]
    pub port: u16,
    /// Mail: how it is spoken to.
    #[serde(default)]
    pub tls: net::mail::Tls,
    /// Mail: who we are to it; empty: nobody.
    #[serde(default)]
    pub username: String,
    /// Mail: whom letters are from.
    #[serde(default)]
    pub from: String,
}

fn smtps() -> u16 {
    465
}

impl Channel {
    /// Whether a notice is for it.
    pub fn wants(&self, feature: &str, kind: &str, severity: Severity) -> bool {
        let named = |event: &String| {
            event == feature
                || event
                    .split_once('.')
                    .is_some_and(|(of, what)| of == feature && what == kind)
        };
        severity >= self.severity.severity() && (self.events.is_empty() || self.events.iter().any(named))
    }

    fn validate(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("[[operations.notify.channels]] {:?}: {what}", self.name));
        if self.name.is_empty() || self.name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return wrong("name: must be one word");
        }
        if self.url.is_some() && self.url_file.is_some() {
            return wrong("url and url_file: keep one of them");
        }
        let address = self.url.is_some() || self.url_file.is_some();
        match self.kind {
            Kind::Slack | Kind::Discord | Kind::Ntfy | Kind::Webhook | Kind::Matrix if !address => {
                wrong("url_file: name a file that holds the address")
            }
            Kind::Webhook | Kind::Matrix if self.secret_file.is_none() => wrong("secret_file: is missing"),
            Kind::Matrix if self.to.len() != 1 => wrong("to: must be the id of one room, \"!…:matrix.example\""),
            Kind::Mail if self.host.is_empty() || self.from.is_empty() || self.to.is_empty() => {
                wrong("host, from and to: must be there")
            }
            Kind::Mail if self.username.is_empty() != self.secret_file.is_none() => {
                wrong("username and secret_file: write both or none")
            }
            Kind::Mastodon if self.to.is_empty() || self.login.is_empty() => {
                wrong("login and to: must say who writes to whom")
            }
            _ => Ok(()),
        }
    }
}

impl Config {
    /// Where files are kept.
    pub fn folder(&self, db: &store::Db) -> PathBuf {
        let beside = || db.folder().or_else(|| store::state_folder().ok()).unwrap_or_default();
        self.folder.clone().unwrap_or_else(|| beside().join("backups"))
    }

    /// Every path of a file that the operator names, to be resolved.
    pub fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut paths: Vec<&mut PathBuf> = self.folder.iter_mut().collect();
        for database in self.pg_dump.databases.values_mut() {
            paths.push(&mut database.url_file);
            paths.extend(&mut database.scratch_url_file);
        }
        paths.extend(self.command.values_mut().filter_map(|command| command.folder.as_mut()));
        paths.extend(self.freshness.files.iter_mut().map(|file| &mut file.path));
        for channel in &mut self.notify.channels {
            paths.extend(channel.url_file.iter_mut().chain(&mut channel.secret_file));
        }
        paths
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        for (name, section) in [
            ("operations.snapshot", self.snapshot.section()),
            ("operations.pg_dump", self.pg_dump.section()),
            ("operations.freshness", self.freshness.section()),
            ("operations.notify", self.notify.section()),
            ("operations.digest", self.digest.section()),
        ] {
            section.validate(name)?;
        }
        for (name, daily) in [
            ("operations.snapshot", self.snapshot.keep_daily),
            ("operations.pg_dump", self.pg_dump.keep_daily),
        ] {
            if daily == 0 {
                return Err(format!("[{name}] keep_daily: must be 1 or more"));
            }
        }
        if !(0.0..=1.0).contains(&self.pg_dump.shrink) {
            return Err("[operations.pg_dump] shrink: must be between 0 and 1".to_owned());
        }
        let programs = [&self.pg_dump.pg_dump, &self.pg_dump.pg_restore, &self.pg_dump.psql];
        if programs.iter().any(|program| program.is_empty()) {
            return Err("[operations.pg_dump] pg_dump, pg_restore, psql: name the program".to_owned());
        }
        for name in self.pg_dump.databases.keys().chain(self.command.keys()) {
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
                return Err(format!("[operations] {name:?} must be one word of letters and digits"));
            }
        }
        for (name, command) in &self.command {
            let section = format!("operations.command.{name}");
            command.section().validate(&section)?;
            if command.argv.first().is_none_or(String::is_empty) {
                return Err(format!(
                    "[{section}] argv: must be a list with the program first, such as [\"tootctl\", \"media\", \"remove\"]"
                ));
            }
            if matches!(command.section().schedule, Schedule::Every(every) if every < Duration::from_secs(60)) {
                return Err(format!("[{section}] every: must be a minute or more"));
            }
        }
        if self.notify.per_hour == 0 {
            return Err("[operations.notify] per_hour: must be 1 or more".to_owned());
        }
        let mut names = std::collections::BTreeSet::new();
        for channel in &self.notify.channels {
            channel.validate()?;
            if !names.insert(&channel.name) {
                return Err(format!(
                    "[[operations.notify.channels]] {:?} is there twice",
                    channel.name
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_write_nothing() {
        let config = Config::default();
        config.validate().unwrap();
        assert_eq!(config.mode, Mode::Observe);
        assert!(config.pg_dump.databases.is_empty() && config.command.is_empty());
    }

    fn read(text: &str) -> Result<(), String> {
        serde_json::from_str::<Config>(text)
            .map_err(|error| error.to_string())?
            .validate()
    }

    #[test]
    fn what_cannot_work_is_told_by_its_key() {
        for (text, key) in [
            (r#"{"command": {"media": {}}}"#, "[operations.command.media] argv"),
            (r#"{"command": {"a b": {"argv": ["x"]}}}"#, "one word"),
            (
                r#"{"notify": {"channels": [{"name": "a", "kind": "slack"}]}}"#,
                "url_file",
            ),
            (
                r#"{"notify": {"channels": [{"name": "a", "kind": "mastodon", "to": ["@me"]}]}}"#,
                "login and to",
            ),
            (r#"{"snapshot": {"keep_daily": 0}}"#, "keep_daily"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(key), "{said}");
        }
    }

    #[test]
    fn a_channel_hears_of_what_it_asked_for() {
        let mut channel: Channel = serde_json::from_str(r#"{"name": "a", "kind": "slack"}"#).unwrap();
        assert!(channel.wants("blocklists", "quota", Severity::Warning));
        assert!(!channel.wants("blocklists", "quota", Severity::Info));
        channel.events = vec!["blocklists.plan_waits".into(), "operations".into()];
        assert!(channel.wants("blocklists", "plan_waits", Severity::Error));
        assert!(!channel.wants("blocklists", "quota", Severity::Error));
        assert!(channel.wants("operations", "dump", Severity::Error));
    }
}
