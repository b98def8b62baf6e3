//! Which addresses may be asked. Every URL that reaches this crate may have been written by a stranger, so
//! nothing private, nothing local and nothing but the web's own ports is ever connected to, unless the operator
//! names the address in `[net] allow`.
//!
//! Two ways lead out. The *outer* one speaks https to public addresses on port 443. The *inner* one is for what
//! `allow` names: plain http, any port, any name, but each address must be in `allow`. The address is judged at
//! the moment of connecting ([`Screen`] hands the connector only judged addresses), so a name that changes its
//! mind between two look-ups gains nothing.

mod address;
mod mx;

use std::{
    collections::BTreeSet,
    error::Error as StdError,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use ipnet::IpNet;
use model::{Domain, Host};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::{Config, Error};

/// Finds the addresses of a name. The operating system does, unless a test wants to be the network.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `name`.
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

    /// The hosts that take mail for `name`, most wanted first. Nobody is connected to for having been named here.
    fn mail_hosts(&self, _name: String) -> BoxFuture<'static, io::Result<Vec<String>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|a| a.ip()).collect()) })
    }

    fn mail_hosts(&self, name: String) -> BoxFuture<'static, io::Result<Vec<String>>> {
        Box::pin(mx::mail_hosts(name))
    }
}

/// Which of the two ways a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// https to public addresses.
    Outer,
    /// Whatever scheme and port, to addresses in `allow`.
    Inner,
}

/// A URL that passed, and how it is to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) host: Host,
    pub(crate) way: Way,
}

/// The rules, shared by the check before a request and by the resolver.
pub(crate) struct Guard {
    allow: Vec<IpNet>,
    blocklist: BTreeSet<Domain>,
    blocked: Vec<IpNet>,
    lookup: Arc<dyn Lookup>,
    patience: Duration,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("allow", &self.allow)
            .finish_non_exhaustive()
    }
}

impl Guard {
    pub(crate) fn new(config: &Config, lookup: Arc<dyn Lookup>) -> Result<Self, Error> {
        let (mut blocklist, mut blocked) = (BTreeSet::new(), Vec::new());
        for entry in &config.blocklist {
            if let Some(net) = net_of(entry) {
                blocked.push(net);
                continue;
            }
            let domain = Domain::parse(entry).map_err(|error| Error::Config {
                key: "blocklist",
                reason: format!(
                    "{error}; list names such as `bad.example` and addresses such as `203.0.113.7`, without scheme, port or `*.`"
                ),
            })?;
            blocklist.insert(domain);
        }
        Ok(Self {
            allow: config.allow.clone(),
            blocklist,
            blocked,
            lookup,
            patience: config.connect_timeout,
        })
    }

    pub(crate) async fn mail_hosts(&self, domain: &Domain) -> io::Result<Vec<String>> {
        self.lookup.mail_hosts(domain.as_str().to_owned()).await
    }

    pub(crate) fn is_blocked(&self, host: &Host) -> bool {
        match (host.domain(), address_of(host.as_str())) {
            (Some(domain), _) => parents(domain.as_str()).any(|parent| self.holds(parent)),
            (None, Some(ip)) => self.is_blocked_address(ip),
            (None, None) => false,
        }
    }

    fn holds(&self, name: &str) -> bool {
        Domain::parse(name).is_ok_and(|domain| self.blocklist.contains(&domain))
    }

    fn is_blocked_address(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.blocked.iter().any(|net| net.contains(&ip))
    }

    fn is_allowed(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allow.iter().any(|net| net.contains(&ip))
    }

    /// Judges a URL before it is asked. Plain http to a public host becomes https: no post is worth telling the
    /// whole path what is being read, and every server of the fediverse speaks https.
    pub(crate) async fn check(&self, url: &Url) -> Result<Target, Error> {
        let refuse = |reason: &str| {
            Err(Error::Refused {
                url: plain(url),
                reason: reason.to_owned(),
            })
        };
        if !matches!(url.scheme(), "https" | "http") {
            return refuse("the scheme is neither https nor http");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it carries a user name or password");
        }
        let Ok(host) = Host::of(url) else {
            return refuse("it names no host");
        };
        if self.is_blocked(&host) {
            return Err(Error::Blocked(host));
        }
        let mut url = url.clone();
        url.set_fragment(None);

        let literal = match url.host() {
            Some(url::Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(url::Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        if let Some(ip) = literal {
            return match self.is_allowed(ip) {
                true => Ok(Target {
                    url,
                    host,
                    way: Way::Inner,
                }),
                false if address::is_public(ip) => refuse("a bare address is nobody's server"),
                false => refuse("the address is not public"),
            };
        }

        let name = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        let special = is_special(&name);
        let ordinary = url.scheme() == "https" && url.port().is_none() && !special;
        if ordinary {
            return Ok(Target {
                url,
                host,
                way: Way::Outer,
            });
        }
        if self.is_inside(&name).await {
            return Ok(Target {
                url,
                host,
                way: Way::Inner,
            });
        }
        if special {
            return refuse("the name is not a public one");
        }
        if url.port().is_some() {
            return refuse("the port is not the web's own");
        }
        if url.set_scheme("https").is_err() {
            return refuse("plain http cannot be upgraded");
        }
        Ok(Target {
            url,
            host,
            way: Way::Outer,
        })
    }

    /// Whether all addresses of a name are in `allow`. Without an `allow` nothing is looked up.
    async fn is_inside(&self, name: &str) -> bool {
        if self.allow.is_empty() {
            return false;
        }
        match tokio::time::timeout(self.patience, self.lookup.lookup(name.to_owned())).await {
            Ok(Ok(found)) => !found.is_empty() && found.iter().all(|ip| self.is_allowed(*ip)),
            _ => false,
        }
    }

    /// The addresses of `name` if the way may use all of them. One bad address refuses the name: an honest
    /// server has none.
    async fn resolve(&self, name: &str, way: Way) -> Result<Vec<IpAddr>, Box<dyn StdError + Send + Sync>> {
        let found = self.lookup.lookup(name.to_owned()).await?;
        if found.is_empty() {
            return Err("the name has no address".into());
        }
        let permits = |ip: IpAddr| self.is_allowed(ip) || (way == Way::Outer && address::is_public(ip));
        let why = |ip: &IpAddr| match *ip {
            ip if self.is_blocked_address(ip) => Some(Forbidden::Blocked(ip)),
            ip if !permits(ip) => Some(Forbidden::Private(ip)),
            _ => None,
        };
        match found.iter().find_map(why) {
            Some(forbidden) => Err(Box::new(forbidden)),
            None => Ok(found),
        }
    }
}

/// `203.0.113.7`, `203.0.113.0/24`, `2001:db8::7` or `[2001:db8::7]`.
fn net_of(entry: &str) -> Option<IpNet> {
    let entry = entry.trim();
    entry.parse().ok().or_else(|| address_of(entry).map(IpNet::from))
}

/// The address that a host is, if it is a bare one: `203.0.113.7:8443`, `[2001:db8::7]`.
fn address_of(host: &str) -> Option<IpAddr> {
    let ip: IpAddr = host
        .parse()
        .ok()
        .or_else(|| host.parse::<SocketAddr>().ok().map(|both| both.ip()))
        .or_else(|| host.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(ip.to_canonical())
}

/// A name resolved to an address that may not be connected to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Forbidden {
    #[error("the name leads to {0}, which is not public")]
    Private(IpAddr),
    #[error("the name leads to {0}, which is on the blocklist")]
    Blocked(IpAddr),
}

/// The guard as reqwest's resolver, for one way.
pub(crate) struct Screen {
    pub(crate) guard: Arc<Guard>,
    pub(crate) way: Way,
}

impl Resolve for Screen {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, way) = (self.guard.clone(), self.way);
        Box::pin(async move {
            let found = guard.resolve(name.as_str(), way).await?;
            // Port 0 is replaced by the URL's.
            Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// A URL as it may be logged: without query, fragment and user info.
pub(crate) fn plain(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Names that no public resolver should answer for.
fn is_special(name: &str) -> bool {
    const SUFFIXES: [&str; 9] = [
        "onion",
        "i2p",
        "local",
        "internal",
        "localhost",
        "localdomain",
        "lan",
        "home.arpa",
        "invalid",
    ];
    !name.contains('.')
        || SUFFIXES
            .iter()
            .any(|suffix| parents(name).any(|parent| parent == *suffix))
}

/// `a.b.c`, `b.c`, `c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

#[cfg(test)]
mod tests;
