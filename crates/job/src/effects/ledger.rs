//! The ledger itself: one for the daemon, over the table of effects.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use model::Clock;
use serde_json::{Value, json};
use store::{
    Db,
    effects::{self, Effect, State},
    leases::{self, Lease},
    modes::{self, Switched},
    notices::Severity,
};
use tokio::sync;
use uuid::Uuid;

use super::{
    Effects, Mode, Wish,
    gate::{Facts, Gate, Hold, gate},
};
use crate::{JobError, News, Safeguard, tell};

/// The window of a quota.
const DAY: TimeDelta = TimeDelta::days(1);

/// An effect that another process intended may still be on its way for this long; longer than any request's deadline.
const FLIGHT: TimeDelta = TimeDelta::minutes(5);

/// How a note of a released effect begins.
const RELEASED: &str = "released by ";

/// How the note begins of one that somebody took out of the queue.
const KEPT: &str = "held by ";

/// Rows per page when the whole of a state is read.
const PAGE: u32 = 500;

/// The ledger: one for the daemon. Clone it freely.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Inner>);

/// A feature's mode as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeNow {
    /// `blocklists`, …
    pub feature: &'static str,
    /// What holds.
    pub mode: Mode,
    /// What the config says.
    pub config: Mode,
    /// Who switched it while the daemon ran, and when.
    pub switched: Option<(String, DateTime<Utc>)>,
}

#[derive(Debug)]
struct Inner {
    store: Db,
    clock: Arc<dyn Clock>,
    features: Mutex<BTreeMap<&'static str, (Mode, Option<u32>)>>,
    /// What somebody switched, as last read.
    switched: Mutex<BTreeMap<String, Mode>>,
    safeguards: Mutex<BTreeMap<&'static str, Arc<dyn Safeguard>>>,
    recording: sync::Mutex<()>,
    flying: Mutex<BTreeSet<String>>,
    flight: Mutex<TimeDelta>,
}

impl Ledger {
    /// `quota(feature)` effects a day each; modes are read at each effect, so a switch holds from the next one on.
    /// A feature that is not [configured](Ledger::configure) observes.
    pub fn new(store: Db, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            store,
            clock,
            features: Mutex::default(),
            switched: Mutex::default(),
            safeguards: Mutex::default(),
            recording: sync::Mutex::default(),
            flying: Mutex::default(),
            flight: Mutex::new(FLIGHT),
        }))
    }

    /// Sets a feature's mode and quota for any 24 hours (`None`: no bound).
    pub fn configure(&self, feature: &'static str, mode: Mode, quota: Option<u32>) {
        self.features().insert(feature, (mode, quota));
    }

    /// How long what another process intended may still be on its way: longer than its lease and any request.
    pub fn set_flight(&self, flight: TimeDelta) {
        *self.0.flight.lock().unwrap_or_else(PoisonError::into_inner) = flight;
    }

    /// The store it records in.
    pub fn store(&self) -> &Db {
        &self.0.store
    }

    /// What must have worked before a feature changes a server; nothing with `None`.
    pub fn guard(&self, feature: &'static str, safeguard: Option<Arc<dyn Safeguard>>) {
        let mut guards = self.0.safeguards.lock().unwrap_or_else(PoisonError::into_inner);
        match safeguard {
            Some(safeguard) => guards.insert(feature, safeguard),
            None => guards.remove(feature),
        };
    }

    /// Whether a lease still stands with its fence.
    pub(super) async fn holds(&self, lease: &Lease) -> Result<bool, JobError> {
        Ok(leases::holds(&self.0.store, lease, self.0.clock.now()).await?)
    }

    pub(super) fn safeguard(&self, feature: &str) -> Option<Arc<dyn Safeguard>> {
        let guards = self.0.safeguards.lock().unwrap_or_else(PoisonError::into_inner);
        guards.get(feature).cloned()
    }

    /// The part of the ledger that one feature writes to.
    pub fn of(&self, feature: &'static str) -> Effects {
        Effects {
            ledger: self.clone(),
            feature,
            fence: None,
        }
    }

    /// A feature's mode as far as this process knows; [`Ledger::modes_now`] asks the store, and so does every effect
    /// before it is sent.
    pub fn mode(&self, feature: &str) -> Mode {
        let switched = self.switched().get(feature).copied();
        switched.unwrap_or_else(|| self.features().get(feature).map(|(mode, _)| *mode).unwrap_or_default())
    }

    /// The modes by the config of all features that have one, by name; see [`Ledger::modes_now`] for what holds.
    pub fn modes(&self) -> BTreeMap<&'static str, Mode> {
        self.features()
            .iter()
            .map(|(feature, (mode, _))| (*feature, *mode))
            .collect()
    }

    /// The modes as they hold now, by feature: the config's, or what somebody switched since.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn modes_now(&self) -> Result<Vec<ModeNow>, store::Error> {
        let switched = modes::list(&self.0.store).await?;
        let known = switched
            .iter()
            .filter_map(|row| Some((row.feature.clone(), Mode::parse(&row.mode)?)));
        *self.switched() = known.collect();
        Ok(self
            .modes()
            .into_iter()
            .map(|(feature, config)| {
                let row = switched.iter().find(|row| row.feature == feature);
                let found = row.and_then(|row| Some((Mode::parse(&row.mode)?, row)));
                ModeNow {
                    feature,
                    mode: found.map_or(config, |(mode, _)| mode),
                    config,
                    switched: found.map(|(_, row)| (row.who.clone(), row.set_at)),
                }
            })
            .collect())
    }

    /// Switches a feature's mode from the next effect on, or goes back to the config's with `None`. `false` when the
    /// feature writes nothing that could be switched.
    ///
    /// # Errors
    /// When the store cannot record it; then nothing changes.
    pub async fn switch(&self, feature: &str, mode: Option<Mode>, who: &str) -> Result<bool, store::Error> {
        if !self.features().contains_key(feature) {
            return Ok(false);
        }
        match mode {
            None => {
                modes::delete(&self.0.store, feature).await?;
                self.switched().remove(feature);
            }
            Some(mode) => {
                let switched = Switched {
                    feature: feature.to_owned(),
                    mode: mode.as_str().to_owned(),
                    who: who.to_owned(),
                    set_at: self.0.clock.now(),
                };
                modes::save(&self.0.store, &switched).await?;
                self.switched().insert(feature.to_owned(), mode);
            }
        }
        Ok(true)
    }

    /// Takes a held effect out of the queue: nothing sends it until somebody releases it. `false` when it is not held.
    ///
    /// # Errors
    /// When the store cannot record it.
    pub async fn hold(&self, id: &str, who: &str) -> Result<bool, JobError> {
        self.say(id, &format!("{KEPT}{who}")).await
    }

    /// Lets a held effect pass the quota: the feature's next run carries it out. Panic stop and mode still hold it.
    /// `false` when it is not held.
    ///
    /// # Errors
    /// When the store cannot record it.
    pub async fn release(&self, id: &str, who: &str) -> Result<bool, JobError> {
        self.say(id, &format!("{RELEASED}{who}")).await
    }

    /// What somebody says of a held effect stands, whatever was said of it before.
    async fn say(&self, id: &str, note: &str) -> Result<bool, JobError> {
        let Some(effect) = self.load(id).await? else {
            return Ok(false);
        };
        self.advance(&effect, State::Held, State::Held, Some(note), None).await
    }

    pub(super) async fn recording(&self) -> sync::MutexGuard<'_, ()> {
        self.0.recording.lock().await
    }

    /// Whether an effect of `feature` may go out now.
    pub(super) async fn gate(&self, feature: &str, released: bool) -> Gate {
        let (config, quota) = self.features().get(feature).copied().unwrap_or_default();
        let mode = match modes::load(&self.0.store, feature).await {
            Ok(switched) => switched.and_then(|row| Mode::parse(&row.mode)).unwrap_or(config),
            // Somebody may have switched to `observe`.
            Err(_) if config == Mode::Act => return Gate::Hold(Hold::Other("the mode cannot be read".to_owned())),
            Err(_) => Mode::Observe,
        };
        if mode == Mode::Observe {
            return Gate::Rehearse;
        }
        let panic_stop = effects::panic_stop(&self.0.store).await;
        let sent = match quota {
            Some(_) => effects::sent_since(&self.0.store, feature, self.0.clock.now() - DAY).await,
            None => Ok(0),
        };
        gate(&Facts {
            mode,
            panic_stop: panic_stop.map(|stop| stop.map(|(who, _)| who)).map_err(drop),
            quota,
            sent: sent.map_err(drop),
            released,
        })
    }

    /// Past its quota a feature's effects wait; one notice a day says so, not one per effect.
    pub(super) async fn tell(&self, feature: &str, why: &Hold) {
        let Hold::Quota(quota) = why else { return };
        let text = format!(
            "{feature} has made the {quota} changes on other people's servers that its quota allows in 24 hours; \
             further ones wait on the Effects page until there is room, somebody lets them pass, or the quota is raised"
        );
        let news = News {
            feature,
            kind: "quota",
            about: "",
            severity: Severity::Warning,
            text: &text,
        };
        tell(&self.0.store, &*self.0.clock, news).await;
    }

    /// Records the wish in `state`. One that is held already goes on to `Intended` (or learns why it still waits), with
    /// what the wish says now: that is what is sent. `None` when the same wish is on its way or done, or when somebody
    /// took it out of the queue.
    pub(super) async fn record(
        &self,
        feature: &str,
        wish: Wish,
        state: State,
        note: Option<&str>,
    ) -> Result<Option<Effect>, JobError> {
        let effect = self.effect(feature, wish, state, note);
        if effects::insert(&self.0.store, &effect).await?.is_some() {
            count(feature, state);
            return Ok(Some(effect));
        }
        let Effect { server, kind, key, .. } = &effect;
        let alive = effects::alive(&self.0.store, feature, server, kind, key).await?;
        let held = alive.filter(|alive| alive.state == State::Held).map(|held| Effect {
            intent: effect.intent,
            reason: effect.reason,
            ..held
        });
        match held {
            Some(held) if state == State::Held && (is_released(&held) || kept_by(&held).is_some()) => Ok(Some(held)),
            Some(held) if kept_by(&held).is_some() => Ok(None),
            Some(held) if self.go_on(&held, state, note).await? => Ok(Some(held)),
            _ => Ok(None),
        }
    }

    /// Records wishes as rehearsed; the store keeps the newest rehearsal of each wish.
    pub(super) async fn rehearse(&self, feature: &str, wishes: Vec<Wish>) -> Result<(), JobError> {
        let effects = wishes
            .into_iter()
            .map(|wish| self.effect(feature, wish, State::Rehearsed, None));
        let effects: Vec<Effect> = effects.collect();
        effects::rehearse(&self.0.store, &effects).await?;
        for _ in &effects {
            count(feature, State::Rehearsed);
        }
        Ok(())
    }

    pub(super) async fn load(&self, id: &str) -> Result<Option<Effect>, JobError> {
        Ok(effects::load(&self.0.store, id).await?)
    }

    /// Moves a held effect on; `false` when somebody was faster, or changed their mind about it.
    pub(super) async fn go_on(&self, held: &Effect, to: State, note: Option<&str>) -> Result<bool, JobError> {
        let moved = effects::go_on(&self.0.store, held, to, note, self.0.clock.now()).await?;
        if moved && to != State::Held {
            count(&held.feature, to);
        }
        Ok(moved)
    }

    pub(super) async fn advance(
        &self,
        effect: &Effect,
        from: State,
        to: State,
        note: Option<&str>,
        result: Option<&Value>,
    ) -> Result<bool, JobError> {
        // The column keeps objects: SQLite would turn a bare number into something else.
        let wrapped = result.map(|result| match result {
            Value::Object(_) => result.clone(),
            bare => json!({ "value": bare }),
        });
        let result = wrapped.as_ref();
        let moved = effects::advance(&self.0.store, &effect.id, from, to, note, result, self.0.clock.now()).await?;
        if moved && from != to {
            count(&effect.feature, to);
        }
        Ok(moved)
    }

    /// Every effect of a feature in a state, newest first.
    pub(super) async fn all(&self, feature: &str, state: State) -> Result<Vec<Effect>, JobError> {
        let mut all: Vec<Effect> = Vec::new();
        loop {
            let before = all.last().map(|effect| effect.id.clone());
            let page = effects::list(&self.0.store, Some(feature), Some(state), before.as_deref(), PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Marks an effect as on its way until the guard is dropped, however the run ends.
    pub(super) fn fly(&self, id: &str) -> Flight {
        self.flying().insert(id.to_owned());
        Flight {
            ledger: self.clone(),
            id: id.to_owned(),
        }
    }

    /// Whether nobody can still be sending it.
    pub(super) fn is_left_behind(&self, effect: &Effect) -> bool {
        self.0.clock.now() - effect.changed_at >= *self.0.flight.lock().unwrap_or_else(PoisonError::into_inner)
            && !self.flying().contains(&effect.id)
    }

    fn effect(&self, feature: &str, wish: Wish, state: State, note: Option<&str>) -> Effect {
        let now = self.0.clock.now();
        Effect {
            id: Uuid::now_v7().to_string(),
            feature: feature.to_owned(),
            server: wish.server,
            kind: wish.kind.to_owned(),
            key: wish.key,
            intent: wish.intent,
            reason: wish.reason,
            state,
            note: note.map(str::to_owned),
            result: None,
            planned_at: now,
            changed_at: now,
        }
    }

    fn features(&self) -> MutexGuard<'_, BTreeMap<&'static str, (Mode, Option<u32>)>> {
        self.0.features.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switched(&self) -> MutexGuard<'_, BTreeMap<String, Mode>> {
        self.0.switched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flying(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An effect that is being sent.
#[derive(Debug)]
pub(super) struct Flight {
    ledger: Ledger,
    id: String,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.ledger.flying().remove(&self.id);
    }
}

/// Whether somebody let this one pass the quota.
pub(super) fn is_released(effect: &Effect) -> bool {
    effect.note.as_deref().is_some_and(|note| note.starts_with(RELEASED))
}

/// Who took it out of the queue, if somebody did.
pub(super) fn kept_by(effect: &Effect) -> Option<&str> {
    let note = effect.note.as_deref().filter(|_| effect.state == State::Held)?;
    note.strip_prefix(KEPT)
}

fn count(feature: &str, state: State) {
    let state = match state {
        State::Rehearsed => "rehearsed",
        State::Held => "held",
        State::Intended => "intended",
        State::Done => "done",
        State::Failed => "failed",
        State::Undone => "undone",
    };
    metrics::counter!("egret_effects_total", "feature" => feature.to_owned(), "state" => state).increment(1);
}
