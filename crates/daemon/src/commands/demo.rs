//! `egret demo`: the daemon against a simulated fediverse, in one process. What it does there goes through HTTP, like
//! anywhere.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use fake_fediverse::{Event, Fediverse, Scenario};

use crate::{
    Exit,
    args::Args,
    config::{self, Layers},
    daemon::Daemon,
    lifecycle, out, telemetry,
};

pub(super) async fn run(args: &Args, listen: SocketAddr, threads: usize) -> anyhow::Result<Exit> {
    if args.config.is_some() || args.store.is_some() {
        bail!("the demo keeps its config and its database in a folder of its own; leave out --config and --store");
    }
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
    live_a_little(&fediverse, super::clock().now());
    let file = write_config(folder.path(), &fediverse, listen, args.log.as_deref().unwrap_or("info"))?;
    // Neither the operator's file nor their environment: a demo looks the same everywhere.
    let layers = Layers {
        file: Some(file.clone()),
        ..Layers::default()
    };
    let config = config::load(&layers)?;
    telemetry::start_logs(&config.log);
    let signals = lifecycle::listen()?;
    let daemon = Daemon::start(config, super::clock()).await?;
    watch(&daemon, &fediverse).await?;
    let link = daemon.one_time_link().await?;
    if args.json {
        let address = daemon.base().origin().ascii_serialization();
        out::json(&serde_json::json!({
            "address": address, "sign_in": link, "home": fediverse.home(), "config": file,
        }))?;
    } else {
        let missing = missing(&fediverse);
        out::line(format!(
            "A simulated fediverse runs in this process: a home server at {} and 20 others.\n\
             Its home timeline shows {threads} threads, and {missing} of their replies never reached it.\n\
             Egret now fetches them. Watch it, and end it with Ctrl-C. This link signs you in, once:\n\n  {link}\n\n\
             Commands look at it with this config, for example: egret jobs --config {}\n",
            fediverse.home(),
            file.display(),
        ));
    }
    let teller = async {
        let mut last = usize::MAX;
        for n in 0_usize.. {
            if n % 5 == 1 {
                spam(&fediverse, n / 5);
            }
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

/// What `me` wrote of late, for the archive.
const DIARY: [&str; 5] = [
    "An egret stood in the shallows all morning and caught nothing.",
    "Three herons on one leg each. I counted twice.",
    "The reed is higher than last year, and full of wrens.",
    "Fog until noon. The ferry found its way by ear.",
    "Somebody painted the lock gates green. The coots approve.",
];

/// A list that would block somebody, so that there is a plan to look at.
const LIST: &str = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n\
    spam.egrets-garden.social,suspend,true,true,spam,false\nrude.egrets-garden.social,silence,false,false,harassment,false\n\
    scrape.egrets-garden.social,suspend,true,true,scraping,false\n";

/// A month of somebody's life, one post of it edited.
fn live_a_little(fediverse: &Fediverse, now: chrono::DateTime<chrono::Utc>) {
    for (n, text) in (0..).zip(DIARY.iter().cycle().take(25)) {
        let uri = fediverse.post(text, now - TimeDelta::hours(29 * n + 2), serde_json::json!({}));
        match n {
            3 => fediverse.edit_to(
                &uri,
                &format!("{text} (And so did we.)"),
                now - TimeDelta::hours(80),
                serde_json::json!({}),
            ),
            5..9 => fediverse.bookmark(&uri),
            _ => {}
        }
    }
}

/// What spam looks like here: one rule that counts, one that is still being tried.
const RULES: &str = r#"
[[rules]]
id = "casino"
name = "Casino links"
description = "The wave of last week; see the notes of the team."
state = "live"
when = [{ keywords = ["casino", "jackpot"], spaced = true }, { is = "has_link" }]

[[rules]]
id = "newcomer-with-link"
name = "A link in the first days"
weight = 0.4
when = [{ fact = "account_age", below = "2d" }, { is = "has_link" }]
"#;

/// The secret between home and us.
const SECRET: &str = "the fediverse of this process";

/// Home tells us what happens there, and rules are in place to judge it by.
async fn watch(daemon: &Daemon, fediverse: &Fediverse) -> anyhow::Result<()> {
    let doors = daemon.doors();
    let (db, now) = (&doors.store, doors.clock.now());
    let edit = moderation::Edit {
        name: "demo.toml".to_owned(),
        text: Some(RULES.to_owned()),
        note: "for the demo".to_owned(),
        by: "demo".to_owned(),
        after: 0,
    };
    moderation::edit(db, edit, now).await?;
    let why = "so that there is something to see";
    moderation::stand(db, true, "casino", rules::State::Live, "demo", why, now).await?;
    let home = fediverse.home();
    let host = home.trim_start_matches("http://");
    let url = daemon.base().join(&format!("/webhooks/mastodon/{host}"))?;
    let events = [
        Event::StatusCreated,
        Event::StatusUpdated,
        Event::AccountUpdated,
        Event::ReportCreated,
        Event::ReportUpdated,
    ];
    fediverse.webhook(url.as_str(), SECRET, &events);
    Ok(())
}

/// Somebody new says what nobody wants to read, each time a little differently.
fn spam(fediverse: &Fediverse, n: usize) {
    const TEXTS: [&str; 4] = [
        "Best <b>casino</b> in town",
        "c a s i n o bonus for everybody",
        "\u{441}asino: play and win",
        "The j\u{200b}ackpot waits for you",
    ];
    let name = format!("lucky{n}");
    fediverse.joins(None, &name);
    let text = TEXTS[n % TEXTS.len()];
    fediverse.says(
        &name,
        &format!("<p>{text} <a href=\"https://spam.example/{n}\">here</a></p>"),
    );
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
    super::init::write_private(&folder.join("webhook-secret"), SECRET)?;
    std::fs::write(folder.join("list.csv"), LIST)?;
    let database = folder.join("egret.db");
    let text = format!(
        "[store]\nurl = {database}\n\n[web]\nlisten = \"{listen}\"\n\n[log]\nlevel = {level}\n\n\
         # Everything is on this machine, and nobody's server to be gentle with.\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\n\
         token_per_five_minutes = 100000\npaging_per_fifteen_minutes = 100000\n\n\
         [[servers]]\nurl = \"{home}\"\nwebhook_secret_files = [\"webhook-secret\"]\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n\n\
         [replies.home]\nevery = \"1m\"\n\n\
         [backfill]\nhold = \"0s\"\n[backfill.followings]\nenabled = true\n\
         [backfill.mentioned]\nenabled = true\n\n\
         [[blocklists.sources]]\nname = \"garden\"\nfile = \"list.csv\"\n\
         [[blocklists.policies]]\nname = \"default\"\n\n\
         [metering.accounts]\nevery = \"5m\"\n[metering.sources]\nenabled = true\n\
         [metering.server]\nenabled = true\n[metering.posts]\nenabled = true\n\
         [metering.followers]\nenabled = true\n\n\
         [moderation]\nmode = \"act\"\n[moderation.inbox]\nenabled = true\n\n\
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
