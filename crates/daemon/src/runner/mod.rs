//! Who is due, and that each job and scope runs once at a time.
//!
//! ```text
//! activation ─► due? ─► busy here? ─► lease? ─► due still? ─► running ─► one row, one log line, one metric
//! ```
//!
//! Activations come from the scheduler, from nudges ("run now") and from what other processes wrote to the store; all
//! of them only ask the same question again.

mod due;
mod entry;
mod outcome;
mod peers;
mod run;
mod told;
mod watch;

pub use entry::{Entry, Settings};
pub(crate) use peers::PEER;

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use job::{Due, Live};
use store::{
    job_runs::JobRun,
    job_states::{self, JobState},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, warn};
use uuid::ContextV7;

use self::due::Decision;
use crate::{doors::Doors, logins, scheduler::Activate};

/// How often the store is asked whether another process paused a job or wants it run.
const POLL: Duration = Duration::from_secs(3);

/// The runner. Clone it freely.
#[derive(Debug, Clone)]
pub struct Runner(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    doors: Doors,
    settings: ArcSwap<Settings>,
    busy: Mutex<HashSet<(String, String)>>,
    looking: tokio::sync::Mutex<()>,
    /// Processes on this database, this one included.
    peers: Mutex<Vec<String>>,
    tracker: TaskTracker,
    /// Runs are asked to end at their next page.
    stop: CancellationToken,
    /// Runs are ended.
    kill: CancellationToken,
    up_since: DateTime<Utc>,
    /// Makes the ids of runs, each higher than those before.
    ids: Mutex<ContextV7>,
}

impl Runner {
    /// A runner of these jobs. It starts nothing by itself: see [`Runner::look`] and [`Runner::watch`].
    pub fn new(doors: Doors, settings: Settings) -> Self {
        let up_since = doors.clock.now();
        let runner = Self(Arc::new(Inner {
            doors,
            settings: ArcSwap::from_pointee(settings),
            busy: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            peers: Mutex::default(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
            up_since,
            ids: Mutex::new(ContextV7::new()),
        }));
        runner.fill_board();
        runner
    }

    /// The jobs as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.load_full()
    }

    /// Puts other jobs in place. Runs under way end by the old ones.
    pub fn replace(&self, settings: Settings) {
        self.0.settings.store(Arc::new(settings));
        self.fill_board();
    }

    /// Ends every rest: the config was read anew, so what was wrong may be mended. Marks what dead processes left.
    pub async fn begin(&self) {
        let Inner { doors, .. } = &*self.0;
        match job_states::list(&doors.store).await {
            Ok(states) => {
                for state in states.iter().filter(|state| state.rests.is_some()) {
                    let ended =
                        job_states::set_rests(&doors.store, &state.job, &state.scope, None, doors.clock.now()).await;
                    if let Err(error) = ended {
                        warn!(job = state.job, error = %logins::chain(&error), "cannot end a job's rest");
                    }
                }
            }
            Err(error) => warn!(error = %logins::chain(&error), "cannot read the states of jobs"),
        }
    }

    /// Checks the logins that were not checked yet, without anybody waiting for it.
    pub fn check_logins(&self) {
        let this = self.clone();
        self.0.tracker.spawn(async move {
            let settings = this.settings();
            let doors = &this.0.doors;
            tokio::select! {
                () = logins::check(&settings.logins, &settings.jobs, doors) => {}
                () = this.0.stop.cancelled() => {}
            }
        });
    }

    /// Starts what is due, of one job or of all.
    pub async fn look(&self, job: Option<&str>) {
        let inner = &*self.0;
        if inner.stop.is_cancelled() {
            return;
        }
        let _one = inner.looking.lock().await;
        let states = match job_states::list(&inner.doors.store).await {
            Ok(states) => states,
            Err(error) => {
                error!(error = %logins::chain(&error), "cannot read the states of jobs; nothing is started");
                return;
            }
        };
        let now = inner.doors.clock.now();
        let settings = self.settings();
        let stated: HashSet<(&str, &str)> = states.iter().map(|state| (&*state.job, &*state.scope)).collect();
        let is_stated = |entry: &Entry| {
            let job = entry.job.name();
            stated.contains(&(job, "")) || stated.contains(&(job, &*entry.scope))
        };
        // Entries that a wish for all scopes of their job does not reach now.
        let mut missed: Vec<&Entry> = Vec::new();
        for entry in settings
            .entries
            .iter()
            .filter(|entry| job.is_none_or(|job| job == entry.job.name()))
        {
            if self.is_busy(entry) || !entry.is_checked() {
                missed.push(entry);
            }
            if (entry.is_quiet(now) && !is_stated(entry)) || self.is_busy(entry) {
                continue;
            }
            match self.decide(entry, &states, now).await {
                Ok(Decision::Start { woken }) => drop(self.start(&settings, entry, woken)),
                Ok(Decision::Wait) => {}
                Err(error) => {
                    warn!(job = entry.job.name(), scope = entry.scope, error = %logins::chain(&error), "cannot tell whether a job is due");
                }
            }
        }
        for state in states
            .iter()
            .filter(|state| state.scope.is_empty() && state.wake_at.is_some() && !state.paused)
        {
            if job.is_none_or(|job| job == state.job) {
                let missed = missed.iter().filter(|entry| entry.job.name() == state.job);
                let missed: Vec<&str> = missed.map(|entry| &*entry.scope).collect();
                if let Err(error) = self.pass_on(state, &missed, now).await {
                    warn!(job = state.job, error = %logins::chain(&error), "cannot take back a wish to run");
                }
            }
        }
    }

    /// Takes back a wish for all scopes of a job, now that each has started but those that were `missed`: a run that was
    /// under way may have looked already where there is something new, so these keep the wish as one of their own.
    async fn pass_on(&self, wish: &JobState, missed: &[&str], now: DateTime<Utc>) -> Result<(), store::Error> {
        let store = &self.0.doors.store;
        for scope in missed {
            if scope.is_empty() {
                // It is its own already, and goes with the start of its run.
                return Ok(());
            }
            job_states::wake_once(store, &wish.job, scope, wish.wake_at.unwrap_or(now)).await?;
        }
        job_states::woken(store, &wish.job, "", now).await
    }

    /// Answers nudges and what other processes write, until the daemon stops.
    pub async fn watch(&self) {
        let inner = &*self.0;
        let mut seen: Vec<JobState> = Vec::new();
        loop {
            tokio::select! {
                () = inner.stop.cancelled() => return,
                () = inner.doors.board.nudged() => self.look(None).await,
                () = tokio::time::sleep(POLL) => {
                    self.meet_peers().await;
                    // A failure is told by the next sweep.
                    if let Ok(states) = job_states::list(&inner.doors.store).await && states != seen {
                        seen = states;
                        self.look(None).await;
                    }
                }
            }
        }
    }

    /// Runs these entries now and waits for them; for `egret once`.
    pub async fn run_now(&self, entries: &[Arc<Entry>]) -> Vec<JobRun> {
        let settings = self.settings();
        let started: Vec<_> = entries
            .iter()
            .filter_map(|entry| self.start(&settings, entry, true))
            .collect();
        let mut runs = Vec::new();
        for run in started {
            if let Ok(Some(run)) = run.await {
                runs.push(run);
            }
        }
        runs
    }

    /// Asks every run to end at its next page and waits up to `drain`; those that did not are ended. True when all
    /// ended by themselves.
    pub async fn drain(&self, drain: Duration) -> bool {
        let inner = &*self.0;
        inner.stop.cancel();
        inner.tracker.close();
        let ended = tokio::time::timeout(drain, inner.tracker.wait()).await.is_ok();
        if !ended {
            inner.kill.cancel();
            // What is cut off still gets its row, if the store answers.
            let _ = tokio::time::timeout(Duration::from_secs(3), inner.tracker.wait()).await;
        }
        ended
    }

    /// Asks runs to end at their next page.
    pub fn stop(&self) {
        self.0.stop.cancel();
    }

    /// Names of the jobs.
    pub fn jobs(&self) -> Vec<String> {
        self.settings().jobs.iter().map(|job| job.name().to_owned()).collect()
    }

    fn is_busy(&self, entry: &Entry) -> bool {
        self.0
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&entry.key())
    }

    /// Starts a run unless one is under way in this process.
    fn start(
        &self,
        settings: &Arc<Settings>,
        entry: &Arc<Entry>,
        woken: bool,
    ) -> Option<tokio::task::JoinHandle<Option<JobRun>>> {
        let inner = &*self.0;
        if !inner
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(entry.key())
        {
            return None;
        }
        let guard = Busy {
            runner: self.clone(),
            key: entry.key(),
        };
        let (this, settings, entry) = (self.clone(), settings.clone(), entry.clone());
        Some(inner.tracker.spawn(async move {
            let run = this.run(&settings, &entry, woken).await;
            let board = this.0.doors.board.clone();
            drop(guard);
            if run.is_some() {
                board.nudge();
            }
            run
        }))
    }

    fn fill_board(&self) {
        self.0.doors.board.watch(self.settings().net.clone());
        let lives: Vec<Live> = self.settings().entries.iter().map(|entry| entry.live()).collect();
        self.0.doors.board.reset(lives);
    }
}

impl Activate for Runner {
    fn activate(&self, job: Option<&str>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let job = job.map(str::to_owned);
        Box::pin(async move { self.look(job.as_deref()).await })
    }

    fn wait(&self, job: &str) -> Option<Duration> {
        let now = self.0.doors.clock.now();
        let settings = self.settings();
        let entries = settings.entries.iter().filter(|entry| entry.job.name() == job);
        entries
            .map(
                |entry| match self.due_by(entry, entry.past().unwrap_or_default(), now) {
                    Due::Now => Duration::ZERO,
                    Due::At(at) => (at - now).to_std().unwrap_or_default(),
                    Due::Never => Duration::MAX,
                },
            )
            .min()
    }

    fn jobs(&self) -> Vec<String> {
        Runner::jobs(self)
    }
}

/// Keeps a job and scope from running twice in one process; given back on a panic too.
struct Busy {
    runner: Runner,
    key: (String, String),
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.runner
            .0
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests;
