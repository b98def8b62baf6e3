//! The ledger: every write on somebody else's server, planned, sent, answered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::{Db, Error};

/// How far an effect has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned while observing; never counts as done.
    Rehearsed,
    /// Waits: quota used up, panic stop, or a human must agree.
    Held,
    /// About to be sent; found after a crash it is reconciled by asking the server.
    Intended,
    /// Carried out.
    Done,
    /// The server refused it.
    Failed,
    /// Undone later.
    Undone,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// UUID v7.
    pub id: String,
    /// `blocklists`, …
    pub feature: String,
    /// Which server, `host[:port]`.
    pub server: String,
    /// `domain_block.create`, `report.create`, …
    pub kind: String,
    /// What it is about, the same for the same wish: makes a second one impossible while the first is alive.
    pub key: String,
    /// What is sent.
    pub intent: Value,
    /// Why: rule, list, evidence, who agreed.
    pub reason: Value,
    /// How far.
    pub state: State,
    /// Why it waits or failed.
    pub note: Option<String>,
    /// What came back.
    pub result: Option<Value>,
    /// Planned.
    pub planned_at: DateTime<Utc>,
    /// Last change.
    pub changed_at: DateTime<Utc>,
}

/// Records an effect unless one with the same feature, server, kind and key is `Held`, `Intended` or `Done`; `None` then.
pub async fn insert(_db: &Db, _effect: &Effect) -> Result<Option<()>, Error> {
    todo!()
}

/// Moves from one state to another; `false` when it was not in `from` (somebody else was faster).
pub async fn advance(
    _db: &Db,
    _id: &str,
    _from: State,
    _to: State,
    _note: Option<&str>,
    _result: Option<&Value>,
    _now: DateTime<Utc>,
) -> Result<bool, Error> {
    todo!()
}

/// One effect.
pub async fn load(_db: &Db, _id: &str) -> Result<Option<Effect>, Error> {
    todo!()
}

/// Effects of a feature (or all) in a state (or any), newest first, before an id.
pub async fn list(
    _db: &Db,
    _feature: Option<&str>,
    _state: Option<State>,
    _before: Option<&str>,
    _limit: u32,
) -> Result<Vec<Effect>, Error> {
    todo!()
}

/// Effects of a feature that were `Intended` or `Done` since.
pub async fn sent_since(_db: &Db, _feature: &str, _since: DateTime<Utc>) -> Result<i64, Error> {
    todo!()
}

/// Whether the panic stop holds all effects, and who set it when.
pub async fn panic_stop(_db: &Db) -> Result<Option<(String, DateTime<Utc>)>, Error> {
    todo!()
}

/// Sets (`Some(who)`) or lifts it.
pub async fn set_panic_stop(_db: &Db, _who: Option<&str>, _now: DateTime<Utc>) -> Result<(), Error> {
    todo!()
}
