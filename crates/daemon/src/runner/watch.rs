//! Beside a run while it works: its lease is renewed, its progress shown, and it is cut off where it must be.

use std::time::{Duration, Instant};

use job::{JobError, Progress, Summary};
use net::Until;
use store::leases::{self, Lease};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Entry, Runner};
use crate::logins::chain;

/// How long a run that was told to end may take to reach its next page.
const GRACE: Duration = Duration::from_secs(10);

/// Why a run was told to end, if it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Timeout,
    Lease,
    Drain,
}

/// What came of the work; `None` when it had to be aborted.
pub(super) type Work = Option<Result<Result<Summary, JobError>, tokio::task::JoinError>>;

impl Runner {
    /// Waits for the work, renews its lease, shows how far it is, and cuts it off where it must be.
    pub(super) async fn accompany(
        &self,
        entry: &Entry,
        (lease, until, lasts): (&Lease, &Until, Duration),
        mut task: JoinHandle<Result<Summary, JobError>>,
        stop: &CancellationToken,
        progress: &Progress,
        since: chrono::DateTime<chrono::Utc>,
    ) -> (Work, Option<Cut>) {
        let doors = &self.0.doors;
        let mut live = entry.live();
        live.running_since = Some(since);
        doors.board.put(live);
        doors.board.follow(entry.job.name(), &entry.scope, progress.clone());
        let timeout = tokio::time::sleep(entry.job.section().timeout);
        tokio::pin!(timeout);
        let mut renew = tokio::time::interval_at(tokio::time::Instant::now() + lasts / 3, lasts / 3);
        let mut kept = tokio::time::Instant::now();
        let cut = loop {
            tokio::select! {
                ended = &mut task => return (Some(ended), None),
                () = &mut timeout => break Cut::Timeout,
                () = self.0.kill.cancelled() => {
                    task.abort();
                    return (None, Some(Cut::Drain));
                }
                _ = renew.tick() => {
                    // From before the question: the answer may be long on its way, or never come from a database that is
                    // cut off, while another process takes the lease.
                    let asked = Instant::now();
                    let taken = leases::take(&doors.store, &lease.name, &doors.holder, lasts, doors.clock.now());
                    match tokio::time::timeout_at(kept + lasts, taken).await {
                        Ok(Ok(Some(renewed))) if renewed.fence == lease.fence => {
                            kept = tokio::time::Instant::from_std(asked);
                            until.put_off(asked, lasts);
                        }
                        Ok(Ok(_)) => break Cut::Lease,
                        Ok(Err(error)) if kept.elapsed() >= lasts * 11 / 12 => {
                            warn!(job = entry.job.name(), error = %chain(&error), "the lease ran out");
                            break Cut::Lease;
                        }
                        Ok(Err(error)) => {
                            warn!(job = entry.job.name(), error = %chain(&error), "cannot renew the lease of a job");
                        }
                        Err(_) => {
                            warn!(job = entry.job.name(), "the lease ran out while it was being renewed");
                            break Cut::Lease;
                        }
                    }
                }
            }
        };
        stop.cancel();
        tokio::select! {
            ended = &mut task => (Some(ended), Some(cut)),
            () = tokio::time::sleep(GRACE) => {
                task.abort();
                (None, Some(cut))
            }
            () = self.0.kill.cancelled() => {
                task.abort();
                (None, Some(cut))
            }
        }
    }
}
