//! The pace of one bucket: a governor as the ceiling, corrected by what the server says of it.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, Reference},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::{Instant, sleep_until};

use super::lanes::{Lanes, Place};

/// Below this share of its limit a bucket is spent evenly until its reset.
const LOW: u32 = 10;
/// Two answers speak of the same window if their resets are this close: `Date` has whole seconds only.
const SAME_WINDOW: Duration = Duration::from_secs(2);
/// How long a refusal that names no time is obeyed for; doubled with each that follows it.
const UNNAMED: Duration = Duration::from_secs(5);

/// tokio's clock for governor, so that a paused clock pauses both.
#[derive(Debug, Clone)]
struct TokioClock(Instant);

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// One bucket.
#[derive(Debug)]
pub(crate) struct Gate {
    /// One at a time looks at the pace; who comes later waits in lanes.
    queue: Arc<Lanes>,
    ceiling: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
    word: Mutex<Word>,
}

/// What the server said last.
#[derive(Debug, Default)]
struct Word {
    quiet_until: Option<Instant>,
    window: Option<Window>,
    limit: Option<u32>,
    refusals: u32,
    used: Option<Instant>,
    /// The least time between two requests.
    gap: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    left: u32,
    until: Instant,
    /// Set when little is left.
    next: Option<Instant>,
}

impl Gate {
    /// `count` requests in `period`, `burst` of them at once.
    pub(crate) fn new(count: u32, period: Duration, burst: u32) -> Self {
        let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let each = (period / count.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(each)
            .unwrap_or_else(|| Quota::per_minute(count))
            .allow_burst(burst);
        let clock = TokioClock(Instant::now());
        Self {
            queue: Lanes::new(1),
            ceiling: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            word: Mutex::default(),
        }
    }

    /// Waits for one request's worth of budget.
    pub(crate) async fn pass(&self, lane: &'static str) {
        let _turn = self.queue.enter(lane).await;
        // Nothing is too long to wait for.
        let _ = self.pace(Duration::MAX).await;
    }

    /// The same for a bucket whose queue is kept elsewhere.
    ///
    /// # Errors
    /// How long the server wants quiet still, where that is longer than `patience`.
    async fn pace(&self, patience: Duration) -> Result<(), Duration> {
        // First, so that those who are sent away spend nothing.
        if let Some((0, wait)) = self.window().1.filter(|(_, wait)| *wait > patience) {
            return Err(wait);
        }
        while let Err(not_yet) = self.ceiling.check() {
            let wait = not_yet.earliest_possible().duration_since(self.clock.now());
            // At least a moment: rounding must not make this a busy loop.
            sleep_until(Instant::now() + Duration::from(wait).max(Duration::from_millis(1))).await;
        }
        loop {
            // A statement of its own, so that the lock is let go before waiting.
            let now = Instant::now();
            let taken = self.word().take(now);
            let Err(until) = taken else { return Ok(()) };
            if until - now > patience {
                return Err(until - now);
            }
            sleep_until(until).await;
        }
    }

    /// Until when the server wants quiet.
    pub(crate) fn quiet(&self) -> Option<Instant> {
        self.word().quiet_until.filter(|until| *until > Instant::now())
    }

    /// The server's own limit, once known.
    pub(super) fn limit(&self) -> Option<u32> {
        self.word().limit
    }

    /// What we believe is left, while the window lasts.
    pub(super) fn left(&self) -> Option<u32> {
        let now = Instant::now();
        self.word()
            .window
            .filter(|window| window.until > now)
            .map(|window| window.left)
    }

    /// The server counted: `left` of `limit` for another `reset`.
    pub(super) fn correct(&self, limit: Option<u32>, left: u32, reset: Duration) {
        let now = Instant::now();
        let until = now + reset;
        let mut word = self.word();
        word.refusals = 0;
        if limit.is_some() {
            word.limit = limit;
        }
        // Answers may overtake each other, and requests under way are counted by us alone: within a window only
        // the smaller number is believed.
        let known = word
            .window
            .filter(|known| known.until > now && apart(known.until, until) <= SAME_WINDOW);
        let left = known.map_or(left, |known| known.left.min(left));
        let low = limit.is_some_and(|limit| left.saturating_mul(LOW) < limit);
        let next = (low && left > 0).then(|| now + reset / left);
        word.window = Some(Window { left, until, next });
    }

    /// The server refused. Waits `wait`, or longer each time if it named none; tells how long.
    pub(super) fn refuse(&self, wait: Option<Duration>, longest: Duration) -> Duration {
        let mut word = self.word();
        let unnamed = UNNAMED.saturating_mul(1 << word.refusals.min(10));
        word.refusals = word.refusals.saturating_add(1);
        // A passed time is no wait at all, but asking again at once would be rude.
        let wait = wait.unwrap_or(unnamed).max(Duration::from_secs(1)).min(longest);
        let jitter = (wait / 10).min(Duration::from_secs(5)).mul_f64(rand::random::<f64>());
        let until = Instant::now() + wait + jitter;
        word.window = None;
        word.quiet_until = word.quiet_until.max(Some(until));
        wait + jitter
    }

    /// From now on two requests are at least so far apart.
    pub(super) fn space(&self, gap: Duration) {
        self.word().gap = gap;
    }

    /// An answer without a word about limits: the refusals are over.
    pub(super) fn answered(&self) {
        self.word().refusals = 0;
    }

    /// The server's limit, what is left, and how long until it is full again; nothing where nobody knows.
    pub(super) fn window(&self) -> (Option<u32>, Option<(u32, Duration)>) {
        let now = Instant::now();
        let word = self.word();
        let quiet = word
            .quiet_until
            .filter(|until| *until > now)
            .map(|until| (0, until - now));
        let window = word.window.filter(|window| window.until > now);
        (
            word.limit,
            quiet.or(window.map(|window| (window.left, window.until - now))),
        )
    }

    /// Whether forgetting this bucket would change nothing.
    pub(super) fn is_idle(&self) -> bool {
        let now = Instant::now();
        let word = self.word();
        let used = word.used.is_some_and(|used| now - used < Duration::from_secs(15 * 60));
        !used && word.quiet_until.is_none_or(|until| until <= now)
    }

    fn word(&self) -> MutexGuard<'_, Word> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Word {
    /// Takes one request's worth, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.quiet_until.filter(|until| *until > now) {
            return Err(until);
        }
        self.quiet_until = None;
        if let Some(next) = self.used.map(|used| used + self.gap).filter(|next| *next > now) {
            return Err(next);
        }
        let used = self.used.replace(now);
        let Some(window) = self.window.as_mut().filter(|window| window.until > now) else {
            self.window = None;
            return Ok(());
        };
        if window.left == 0 {
            self.used = used;
            return Err(window.until);
        }
        if let Some(next) = window.next {
            if next > now {
                self.used = used;
                return Err(next.min(window.until));
            }
            window.next = Some(now + (window.until - now) / window.left);
        }
        window.left -= 1;
        Ok(())
    }
}

/// A bucket with a bound on what is in flight, in one queue: whoever has a place keeps it until the answer.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) places: Arc<Lanes>,
    pub(crate) gate: Gate,
}

impl Host {
    /// Waits for a place and one request's worth of budget.
    ///
    /// # Errors
    /// How long the host wants quiet still, where that is longer than `patience`.
    pub(crate) async fn pass(&self, lane: &'static str, patience: Duration) -> Result<Place, Duration> {
        let place = self.places.enter(lane).await;
        self.gate.pace(patience).await?;
        Ok(place)
    }
}

fn apart(a: Instant, b: Instant) -> Duration {
    a.max(b) - a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(15 * 60);

    async fn spend(gate: &Gate, count: u32) -> Duration {
        let begin = Instant::now();
        for _ in 0..count {
            gate.pass("a").await;
        }
        begin.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_evenly() {
        let gate = Gate::new(30, MINUTE, 5);
        assert!(spend(&gate, 5).await < Duration::from_millis(10));
        let ten = spend(&gate, 10).await;
        assert!(
            (Duration::from_secs(19)..Duration::from_secs(21)).contains(&ten),
            "{ten:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_gap_is_kept_between_any_two() {
        let gate = Gate::new(6000, MINUTE, 100);
        gate.space(Duration::from_secs(10));
        assert_eq!(spend(&gate, 1).await, Duration::ZERO);
        assert_eq!(spend(&gate, 3).await, Duration::from_secs(30));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(spend(&gate, 1).await, Duration::from_secs(3));
        gate.space(Duration::ZERO);
        assert!(spend(&gate, 3).await < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn plenty_left_is_no_reason_to_wait_and_nothing_left_is() {
        let gate = Gate::new(300, 5 * MINUTE, 300);
        gate.correct(Some(300), 200, 4 * MINUTE);
        assert_eq!(spend(&gate, 150).await, Duration::ZERO);
        gate.correct(Some(300), 0, 4 * MINUTE);
        assert_eq!(spend(&gate, 100).await, 4 * MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_tenth_is_spread_until_the_reset() {
        let gate = Gate::new(300, 5 * MINUTE, 300);
        gate.correct(Some(300), 20, MINUTE);
        let spent = spend(&gate, 20).await;
        assert!((MINUTE - Duration::from_secs(4)..=MINUTE).contains(&spent), "{spent:?}");
        assert!(spend(&gate, 1).await <= Duration::from_secs(4));
        assert_eq!(spend(&gate, 50).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_overtaken_gives_nothing_back() {
        let gate = Gate::new(300, 5 * MINUTE, 300);
        gate.correct(Some(10), 3, MINUTE);
        gate.correct(Some(10), 9, MINUTE);
        assert_eq!(gate.left(), Some(3));
        gate.correct(Some(10), 9, 2 * MINUTE);
        assert_eq!(gate.left(), Some(9));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_wait_as_told_at_least_a_moment_and_at_most_the_longest() {
        for (told, least) in [(90, 90), (0, 1), (3600, 900)] {
            let gate = Gate::new(300, 5 * MINUTE, 300);
            gate.refuse(Some(Duration::from_secs(told)), LONGEST);
            let spent = spend(&gate, 1).await.as_secs_f64();
            assert!(
                (f64::from(least)..f64::from(least) * 1.11).contains(&spent),
                "{told}: {spent}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_no_patience_is_told_and_spends_nothing() {
        let host = Host {
            places: Lanes::new(1),
            gate: Gate::new(30, MINUTE, 5),
        };
        host.gate.refuse(Some(5 * MINUTE), LONGEST);
        for _ in 0..100 {
            let told = host.pass("a", MINUTE).await.unwrap_err();
            assert!(told >= 5 * MINUTE, "{told:?}");
        }
        tokio::time::advance(6 * MINUTE).await;
        let begin = Instant::now();
        for _ in 0..5 {
            host.pass("a", MINUTE).await.unwrap();
        }
        assert!(begin.elapsed() < Duration::from_secs(1), "the burst is whole");
        // A short one is waited out, and so is what is left of a window.
        host.gate.refuse(Some(MINUTE / 2), LONGEST);
        host.pass("a", MINUTE).await.unwrap();
        host.gate.correct(Some(300), 0, 3 * MINUTE);
        assert!(host.pass("a", MINUTE).await.is_err());
        tokio::time::advance(5 * MINUTE / 2).await;
        host.pass("a", MINUTE).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_without_a_time_wait_longer_each_time() {
        let gate = Gate::new(300, 5 * MINUTE, 300);
        let waits: Vec<_> = (0..4).map(|_| gate.refuse(None, LONGEST).as_secs()).collect();
        assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
        gate.answered();
        assert!(gate.refuse(None, LONGEST) < Duration::from_secs(6));
    }
}
