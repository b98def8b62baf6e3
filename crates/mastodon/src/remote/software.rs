//! Which program an origin runs.

use model::Host;
use net::{Net, Url};

use crate::Error;

/// How an origin's conversations can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// Mastodon, Hometown, glitch-soc and forks.
    Mastodon,
    /// Pleroma and Akkoma: flat contexts.
    Pleroma,
    /// Mitra.
    Mitra,
    /// Reads need a token or a signature: only our own server can fetch from it.
    Closed,
    /// Known by name, and read through ActivityPub only for now (Misskey family, Lemmy, PeerTube, …).
    Foreign,
    /// Nodeinfo missing or silent: ActivityPub is tried.
    Unknown,
}

/// What nodeinfo said about an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Software {
    /// The host that serves the API (it may differ from the one asked, on split domains).
    pub api_host: Host,
    /// Lower-case name, empty if unknown.
    pub name: String,
    /// Version, as told.
    pub version: String,
    /// How to read it.
    pub flavour: Flavour,
}

impl Flavour {
    /// From the lower-case software name and its version; for reading a stored row back.
    pub fn of(_name: &str, _version: &str) -> Self {
        todo!()
    }
}

/// Asks `https://host/.well-known/nodeinfo` (scheme and port as in `origin`), else host-meta.
///
/// # Errors
/// Only when the host cannot be asked at all (unreachable, blocked, robots); an odd answer is `Unknown`.
pub async fn detect(_net: &Net, _origin: &Url) -> Result<Software, Error> {
    todo!()
}
