//! The `[net]` section.

use std::{path::PathBuf, time::Duration};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

/// How Egret behaves on the network. `config/example.toml` explains each key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sent with every request; `{version}` is replaced.
    pub user_agent: String,
    /// Addresses that may be connected to although they are not public; plain http is allowed there.
    pub allow: Vec<IpNet>,
    /// A PEM file of certificate authorities to trust beside the public ones.
    pub extra_ca_file: Option<PathBuf>,
    /// Domains (subdomains included), addresses and address ranges that are never asked anything.
    pub blocklist: Vec<String>,
    /// Requests in flight over all hosts.
    pub concurrency: usize,
    /// Requests in flight to one origin.
    pub origin_concurrency: usize,
    /// Requests a minute to one origin.
    pub origin_per_minute: u32,
    /// Requests in flight to one server that we hold a token for.
    pub server_concurrency: usize,
    /// Requests in five minutes with one token, until the server's own headers say otherwise.
    pub token_per_five_minutes: u32,
    /// Requests with a cursor in fifteen minutes with one token.
    pub paging_per_fifteen_minutes: u32,
    /// From sending to the last byte.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// To open a connection.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// The longest that a server's rate-limit answer is obeyed for. An origin that wants more than a minute is asked
    /// nothing meanwhile.
    #[serde(with = "humantime_serde")]
    pub longest_wait: Duration,
    /// Attempts at a request that may be repeated, the first included.
    pub attempts: u32,
    /// Whether origins' robots.txt is asked for and obeyed, its `Crawl-delay` (up to a minute) included.
    pub robots: bool,
    /// `[net.actor]`.
    pub actor: ActorConfig,
}

/// `[net.actor]`: an actor of our own, for servers that answer only requests that are signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActorConfig {
    /// The public address at which other servers find it: `https://egret.example`. None: nothing is signed.
    pub url: Option<Url>,
    /// Its name there: `@name@egret.example`.
    pub name: String,
    /// Its private key, which `egret init --actor` makes.
    pub key_file: Option<PathBuf>,
}

impl Default for ActorConfig {
    fn default() -> Self {
        Self {
            url: None,
            name: "egret".into(),
            key_file: None,
        }
    }
}

impl ActorConfig {
    /// Checks what types cannot.
    ///
    /// # Errors
    /// One line that names the key and what to do.
    pub fn validate(&self) -> Result<(), String> {
        let Some(url) = &self.url else {
            return match &self.key_file {
                Some(_) => {
                    Err("[net.actor] url: is missing; write the public address, such as https://egret.example".into())
                }
                None => Ok(()),
            };
        };
        if !matches!(url.scheme(), "http" | "https")
            || url.host_str().is_none()
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err("[net.actor] url: must be a server without a path, such as https://egret.example".into());
        }
        if self.key_file.is_none() {
            return Err("[net.actor] key_file: is missing; `egret init --actor` makes the key".into());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if self.name.is_empty() || self.name.len() > 30 || !self.name.chars().all(plain) {
            return Err(format!(
                "[net.actor] name: {:?} must be one word of letters, digits and _",
                self.name
            ));
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: "Egret/{version} (+https://github.com/egret-fediverse/egret)".into(),
            allow: Vec::new(),
            extra_ca_file: None,
            blocklist: Vec::new(),
            concurrency: 32,
            origin_concurrency: 1,
            origin_per_minute: 30,
            server_concurrency: 2,
            token_per_five_minutes: 300,
            paging_per_fifteen_minutes: 300,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            longest_wait: Duration::from_secs(15 * 60),
            attempts: 3,
            robots: true,
            actor: ActorConfig::default(),
        }
    }
}
