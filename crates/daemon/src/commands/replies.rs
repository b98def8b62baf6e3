//! `egret replies fetch`.

use anyhow::{Context as _, bail};
use job::{JobContext, Progress};
use model::Uri;
use tokio_util::sync::CancellationToken;

use crate::{Exit, args::Args, daemon, out, registry};

pub(super) async fn fetch(args: &Args, url: &str, login: Option<&str>) -> anyhow::Result<Exit> {
    let uri = Uri::parse(url).with_context(|| format!("{url:?} is not the address of a status"))?;
    let (config, doors) = super::open(args).await?;
    let settings = daemon::settings(&config, &doors, registry::jobs)?;
    let wanted: Vec<String> = login.map(str::to_owned).into_iter().collect();
    let Some(chosen) = settings.logins.iter().find(|known| known.is_meant(&wanted)) else {
        match login {
            Some(login) => bail!("there is no login {login:?} in [[servers]]; mend the name"),
            None => bail!("there is no login in [[servers]]; `egret init https://your.server` makes one"),
        }
    };
    let stop = CancellationToken::new();
    let net = settings.net.for_run("replies.fetch", stop.clone());
    let cx = JobContext {
        run: uuid::Uuid::now_v7().to_string(),
        login: chosen.ready(&net),
        logins: chosen.ready(&net).into_iter().collect(),
        net,
        store: doors.store.clone(),
        clock: doors.clock.clone(),
        stop,
        progress: Progress::default(),
        effects: doors.ledger.of("replies"),
    };
    let report = replies::fetch(&cx, &config.replies, &uri).await?;
    doors.store.close().await;
    if args.json {
        out::json(&report)?;
    } else {
        let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let rows: Vec<Vec<String>> = [
            ("status", report.uri.clone()),
            ("origin runs", told(&report.software)),
            ("read from", told(&report.source)),
            (
                "replies listed",
                match (&report.cut, report.partial) {
                    (Some(reason), _) => format!("{}, not all: {reason}", report.listed),
                    (None, true) => format!("{}, not all yet; another fetch goes on from here", report.listed),
                    (None, false) => report.listed.to_string(),
                },
            ),
            ("known before", report.known_before.to_string()),
            ("missing", report.missing.to_string()),
            ("asked for", report.resolved.to_string()),
            ("arrived", report.arrived.to_string()),
            ("requests to home", report.home_requests.to_string()),
            ("requests elsewhere", report.origin_requests.to_string()),
            ("trouble", told(&report.trouble)),
        ]
        .into_iter()
        .map(|(what, value)| vec![what.to_owned(), value])
        .chain(
            report
                .failed
                .iter()
                .map(|(uri, reason)| vec![uri.clone(), reason.clone()]),
        )
        .collect();
        out::table(&["WHAT", "FOUND"], &rows);
    }
    Ok(if report.trouble.is_some() {
        Exit::Failed
    } else if report.failed.is_empty() {
        Exit::Done
    } else {
        Exit::Part
    })
}
