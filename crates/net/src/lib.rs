//! The door to other servers. Nothing else in the house opens a connection to somebody's server.
//!
//! [`Net`] is one shared client: guarded addresses, bounded bodies and redirects, one queue per host and per
//! token, retries only where they are safe. A clone made by [`Net::for_run`] spends from the same budgets, waits
//! its turn in its own lane and keeps its own count of requests.

mod actor;
mod config;
mod error;
mod guard;
mod health;
mod limit;
pub mod mail;
mod pool;
mod request;
mod retry;
mod robots;
mod roots;
mod stream;
mod until;
mod wire;

pub use actor::Identity;
pub use config::{ActorConfig, Config};
pub use error::Error;
pub use guard::Lookup;
pub use http;
pub use limit::{Budget, Said};
pub use pool::Net;
pub use request::{Bearer, Body, Request, Response, Secret};
pub use stream::Stream;
pub use until::Until;
pub use url::Url;
