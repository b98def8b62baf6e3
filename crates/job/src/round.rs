//! What a run keeps count of that works on many things at once: what was done, and when our server has had enough.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use tokio_util::sync::CancellationToken;

use crate::{JobError, Summary};

/// Transient failures of our own server in a row after which a round ends: it is busy, and the next tick is the retry.
const PATIENCE: u32 = 5;

/// One round over many things, shared by all that are worked on.
#[derive(Debug)]
pub struct Round {
    stop: CancellationToken,
    busy: AtomicU32,
    halted: AtomicBool,
    tally: Mutex<Summary>,
}

impl Round {
    /// A round that ends with `stop`.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            stop,
            busy: AtomicU32::new(0),
            halted: AtomicBool::new(false),
            tally: Mutex::default(),
        }
    }

    /// Adds to a counter.
    pub fn count(&self, counter: &'static str, by: impl TryInto<i64>) {
        self.tally
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(counter, by);
    }

    /// The counters so far.
    pub fn summary(&self) -> Summary {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nothing new is to be begun.
    pub fn halted(&self) -> bool {
        self.halted.load(Ordering::Acquire) || self.stop.is_cancelled()
    }

    /// Our server has answered: whatever was wrong is over.
    pub fn is_well(&self) {
        self.busy.store(0, Ordering::Release);
    }

    /// Takes an error of our own server: counted as `postponed` while there is patience.
    ///
    /// # Errors
    /// Itself, where it ends the round: what the operator must mend, a stop, or one trouble too many in a row.
    pub fn ends(&self, error: JobError) -> Result<(), JobError> {
        if matches!(error, JobError::Transient(_)) && self.busy.fetch_add(1, Ordering::AcqRel) + 1 < PATIENCE {
            self.count("postponed", 1);
            return Ok(());
        }
        self.halted.store(true, Ordering::Release);
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> JobError {
        JobError::Transient(anyhow::anyhow!("busy"))
    }

    #[test]
    fn a_round_has_patience_with_a_busy_server_and_none_with_a_closed_one() {
        let round = Round::new(CancellationToken::new());
        for _ in 0..4 {
            round.ends(busy()).unwrap();
        }
        round.is_well();
        for _ in 0..4 {
            round.ends(busy()).unwrap();
        }
        assert!(!round.halted());
        round.ends(busy()).unwrap_err();
        assert!(round.halted());
        assert_eq!(round.summary().get("postponed"), 8);
        let round = Round::new(CancellationToken::new());
        round.ends(JobError::Permanent(anyhow::anyhow!("revoked"))).unwrap_err();
        assert!(round.halted());
    }

    #[test]
    fn a_stop_halts() {
        let stop = CancellationToken::new();
        let round = Round::new(stop.clone());
        stop.cancel();
        assert!(round.halted());
    }
}
