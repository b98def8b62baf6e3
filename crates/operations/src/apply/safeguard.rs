//! A snapshot before another feature changes a server. The daemon puts it into the ledger; the feature asks the ledger
//! and knows nothing of us.

use std::path::PathBuf;

use async_trait::async_trait;
use job::{JobContext, JobError, Login};
use tracing::info;

use super::snapshot;
use crate::{Config, config::Snapshot};

/// Takes the snapshots.
#[derive(Debug, Clone)]
pub struct Safeguard {
    folder: PathBuf,
    config: Snapshot,
}

impl Safeguard {
    /// With these settings; nothing where they say so.
    pub fn new(config: &Config, db: &store::Db) -> Option<Self> {
        config.snapshot.before_apply.then(|| Self {
            folder: config.folder(db),
            config: (*config.snapshot).clone(),
        })
    }
}

#[async_trait]
impl job::Safeguard for Safeguard {
    async fn before(&self, feature: &str, login: &Login, cx: &JobContext) -> Result<(), JobError> {
        let (why, now) = (format!("before {feature}"), cx.clock.now());
        let taken = snapshot::take(&cx.store, login, &self.folder, &why, now).await?;
        info!(
            snapshot = taken.name,
            bytes = taken.bytes,
            "{} is kept as it is",
            login.server
        );
        snapshot::prune(&self.folder, &login.server, &self.config, now);
        Ok(())
    }
}
