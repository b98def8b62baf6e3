//! What is done before a feature changes a server, so that there is a way back.

use std::fmt;

use async_trait::async_trait;

use crate::{JobContext, JobError, Login};

/// Something that must have worked before a feature changes a server. Features do not know each other: the daemon puts
/// it into the ledger, and the feature asks there.
#[async_trait]
pub trait Safeguard: fmt::Debug + Send + Sync + 'static {
    /// Called before `feature` changes the server of `login`; what it says no to is not changed.
    async fn before(&self, feature: &str, login: &Login, cx: &JobContext) -> Result<(), JobError>;
}
