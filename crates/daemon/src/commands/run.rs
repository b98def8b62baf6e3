//! `egret run`.

use crate::{Exit, args::Args, daemon::Daemon, lifecycle, out};

pub(super) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = super::load(args)?;
    let signals = lifecycle::listen()?;
    let quiet = config.servers.is_empty();
    let daemon = Daemon::start(config, super::clock()).await?;
    let address = format!("http://{}", daemon.address());
    if args.json {
        out::json(&serde_json::json!({ "address": address }))?;
    } else {
        out::line(format!("Egret runs. Its pages: {address}"));
        if quiet {
            out::line("There is no [[servers]] in the config yet: `egret init https://your.server` makes one.");
        }
    }
    lifecycle::until_stopped(signals, &daemon, &args.layers()).await;
    // Runs that were cut off lose a page at most and are on record: the end is a good one all the same.
    if !daemon.stop().await {
        tracing::warn!("some runs did not reach their next page in time and were cut off");
    }
    Ok(Exit::Done)
}
