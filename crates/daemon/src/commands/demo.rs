//! `egret demo`: the daemon against a simulated fediverse, in one process. What it does there goes through HTTP, like
//! anywhere.

use std::{net::SocketAddr, path::Path};

use anyhow::Context as _;
use fake_fediverse::{Fediverse, Scenario};

use crate::{
    Exit,
    args::Args,
    config::{self, Layers},
    daemon::Daemon,
    lifecycle, out, telemetry,
};

pub(super) async fn run(args: &Args, listen: SocketAddr, threads: usize) -> anyhow::Result<Exit> {
    let folder = tempfile::Builder::new()
        .prefix("egret-demo-")
        .tempdir()
        .context("no temporary folder")?;
    let fediverse = Fediverse::start(Scenario {
        threads,
        replies: threads.saturating_mul(20),
        oddities: true,
        applicants: 30,
        ..Scenario::medium()
    })
    .await;
    let file = write_config(folder.path(), &fediverse, listen, args.log.as_deref().unwrap_or("info"))?;
    // Neither the operator's file nor their environment: a demo looks the same everywhere.
    let layers = Layers {
        file: Some(file),
        ..Layers::default()
    };
    let config = config::load(&layers)?;
    telemetry::start_logs(&config.log);
    let signals = lifecycle::listen()?;
    let daemon = Daemon::start(config, super::clock()).await?;
    let link = daemon.one_time_link().await?;
    if args.json {
        let address = daemon.base().origin().ascii_serialization();
        out::json(&serde_json::json!({ "address": address, "sign_in": link, "home": fediverse.home() }))?;
    } else {
        let missing = missing(&fediverse);
        out::line(format!(
            "A simulated fediverse runs in this process: a home server at {} and 20 others.\n\
             Its home timeline shows {threads} threads, and {missing} of their replies never reached it.\n\
             Egret now fetches them. Watch it, and end it with Ctrl-C. This link signs you in, once:\n\n  {link}\n",
            fediverse.home(),
        ));
    }
    let teller = async {
        let mut last = usize::MAX;
        loop {
            let now = missing(&fediverse);
            if now != last && last != usize::MAX && !args.json {
                out::line(format!("{now} replies are still missing at home"));
            }
            last = now;
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        }
    };
    tokio::select! {
        () = lifecycle::until_stopped(signals, &daemon, &layers) => {}
        () = teller => {}
    }
    daemon.stop().await;
    Ok(Exit::Done)
}

fn missing(fediverse: &Fediverse) -> usize {
    let threads = fediverse.threads();
    let replies = threads.iter().flat_map(|thread| &thread.replies);
    replies.filter(|(uri, _)| !fediverse.home_has(uri)).count()
}

fn write_config(
    folder: &Path,
    fediverse: &Fediverse,
    listen: SocketAddr,
    level: &str,
) -> anyhow::Result<std::path::PathBuf> {
    let token = folder.join("token");
    // Their own server's administrator, so that every feature has what it needs.
    fediverse.set_permissions("me", 0x1);
    super::init::write_private(&token, &fediverse.token())?;
    let database = folder.join("egret.db");
    let text = format!(
        "[store]\nurl = {database}\n\n[web]\nlisten = \"{listen}\"\n\n[log]\nlevel = {level}\n\n\
         # Everything is on this machine, and nobody's server to be gentle with.\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\n\
         token_per_five_minutes = 100000\npaging_per_fifteen_minutes = 100000\n\n\
         [[servers]]\nurl = \"{home}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n\n\
         [replies.home]\nevery = \"1m\"\n\n\
         [backfill]\nhold = \"0s\"\n[backfill.followings]\nenabled = true\n\
         [backfill.mentioned]\nenabled = true\n\n\
         [registrations]\nmode = \"act\"\nveto = \"2m\"\n[registrations.pending]\nenabled = true\nevery = \"20s\"\n\
         [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\n\
         domains = [\".gov\", \".gov.au\", \".gov.uk\", \".gc.ca\", \".europa.eu\"]\n\
         [[registrations.rules]]\nname = \"free mail\"\nverdict = \"reject\"\n\
         domains = [\"=gmail.com\", \"=aol.com\", \"=yahoo.com\"]\n",
        database = toml::Value::String(format!("sqlite://{}", database.display())),
        level = toml::Value::String(level.to_owned()),
        home = fediverse.home(),
    );
    let file = folder.join("egret.toml");
    std::fs::write(&file, text)?;
    Ok(file)
}
