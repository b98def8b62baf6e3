//! Whose turn it is. One bucket for each origin, two for each login (its token's, and the one for paging), a bound
//! on what is in flight to each host, and one over all of them that is taken last, so that nobody holds it while
//! waiting for something else.

mod budget;
mod describe;
mod gate;
mod lanes;
mod reset;

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::HeaderMap;
use model::{Clock, Host};
use tokio::time::sleep_until;

pub use self::{budget::Budget, reset::Said};
use self::{
    describe::{Bucket, Known, describe},
    gate::Gate,
    lanes::{Lanes, Place},
};
use crate::Config;

/// What an origin may be asked at once before the pace is even.
const ORIGIN_BURST: u32 = 5;
const MINUTE: Duration = Duration::from_secs(60);
/// An origin that wants more quiet than this is left alone: a run has others to ask, and comes back to it.
const ORIGIN_PATIENCE: Duration = MINUTE;
/// From this many idle buckets on they are forgotten.
const MANY: usize = 1024;

/// All budgets.
#[derive(Debug)]
pub(crate) struct Limits {
    config: Config,
    clock: Arc<dyn Clock>,
    origins: Table<Host, gate::Host>,
    logins: Table<String, Login>,
    servers: Table<Host, Lanes>,
    all: Arc<Lanes>,
}

type Table<K, V> = Mutex<HashMap<K, Arc<V>>>;

#[derive(Debug)]
struct Login {
    token: Gate,
    paging: Gate,
}

/// Who wants to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) host: &'a Host,
    /// `None` for an origin.
    pub(crate) login: Option<&'a str>,
    pub(crate) paging: bool,
    pub(crate) write: bool,
    pub(crate) lane: &'static str,
}

/// The right to send one request, until dropped.
#[derive(Debug)]
pub(crate) struct Pass(#[expect(dead_code, reason = "held, not read")] [Place; 2]);

/// What an answer means for whoever sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Served,
    /// Refused; the next [`Limits::enter`] waits long enough.
    Later(Duration),
    /// Refused until a time that is not worth waiting for.
    MuchLater,
}

impl Limits {
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            all: Lanes::new(config.concurrency),
            config: config.clone(),
            clock,
            origins: Mutex::default(),
            logins: Mutex::default(),
            servers: Mutex::default(),
        }
    }

    /// Waits for the turn and the budget of one request. Dropping the future gives both up.
    ///
    /// # Errors
    /// How long an origin wants quiet still, where that is too long to wait for.
    pub(crate) async fn enter(&self, sender: Sender<'_>) -> Result<Pass, Duration> {
        let lane = sender.lane;
        let place = match sender.login {
            None => self.origin(sender.host).pass(lane, ORIGIN_PATIENCE).await?,
            Some(login) => {
                let login = self.login(login);
                if sender.paging {
                    login.paging.pass(lane).await;
                }
                login.token.pass(lane).await;
                let places = self.server(sender.host);
                loop {
                    let place = places.enter(lane).await;
                    // The server may have refused somebody while this one waited for its place.
                    let quiet = login.token.quiet().max(login.paging.quiet().filter(|_| sender.paging));
                    let Some(until) = quiet else { break place };
                    drop(place);
                    sleep_until(until).await;
                }
            }
        };
        Ok(Pass([place, self.all.enter(lane).await]))
    }

    /// Learns from an answer. `refused`: it was a 429, or what this kind of server says instead.
    pub(crate) fn learn(&self, sender: Sender<'_>, headers: &HeaderMap, refused: bool) -> Verdict {
        let said = Said::of(headers, self.clock.now());
        // An answer out of a cache speaks of somebody else's past.
        let cached = !reset::age(headers).is_zero();
        if cached && !refused {
            return Verdict::Served;
        }
        match sender.login {
            None => self.learn_of_origin(&self.origin(sender.host).gate, &said, sender, refused),
            Some(login) => self.learn_of_login(&self.login(login), &said, sender, refused),
        }
    }

    /// The server asks for quiet without refusing in the usual words (503 with `Retry-After`).
    pub(crate) fn quiet(&self, sender: Sender<'_>, headers: &HeaderMap) -> Option<Verdict> {
        let wait = Said::of(headers, self.clock.now()).retry_after?;
        let longest = self.config.longest_wait;
        Some(match sender.login {
            None => origin_waits(self.origin(sender.host).gate.refuse(Some(wait), longest)),
            Some(login) => Verdict::Later(self.login(login).token.refuse(Some(wait), longest)),
        })
    }

    /// The origin's robots.txt asks for so long between two requests.
    pub(crate) fn space(&self, host: &Host, gap: Duration) {
        self.origin(host).gate.space(gap);
    }

    fn learn_of_origin(&self, gate: &Gate, said: &Said, sender: Sender<'_>, refused: bool) -> Verdict {
        if refused {
            // Nothing tells strangers' buckets apart reliably: the whole host waits.
            return origin_waits(gate.refuse(said.retry_after.or(said.reset), self.config.longest_wait));
        }
        match (said.remaining, said.reset) {
            (Some(left), Some(reset)) if reset <= 5 * MINUTE || (sender.paging && reset <= 15 * MINUTE) => {
                gate.correct(said.limit, left, reset.min(self.config.longest_wait));
            }
            _ => gate.answered(),
        }
        Verdict::Served
    }

    fn learn_of_login(&self, login: &Login, said: &Said, sender: Sender<'_>, refused: bool) -> Verdict {
        let known = Known {
            paging: sender.paging,
            write: sender.write,
            token_limit: login.token.limit(),
            token_left: login.token.left(),
            paging_left: login.paging.left(),
        };
        let bucket = describe(said, known);
        let gate = match bucket {
            Bucket::Token => &login.token,
            Bucket::Paging => &login.paging,
            Bucket::Other if refused => return Verdict::MuchLater,
            Bucket::Other => return Verdict::Served,
        };
        let longest = self.config.longest_wait;
        if refused {
            return Verdict::Later(gate.refuse(said.retry_after.or(said.reset), longest));
        }
        match (said.remaining, said.reset) {
            (Some(left), Some(reset)) if !reset.is_zero() => gate.correct(said.limit, left, reset.min(longest)),
            _ => gate.answered(),
        }
        Verdict::Served
    }

    fn origin(&self, host: &Host) -> Arc<gate::Host> {
        entry(
            &self.origins,
            host,
            |origin| origin.gate.is_idle(),
            || {
                let count = self.config.origin_per_minute;
                let gate = Gate::new(count, MINUTE, ORIGIN_BURST.min(count));
                Arc::new(gate::Host {
                    places: Lanes::new(self.config.origin_concurrency),
                    gate,
                })
            },
        )
    }

    fn login(&self, login: &str) -> Arc<Login> {
        let (token, paging) = (
            self.config.token_per_five_minutes,
            self.config.paging_per_fifteen_minutes,
        );
        let idle = |login: &Login| login.token.is_idle() && login.paging.is_idle();
        entry(&self.logins, login, idle, || {
            let (token, paging) = (
                Gate::new(token, 5 * MINUTE, token),
                Gate::new(paging, 15 * MINUTE, paging),
            );
            Arc::new(Login { token, paging })
        })
    }

    fn server(&self, host: &Host) -> Arc<Lanes> {
        entry(
            &self.servers,
            host,
            |_| true,
            || Lanes::new(self.config.server_concurrency),
        )
    }
}

/// Whether an origin's refusal is waited out by whoever met it.
fn origin_waits(wait: Duration) -> Verdict {
    if wait > ORIGIN_PATIENCE {
        Verdict::MuchLater
    } else {
        Verdict::Later(wait)
    }
}

/// The entry of `key`, made if it is new. Entries that nobody holds and that would be made anew just the same are
/// dropped once there are many.
fn entry<K, Q, V>(table: &Table<K, V>, key: &Q, idle: impl Fn(&V) -> bool, make: impl FnOnce() -> Arc<V>) -> Arc<V>
where
    K: Hash + Eq + std::borrow::Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = table.get(key) {
        return found.clone();
    }
    if table.len() >= MANY {
        table.retain(|_, value| Arc::strong_count(value) > 1 || !idle(value));
    }
    table.entry(key.to_owned()).or_insert_with(make).clone()
}
