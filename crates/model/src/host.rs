//! What we are polite to: a server's name and port.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::Domain;

/// A server as the network knows it: `mastodon.example`, or `127.0.0.1:3000` where the port is not the
/// scheme's own. The name is normalised as in [`Domain`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Host(String);

/// A URL without a host, such as `mailto:somebody`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names no host")]
pub struct HostError(String);

impl Host {
    /// The host that `url` is served by.
    ///
    /// # Errors
    /// When the URL has none.
    pub fn of(url: &Url) -> Result<Self, HostError> {
        let error = || HostError(url.to_string());
        let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(error)?;
        let name = name.trim_end_matches('.');
        Ok(Self(match url.port() {
            Some(port) => format!("{name}:{port}"),
            None => name.to_owned(),
        }))
    }

    /// A host as [`Host::as_str`] once printed it, for reading it back from the store.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `name` or `name:port`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a domain; `None` for an IP address.
    pub fn domain(&self) -> Option<Domain> {
        let name = match self.0.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => &self.0,
        };
        Domain::parse(name).ok()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: &str) -> Host {
        Host::of(&url.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_schemes_own_port_is_left_out() {
        assert_eq!(host("https://A.example:443/x").as_str(), "a.example");
        assert_eq!(host("http://127.0.0.1:3000/x").as_str(), "127.0.0.1:3000");
        assert_eq!(host("https://münchen.example"), host("https://xn--mnchen-3ya.EXAMPLE."));
    }

    #[test]
    fn a_port_does_not_hide_the_domain() {
        assert_eq!(
            host("https://bad.example:8443/").domain(),
            Domain::parse("bad.example").ok()
        );
        assert_eq!(host("http://127.0.0.1:3000/").domain(), None);
        assert_eq!(host("http://[::1]:3000/").domain(), None);
    }
}
