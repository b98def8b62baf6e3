//! Which hosts rest. A host that failed several times in a row is left alone, longer each time, so that a dead
//! server costs the living ones nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use model::{Clock, Host};

/// Failures in a row until a host rests.
const PATIENCE: u32 = 3;
const FIRST_REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(60 * 60);
/// From this many hosts on those that rest no more are forgotten: names that lead nowhere cost nobody anything to make.
const MANY: usize = 1024;

#[derive(Debug)]
pub(crate) struct Health {
    clock: Arc<dyn Clock>,
    hosts: Mutex<HashMap<Host, State>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    failures: u32,
    until: Option<DateTime<Utc>>,
}

impl Health {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            hosts: Mutex::default(),
        }
    }

    /// How long a host rests still.
    pub(crate) fn rests(&self, host: &Host) -> Option<Duration> {
        let until = self.hosts().get(host)?.until?;
        (until - self.clock.now()).to_std().ok().filter(|wait| !wait.is_zero())
    }

    pub(crate) fn succeeded(&self, host: &Host) {
        self.hosts().remove(host);
    }

    /// Counts a failure; tells the rest that it brought, if any.
    pub(crate) fn failed(&self, host: &Host) -> Option<Duration> {
        let now = self.clock.now();
        let mut hosts = self.hosts();
        if hosts.len() >= MANY && !hosts.contains_key(host) {
            hosts.retain(|_, state| state.until.is_some_and(|until| until > now));
        }
        let state = hosts.entry(host.clone()).or_default();
        // Requests that were under way when the rest began tell nothing new.
        if state.until.is_some_and(|until| until > now) {
            return None;
        }
        state.failures = state.failures.saturating_add(1);
        let beyond = state.failures.checked_sub(PATIENCE)?;
        let rest = FIRST_REST.saturating_mul(1 << beyond.min(16)).min(LONGEST_REST);
        state.until = TimeDelta::from_std(rest)
            .ok()
            .and_then(|rest| now.checked_add_signed(rest));
        Some(rest)
    }

    fn hosts(&self) -> std::sync::MutexGuard<'_, HashMap<Host, State>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use model::FakeClock;

    use super::*;

    #[test]
    fn rests_grow_and_one_success_ends_them() {
        let clock = FakeClock::at("2026-08-01T00:00:00Z".parse().unwrap());
        let health = Health::new(Arc::new(clock.clone()));
        let host = Host::stored("dead.example");
        assert_eq!((health.failed(&host), health.failed(&host)), (None, None));
        assert_eq!(health.rests(&host), None);
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(health.failed(&host), Some(Duration::from_secs(minutes * 60)));
            assert_eq!(health.failed(&host), None, "one that was under way");
            assert_eq!(health.rests(&host), Some(Duration::from_secs(minutes * 60)));
            clock.advance(TimeDelta::minutes(minutes as i64));
            assert_eq!(health.rests(&host), None);
        }
        health.succeeded(&host);
        assert_eq!(health.failed(&host), None);
    }

    #[test]
    fn of_many_hosts_only_those_that_rest_are_remembered() {
        let clock = FakeClock::at("2026-08-01T00:00:00Z".parse().unwrap());
        let health = Health::new(Arc::new(clock));
        let dead = Host::stored("dead.example");
        for _ in 0..PATIENCE {
            health.failed(&dead);
        }
        for n in 0..3 * MANY {
            health.failed(&Host::stored(format!("n{n}.example")));
        }
        assert!(health.hosts().len() <= MANY);
        assert!(health.rests(&dead).is_some());
    }
}
