//! `egret backup`: snapshots taken, listed and brought back.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, bail};
use job::{JobContext, Login, Progress};
use operations::{
    apply::{dump, restore, snapshot},
    gather::snapshot as files,
};
use store::leases;
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Args, BackupAction},
    config::{Config, Server},
    daemon,
    doors::Doors,
    out, registry,
};

/// How long a server stays taken after a command died.
const PLACE: Duration = Duration::from_secs(300);

/// The scopes that a login must have to read a server's blocks.
const NEEDED: &str = "admin:read:domain_blocks";

pub(super) async fn run(args: &Args, action: &BackupAction) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let exit = match action {
        BackupAction::Create { server } => create(args, &config, &doors, server.as_deref()).await,
        BackupAction::List => list(args, &config, &doors),
        BackupAction::Restore { snapshot, plan, exact } => {
            Box::pin(bring_back(args, &config, &doors, snapshot, *plan, *exact)).await
        }
    };
    doors.store.close().await;
    exit
}

/// The doors of a command on one server.
fn context(config: &Config, doors: &Doors, server: &str) -> anyhow::Result<(JobContext, Login)> {
    let settings = daemon::settings(config, doors, registry::jobs)?;
    let stop = CancellationToken::new();
    let net = settings.net.for_run("backup", stop.clone());
    let names = &config.operations.snapshot.logins;
    let login = settings
        .logins
        .iter()
        .filter(|login| login.server == server && login.is_meant(names))
        .find_map(|login| login.ready(&net))
        .with_context(|| format!("there is no login at {server} in [[servers]] that works"))?;
    let cx = JobContext {
        run: uuid::Uuid::now_v7().to_string(),
        login: Some(login.clone()),
        logins: vec![login.clone()],
        net,
        store: doors.store.clone(),
        clock: doors.clock.clone(),
        stop,
        progress: Progress::default(),
        effects: doors.ledger.of("operations"),
    };
    Ok((cx, login))
}

async fn create(args: &Args, config: &Config, doors: &Doors, only: Option<&str>) -> anyhow::Result<Exit> {
    let hosts: Vec<String> = config.servers.iter().map(Server::host).collect();
    let wanted: Vec<&String> = hosts
        .iter()
        .filter(|host| only.is_none_or(|only| *host == only))
        .collect();
    if wanted.is_empty() {
        bail!("no such server in [[servers]]; there are: {}", hosts.join(", "));
    }
    let folder = config.operations.folder(&doors.store);
    let mut taken = Vec::new();
    let mut failed = 0;
    for server in &wanted {
        let (cx, login) = context(config, doors, server)?;
        match snapshot::take(&cx.store, &login, &folder, "by hand", cx.clock.now()).await {
            Ok(found) => taken.push(found),
            Err(error) => {
                failed += 1;
                tracing::error!("no snapshot of {server} ({NEEDED} is needed): {error}");
            }
        }
    }
    if args.json {
        out::json(&taken)?;
    } else {
        for found in &taken {
            out::line(folder.join(&found.name).display().to_string());
            for (part, why) in found.manifest.iter().flat_map(|it| &it.missing) {
                out::line(format!("  without {part}: {why}"));
            }
        }
    }
    Ok(match (taken.len(), failed) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::Part,
    })
}

fn list(args: &Args, config: &Config, doors: &Doors) -> anyhow::Result<Exit> {
    let folder = config.operations.folder(&doors.store);
    let (snapshots, dumps) = (files::found(&folder)?, dump::found(&folder, None));
    if args.json {
        let dumps: Vec<_> = dumps
            .iter()
            .map(|(name, dump)| serde_json::json!({ "name": name, "dump": dump }))
            .collect();
        out::json(&serde_json::json!({ "folder": folder, "snapshots": snapshots, "dumps": dumps }))?;
        return Ok(Exit::Done);
    }
    if snapshots.is_empty() && dumps.is_empty() {
        out::line(format!(
            "There is no backup in {} yet: `egret backup create` takes a snapshot.",
            folder.display()
        ));
        return Ok(Exit::Done);
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for found in &snapshots {
        let (made, of, why, rows_of) = match &found.manifest {
            Some(it) => (
                it.made_at.format("%Y-%m-%d %H:%M").to_string(),
                it.server.clone(),
                it.why.clone(),
                format!("{} rows", it.counts.values().sum::<u64>()),
            ),
            None => ("-".into(), "-".into(), "damaged".into(), "-".into()),
        };
        rows.push(vec![
            found.name.clone(),
            made,
            of,
            why,
            rows_of,
            found.bytes.to_string(),
        ]);
    }
    for (name, dump) in &dumps {
        let what = if dump.restored.is_empty() {
            format!("{} tables", dump.tables)
        } else {
            format!("{} tables, restored once", dump.tables)
        };
        rows.push(vec![
            name.clone(),
            dump.made_at.format("%Y-%m-%d %H:%M").to_string(),
            dump.database.clone(),
            "pg_dump".into(),
            what,
            dump.bytes.to_string(),
        ]);
    }
    out::table(&["NAME", "MADE (UTC)", "OF", "WHY", "HOLDS", "BYTES"], &rows);
    Ok(Exit::Done)
}

async fn bring_back(
    args: &Args,
    config: &Config,
    doors: &Doors,
    snapshot: &Path,
    only_plan: bool,
    exact: bool,
) -> anyhow::Result<Exit> {
    let in_folder = config.operations.folder(&doors.store).join(snapshot);
    let file = if snapshot.exists() { snapshot } else { &in_folder };
    let (manifest, _) = files::read(file, |_| false)?;
    let (cx, login) = context(config, doors, &manifest.server)?;
    let plan = restore::plan(&cx, &login, file, exact).await?;
    if only_plan {
        if args.json {
            out::json(&plan)?;
        } else {
            show(&plan);
        }
        return Ok(Exit::Done);
    }
    let name = format!("operations.restore/{}", login.server);
    let lease = leases::take(&doors.store, &name, &doors.holder, PLACE, doors.clock.now())
        .await?
        .with_context(|| format!("another restore of {} is under way", login.server))?;
    let done = job::while_held(
        &doors.store,
        &*doors.clock,
        &lease,
        PLACE,
        restore::carry_out(&cx, &login, &plan),
    )
    .await;
    leases::release(&doors.store, &lease).await?;
    let done = done.context("another process took over; what is done stays recorded")??;
    if args.json {
        out::json(&serde_json::json!({ "plan": plan, "done": done }))?;
    } else {
        for note in &plan.notes {
            out::line(note);
        }
        if done.rehearsed > 0 {
            out::line(format!(
                "Rehearsed {} changes and sent none: [operations] mode is \"observe\".",
                done.rehearsed
            ));
        } else {
            out::line(format!("{} rows brought back; {} wait.", done.done, done.waiting));
        }
        for (row, why) in &done.failed {
            out::line(format!("  {row}: {why}"));
        }
    }
    Ok(if done.failed.is_empty() && done.waiting == 0 {
        Exit::Done
    } else {
        Exit::Part
    })
}

fn show(plan: &restore::Plan) {
    for note in &plan.notes {
        out::line(note);
    }
    if plan.steps.is_empty() {
        out::line("The server is as the snapshot has it: a restore would write nothing.");
        return;
    }
    let rows: Vec<Vec<String>> = plan
        .steps
        .iter()
        .map(|step| {
            vec![
                step.list.name().to_owned(),
                step.action.word().to_owned(),
                step.key.clone(),
            ]
        })
        .collect();
    out::table(&["LIST", "WOULD", "ROW"], &rows);
    out::line(format!(
        "{} changes; without --plan they are made, if [operations] mode is \"act\".",
        rows.len()
    ));
}
