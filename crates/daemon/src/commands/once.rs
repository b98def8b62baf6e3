//! `egret once`: the mode for cron and CI.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use anyhow::bail;
use futures::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use job::Board;
use store::{
    job_runs::{JobRun, Outcome},
    lock::ProcessLock,
};

use crate::{
    Exit,
    args::Args,
    daemon, lifecycle, logins, out, registry,
    runner::{Entry, Runner},
};

pub(super) async fn run(args: &Args, names: &[String]) -> anyhow::Result<Exit> {
    let (config, doors) = super::open(args).await?;
    let _lock = ProcessLock::acquire(&doors.store)?;
    daemon::free_dead_leases(&doors).await;
    let settings = daemon::settings(&config, &doors, registry::jobs)?;
    for name in names {
        if !settings.jobs.iter().any(|job| job.name() == name) {
            let known: Vec<_> = settings.jobs.iter().map(|job| job.name()).collect();
            bail!("there is no job {name:?} that is on; there are: {}", known.join(", "));
        }
    }
    logins::check(&settings.logins, &settings.jobs, &doors).await;
    let runner = Runner::new(doors.clone(), settings);
    let states = store::job_states::list(&doors.store).await?;
    let (mut able, mut unable) = (Vec::new(), Vec::new());
    for entry in &runner.settings().entries {
        if names.is_empty() || names.iter().any(|name| name == entry.job.name()) {
            let paused = states.iter().any(|state| {
                state.paused && state.job == entry.job.name() && (state.scope.is_empty() || state.scope == entry.scope)
            });
            match entry.hindrance() {
                None if paused => {
                    let job = entry.job.name();
                    unable.push((
                        entry.clone(),
                        format!("paused; resume it first, with `egret jobs resume {job}`"),
                    ));
                }
                None => able.push(entry.clone()),
                Some(reason) => unable.push((entry.clone(), reason)),
            }
        }
    }
    // Some jobs need no login, but who names none and has none most likely forgot the config.
    let is_bare = names.is_empty() && runner.settings().logins.is_empty();
    if is_bare || (able.is_empty() && unable.is_empty()) {
        bail!("nothing to run: there is no login in [[servers]]; `egret init https://your.server` makes one");
    }

    let bars = (std::io::stderr().is_terminal() && !args.json).then(|| tokio::spawn(draw(doors.board.clone())));
    let stopper = {
        let (runner, mut signals) = (runner.clone(), lifecycle::listen()?);
        tokio::spawn(async move {
            if signals.next().await.is_some() {
                runner.stop();
            }
        })
    };
    let runs = runner.run_now(&able).await;
    // Callbacks may still be on their way.
    runner.drain(Duration::from_secs(15)).await;
    stopper.abort();
    if let Some(bars) = bars {
        bars.abort();
    }
    show(args, &runs, &unable)?;
    doors.store.close().await;
    let finished = |run: &&JobRun| run.outcome == Outcome::Finished;
    let failed = able.len() + unable.len() - runs.iter().filter(finished).count();
    // What runs for the daemon needs no server and is not what a bare `once` is for: where all else failed, it failed.
    let counts = |run: &&JobRun| !names.is_empty() || !run.scope.is_empty();
    Ok(match (runs.iter().filter(finished).filter(counts).count(), failed) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::Part,
    })
}

fn show(args: &Args, runs: &[JobRun], unable: &[(Arc<Entry>, String)]) -> anyhow::Result<()> {
    if args.json {
        let unable: Vec<_> = unable
            .iter()
            .map(|(entry, reason)| serde_json::json!({"job": entry.job.name(), "scope": entry.scope, "reason": reason}))
            .collect();
        return out::json(&serde_json::json!({ "runs": runs, "not_run": unable }));
    }
    let mut rows: Vec<Vec<String>> = runs
        .iter()
        .map(|run| {
            let counters: Vec<String> = run
                .counters
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            vec![
                run.job.clone(),
                run.scope.clone(),
                run.outcome.as_str().to_owned(),
                run.requests.values().sum::<u64>().to_string(),
                run.error.clone().unwrap_or_else(|| counters.join(", ")),
            ]
        })
        .collect();
    rows.extend(unable.iter().map(|(entry, reason)| {
        vec![
            entry.job.name().to_owned(),
            entry.scope.clone(),
            "not run".into(),
            "0".into(),
            reason.clone(),
        ]
    }));
    out::table(&["JOB", "SCOPE", "OUTCOME", "REQUESTS", "WHAT"], &rows);
    Ok(())
}

/// One bar per run under way, drawn from the board that the pages read as well.
async fn draw(board: Board) {
    let all = MultiProgress::new();
    let mut bars: std::collections::BTreeMap<(String, String), ProgressBar> = Default::default();
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let plain = style("{prefix:.bold} {wide_bar} {pos} {msg}");
    // By the pace so far, waiting for the server's limits included. Without an end to go by there is no estimate.
    let estimated = style("{prefix:.bold} {wide_bar} {pos}/{len} {msg}, about {eta} left");
    loop {
        for live in board.list() {
            let key = (live.job.clone(), live.scope.clone());
            match live.progress.filter(|_| live.running_since.is_some()) {
                Some((done, of, what)) => {
                    let bar = bars.entry(key).or_insert_with(|| {
                        let style = if of.is_some() { &estimated } else { &plain };
                        let bar = all.add(ProgressBar::new(0)).with_style(style.clone());
                        bar.set_prefix(format!("{} {}", live.job, live.scope));
                        bar
                    });
                    bar.set_length(of.unwrap_or(done));
                    bar.set_position(done);
                    bar.set_message(what);
                }
                None => {
                    if let Some(bar) = bars.remove(&key) {
                        bar.finish_and_clear();
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
