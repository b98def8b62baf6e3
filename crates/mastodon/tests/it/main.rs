//! The client and the listing against servers on loopback.

mod listing;
mod oddities;
mod own_server;

use std::sync::Arc;

use model::SystemClock;
use net::{Config, Net};

/// A pool that may ask loopback, as fast as it can.
fn net() -> Net {
    let config = Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        origin_per_minute: 60_000,
        origin_concurrency: 8,
        attempts: 1,
        timeout: std::time::Duration::from_secs(10),
        ..Config::default()
    };
    Net::new(&config, Arc::new(SystemClock)).unwrap()
}
