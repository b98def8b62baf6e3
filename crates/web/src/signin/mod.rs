//! Signing in: through one's own server, or by a link that the daemon gave out.
//!
//! A session stands for what the person's server last said they may. Nothing that arrives from a browser is believed
//! but the secret in its cookie.

mod apps;
mod callback;
mod destination;
mod link;
mod logout;
mod page;
mod person;
mod start;

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use chrono::{DateTime, Utc};
use model::Clock;
use net::{Net, Url};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    State,
    config::{Config, is_this_machine},
    limits,
};

pub(crate) use destination::login_path;
pub use link::one_time_link;
pub(crate) use logout::sign_out;
pub(crate) use person::Person;

/// Questions about this many sessions are asked side by side.
const TURNS: usize = 32;

/// A server that vouches for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `host[:port]`, as in the store.
    pub host: String,
    /// Where it is.
    pub url: Url,
    /// Names of the logins that we hold there.
    pub logins: Vec<String>,
}

/// All that signing in needs. Clone it freely.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

struct Inner {
    config: Config,
    base: Url,
    clock: Arc<dyn Clock>,
    doors: RwLock<Doors>,
    tries: limits::Tries,
    turns: [Mutex<()>; TURNS],
    known: std::sync::Mutex<HashMap<String, Known>>,
}

/// When a server last said that it knows us. Locked for as long as it is asked: it alone waits for its answer.
type Known = Arc<Mutex<Option<DateTime<Utc>>>>;

/// What a reload replaces.
struct Doors {
    net: Net,
    servers: Arc<[Server]>,
    hosts: Arc<[String]>,
}

impl Doors {
    fn new(net: Net, servers: Vec<Server>) -> Self {
        Self {
            net,
            hosts: servers.iter().map(|server| server.host.clone()).collect(),
            servers: servers.into(),
        }
    }
}

impl SignIn {
    /// `address` is where we really listen. `net` should be a pool of its own: people do not wait behind jobs.
    ///
    /// # Errors
    /// When there is no address for browsers.
    pub fn new(
        config: &Config,
        address: SocketAddr,
        net: Net,
        servers: Vec<Server>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, url::ParseError> {
        Ok(Self(Arc::new(Inner {
            base: config.base(address)?,
            config: config.clone(),
            clock,
            doors: RwLock::new(Doors::new(net, servers)),
            tries: limits::Tries::default(),
            turns: std::array::from_fn(|_| Mutex::default()),
            known: std::sync::Mutex::default(),
        })))
    }

    /// Puts what a new config says of servers in place. Sessions at a server that is gone end with their next request.
    pub fn replace(&self, net: Net, servers: Vec<Server>) {
        let mut doors = self.0.doors.write().unwrap_or_else(PoisonError::into_inner);
        *doors = Doors::new(net, servers);
    }

    /// How browsers reach us.
    pub fn base(&self) -> &Url {
        &self.0.base
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn tries(&self) -> &limits::Tries {
        &self.0.tries
    }

    /// Whether browsers come by https, and so may be told to keep cookies to it.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.base.scheme() == "https"
    }

    /// Whether browsers reach us by a name that means their own machine: then there is no proxy for others.
    pub(crate) fn is_at_home(&self) -> bool {
        self.0.base.host_str().is_some_and(is_this_machine)
    }

    /// Whether a page that names this as its `Origin` is ours.
    pub(crate) fn is_own_origin(&self, origin: &str) -> bool {
        self.0.base.origin().ascii_serialization() == origin
    }

    /// Every server that is configured, whether its people may sign in or not.
    pub(crate) fn configured(&self) -> Arc<[String]> {
        let doors = self.0.doors.read().unwrap_or_else(PoisonError::into_inner);
        doors.hosts.clone()
    }

    /// Whether all logins are of the one person who runs this.
    pub(crate) fn is_one_person_s(&self) -> bool {
        let doors = self.0.doors.read().unwrap_or_else(PoisonError::into_inner);
        let logins: usize = doors.servers.iter().map(|server| server.logins.len()).sum();
        self.0.config.one_person || logins <= 1
    }

    /// Those whose people may sign in.
    fn servers(&self) -> Vec<Server> {
        let doors = self.0.doors.read().unwrap_or_else(PoisonError::into_inner);
        let mut servers = doors.servers.to_vec();
        servers.retain(|server| self.0.config.lets_in(&server.host));
        servers
    }

    /// One of those.
    pub(crate) fn server(&self, host: &str) -> Option<Server> {
        self.servers().into_iter().find(|server| server.host == host)
    }

    fn net(&self) -> Net {
        let doors = self.0.doors.read().unwrap_or_else(PoisonError::into_inner);
        doors.net.clone()
    }

    /// What is known of our registration at a server of the config.
    fn known(&self, host: &str) -> Known {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(host.to_owned()).or_default().clone()
    }

    /// Waits until nobody else asks about this session.
    pub(crate) async fn turn(&self, id: &str) -> MutexGuard<'_, ()> {
        let add = |all: usize, byte: u8| all.wrapping_mul(31).wrapping_add(byte.into());
        self.0.turns[id.bytes().fold(0, add) % TURNS].lock().await
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("base", &self.0.base.as_str())
            .finish_non_exhaustive()
    }
}

/// Signing in and out. Tries are few; leaving is not one.
pub(crate) fn router(state: &State) -> Router<State> {
    Router::new()
        .route("/login/start", get(start::get))
        .route("/login/callback", get(callback::get))
        .route("/login/once", get(link::get))
        .route_layer(middleware::from_fn_with_state(state.clone(), limits::few_tries))
        .route("/login", get(page::get))
        .route("/logout", post(logout::post))
}
