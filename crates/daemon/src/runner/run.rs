//! The life of one run: lease, row, work within its bounds, record.

use std::time::Duration;

use job::{Due, JobContext, JobError, Progress, Summary};
use store::{
    job_runs::{self, JobRun, Outcome},
    job_states,
    leases::{self, Lease},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info, info_span, warn};

use super::{Entry, Runner, Settings, entry::Past};
use crate::{
    callbacks::{Callbacks, Ended},
    logins::{self, chain},
};

/// How long a lease outlives a silent owner.
const LEASE: Duration = Duration::from_secs(60);

/// How long a run that was told to end may take to reach its next page.
const GRACE: Duration = Duration::from_secs(10);

/// Why a run was told to end, if it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Timeout,
    Lease,
    Drain,
}

impl Runner {
    /// One run, from lease to record. `None` when there was nothing to do after all.
    pub(super) async fn run(&self, settings: &Settings, entry: &Entry, woken: bool) -> Option<JobRun> {
        let doors = &self.0.doors;
        if !woken && !self.wait_jitter(entry).await {
            return None;
        }
        let lease = match leases::take(&doors.store, &entry.lease(), &doors.holder, LEASE, doors.clock.now()).await {
            Ok(Some(lease)) => lease,
            Ok(None) => {
                // Another process runs it: what the store says of it now decides when to ask again.
                let _ = self.remember(entry).await;
                return None;
            }
            Err(error) => {
                warn!(job = entry.job.name(), error = %chain(&error), "cannot take the lease of a job");
                return None;
            }
        };
        let run = self.run_leased(settings, entry, woken, &lease).await;
        if let Err(error) = leases::release(&doors.store, &lease).await {
            warn!(job = entry.job.name(), error = %chain(&error), "cannot give back the lease of a job");
        }
        run
    }

    async fn wait_jitter(&self, entry: &Entry) -> bool {
        let jitter = entry.job.section().jitter.mul_f64(rand::random::<f64>());
        if jitter.is_zero() {
            return true;
        }
        let mut live = entry.live();
        live.due_at = chrono::TimeDelta::from_std(jitter)
            .ok()
            .map(|jitter| self.0.doors.clock.now() + jitter);
        self.0.doors.board.put(live);
        tokio::select! {
            () = tokio::time::sleep(jitter) => true,
            () = self.0.stop.cancelled() => false,
        }
    }

    async fn run_leased(&self, settings: &Settings, entry: &Entry, woken: bool, lease: &Lease) -> Option<JobRun> {
        let doors = &self.0.doors;
        let (job, scope) = (entry.job.name(), entry.scope.as_str());
        let now = doors.clock.now();
        // Ours is the only live lease, so whatever else is on record as running died without a word.
        match job_runs::mark_lost(&doors.store, job, scope, &doors.holder, now).await {
            Ok(0) => {}
            Ok(lost) => {
                warn!(
                    job,
                    scope, lost, "{job} was cut off by the end of its process; it goes on from what it saved"
                );
            }
            Err(error) => warn!(job, error = %chain(&error), "cannot mark lost runs"),
        }
        match self.remember(entry).await {
            Ok(past) if woken || self.due_by(entry, past, now) == Due::Now => {}
            // Another process was faster.
            Ok(_) => return None,
            Err(error) => {
                warn!(job, error = %chain(&error), "cannot tell when a job last ran");
                return None;
            }
        }
        let mut run = JobRun {
            id: uuid::Uuid::now_v7().to_string(),
            job: job.to_owned(),
            scope: scope.to_owned(),
            holder: doors.holder.clone(),
            started_at: now,
            finished_at: None,
            outcome: Outcome::Running,
            counters: Default::default(),
            requests: Default::default(),
            error: None,
        };
        if let Err(error) = job_runs::start(&doors.store, &run).await {
            error!(job, error = %chain(&error), "cannot record the start of a run; it is not started");
            return None;
        }
        if let Err(error) = job_states::woken(&doors.store, job, scope, now).await {
            warn!(job, error = %chain(&error), "cannot take back a wish to run");
        }
        entry.set_past(Past {
            cut_off: false,
            last_start: Some(now),
            failures: entry.past().unwrap_or_default().failures,
        });
        let callbacks = self.tell_start(settings, entry);
        let begun = tokio::time::Instant::now();

        let stop = self.0.stop.child_token();
        let net = settings.net.for_run(job, stop.clone());
        let progress = Progress::default();
        let cx = JobContext {
            run: run.id.clone(),
            login: entry.login().and_then(|login| login.ready(&net)),
            logins: entry
                .logins
                .iter()
                .filter(|login| login.hindrance(&*entry.job).is_none())
                .filter_map(|login| login.ready(&net))
                .collect(),
            net: net.clone(),
            store: doors.store.clone(),
            clock: doors.clock.clone(),
            stop: stop.clone(),
            progress: progress.clone(),
            effects: doors.ledger.of(feature(job)),
        };
        let work = entry.job.clone();
        let span = info_span!("run", job, scope, run = run.id);
        metrics::gauge!("egret_job_running", "job" => job).increment(1.0);
        let task = tokio::spawn(async move { work.run(&cx).await }.instrument(span));
        let (ended, cut) = self.accompany(entry, lease, task, &stop, &progress, now).await;
        metrics::gauge!("egret_job_running", "job" => job).decrement(1.0);

        let took = begun.elapsed();
        let permanent = conclude(&mut run, ended, cut, entry.job.section().timeout);
        run.finished_at = Some(doors.clock.now());
        run.requests = net
            .spent()
            .into_iter()
            .map(|(host, count)| (host.to_string(), count))
            .collect();
        if let Err(error) = job_runs::finish(&doors.store, &run).await {
            error!(job, error = %chain(&error), "cannot record the end of a run");
        }
        self.after(entry, &run, permanent).await;
        report(&run, took);
        self.tell_end(settings, entry, callbacks, &run, took).await;
        Some(run)
    }

    /// Waits for the work, renews its lease, shows how far it is, and cuts it off where it must be.
    async fn accompany(
        &self,
        entry: &Entry,
        lease: &Lease,
        mut task: JoinHandle<Result<Summary, JobError>>,
        stop: &CancellationToken,
        progress: &Progress,
        since: chrono::DateTime<chrono::Utc>,
    ) -> (
        Option<Result<Result<Summary, JobError>, tokio::task::JoinError>>,
        Option<Cut>,
    ) {
        let doors = &self.0.doors;
        let mut live = entry.live();
        live.running_since = Some(since);
        doors.board.put(live);
        doors.board.follow(entry.job.name(), &entry.scope, progress.clone());
        let timeout = tokio::time::sleep(entry.job.section().timeout);
        tokio::pin!(timeout);
        let mut renew = tokio::time::interval_at(tokio::time::Instant::now() + LEASE / 3, LEASE / 3);
        let mut kept = tokio::time::Instant::now();
        let cut = loop {
            tokio::select! {
                ended = &mut task => return (Some(ended), None),
                () = &mut timeout => break Cut::Timeout,
                () = self.0.kill.cancelled() => {
                    task.abort();
                    return (None, Some(Cut::Drain));
                }
                _ = renew.tick() => {
                    match leases::take(&doors.store, &lease.name, &doors.holder, LEASE, doors.clock.now()).await {
                        Ok(Some(renewed)) if renewed.fence == lease.fence => kept = tokio::time::Instant::now(),
                        Ok(_) => break Cut::Lease,
                        Err(error) if kept.elapsed() >= LEASE - Duration::from_secs(5) => {
                            warn!(job = entry.job.name(), error = %chain(&error), "the lease ran out");
                            break Cut::Lease;
                        }
                        Err(error) => {
                            warn!(job = entry.job.name(), error = %chain(&error), "cannot renew the lease of a job");
                        }
                    }
                }
            }
        };
        stop.cancel();
        tokio::select! {
            ended = &mut task => (Some(ended), Some(cut)),
            () = tokio::time::sleep(GRACE) => {
                task.abort();
                (None, Some(cut))
            }
            () = self.0.kill.cancelled() => {
                task.abort();
                (None, Some(cut))
            }
        }
    }

    /// Remembers what the next due time depends on.
    async fn after(&self, entry: &Entry, run: &JobRun, permanent: Option<anyhow::Error>) {
        let doors = &self.0.doors;
        let well = matches!(run.outcome, Outcome::Finished | Outcome::Stopped);
        let failures = entry.past().unwrap_or_default().failures;
        entry.set_past(Past {
            cut_off: false,
            last_start: Some(run.started_at),
            failures: if well { 0 } else { failures.saturating_add(1) },
        });
        let rests = permanent.as_ref().map(|error| format!("{error:#}"));
        if let Some(reason) = permanent.as_ref().and_then(token_refused)
            && let Some(login) = entry.login()
        {
            login.mark_bad(&doors.store, &*doors.clock, &reason).await;
        }
        if well || rests.is_some() {
            let now = doors.clock.now();
            let set = job_states::set_rests(&doors.store, &run.job, &run.scope, rests.as_deref(), now).await;
            if let Err(error) = set {
                warn!(job = run.job, error = %chain(&error), "cannot record whether a job rests");
            }
        }
    }

    fn tell_start(&self, settings: &Settings, entry: &Entry) -> Option<(Callbacks, String, JoinHandle<()>)> {
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
        let start = self.0.tracker.spawn(async move { told.started(&net, &id).await });
        Some((callbacks, rid, start))
    }

    /// Beside the runner, so that a slow address holds up nobody; after the start was told, so that the order is right.
    async fn tell_end(
        &self,
        settings: &Settings,
        entry: &Entry,
        callbacks: Option<(Callbacks, String, JoinHandle<()>)>,
        run: &JobRun,
        took: Duration,
    ) {
        let Some((callbacks, rid, start)) = callbacks else {
            return;
        };
        let ended = Ended {
            well: matches!(run.outcome, Outcome::Finished | Outcome::Stopped),
            took,
            message: message(entry, run),
        };
        let net = settings.net.clone();
        self.0.tracker.spawn(async move {
            let _ = start.await;
            callbacks.ended(&net, &rid, &ended).await;
        });
    }
}

/// Puts the end into the row; gives the error that lets the job rest, if it was one.
fn conclude(
    run: &mut JobRun,
    ended: Option<Result<Result<Summary, JobError>, tokio::task::JoinError>>,
    cut: Option<Cut>,
    timeout: Duration,
) -> Option<anyhow::Error> {
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

/// `replies.home` to `replies`.
fn feature(job: &'static str) -> &'static str {
    job.split('.').next().unwrap_or(job)
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

fn counters(run: &JobRun) -> String {
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
fn report(run: &JobRun, took: Duration) {
    let (job, scope) = (run.job.as_str(), run.scope.as_str());
    let elapsed_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let requests: u64 = run.requests.values().sum();
    let outcome = crate::words::outcome(run.outcome);
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
