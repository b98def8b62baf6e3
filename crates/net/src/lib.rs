//! The door to other servers. Nothing else in the house opens a connection to somebody's server.
//!
//! [`Net`] is one shared client: guarded addresses, bounded bodies and redirects, one queue per host and per
//! token, retries only where they are safe. A clone made by [`Net::for_run`] spends from the same budgets, waits
//! its turn in its own lane and keeps its own count of requests.

mod config;
mod error;
mod request;

pub use config::Config;
pub use error::Error;
pub use http;
pub use request::{Bearer, Body, Request, Response, Secret};
pub use url::Url;

use std::{collections::BTreeMap, sync::Arc};

use model::{Clock, Host};
use tokio_util::sync::CancellationToken;

/// The pool. Clone it freely.
#[derive(Debug, Clone)]
pub struct Net {}

impl Net {
    /// Builds the client.
    ///
    /// # Errors
    /// When a key of `[net]` holds something unusable (an unreadable CA file, a bad domain in `blocklist`).
    pub fn new(_config: &Config, _clock: Arc<dyn Clock>) -> Result<Self, Error> {
        todo!()
    }

    /// The same pool for one run: its requests queue in the lane `job`, fairly beside other lanes; waiting ends
    /// with [`Error::Stopped`] when `stop` is cancelled; and they are counted apart, see [`Net::spent`].
    #[must_use]
    pub fn for_run(&self, _job: &'static str, _stop: CancellationToken) -> Self {
        todo!()
    }

    /// Requests that went out through this handle (retries and redirects included), by host.
    pub fn spent(&self) -> BTreeMap<Host, u64> {
        todo!()
    }

    /// Sends a request once its turn and budget have come, follows redirects within the guard, and retries where
    /// the request says that it is safe. An answer with any status, 429 and 5xx included once retries are used
    /// up, is an `Ok`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send(&self, _request: Request) -> Result<Response, Error> {
        todo!()
    }

    /// Whether `[net] blocklist` refuses a host.
    pub fn is_blocked(&self, _host: &Host) -> bool {
        todo!()
    }
}
