//! Lives of the daemon in this process, each of which ends without anybody telling it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use daemon::{config::Config, daemon::Daemon};
use model::{Clock, SystemClock};

/// The system's clock, set forward: hosts that rest and tries that wait come back without anybody waiting for them.
#[derive(Debug)]
struct Ahead(TimeDelta);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

/// A runtime as a process has it.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// One life: started `ahead` of the time, and after `length` gone with everything it was about.
pub(crate) fn life(config: &Config, ahead: TimeDelta, length: Duration, enough: &(dyn Fn() -> bool + Sync)) {
    let runtime = runtime();
    runtime.block_on(async {
        // A database in trouble may not let it begin: then this life was a short one.
        let _daemon = match Daemon::start(config.clone(), Arc::new(Ahead(ahead))).await {
            Ok(daemon) => daemon,
            Err(error) => return eprintln!("not started: {error:#}"),
        };
        let end = Instant::now() + length;
        while Instant::now() < end && !enough() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    runtime.shutdown_background();
}
