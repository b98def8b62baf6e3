//! The doors, and nothing else.

use std::sync::Arc;

use mastodon::Client;
use model::Clock;
use net::Net;
use store::Db;
use tokio_util::sync::CancellationToken;

use crate::{Effects, JobError, Progress};

/// A token we hold, ready to use.
#[derive(Debug, Clone)]
pub struct Login {
    /// `server/login`.
    pub name: String,
    /// The server's host, as in the store.
    pub server: String,
    /// The client, spending in this run's lane.
    pub client: Client,
}

/// The doors and nothing else.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// The run's id in `job_runs`.
    pub run: String,
    /// The login this run is for; jobs per server get the first of that server's logins that suffices, jobs per
    /// daemon none.
    pub login: Option<Login>,
    /// Every login in the config whose token works, for jobs per daemon.
    pub logins: Vec<Login>,
    /// The door to other servers, in this run's lane.
    pub net: Net,
    /// The door to SQL.
    pub store: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the run should end at the next page.
    pub stop: CancellationToken,
    /// Seen live on the Jobs page and as a bar on a terminal.
    pub progress: Progress,
    /// The ledger.
    pub effects: Effects,
}

impl JobContext {
    /// The login this run is for.
    ///
    /// # Errors
    /// When the job runs per daemon: a bug of the job.
    pub fn login(&self) -> Result<&Login, JobError> {
        self.login
            .as_ref()
            .ok_or_else(|| JobError::Permanent(anyhow::anyhow!("this job runs without a login")))
    }

    /// `Err(Stopped)` once the run should end: to be asked between pages.
    ///
    /// # Errors
    /// [`JobError::Stopped`].
    pub fn check_stop(&self) -> Result<(), JobError> {
        if self.stop.is_cancelled() {
            Err(JobError::Stopped)
        } else {
            Ok(())
        }
    }
}
