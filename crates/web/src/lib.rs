//! The door for visitors: health, metrics, pages, API.
//!
//! Pages read the store and the board and know nothing of features. What a visitor wants done is written to the store,
//! and the runner is nudged, like everybody does it.

mod actor;
mod api;
mod assets;
mod charts;
mod config;
mod cookies;
mod counts;
mod csrf;
mod grants;
mod guard;
mod health;
mod layout;
mod limits;
mod overview;
mod pages;
mod parts;
mod problem;
mod rights;
mod router;
mod seal;
mod session;
mod settings;
pub mod signin;
pub mod tokens;
mod turns;
mod webhooks;
mod words;

use std::{io, net::SocketAddr, time::Duration};

use job::{Board, Ledger, RunLogs};
use metrics_exporter_prometheus::PrometheusHandle;
use store::Db;
use tokio_util::sync::CancellationToken;

pub use actor::Actor;
pub use config::{Config, Metrics};
pub use counts::Counts;
pub use net::Url;
pub use router::router;
pub use session::tidy;
pub use settings::{Effective, Setting};
pub use signin::SignIn;
pub use webhooks::{Note, Webhooks};

/// How long open requests get once the door closes.
const DRAIN: Duration = Duration::from_secs(5);

/// What pages read.
#[derive(Clone)]
pub struct State {
    /// The door to SQL.
    pub store: Db,
    /// What runs and what is due.
    pub board: Board,
    /// Modes, for `/healthz`.
    pub ledger: Ledger,
    /// What runs say while they go on.
    pub logs: RunLogs,
    /// The config that holds, for looking at.
    pub settings: Effective,
    /// Counts of statuses.
    pub counts: Counts,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
    /// Names by which visitors may call us besides `localhost` while we listen on loopback (see [`Config::hosts`]).
    pub hosts: Vec<String>,
    /// Who visitors are.
    pub sign_in: SignIn,
    /// Who we are to other servers.
    pub actor: Actor,
    /// Who may push events to us, and who wants them.
    pub webhooks: Webhooks,
    /// Where the archive keeps files.
    pub archive: std::path::PathBuf,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("hosts", &self.hosts)
            .field("sign_in", &self.sign_in)
            .finish_non_exhaustive()
    }
}

/// Serves `router` on `listener` until `stop`; open requests get a few seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: tokio::net::TcpListener, state: State, stop: CancellationToken) -> io::Result<()> {
    let mut hosts = state.hosts.clone();
    hosts.push(state.sign_in.base().authority().to_owned());
    let mut app = router(state);
    if listener.local_addr()?.ip().is_loopback() {
        app = guard::only_for(app, hosts);
    }
    let closing = stop.clone();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move { closing.cancelled().await });
    tokio::select! {
        served = serving => served,
        () = async { stop.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    }
}
