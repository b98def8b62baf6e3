//! One entry per job: the one file that names tokio-cron-scheduler.
//!
//! Each entry is a one-shot, armed again after each activation for the job's next due time, at most a minute ahead,
//! beside one sweep a minute for whatever is overdue. So a lost activation costs a minute, not a job. An activation is
//! a reminder: it only asks what is due, so early, late and double ones do no harm. The library's repeated jobs stay
//! unused: an activation later than one interval silences such a job for good.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tracing::warn;

/// The longest that anything sleeps.
const LONGEST: Duration = Duration::from_secs(60);

/// The shortest: an overdue job that cannot start is asked again at this pace.
const SHORTEST: Duration = Duration::from_secs(1);

/// An entry this much overdue was lost, and may be armed again.
const LATE: Duration = Duration::from_secs(5);

/// The entry of the sweep.
const SWEEP: &str = "";

/// What an activation asks.
pub trait Activate: Send + Sync + 'static {
    /// Starts what is due of a job, or of all jobs where `None`.
    fn activate(&self, job: Option<&str>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// How long until a job is next due; `None` when there is no such job any more.
    fn wait(&self, job: &str) -> Option<Duration>;

    /// The jobs there are.
    fn jobs(&self) -> Vec<String>;
}

/// The scheduler. Clone it freely.
#[derive(Clone)]
pub struct Scheduler {
    library: JobScheduler,
    target: Arc<dyn Activate>,
    /// When each entry should fire.
    armed: Arc<Mutex<HashMap<String, Instant>>>,
}

impl std::fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scheduler")
            .field("armed", &self.armed)
            .finish_non_exhaustive()
    }
}

impl Scheduler {
    /// Starts it with its sweep.
    ///
    /// # Errors
    /// When the library does not start.
    pub async fn start(target: Arc<dyn Activate>) -> Result<Self, JobSchedulerError> {
        let library = JobScheduler::new().await?;
        library.start().await?;
        let scheduler = Self {
            library,
            target,
            armed: Arc::default(),
        };
        scheduler.arm(SWEEP.into(), LONGEST).await;
        Ok(scheduler)
    }

    /// Gives each job an entry, unless it has one that can still fire.
    pub async fn arm_all(&self) {
        for job in self.target.jobs() {
            if let Some(wait) = self.target.wait(&job) {
                self.arm(job, wait).await;
            }
        }
    }

    /// Ends all activations. What runs goes on: that is the runner's business.
    pub async fn stop(&mut self) {
        if let Err(error) = self.library.shutdown().await {
            warn!(%error, "the scheduler did not shut down");
        }
    }

    fn arm(&self, job: String, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let wait = wait.clamp(SHORTEST, LONGEST);
            {
                let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
                if armed.get(&job).is_some_and(|at| at.elapsed() < LATE) {
                    return;
                }
                armed.insert(job.clone(), Instant::now() + wait);
            }
            let (this, name) = (self.clone(), job.clone());
            let entry = Job::new_one_shot_async(wait, move |_, _| {
                let (this, job) = (this.clone(), name.clone());
                Box::pin(async move { this.activated(job).await })
            });
            let added = match entry {
                Ok(entry) => self.library.add(entry).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = added {
                // The sweep asks for it within a minute, and arms it again.
                warn!(job, %error, "cannot arm a job");
                self.armed.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
            }
        })
    }

    async fn activated(&self, job: String) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        let wait = if job == SWEEP {
            self.target.activate(None).await;
            self.arm_all().await;
            Some(LONGEST)
        } else {
            self.target.activate(Some(&job)).await;
            self.target.wait(&job)
        };
        if let Some(wait) = wait {
            self.arm(job, wait).await;
        }
    }
}
