//! Which failures pass, and when to look again. The only file that names `backoff`.

use std::time::Duration;

use backoff::{ExponentialBackoff, backoff::Backoff};

/// The attempts at one request.
#[derive(Debug)]
pub(crate) struct Retry {
    left: u32,
    pauses: ExponentialBackoff,
}

impl Retry {
    /// `attempts` in all; a request that may not be repeated has one.
    pub(crate) fn new(attempts: u32, repeatable: bool) -> Self {
        // Full jitter: anything between nothing and the ceiling of 0.5 s, 1 s, 2 s, … is as likely. The crate
        // draws from `interval ± interval * factor`, so the interval is half of the ceiling.
        let first = Duration::from_millis(250);
        let pauses = ExponentialBackoff {
            current_interval: first,
            initial_interval: first,
            randomization_factor: 1.0,
            multiplier: 2.0,
            max_interval: Duration::from_secs(5),
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self {
            left: if repeatable { attempts.saturating_sub(1) } else { 0 },
            pauses,
        }
    }

    /// The pause before the next attempt; `None` when there is none.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        self.pauses.next_backoff()
    }
}

/// Whether an answer may be another one in a moment. 429 is not among them: its wait is known to the limits.
pub(crate) fn passes(http_status: u16) -> bool {
    matches!(http_status, 502..=504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_repeatable_requests_have_another_attempt() {
        assert_eq!(Retry::new(3, false).next(), None);
        let mut retry = Retry::new(3, true);
        assert!(retry.next().is_some() && retry.next().is_some() && retry.next().is_none());
    }

    #[test]
    fn pauses_lie_between_nothing_and_a_growing_ceiling() {
        for _ in 0..200 {
            let mut retry = Retry::new(20, true);
            let mut ceiling = Duration::from_millis(501);
            while let Some(pause) = retry.next() {
                assert!(pause <= ceiling, "{pause:?} > {ceiling:?}");
                ceiling = (ceiling * 2).min(Duration::from_millis(10_001));
            }
        }
    }
}
