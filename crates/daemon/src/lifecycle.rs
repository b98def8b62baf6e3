//! Signals: TERM and INT drain, a second one ends at once, HUP reads the config anew.

use std::sync::{Arc, atomic::AtomicBool};

use futures::StreamExt as _;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};
use tracing::{error, info, warn};

use crate::{
    config::{self, Layers},
    daemon::Daemon,
    systemd,
};

/// Exit code of a process that was told twice to end.
const IMPATIENT: i32 = 130;

/// Listens for signals from now on. The first TERM or INT is heard by [`until_stopped`], the second ends the process.
///
/// # Errors
/// When the system refuses.
pub fn listen() -> std::io::Result<signal_hook_tokio::Signals> {
    let second = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        // In this order: the first signal finds the flag down and only then puts it up.
        flag::register_conditional_shutdown(signal, IMPATIENT, second.clone())?;
        flag::register(signal, second.clone())?;
    }
    signal_hook_tokio::Signals::new([SIGTERM, SIGINT, SIGHUP])
}

/// Reloads at each HUP; returns at the first TERM or INT.
pub async fn until_stopped(mut signals: signal_hook_tokio::Signals, daemon: &Daemon, layers: &Layers) {
    while let Some(signal) = signals.next().await {
        match signal {
            SIGHUP => reload(daemon, layers).await,
            _ => {
                let drain = humantime::format_duration(daemon.config().run.drain);
                info!("stopping: runs may take {drain} to reach their next page; a second signal ends at once");
                return;
            }
        }
    }
}

/// Reads the config anew; a bad one leaves the old in place.
pub async fn reload(daemon: &Daemon, layers: &Layers) {
    systemd::reloading();
    let result = match config::load(layers) {
        Ok(config) => {
            for warning in &config.warnings {
                warn!("{warning}");
            }
            daemon.reload(config).await
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(restart) if restart.is_empty() => info!("the new config is in place"),
        Ok(restart) => warn!(
            "the new config is in place, but for {}: restart egret for that",
            restart.join(", ")
        ),
        Err(error) => error!("the new config is no good, the old one stays in place: {error:#}"),
    }
    systemd::ready();
}
