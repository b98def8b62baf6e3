//! Everything the servers share.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::faults::Faults;
use crate::limits::Limits;
use crate::mastodon::refreshes::Refresh;
use crate::mastodon::streaming::Streams;
use crate::request_log::Logged;
use crate::scenario::{Scenario, Software};
use crate::signatures::Signing;
use crate::tokens::Tokens;
use crate::users::Session;
use crate::webhooks::{Delivery, Event, Hook};
use crate::world::{ServerIx, StatusIx, World};

/// What tests may turn while the fediverse runs.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// Time a resolve takes at home, which fetches from the origin meanwhile.
    pub resolve_takes: Duration,
    /// When set, a resolved reply's missing ancestors arrive this much later; else together with it.
    pub ancestors_after: Option<Duration>,
    /// How many polls of an async refresh are answered with `running`.
    pub running_polls: u32,
    /// What an async refresh gives as its `retry`, in seconds.
    pub refresh_retry: u32,
    /// How long home leaves a thread alone after a refresh.
    pub refresh_every: Duration,
    /// The shortest time between two tries of a webhook.
    pub webhook_retry: Duration,
    /// How long a change of a domain block keeps a GoToSocial busy, which answers 409 meanwhile.
    pub admin_action_takes: Duration,
    /// Whether home publishes its domain blocks.
    pub publishes_blocks: bool,
    /// Whether everybody at home reads what `me` reads; else they follow nobody.
    pub common_timeline: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            resolve_takes: Duration::ZERO,
            ancestors_after: None,
            running_polls: 1,
            refresh_retry: 3,
            refresh_every: Duration::from_secs(15 * 60),
            webhook_retry: Duration::from_secs(15),
            admin_action_takes: Duration::ZERO,
            publishes_blocks: false,
            common_timeline: false,
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) scenario: Scenario,
    world: Mutex<World>,
    log: Mutex<Vec<Logged>>,
    faults: Mutex<Faults>,
    limits: Mutex<Limits>,
    tokens: Mutex<Tokens>,
    knobs: Mutex<Knobs>,
    sessions: Mutex<HashMap<String, Session>>,
    hooks: Mutex<Vec<Hook>>,
    deliveries: Mutex<Vec<Delivery>>,
    events: UnboundedSender<(Event, Value)>,
    refreshes: Mutex<HashMap<String, Refresh>>,
    refreshed: Mutex<HashMap<StatusIx, Instant>>,
    signatures: Mutex<Signing>,
    streams: Mutex<Streams>,
    pub(crate) stop: CancellationToken,
}

/// A test that panicked while it held a lock has failed already; the others may go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(crate) fn new(
        scenario: Scenario,
        world: World,
        tokens: Tokens,
        events: UnboundedSender<(Event, Value)>,
    ) -> Self {
        Self {
            scenario,
            world: Mutex::new(world),
            log: Mutex::default(),
            faults: Mutex::default(),
            limits: Mutex::default(),
            tokens: Mutex::new(tokens),
            knobs: Mutex::default(),
            sessions: Mutex::default(),
            hooks: Mutex::default(),
            deliveries: Mutex::default(),
            events,
            refreshes: Mutex::default(),
            refreshed: Mutex::default(),
            signatures: Mutex::default(),
            streams: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        lock(&self.log)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn limits(&self) -> MutexGuard<'_, Limits> {
        lock(&self.limits)
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }

    pub(crate) fn knobs(&self) -> MutexGuard<'_, Knobs> {
        lock(&self.knobs)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        lock(&self.sessions)
    }

    pub(crate) fn hooks(&self) -> MutexGuard<'_, Vec<Hook>> {
        lock(&self.hooks)
    }

    pub(crate) fn deliveries(&self) -> MutexGuard<'_, Vec<Delivery>> {
        lock(&self.deliveries)
    }

    /// Something that webhooks tell.
    pub(crate) fn happened(&self, event: Event, object: Value) {
        // Nobody listens any more when the fediverse stops.
        let _ = self.events.send((event, object));
    }

    pub(crate) fn refreshes(&self) -> MutexGuard<'_, HashMap<String, Refresh>> {
        lock(&self.refreshes)
    }

    pub(crate) fn streams(&self) -> MutexGuard<'_, Streams> {
        lock(&self.streams)
    }

    pub(crate) fn signatures(&self) -> MutexGuard<'_, Signing> {
        lock(&self.signatures)
    }

    pub(crate) fn refreshed(&self) -> MutexGuard<'_, HashMap<StatusIx, Instant>> {
        lock(&self.refreshed)
    }

    /// What a server runs.
    pub(crate) fn software(&self, server: ServerIx) -> Software {
        server
            .checked_sub(1)
            .and_then(|origin| self.scenario.origins.get(origin).copied())
            .unwrap_or(self.scenario.home)
    }
}
