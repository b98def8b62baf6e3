//! Why a run ended early.

/// Why a run ended early, told apart by who has to act.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Nobody: the world was busy; the next tick is the retry.
    #[error("{0:#}")]
    Transient(anyhow::Error),
    /// The operator: a revoked token; the job rests until the config is reloaded.
    #[error("{0:#}")]
    Permanent(anyhow::Error),
    /// Nobody: the daemon is going down, and the cursor is saved.
    #[error("stopped")]
    Stopped,
}

impl From<mastodon::Error> for JobError {
    fn from(error: mastodon::Error) -> Self {
        use mastodon::Error as E;
        match error {
            E::Net(net::Error::Stopped) => Self::Stopped,
            E::Revoked { .. }
            | E::Scope { .. }
            | E::NoToken { .. }
            | E::Forbidden { .. }
            | E::Net(net::Error::Refused { .. } | net::Error::Blocked(_)) => Self::Permanent(error.into()),
            _ => Self::Transient(error.into()),
        }
    }
}

impl From<store::Error> for JobError {
    fn from(error: store::Error) -> Self {
        Self::Transient(error.into())
    }
}
