//! The root of the config: it assembles the sections that each room owns, and holds the daemon's own.

mod effective;
mod environment;
mod keep;
mod load;
mod secrets;

pub use effective::effective;
pub use keep::Keep;
pub use load::{Layers, load};
pub use secrets::{Token, read_token, read_webhook_secrets, resolve_path};

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use url::Url;

/// Everything the operator can say. `config/example.toml` explains each key.
///
/// The features' sections are boxes: unoptimised code keeps several copies of what it moves on the stack, and a thread
/// of the runtime has two megabytes of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `[store]`
    pub store: store::Config,
    /// `[net]`
    pub net: Box<net::Config>,
    /// `[web]`
    pub web: Box<web::Config>,
    /// `[run]`
    pub run: Run,
    /// `[keep]`
    pub keep: Keep,
    /// `[log]`
    pub log: Log,
    /// `[[servers]]`
    #[serde(skip_serializing)]
    pub servers: Vec<Server>,
    /// `[replies]`
    pub replies: Box<replies::Config>,
    /// `[backfill]`
    pub backfill: Box<backfill::Config>,
    /// `[archive]`
    pub archive: Box<archive::Config>,
    /// `[registrations]`
    pub registrations: Box<registrations::Config>,
    /// `[blocklists]`
    pub blocklists: Box<blocklists::Config>,
    /// `[metering]`
    pub metering: Box<metering::Config>,
    /// `[moderation]`
    pub moderation: Box<moderation::Config>,
    /// `[operations]`
    pub operations: Box<operations::Config>,
    /// The file it came from, for messages; `None` when there was none.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// What is odd about where it came from, for the log.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// Which layer each value came from that is not a default, by key.
    #[serde(skip)]
    pub origins: BTreeMap<String, String>,
}

/// `[run]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Run {
    /// How long runs may take to reach their next page when the daemon is told to stop.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// How long a process that says nothing keeps what it works on from others.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            drain: Duration::from_secs(30),
            lease: Duration::from_secs(60),
        }
    }
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// As in `RUST_LOG`: `info`, `info,net=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Auto,
            level: "info".into(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `[[servers]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `https://mastodon.example`.
    pub url: Url,
    /// Tokens that we hold there.
    #[serde(default)]
    pub logins: Vec<Login>,
    /// Files that hold a secret of a webhook each; any one will do, so that one can take the place of another.
    #[serde(default)]
    pub webhook_secret_files: Vec<PathBuf>,
}

impl Server {
    /// `host[:port]`, as in the store.
    pub fn host(&self) -> String {
        match (self.url.host_str(), self.url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => String::new(),
        }
    }
}

/// `[[servers.logins]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// One word, for `logins = ["me"]` in a job's section.
    pub name: String,
    /// A file that holds the token and nothing else.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// The token itself: meant for the environment, never for the file.
    #[serde(default)]
    pub token: Option<net::Secret>,
}

impl Config {
    /// Checks what types cannot. Each message names the key and what to do.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> anyhow::Result<()> {
        telemetry_level(&self.log.level)?;
        if self.run.lease < Duration::from_secs(1) {
            bail!("[run] lease: must be a second or more; less than the store needs to answer is no lease");
        }
        self.keep.validate()?;
        let mut hosts = HashSet::new();
        for (index, server) in self.servers.iter().enumerate() {
            let url = &server.url;
            if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
                bail!("servers[{index}].url: \"{url}\" is not the address of a server; write https://your.server");
            }
            if !url.username().is_empty() || url.password().is_some() {
                bail!(
                    "servers[{index}].url must not hold a name or a password; a login's token goes into its token_file"
                );
            }
            if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
                bail!(
                    "servers[{index}].url: \"{url}\" is a page; write only the server, as in {}",
                    url.origin().ascii_serialization()
                );
            }
            if !hosts.insert(server.host()) {
                bail!(
                    "servers[{index}].url: {} is there twice; put all logins under one [[servers]]",
                    server.host()
                );
            }
            let mut names = HashSet::new();
            for login in &server.logins {
                if login.name.is_empty() || login.name.contains(['/', ',']) || login.name.contains(char::is_whitespace)
                {
                    bail!(
                        "servers[{index}].logins: the name {:?} must be one word without a slash or a comma",
                        login.name
                    );
                }
                if !names.insert(&login.name) {
                    bail!(
                        "servers[{index}].logins: {} has two logins named {:?}; give each a name of its own",
                        server.host(),
                        login.name
                    );
                }
                match (&login.token_file, &login.token) {
                    (None, None) => bail!(
                        "servers[{index}].logins: {:?} has no token; set token_file to a file that holds it",
                        login.name
                    ),
                    (Some(_), Some(_)) => bail!(
                        "servers[{index}].logins: {:?} has both token and token_file; keep token_file",
                        login.name
                    ),
                    _ => {}
                }
            }
        }
        let hosts: Vec<String> = self.servers.iter().map(Server::host).collect();
        self.net.actor.validate().map_err(anyhow::Error::msg)?;
        self.web
            .validate(&hosts)
            .map_err(anyhow::Error::msg)
            .context("in [web]")?;
        self.replies
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [replies]")?;
        self.backfill
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [backfill]")?;
        self.archive
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [archive]")?;
        self.moderation
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [moderation]")?;
        self.registrations
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [registrations]")?;
        self.blocklists
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [blocklists]")?;
        self.metering
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [metering]")?;
        self.operations
            .validate()
            .map_err(anyhow::Error::msg)
            .context("in [operations]")
    }

    /// Policies that name a server which is none of ours. Whoever misspells one gets another policy for it, and hears of it.
    fn strangers(&self) -> Vec<String> {
        let ours: Vec<String> = self.servers.iter().map(Server::host).collect();
        let policies = &self.blocklists.policies;
        let named = policies
            .iter()
            .flat_map(|it| it.servers.iter().map(|server| (&it.name, server)));
        named
            .filter(|(_, server)| !ours.contains(server))
            .map(|(policy, server)| {
                format!("[[blocklists.policies]] {policy:?} names {server:?}, which is no host of [[servers]]: it is for nobody")
            })
            .collect()
    }

    /// Keys that a reload cannot change, of those that differ in `new`.
    pub fn needs_restart(&self, new: &Self) -> Vec<&'static str> {
        let mut keys = Vec::new();
        if self.store != new.store {
            keys.push("[store]");
        }
        if self.web != new.web {
            keys.push("[web]");
        }
        if self.log != new.log {
            keys.push("[log]");
        }
        keys
    }
}

fn telemetry_level(level: &str) -> anyhow::Result<()> {
    tracing_subscriber::EnvFilter::try_new(level)
        .map(drop)
        .with_context(|| format!("[log] level: {level:?} is not a level; write error, warn, info, debug or trace"))
}

#[cfg(test)]
mod tests;
