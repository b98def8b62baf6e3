//! The ledger's rules: mode, panic stop, quota; what is sent was recorded first.

use std::{future::Future, sync::Arc};

use mastodon::Permit;
use model::Clock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Db;

use crate::JobError;

/// Whether a feature may write on other people's servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Plans are made and shown, nothing is sent.
    #[default]
    Observe,
    /// Plans are carried out.
    Act,
}

/// One write that a feature wants made.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// `domain_block.create`, …
    pub kind: &'static str,
    /// The server it is for.
    pub server: String,
    /// The same for the same wish.
    pub key: String,
    /// What would be sent.
    pub intent: Value,
    /// Why.
    pub reason: Value,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// Recorded as rehearsed; nothing was sent.
    Rehearsed,
    /// Recorded and waiting: panic stop or quota.
    Held(String),
    /// Already alive or done under the same key.
    Known,
    /// Carried out.
    Done(Value),
}

/// The ledger: one for the daemon.
#[derive(Debug, Clone)]
pub struct Ledger {
    _inner: Arc<()>,
}

impl Ledger {
    /// `quota(feature)` effects a day each; modes are read at each effect, so a switch holds from the next one on.
    pub fn new(_store: Db, _clock: Arc<dyn Clock>) -> Self {
        todo!()
    }

    /// Sets a feature's mode and daily quota (`None`: no bound).
    pub fn configure(&self, _feature: &'static str, _mode: Mode, _quota: Option<u32>) {
        todo!()
    }

    /// The part of the ledger that one feature writes to.
    pub fn of(&self, _feature: &'static str) -> Effects {
        todo!()
    }

    /// A feature's mode as it holds now, for `/healthz`.
    pub fn mode(&self, _feature: &str) -> Mode {
        todo!()
    }
}

/// The ledger as one feature sees it.
#[derive(Debug, Clone)]
pub struct Effects {
    _ledger: Ledger,
    _feature: &'static str,
}

impl Effects {
    /// Records the wish and, in mode `act`, within quota and without panic stop, mints the permit, calls `send`
    /// with it and records what came back. `send` gives `Err` for "the server refused".
    ///
    /// # Errors
    /// When the store cannot record it (then nothing is sent), or `send` failed.
    pub async fn carry_out<F, Fut>(&self, _wish: Wish, _send: F) -> Result<Sent, JobError>
    where
        F: FnOnce(Permit) -> Fut,
        Fut: Future<Output = Result<Value, mastodon::Error>>,
    {
        todo!()
    }
}
