//! Reads every kept file again and compares it with its name.

use serde::Serialize;
use store::{Db, archive::files};

use crate::Blobs;

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Files that are what they were.
    pub sound: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files that changed on disk; they are fetched again.
    pub damaged: u64,
    /// Files that are not there; they are fetched again.
    pub missing: u64,
}

/// Reads every kept file again. A damaged one is put aside, and both it and a missing one are wanted again.
///
/// # Errors
/// When the store or the disk fails.
pub async fn verify(db: &Db, blobs: &Blobs, now: chrono::DateTime<chrono::Utc>) -> anyhow::Result<Verified> {
    let mut found = Verified::default();
    let mut after = String::new();
    loop {
        let page = files::blobs(db, &after, 200).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after.clone_from(&last.blob);
        for blob in &page {
            match blobs.check(&blob.blob).await? {
                Some(true) => {
                    found.sound += 1;
                    found.bytes += u64::try_from(blob.bytes).unwrap_or(0);
                    continue;
                }
                Some(false) => {
                    found.damaged += 1;
                    blobs.set_aside(&blob.blob).await?;
                }
                None => found.missing += 1,
            }
            files::lose(db, &blob.blob, now).await?;
        }
    }
}
