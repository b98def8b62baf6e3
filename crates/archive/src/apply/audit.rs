//! Compares what is kept with what the server counts.

use job::{JobContext, JobError, Summary};
use store::archive;

use crate::gather;

/// Counts. A gap is named in the log and in the summary; what fills it is a new walk, which changes nothing twice.
pub(crate) async fn audit(cx: &JobContext) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let mut summary = Summary::default();
    let kept = archive::standing(&cx.store, &login.name).await?;
    let told = me.statuses.and_then(|count| i64::try_from(count).ok()).unwrap_or(0);
    summary.add("kept", kept);
    summary.add("told", told);
    let missing = told.saturating_sub(kept).max(0);
    summary.add("missing", missing);
    let walk = gather::walk(cx, "archive.statuses", &login.name).await?;
    // A count that stays wrong (servers miscount, and hide boosts of blocked people) is no reason to read all of it
    // again every night: only a gap that grew is.
    const JOB: &str = "archive.audit";
    let before = store::cursors::load(&cx.store, JOB, &login.name).await?;
    let before: i64 = before.and_then(|text| text.parse().ok()).unwrap_or(0);
    let now = cx.clock.now();
    if missing != before {
        store::cursors::save(&cx.store, JOB, &login.name, &missing.to_string(), now).await?;
    }
    if missing > before && walk.whole {
        tracing::warn!(
            login = login.name,
            kept,
            told,
            "{} counts {told} statuses and the archive has {kept}: it is read again from the beginning",
            login.server
        );
        store::cursors::delete(&cx.store, "archive.statuses", &login.name).await?;
        summary.add("begun_anew", 1);
    }
    Ok(summary)
}
