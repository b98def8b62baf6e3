//! Compares what is kept with what the server counts.

use chrono::{DateTime, Utc};
use job::{JobContext, JobError, Summary};
use serde::{Deserialize, Serialize};
use store::{Db, archive, cursors};

use super::gaps::{self, Gap};
use crate::gather;

const JOB: &str = "archive.audit";
const WALK: &str = "archive.statuses";

/// A wish that the list be read anew. The walk takes it up when it begins: were its own state written here, one that is
/// under way would write over it, and nobody would look for what is missing again.
pub(super) const AGAIN: &str = "archive.statuses.again";

/// How an archive compares with its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Own statuses and boosts that stand.
    pub kept: i64,
    /// As many as the server counts.
    pub told: i64,
    /// When they were compared.
    pub at: DateTime<Utc>,
    /// What was missing, by place, when the list was read anew the last time.
    #[serde(skip_deserializing)]
    pub gaps: Vec<Gap>,
}

impl Checked {
    /// How many the server counts and nobody kept.
    pub fn missing(&self) -> i64 {
        self.told.saturating_sub(self.kept).max(0)
    }
}

/// How a login's archive compared with its server the last time.
///
/// # Errors
/// When the store fails.
pub async fn checked(db: &Db, login: &str) -> Result<Option<Checked>, store::Error> {
    let text = cursors::load(db, JOB, login).await?;
    let Some(checked) = text.and_then(|text| serde_json::from_str::<Checked>(&text).ok()) else {
        return Ok(None);
    };
    let gaps = gaps::load(db, login).await?;
    Ok(Some(Checked { gaps, ..checked }))
}

/// Counts. A count that is short says that something is missing; where, is found by reading the list anew, which changes
/// nothing twice.
pub(crate) async fn audit(cx: &JobContext) -> Result<Summary, JobError> {
    let login = cx.login()?;
    let mut summary = Summary::default();
    if !gather::walk(cx, WALK, &login.name).await?.whole {
        // The first walk goes on, or another after a gap: all that it has not reached yet would be called missing, and a
        // gap that stays then would be smaller than that.
        summary.add("too_early", 1);
        return Ok(summary);
    }
    let me = gather::me(login).await?;
    let now = cx.clock.now();
    let found = Checked {
        kept: archive::standing(&cx.store, &login.name).await?,
        told: me.statuses.and_then(|count| i64::try_from(count).ok()).unwrap_or(0),
        at: now,
        gaps: Vec::new(),
    };
    summary.add("kept", found.kept);
    summary.add("told", found.told);
    summary.add("missing", found.missing());
    // A count that stays wrong (servers miscount, and hide boosts of blocked people) is no reason to read all of it
    // again every night: only a gap that grew is.
    let before = cursors::load(&cx.store, JOB, &login.name).await?.unwrap_or_default();
    let before = match serde_json::from_str::<Checked>(&before) {
        Ok(before) => before.missing(),
        // As it was written once.
        Err(_) => before.parse().unwrap_or(0),
    };
    let text = serde_json::to_string(&found).unwrap_or_default();
    cursors::save(&cx.store, JOB, &login.name, &text, now).await?;
    if found.missing() > before {
        tracing::warn!(
            login = login.name,
            kept = found.kept,
            told = found.told,
            "{} counts {} statuses and the archive has {}: the list is read anew to find where",
            login.server,
            found.told,
            found.kept
        );
        cursors::save(&cx.store, AGAIN, &login.name, "", now).await?;
        summary.add("begun_anew", 1);
    }
    Ok(summary)
}
