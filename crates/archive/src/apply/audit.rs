//! Compares what is kept with what the server counts.

use job::{JobContext, JobError, Summary};
use store::archive;

use crate::gather;

/// Counts. A gap is named in the log and in the summary; what fills it is a new walk, which changes nothing twice.
pub(crate) async fn audit(cx: &JobContext) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let me = gather::me(login).await?;
    let mut summary = Summary::default();
    let kept: i64 = archive::counts(&cx.store)
        .await?
        .iter()
        .filter(|count| count.login == login.name && matches!(count.what.as_str(), "post" | "boost"))
        .map(|count| count.count)
        .sum();
    let told = me.statuses.and_then(|count| i64::try_from(count).ok()).unwrap_or(0);
    summary.add("kept", kept);
    summary.add("told", told);
    let missing = told.saturating_sub(kept).max(0);
    summary.add("missing", missing);
    let walk = gather::walk(cx, "archive.statuses", &login.name).await?;
    if missing > 0 && walk.whole {
        tracing::warn!(
            login = login.name,
            kept,
            told,
            "{} counts {told} statuses and the archive has {kept}: it is read again from the beginning",
            login.server
        );
        // Direct messages are not counted, and the count may lag: one walk a day at most comes of it.
        store::cursors::delete(&cx.store, "archive.statuses", &login.name).await?;
        summary.add("begun_anew", 1);
    }
    Ok(summary)
}
