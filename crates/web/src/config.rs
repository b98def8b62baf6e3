//! The `[web]` section.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use net::Url;
use serde::{Deserialize, Serialize};

/// `[web]`: where the pages are, and who may see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How browsers reach us: `https://egret.example`. Servers send people back here. Default: `http://` and `listen`.
    pub url: Option<Url>,
    /// Names by which a reverse proxy calls us besides that of `url`. While `listen` is loopback a request for any
    /// other name is refused: a page elsewhere could otherwise point its own name at this machine and read what is
    /// shown here.
    pub hosts: Vec<String>,
    /// Of `[[servers]]`, those whose people may sign in, as `host` or `host:port`; empty means all.
    pub servers: Vec<String>,
    /// Accounts, `user@host`, that may do everything whatever their role at their server says. With several servers, only
    /// they may change what is the daemon's as a whole.
    pub admins: Vec<String>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpNet>,
    /// Who may read `/metrics`.
    pub metrics: Metrics,
    /// Nobody has to sign in: whoever reaches `listen` may do everything.
    pub open_to_everybody: bool,
    /// All logins are of the one person who runs this: the link of `egret login` and tokens with `admin` show what all of
    /// them keep in the archive, direct messages too. With a single login that is so anyway.
    pub one_person: bool,
}

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metrics {
    /// Programs on this machine, unless `url` is for others; and whoever has a token or signed in.
    Local,
    /// Whoever has a token or signed in.
    Token,
    /// Everybody.
    Open,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8470).into(),
            url: None,
            hosts: Vec::new(),
            servers: Vec::new(),
            admins: Vec::new(),
            proxies: Vec::new(),
            metrics: Metrics::Local,
            open_to_everybody: false,
            one_person: false,
        }
    }
}

impl Config {
    /// Checks what types cannot. `servers` are all of `[[servers]]`, as `host[:port]`. Each message names the key and
    /// what to do.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self, servers: &[String]) -> Result<(), String> {
        if let Some(url) = &self.url {
            check_url(url)?;
        }
        for name in &self.servers {
            if !servers.contains(name) {
                return Err(format!(
                    "servers: {name:?} is none of [[servers]]; write its host, as in its url"
                ));
            }
        }
        for admin in &self.admins {
            let known = admin.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && servers.iter().any(|server| server == host) && self.lets_in(host)
            });
            if !known {
                return Err(format!(
                    "admins: {admin:?} is not an account of one of [[servers]] that people sign in with; write user@host, \
                     with the host as in the server's url"
                ));
            }
        }
        if self.listen.ip().is_loopback() || self.open_to_everybody {
            return Ok(());
        }
        let missing = match &self.url {
            None => "url says how browsers reach Egret",
            Some(_) if servers.is_empty() => "a [[servers]] vouches for them",
            Some(_) => return Ok(()),
        };
        Err(format!(
            "listen = \"{}\" can be reached by others, who have to sign in, and cannot until {missing}. Set it; or listen \
             on 127.0.0.1; or, where something in front asks for a password, set open_to_everybody = true",
            self.listen
        ))
    }

    /// Whether people of this server may sign in.
    pub(crate) fn lets_in(&self, server: &str) -> bool {
        self.servers.is_empty() || self.servers.iter().any(|name| name == server)
    }

    /// How browsers reach us, given where we really listen.
    ///
    /// # Errors
    /// Never, as far as is known: an address with `http://` before it is one for browsers.
    pub fn base(&self, address: SocketAddr) -> Result<Url, url::ParseError> {
        self.url.clone().map_or_else(|| format!("http://{address}").parse(), Ok)
    }
}

fn check_url(url: &Url) -> Result<(), String> {
    let (Some(host), "http" | "https") = (url.host_str(), url.scheme()) else {
        return Err(format!(
            "url: \"{url}\" is not an address for browsers; write https://egret.example"
        ));
    };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("url must not have a path: Egret wants a name of its own, as in https://egret.example".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("url must not hold a name or a password".into());
    }
    if url.scheme() == "http" && !is_this_machine(host) {
        return Err(format!(
            "url = \"{url}\" would carry everybody's session in clear; put a reverse proxy in front that speaks https"
        ));
    }
    Ok(())
}

/// Whether a name or address means the machine itself, whoever reads it.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Config)) -> Result<(), String> {
        let mut config = Config::default();
        change(&mut config);
        config.validate(&["mastodon.example".to_owned()])
    }

    fn url(text: &str) -> Option<Url> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn others_may_reach_us_only_where_they_can_sign_in() {
        let everywhere = "0.0.0.0:8470".parse().unwrap();
        let refused = check(|config| config.listen = everywhere).unwrap_err();
        assert!(refused.contains("url") && refused.contains("127.0.0.1"), "{refused}");
        check(|config| {
            config.listen = everywhere;
            config.url = url("https://egret.example");
        })
        .unwrap();
        check(|config| {
            config.listen = everywhere;
            config.open_to_everybody = true;
        })
        .unwrap();
        let config = Config {
            listen: everywhere,
            url: url("https://egret.example"),
            ..Config::default()
        };
        assert!(config.validate(&[]).unwrap_err().contains("[[servers]]"));
    }

    #[test]
    fn sessions_do_not_travel_in_clear() {
        for bad in [
            "http://egret.example",
            "https://egret.example/x",
            "https://a:b@egret.example",
            "ftp://egret.example",
            "https://egret.example/?a",
        ] {
            assert!(check(|config| config.url = url(bad)).is_err(), "{bad}");
        }
        for good in ["https://egret.example", "http://localhost:8470", "http://[::1]:8470/"] {
            check(|config| config.url = url(good)).unwrap();
        }
    }

    #[test]
    fn names_are_those_of_our_servers() {
        assert!(check(|config| config.servers = vec!["else.example".into()]).is_err());
        for bad in ["alice", "@mastodon.example", "alice@else.example"] {
            assert!(check(|config| config.admins = vec![bad.into()]).is_err(), "{bad}");
        }
        check(|config| config.admins = vec!["alice@mastodon.example".into()]).unwrap();
    }
}
