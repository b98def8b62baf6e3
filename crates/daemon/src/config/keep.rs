//! `[keep]`: how long our own record of what is over is kept.

use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Serialize};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `[keep]`, by table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// Runs of jobs; the newest of each job and scope stays.
    #[serde(with = "humantime_serde")]
    pub runs: Duration,
    /// What runs had to say. Their record may stay for longer.
    #[serde(with = "humantime_serde")]
    pub logs: Duration,
    /// Threads that rest, and where somebody was in them.
    #[serde(with = "humantime_serde")]
    pub threads: Duration,
    /// Statuses that were fetched, or could not be.
    #[serde(with = "humantime_serde")]
    pub statuses: Duration,
    /// Notices, and to whom they went.
    #[serde(with = "humantime_serde")]
    pub notices: Duration,
    /// Effects that were rehearsed or refused. What was done stays: without that record it would be done again.
    #[serde(with = "humantime_serde")]
    pub effects: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            runs: 30 * DAY,
            logs: 30 * DAY,
            threads: 30 * DAY,
            statuses: 30 * DAY,
            notices: 30 * DAY,
            effects: 30 * DAY,
        }
    }
}

impl Keep {
    /// What types cannot say.
    pub(super) fn validate(&self) -> anyhow::Result<()> {
        for (key, keep) in [
            ("runs", self.runs),
            ("logs", self.logs),
            ("threads", self.threads),
            ("statuses", self.statuses),
            ("notices", self.notices),
            ("effects", self.effects),
        ] {
            // A digest tells of a week, and a notice comes once a day because yesterday's is remembered.
            if keep < DAY {
                bail!("[keep] {key}: must be a day or more, such as \"30d\"");
            }
        }
        Ok(())
    }
}
