//! The leave to write.

/// Leave to make one writing call. Every call of this crate that changes somebody's data takes one by value, and
/// only the ledger of effects mints them (`clippy.toml` says so): what was not planned and recorded cannot be
/// sent. Without mode `act` there is none, so a dry run has nothing to call with.
#[derive(Debug)]
pub struct Permit {
    effect: String,
}

impl Permit {
    /// For the ledger of effects alone.
    pub fn new(effect: String) -> Self {
        Self { effect }
    }

    /// The id of the effect it was minted for.
    pub fn effect(&self) -> &str {
        &self.effect
    }
}
