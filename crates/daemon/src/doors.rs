//! The doors, opened once from the config: what every command and the runner stand on.

use std::sync::Arc;

use anyhow::Context as _;
use job::{Board, Ledger};
use model::Clock;
use net::Net;
use store::Db;

use crate::{clock, config::Config};

/// The doors, opened once. Clone them freely.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The door to SQL.
    pub store: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The ledger of effects.
    pub ledger: Ledger,
    /// What runs and what is due.
    pub board: Board,
    /// This process among all on one database: random.
    pub holder: String,
}

impl Doors {
    /// Opens and migrates the database.
    ///
    /// # Errors
    /// When it cannot be reached or is newer than this binary.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let store = Db::open(&config.store).await?;
        store::migrate(&store)
            .await
            .with_context(|| format!("in {}", store.describe()))?;
        clock::follow(&store)
            .await
            .with_context(|| format!("cannot ask {} for the time", store.describe()))?;
        Ok(Self {
            ledger: Ledger::new(store.clone(), clock.clone()),
            store,
            clock,
            board: Board::default(),
            holder: uuid::Uuid::now_v7().to_string(),
        })
    }
}

/// Opens the door to other servers.
///
/// # Errors
/// Names the key of `[net]`.
pub fn open_net(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Net> {
    Ok(Net::new(&config.net, clock.clone())?)
}
