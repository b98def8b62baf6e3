//! Work on the archive's files that nobody else does meanwhile.

use std::{future::Future, time::Duration};

use anyhow::Context as _;
use store::{leases, lock::ProcessLock};

use crate::{daemon::free_dead_leases, doors::Doors};

/// The lease of `archive.media`, the job that brings files in: whoever takes files away, or brings many in, holds it, too.
const FILES: &str = "archive.media/";
/// How long a command that was killed keeps others out.
const LASTS: Duration = Duration::from_secs(60);

/// Does something with the archive's files. On SQLite not beside the daemon; on Postgres not beside a run of
/// `archive.media` nor another such command, on whatever machine.
///
/// # Errors
/// When somebody else is at it, and when the work fails.
pub(super) async fn with_files<T>(doors: &Doors, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let _alone = ProcessLock::acquire(&doors.store)?;
    free_dead_leases(doors).await;
    let lease = leases::take(&doors.store, FILES, &doors.holder, LASTS, doors.clock.now())
        .await?
        .context(
            "another process is at work on the archive's files: a run of archive.media, or a command such as this one; \
             try again when it is done",
        )?;
    // A command's future is large, and this one holds another.
    let ended = Box::pin(job::while_held(&doors.store, &*doors.clock, &lease, LASTS, work)).await;
    leases::release(&doors.store, &lease).await?;
    ended.context("another process took over the archive's files; try again, what is done is done")?
}
