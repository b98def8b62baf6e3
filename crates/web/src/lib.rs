//! The door for visitors: health, metrics, pages.

use job::{Board, Ledger};
use store::Db;
use tokio_util::sync::CancellationToken;

/// What pages read.
#[derive(Debug, Clone)]
pub struct State {
    /// The door to SQL.
    pub store: Db,
    /// What runs and what is due.
    pub board: Board,
    /// Modes, for `/healthz`.
    pub ledger: Ledger,
}

/// Every route.
pub fn router(_state: State) -> axum::Router {
    todo!()
}

/// Serves `router` on `listener` until `stop`; open requests get a few seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(_listener: tokio::net::TcpListener, _state: State, _stop: CancellationToken) -> std::io::Result<()> {
    todo!()
}
