//! The `[web]` section.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// `[web]`: where the pages are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Names by which a reverse proxy calls us. While `listen` is loopback a request for any other name is refused:
    /// a page elsewhere could otherwise point its own name at this machine and read what is shown here.
    pub hosts: Vec<String>,
    /// Lets `listen` be an address that others can reach, although nobody has to sign in.
    pub open_to_everybody: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8470).into(),
            hosts: Vec::new(),
            open_to_everybody: false,
        }
    }
}
