//! What systemd is told: ready, reloading, stopping, and that we are alive. Without it nothing is said.

use sd_notify::NotifyState;
use tracing::debug;

fn say(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "systemd does not listen");
    }
}

/// The pages answer and the schedule runs.
pub(crate) fn ready() {
    say(&[NotifyState::Ready]);
}

/// The config is read anew.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => debug!(%error, "systemd is not told of a reload"),
    }
}

/// Runs reach their next page.
pub(crate) fn stopping() {
    say(&[NotifyState::Stopping]);
}

/// Says that we are alive as long as this task gets its turn, where a watchdog waits for it. A database that is gone is
/// no reason to be started anew: that would only lose what waits.
pub(crate) async fn watchdog() {
    let Some(within) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut tick = tokio::time::interval(within / 2);
    loop {
        tick.tick().await;
        say(&[NotifyState::Watchdog]);
    }
}
