//! The ledger: mode, panic stop, quota; what is sent was recorded first.
//!
//! ```text
//! wish ─► mode observe ─────────────► rehearsed          no permit exists, nothing can be sent
//!      └► mode act ─► panic stop? ──► held               also when its state cannot be read
//!                  └► quota used up ► held               the same wish, made again, goes on from here
//!                  └► intended ─► send ─► done · failed  recorded before the request goes out
//!                                     └► intended        crash, or no answer: `pending`, ask the server, `settle`
//! ```

mod gate;
mod ledger;

use std::{collections::BTreeSet, future::Future, sync::Arc};

use mastodon::Permit;
use serde_json::Value;
use store::{
    effects::{Effect, State},
    leases::Lease,
};

use crate::{JobContext, JobError, Login};
use gate::Gate;
pub use gate::Mode;
pub use ledger::{Ledger, ModeNow};

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
    /// Already done or on its way under the same key, or taken out of the queue by somebody.
    Known,
    /// Carried out.
    Done(Value),
}

/// What the server says about an effect that was left without an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// It happened; this is what the server shows.
    Done(Value),
    /// It did not, for this reason; the wish may be made again.
    Failed(String),
}

/// The ledger as one feature sees it.
#[derive(Debug, Clone)]
pub struct Effects {
    ledger: Ledger,
    feature: &'static str,
    /// While this lease stands with its fence, and no longer.
    fence: Option<Arc<Lease>>,
}

impl Effects {
    /// The same for as long as a lease stands: before each effect it is asked whether it still does.
    #[must_use]
    pub fn fenced(mut self, lease: Lease) -> Self {
        self.fence = Some(Arc::new(lease));
        self
    }

    /// `Err(Stopped)` where the lease went to another process, which goes on with what is to be done.
    async fn still_ours(&self) -> Result<(), JobError> {
        match &self.fence {
            Some(lease) if !self.ledger.holds(lease).await? => Err(JobError::Stopped),
            _ => Ok(()),
        }
    }

    /// The feature's mode as it holds now: for leaving out what was rehearsed already, never for deciding to send.
    pub fn mode(&self) -> Mode {
        self.ledger.mode(self.feature)
    }

    /// To be called before a batch of changes on a server: where the feature acts, and somebody wants to look at the
    /// server before, they do it now.
    ///
    /// # Errors
    /// When they could not; then nothing should be changed.
    pub async fn before_changes(&self, login: &Login, cx: &JobContext) -> Result<(), JobError> {
        match self.ledger.safeguard(self.feature) {
            Some(safeguard) if self.ledger.gate(self.feature, false).await == Gate::Open => {
                safeguard.before(self.feature, login, cx).await
            }
            _ => Ok(()),
        }
    }

    /// Records the wish and, in mode `act`, within quota and without panic stop, mints the permit, calls `send`
    /// with it and records what came back. `send` gives `Err` for "the server refused".
    ///
    /// A wish that was held goes on when it is made again and nothing holds it any more. Where nobody can tell
    /// whether the server did it (no answer, a server error), the effect stays `Intended`: see
    /// [`Effects::pending`].
    ///
    /// # Errors
    /// When the store cannot record it (then nothing is sent), or `send` failed.
    pub async fn carry_out<F, Fut>(&self, wish: Wish, send: F) -> Result<Sent, JobError>
    where
        F: FnOnce(Permit) -> Fut,
        Fut: Future<Output = Result<Value, mastodon::Error>>,
    {
        self.through(wish, false, send).await
    }

    /// The same for what takes back one of our own effects: no quota holds it, since what was done for an hour is to last
    /// no longer because the day was a busy one. Mode and panic stop hold it like any other.
    ///
    /// # Errors
    /// As [`Effects::carry_out`].
    pub async fn take_back<F, Fut>(&self, wish: Wish, send: F) -> Result<Sent, JobError>
    where
        F: FnOnce(Permit) -> Fut,
        Fut: Future<Output = Result<Value, mastodon::Error>>,
    {
        self.through(wish, true, send).await
    }

    async fn through<F, Fut>(&self, wish: Wish, takes_back: bool, send: F) -> Result<Sent, JobError>
    where
        F: FnOnce(Permit) -> Fut,
        Fut: Future<Output = Result<Value, mastodon::Error>>,
    {
        // One at a time from the gate to the record, so that a quota of one lets one through. Sending is outside.
        let recording = self.ledger.recording().await;
        let open = match self.ledger.gate(self.feature, takes_back).await {
            Gate::Rehearse => {
                self.ledger.rehearse(self.feature, vec![wish]).await?;
                return Ok(Sent::Rehearsed);
            }
            Gate::Hold(why) => {
                self.ledger.tell(self.feature, &why).await;
                Err(why.to_string())
            }
            Gate::Open => Ok(()),
        };
        if open.is_ok() {
            self.still_ours().await?;
        }
        let effect = match open {
            Ok(()) => self.ledger.record(self.feature, wish, State::Intended, None).await?,
            Err(why) => match self.ledger.record(self.feature, wish, State::Held, Some(&why)).await? {
                Some(held) if self.goes_all_the_same(&held).await? => Some(held),
                Some(_) => return Ok(Sent::Held(why)),
                None => None,
            },
        };
        let Some(effect) = effect else {
            return Ok(Sent::Known);
        };
        let flight = self.ledger.fly(&effect.id);
        drop(recording);
        let sent = self.send(&effect, send).await;
        drop(flight);
        sent
    }

    /// Records many wishes as rehearsed where the feature observes. `false`, and nothing is recorded, where it acts: for
    /// leaving out what only effects that are sent need, such as a last look at the server.
    ///
    /// # Errors
    /// When the store cannot record them.
    pub async fn rehearse(&self, wishes: Vec<Wish>) -> Result<bool, JobError> {
        let observes = matches!(self.ledger.gate(self.feature, false).await, Gate::Rehearse);
        if observes {
            self.ledger.rehearse(self.feature, wishes).await?;
        }
        Ok(observes)
    }

    /// Carries out one held effect by its id, through the same gates: for a feature that finds released ones with
    /// [`Effects::held`] instead of making the wish again. An effect that somebody released passes the quota.
    ///
    /// # Errors
    /// As [`Effects::carry_out`].
    pub async fn resume<F, Fut>(&self, id: &str, send: F) -> Result<Sent, JobError>
    where
        F: FnOnce(Permit) -> Fut,
        Fut: Future<Output = Result<Value, mastodon::Error>>,
    {
        let recording = self.ledger.recording().await;
        let Some(effect) = self.ledger.load(id).await?.filter(|it| it.feature == self.feature) else {
            return Ok(Sent::Known);
        };
        if let Some(who) = ledger::kept_by(&effect) {
            return Ok(Sent::Held(format!("held by {who}")));
        }
        match self.ledger.gate(self.feature, ledger::is_released(&effect)).await {
            Gate::Rehearse => return Ok(Sent::Held("the mode is observe".to_owned())),
            Gate::Hold(why) => {
                self.ledger.tell(self.feature, &why).await;
                return Ok(Sent::Held(why.to_string()));
            }
            Gate::Open => self.still_ours().await?,
        }
        if effect.state != State::Held || !self.ledger.go_on(&effect, State::Intended, None).await? {
            return Ok(Sent::Known);
        }
        let flight = self.ledger.fly(&effect.id);
        drop(recording);
        let sent = self.send(&effect, send).await;
        drop(flight);
        sent
    }

    /// This feature's effects that wait, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn held(&self) -> Result<Vec<Effect>, JobError> {
        self.ledger.all(self.feature, State::Held).await
    }

    /// Keys of this feature's effects on a server that wait and that somebody let pass the quota: worth a try whatever holds
    /// the others.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn released(&self, server: &str) -> Result<BTreeSet<String>, JobError> {
        let held = self.held().await?.into_iter();
        let released = held.filter(|effect| effect.server == server && ledger::is_released(effect));
        Ok(released.map(|effect| effect.key).collect())
    }

    /// Effects that were about to be sent and of which nobody knows whether they were: the process died, or no
    /// answer came. To be looked up on the server and [settled](Effects::settle) before new plans are made; what
    /// is being sent at this moment, here or by another process, is left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn pending(&self) -> Result<Vec<Effect>, JobError> {
        let intended = self.ledger.all(self.feature, State::Intended).await?;
        Ok(intended
            .into_iter()
            .filter(|effect| self.ledger.is_left_behind(effect))
            .collect())
    }

    /// Records what the server says about a pending effect; `false` when somebody else was faster.
    ///
    /// # Errors
    /// When the store cannot record it.
    pub async fn settle(&self, id: &str, outcome: Settled) -> Result<bool, JobError> {
        let Some(effect) = self.ledger.load(id).await?.filter(|it| it.feature == self.feature) else {
            return Ok(false);
        };
        let (to, note, result) = match outcome {
            Settled::Done(result) => (State::Done, None, Some(result)),
            Settled::Failed(why) => (State::Failed, Some(why), None),
        };
        self.ledger
            .advance(&effect, State::Intended, to, note.as_deref(), result.as_ref())
            .await
    }

    /// Moves a held effect on if somebody released it and nothing but the quota holds it.
    async fn goes_all_the_same(&self, held: &Effect) -> Result<bool, JobError> {
        Ok(ledger::is_released(held)
            && self.ledger.gate(self.feature, true).await == Gate::Open
            && self.ledger.go_on(held, State::Intended, None).await?)
    }

    async fn send<F, Fut>(&self, effect: &Effect, send: F) -> Result<Sent, JobError>
    where
        F: FnOnce(Permit) -> Fut,
        Fut: Future<Output = Result<Value, mastodon::Error>>,
    {
        match send(Permit::mint(effect)).await {
            Ok(result) => {
                self.ledger
                    .advance(effect, State::Intended, State::Done, None, Some(&result))
                    .await?;
                Ok(Sent::Done(result))
            }
            Err(error) => {
                let to = if may_have_happened(&error) {
                    State::Intended
                } else {
                    State::Failed
                };
                self.ledger
                    .advance(effect, State::Intended, to, Some(&error.to_string()), None)
                    .await?;
                Err(error.into())
            }
        }
    }
}

/// The one place where permits come from.
trait Mint {
    fn mint(effect: &Effect) -> Self;
}

impl Mint for Permit {
    #[expect(clippy::disallowed_methods, reason = "this is the ledger everybody else is sent to")]
    fn mint(effect: &Effect) -> Self {
        Self::new(effect.id.clone())
    }
}

/// Whether the server may have done it all the same: anything after the request may have gone out, short of a clear
/// refusal.
fn may_have_happened(error: &mastodon::Error) -> bool {
    use mastodon::Error as E;
    use net::Error as N;
    match error {
        E::NoToken { .. }
        | E::Revoked { .. }
        | E::Scope { .. }
        | E::Forbidden { .. }
        | E::NotFound { .. }
        | E::Gone { .. }
        | E::Invalid { .. }
        | E::RateLimited { .. }
        | E::Net(
            N::Refused { .. }
            | N::Blocked(_)
            | N::Robots(_)
            | N::Resting { .. }
            | N::Stopped
            | N::Config { .. }
            | N::File { .. },
        ) => false,
        E::ServerDown { .. } | E::NotJson { .. } | E::Net(_) => true,
    }
}
