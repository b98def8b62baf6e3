//! The one place that asks the operating system for the time, so that a test can be the operating system.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Tells the time, in microseconds at the finest: all that Postgres keeps.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now, truncated to microseconds.
    fn now(&self) -> DateTime<Utc>;
}

/// The operating system's clock, put right by a better one where there is one. One for the whole process, so that all
/// that it writes agrees.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Microseconds that are added to what the operating system says.
static ADDED: AtomicI64 = AtomicI64::new(0);

/// Microseconds by which a test says that the machine's clock is wrong.
#[cfg(debug_assertions)]
static WRONG: AtomicI64 = AtomicI64::new(0);

impl SystemClock {
    /// Moves it by `by`, backwards if it is negative, and gives all that it was moved so far.
    pub fn put_right(self, by: TimeDelta) -> TimeDelta {
        let by = by.num_microseconds().unwrap_or(0);
        TimeDelta::microseconds(ADDED.fetch_add(by, Ordering::SeqCst).saturating_add(by))
    }

    /// How far it was moved.
    pub fn added(self) -> TimeDelta {
        TimeDelta::microseconds(ADDED.load(Ordering::SeqCst))
    }

    /// Lets the machine's clock be wrong: there is no other way to have two machines in one test.
    #[cfg(debug_assertions)]
    pub fn make_wrong(self, by: TimeDelta) {
        WRONG.store(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock everybody else is sent to")]
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now().trunc_subsecs(6);
        #[cfg(debug_assertions)]
        let now = now + TimeDelta::microseconds(WRONG.load(Ordering::Relaxed));
        now + self.added()
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<Mutex<DateTime<Utc>>>);

impl FakeClock {
    /// Starts at `now`.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(now.trunc_subsecs(6))))
    }

    /// Moves by `delta`, backwards if it is negative.
    pub fn advance(&self, delta: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += delta;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
