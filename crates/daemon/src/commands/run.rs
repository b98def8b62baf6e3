//! `egret run`.

use std::io::IsTerminal as _;

use crate::{Exit, args::Args, daemon::Daemon, lifecycle, out, systemd};

pub(super) async fn run(args: &Args) -> anyhow::Result<Exit> {
    let config = super::load(args)?;
    let signals = lifecycle::listen()?;
    let quiet = config.servers.is_empty();
    let daemon = Daemon::start(config, super::clock()).await?;
    let address = daemon.base().origin().ascii_serialization();
    // Only for the eyes of whoever sits there: what is no terminal may be somebody's log.
    let link = match std::io::stdout().is_terminal() && daemon.address().ip().is_loopback() {
        true => Some(daemon.one_time_link().await?),
        false => None,
    };
    if args.json {
        out::json(&serde_json::json!({ "address": address, "sign_in": link }))?;
    } else {
        out::line(format!("Egret runs. Its pages: {address}"));
        if let Some(link) = link {
            out::line(format!(
                "To sign in from this machine, once, within half an hour:\n\n  {link}\n"
            ));
        }
        if quiet {
            out::line("There is no [[servers]] in the config yet: `egret init https://your.server` makes one.");
        }
    }
    systemd::ready();
    let layers = args.layers();
    tokio::select! {
        () = lifecycle::until_stopped(signals, &daemon, &layers) => {}
        () = systemd::watchdog() => {}
    }
    systemd::stopping();
    // Runs that were cut off lose a page at most and are on record: the end is a good one all the same.
    if !daemon.stop().await {
        tracing::warn!("some runs did not reach their next page in time and were cut off");
    }
    Ok(Exit::Done)
}
