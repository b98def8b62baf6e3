//! Callbacks around a run, beside the runner, so that a slow address holds up nobody.

use std::time::Duration;

use store::job_runs::{JobRun, Outcome};
use tokio::task::JoinHandle;

use super::{Entry, Runner, Settings, outcome::counters};
use crate::callbacks::{Callbacks, Ended};

/// Callbacks that were told of the start, and wait for the end.
pub(super) struct Told {
    callbacks: Callbacks,
    rid: String,
    start: JoinHandle<()>,
}

/// Tells that a run starts, where its section names somebody to tell.
pub(super) fn start(runner: &Runner, settings: &Settings, entry: &Entry) -> Option<Told> {
    let section = entry.job.section();
    let callbacks = Callbacks {
        on_start: section.on_start.as_ref().map(|callback| callback.0.clone()),
        on_done: section.on_done.as_ref().map(|callback| callback.0.clone()),
        on_fail: section.on_fail.as_ref().map(|callback| callback.0.clone()),
    };
    if callbacks.is_empty() {
        return None;
    }
    let rid = uuid::Uuid::new_v4().to_string();
    let (net, told, id) = (settings.net.clone(), callbacks.clone(), rid.clone());
    let start = runner.0.tracker.spawn(async move { told.started(&net, &id).await });
    Some(Told { callbacks, rid, start })
}

/// Tells how it ended; after the start was told, so that the order is right.
pub(super) fn end(
    runner: &Runner,
    settings: &Settings,
    entry: &Entry,
    told: Option<Told>,
    run: &JobRun,
    took: Duration,
) {
    let Some(Told { callbacks, rid, start }) = told else {
        return;
    };
    let ended = Ended {
        well: matches!(run.outcome, Outcome::Finished | Outcome::Stopped),
        took,
        message: message(entry, run),
    };
    let net = settings.net.clone();
    runner.0.tracker.spawn(async move {
        let _ = start.await;
        callbacks.ended(&net, &rid, &ended).await;
    });
}

fn message(entry: &Entry, run: &JobRun) -> String {
    let mut text = format!("{} ", entry.job.name());
    match (&run.outcome, &run.error) {
        (Outcome::Finished, _) => text.push_str(&counters(run)),
        (Outcome::Stopped, _) => text.push_str("stopped, and goes on at the next start"),
        (_, Some(error)) => text.push_str(error),
        (_, None) => text.push_str("failed"),
    }
    text
}
