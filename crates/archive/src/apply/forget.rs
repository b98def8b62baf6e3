//! Forgetting, on disk too.

use chrono::{DateTime, Utc};
use serde::Serialize;
use store::{
    Db,
    archive::{self, Whom},
};

use crate::{Blobs, json_files};

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Forgotten {
    /// Statuses.
    pub statuses: u64,
    /// Their older versions.
    pub versions: u64,
    /// Activities.
    pub activities: u64,
    /// Pictures, sounds and videos that nothing else shows.
    pub files: u64,
    /// Statuses as files, where `save_json` wrote them.
    pub json_files: u64,
}

/// Forgets a status, an author or a login, with the files that nothing else shows. Killed in between, the next time
/// finishes it. A status or an author is not kept again.
///
/// # Errors
/// When the store or the disk fails.
pub async fn forget(db: &Db, blobs: &Blobs, whom: &Whom, now: DateTime<Utc>) -> anyhow::Result<Forgotten> {
    // First, while it is known which they are.
    let json_files = json_files::forget(db, blobs.folder(), whom).await?;
    let gone = archive::forget(db, whom, now).await?;
    // Rows last: what is still on record is found again by the next who forgets.
    let files = blobs.delete(&gone.blobs).await?;
    archive::forget_blobs(db, &gone.blobs).await?;
    Ok(Forgotten {
        statuses: gone.statuses,
        versions: gone.versions,
        activities: gone.activities,
        files,
        json_files,
    })
}
