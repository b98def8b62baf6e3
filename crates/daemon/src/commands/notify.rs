//! `egret notify`: whether messages reach people.

use anyhow::bail;
use job::{JobContext, Progress};
use operations::{apply::send, plan::message::Message};
use store::{deliveries, notices::Severity};
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Args, NotifyAction},
    config::Config,
    daemon,
    doors::Doors,
    out, registry,
};

const NONE: &str = "no channel is set; add [[operations.notify.channels]] to the config";

pub(super) async fn run(args: &Args, action: &NotifyAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let exit = match action {
        NotifyAction::Test { channel } => Box::pin(test(args, &config, &doors, channel.as_deref())).await,
        NotifyAction::Status => status(args, &config, &doors).await,
    };
    doors.store.close().await;
    exit
}

async fn test(args: &Args, config: &Config, doors: &Doors, only: Option<&str>) -> anyhow::Result<Exit> {
    let settings = daemon::settings(config, doors, registry::jobs)?;
    let stop = CancellationToken::new();
    let net = settings.net.for_run("notify", stop.clone());
    let run = uuid::Uuid::now_v7().to_string();
    let cx = JobContext {
        login: None,
        logins: settings.logins.iter().filter_map(|login| login.ready(&net)).collect(),
        net,
        store: doors.store.clone(),
        clock: doors.clock.clone(),
        stop,
        progress: Progress::default(),
        effects: doors.ledger.of("operations"),
        run: run.clone(),
    };
    let channels = &config.operations.notify.channels;
    if channels.is_empty() {
        bail!("{NONE}");
    }
    let wanted: Vec<_> = channels
        .iter()
        .filter(|it| only.is_none_or(|only| it.name == only))
        .collect();
    if wanted.is_empty() {
        let names: Vec<&str> = channels.iter().map(|it| it.name.as_str()).collect();
        bail!(
            "no such channel in [[operations.notify.channels]]; there are {}",
            names.join(", ")
        );
    }
    let mut told = Vec::new();
    for channel in wanted {
        let message = Message {
            id: format!("{run}-{}", channel.name),
            title: "Egret: a test".to_owned(),
            lines: vec!["If you can read this, messages reach you.".to_owned()],
            severity: Severity::Info,
        };
        told.push((channel.name.clone(), send::send(&cx, channel, &message).await));
    }
    let failed = told.iter().filter(|(_, sent)| sent.is_err()).count();
    let says = |sent: &Result<(), String>| sent.as_ref().err().cloned().unwrap_or_else(|| "sent".to_owned());
    if args.json {
        let rows: Vec<_> = told
            .iter()
            .map(|(name, sent)| serde_json::json!({ "channel": name, "sent": sent.is_ok(), "says": says(sent) }))
            .collect();
        out::json(&rows)?;
    } else {
        let rows: Vec<Vec<String>> = told.iter().map(|(name, sent)| vec![name.clone(), says(sent)]).collect();
        out::table(&["CHANNEL", ""], &rows);
    }
    Ok(match failed {
        0 => Exit::Done,
        all if all == told.len() => Exit::Failed,
        _ => Exit::Part,
    })
}

async fn status(args: &Args, config: &Config, doors: &Doors) -> anyhow::Result<Exit> {
    let channels = deliveries::channels(&doors.store).await?;
    if args.json {
        out::json(&channels)?;
        return Ok(Exit::Done);
    }
    if channels.is_empty() {
        out::line(if config.operations.notify.channels.is_empty() {
            NONE
        } else {
            "Nothing was sent to anybody yet; `egret notify test` tries it."
        });
        return Ok(Exit::Done);
    }
    let rows: Vec<Vec<String>> = channels
        .into_iter()
        .map(|it| {
            let next = it.next_at.map(|at| at.format("%Y-%m-%d %H:%M").to_string());
            vec![
                it.channel,
                it.failures.to_string(),
                next.unwrap_or_else(|| "-".to_owned()),
                it.error.unwrap_or_else(|| "well".to_owned()),
            ]
        })
        .collect();
    out::table(&["CHANNEL", "FAILURES IN A ROW", "NEXT TRY (UTC)", ""], &rows);
    Ok(Exit::Done)
}
