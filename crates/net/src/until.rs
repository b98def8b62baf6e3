//! Until when somebody may speak: a process that was stopped and goes on later must not send what another has meanwhile
//! taken over.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// An end that is put off again and again, by a clock that goes on while a process is stopped. Clones share it.
#[derive(Debug, Clone)]
pub struct Until(Arc<Mutex<Instant>>);

impl Until {
    /// `lasts` after `from`.
    pub fn new(from: Instant, lasts: Duration) -> Self {
        Self(Arc::new(Mutex::new(from + lasts)))
    }

    /// Puts it off to `lasts` after `from`: the moment before somebody asked whether it may be put off.
    pub fn put_off(&self, from: Instant, lasts: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = from + lasts;
    }

    /// Whether it has come.
    pub fn is_over(&self) -> bool {
        Instant::now() >= *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_nobody_puts_it_off() {
        let now = Instant::now();
        let until = Until::new(now - Duration::from_secs(60), Duration::from_secs(59));
        assert!(until.is_over());
        until.clone().put_off(now, Duration::from_secs(60));
        assert!(!until.is_over());
    }
}
