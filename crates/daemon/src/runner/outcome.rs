//! How a run ended: in its row, in the log and in the metrics, and what the next due time makes of it.

use std::time::Duration;

use job::{JobError, News, tell};
use store::{
    job_runs::{JobRun, Outcome},
    job_states,
    notices::Severity,
};
use tracing::{error, info, warn};

use super::{
    Entry, Runner,
    entry::Past,
    run::feature,
    watch::{Cut, Work},
};
use crate::{
    doors::Doors,
    logins::{self, chain},
};

impl Runner {
    /// Remembers what the next due time depends on.
    pub(super) async fn after(&self, entry: &Entry, run: &JobRun, permanent: Option<anyhow::Error>) {
        let doors = &self.0.doors;
        let well = matches!(run.outcome, Outcome::Finished | Outcome::Stopped);
        let failures = entry.past().unwrap_or_default().failures;
        entry.set_past(Past {
            cut_off: false,
            taken_until: None,
            last_start: Some(run.started_at),
            failures: if well { 0 } else { failures.saturating_add(1) },
        });
        let rests = permanent.as_ref().map(|error| format!("{error:#}"));
        let refused = permanent.as_ref().and_then(token_refused);
        match (refused, entry.login(), &rests) {
            // All its jobs rest for the same reason: people hear of the login, not of each job.
            (Some(reason), Some(login), _) => login.mark_bad(doors, &reason).await,
            (_, _, Some(reason)) => tell_rest(doors, run, reason).await,
            _ => {}
        }
        if well || rests.is_some() {
            let now = doors.clock.now();
            let set = job_states::set_rests(&doors.store, &run.job, &run.scope, rests.as_deref(), now).await;
            if let Err(error) = set {
                warn!(job = run.job, error = %chain(&error), "cannot record whether a job rests");
            }
        }
    }
}

async fn tell_rest(doors: &Doors, run: &JobRun, reason: &str) {
    let about = format!("{} {}", run.job, run.scope);
    let text = format!(
        "{} rests until the config is mended and read anew: {reason}",
        about.trim_end()
    );
    let news = News {
        feature: feature(&run.job),
        kind: "rest",
        about: about.trim_end(),
        severity: Severity::Error,
        text: &text,
    };
    tell(&doors.store, &*doors.clock, news).await;
}

/// Puts the end into the row; gives the error that lets the job rest, if it was one.
pub(super) fn conclude(run: &mut JobRun, ended: Work, cut: Option<Cut>, timeout: Duration) -> Option<anyhow::Error> {
    let mut permanent = None;
    let (outcome, error) = match ended {
        Some(Ok(Ok(summary))) => {
            run.counters = summary.counters();
            (Outcome::Finished, None)
        }
        Some(Ok(Err(JobError::Stopped))) | None => (Outcome::Stopped, None),
        Some(Ok(Err(JobError::Transient(error)))) => (Outcome::Failed, Some(format!("{error:#}"))),
        Some(Ok(Err(JobError::Permanent(error)))) => {
            let text = format!("{error:#}");
            permanent = Some(error);
            (Outcome::Refused, Some(text))
        }
        Some(Err(error)) if error.is_panic() => (Outcome::Panicked, Some(panic_text(error))),
        Some(Err(_)) => (Outcome::Stopped, None),
    };
    (run.outcome, run.error) = match (cut, outcome) {
        (Some(Cut::Timeout), outcome) if outcome != Outcome::Panicked => (
            Outcome::TimedOut,
            Some(format!(
                "took longer than its timeout of {}",
                humantime::format_duration(timeout)
            )),
        ),
        (Some(Cut::Lease), outcome) if outcome != Outcome::Panicked => (
            Outcome::Failed,
            Some("lost its lease to another process, which goes on with it".to_owned()),
        ),
        (Some(Cut::Drain), _) => (
            Outcome::Stopped,
            Some("cut off: it did not reach its next page within [run] drain".to_owned()),
        ),
        _ => (outcome, error),
    };
    permanent
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let text = match error.try_into_panic() {
        Ok(payload) => payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned()),
        Err(_) => None,
    };
    format!("a bug: panicked with {:?}; please report it", text.unwrap_or_default())
}

/// Whether the error says that the whole token is no good.
fn token_refused(error: &anyhow::Error) -> Option<String> {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<mastodon::Error>())
        .find(|error| matches!(error, mastodon::Error::Revoked { .. }))
        .and_then(logins::bad)
}

/// What a run did, in words.
pub(super) fn counters(run: &JobRun) -> String {
    if run.counters.is_empty() {
        return "found nothing to do".into();
    }
    let parts: Vec<String> = run
        .counters
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    parts.join(", ")
}

/// One log line and one metric.
pub(super) fn report(run: &JobRun, took: Duration) {
    let (job, scope) = (run.job.as_str(), run.scope.as_str());
    let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let requests: u64 = run.requests.values().sum();
    let outcome = run.outcome.as_str();
    metrics::counter!("egret_job_runs_total", "job" => run.job.clone(), "outcome" => outcome).increment(1);
    metrics::histogram!("egret_job_run_seconds", "job" => run.job.clone()).record(took.as_secs_f64());
    for (counter, count) in &run.counters {
        if let Ok(count) = u64::try_from(*count) {
            metrics::counter!("egret_job_done_total", "job" => run.job.clone(), "what" => counter.clone())
                .increment(count);
        }
    }
    let counters = counters(run);
    match (&run.outcome, &run.error) {
        (Outcome::Finished, _) => {
            info!(
                job,
                scope,
                run = run.id,
                outcome,
                elapsed_ms,
                requests,
                counters,
                "{job} finished: {counters}"
            );
        }
        (Outcome::Stopped, _) => {
            info!(
                job,
                scope,
                run = run.id,
                outcome,
                elapsed_ms,
                requests,
                "{job} stopped, and goes on at the next start"
            );
        }
        (_, error) => {
            let error = error.as_deref().unwrap_or("no reason given");
            error!(
                job,
                scope,
                run = run.id,
                outcome,
                elapsed_ms,
                requests,
                "{job} ended early: {error}"
            );
        }
    }
}
