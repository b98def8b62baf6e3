//! The life of one run: lease, row, work within its bounds, record.

use std::{sync::PoisonError, time::Instant};

use chrono::{DateTime, Utc};
use job::{Due, JobContext, Progress};
use net::Until;
use store::{
    job_runs::{self, JobRun, Outcome},
    job_states,
    leases::{self, Lease},
};
use tracing::{Instrument as _, error, info_span, warn};
use uuid::{Timestamp, Uuid};

use super::{Entry, Runner, Settings, entry::Past, outcome, told};
use crate::{logins::chain, telemetry};

impl Runner {
    /// One run, from lease to record. `None` when there was nothing to do after all.
    pub(super) async fn run(&self, settings: &Settings, entry: &Entry, woken: bool) -> Option<JobRun> {
        let doors = &self.0.doors;
        if !(woken || self.give_way(entry).await && self.wait_jitter(entry).await) {
            return None;
        }
        let lasts = settings.lease;
        // From before the question: the answer may have been long on its way.
        let until = Until::new(Instant::now(), lasts);
        let lease = match leases::take(&doors.store, &entry.lease(), &doors.holder, lasts, doors.clock.now()).await {
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
        let run = self.run_leased(settings, entry, woken, (&lease, &until)).await;
        if let Err(error) = leases::release(&doors.store, &lease).await {
            warn!(job = entry.job.name(), error = %chain(&error), "cannot give back the lease of a job");
        }
        run
    }

    /// The id of a run that starts now. The newest run is the one with the highest id, whoever made it: so it tells the time
    /// that all replicas go by, and not what this machine's own clock says.
    pub(super) fn new_id(&self, now: DateTime<Utc>) -> String {
        let ids = self.0.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(&*ids, seconds, now.timestamp_subsec_nanos())).to_string()
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

    async fn run_leased(
        &self,
        settings: &Settings,
        entry: &Entry,
        woken: bool,
        (lease, until): (&Lease, &Until),
    ) -> Option<JobRun> {
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
            id: self.new_id(now),
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
            taken_until: None,
            last_start: Some(now),
            failures: entry.past().unwrap_or_default().failures,
        });
        let callbacks = told::start(self, settings, entry);
        let begun = tokio::time::Instant::now();

        let stop = self.0.stop.child_token();
        let net = settings.net.for_run(job, stop.clone()).until(until.clone());
        let progress = Progress::default();
        // What was switched elsewhere or before the start holds here too; every effect asks once more.
        if let Err(error) = doors.ledger.modes_now().await {
            warn!(job, error = %chain(&error), "cannot read the modes that were switched");
        }
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
            effects: doors.ledger.of(feature(job)).fenced(lease.clone()),
        };
        let work = entry.job.clone();
        let span = info_span!("run", job, scope, run = run.id);
        metrics::gauge!("egret_job_running", "job" => job).increment(1.0);
        let task = tokio::spawn(async move { work.run(&cx).await }.instrument(span));
        let (ended, cut) = self
            .accompany(entry, (lease, until, settings.lease), task, &stop, &progress, now)
            .await;
        metrics::gauge!("egret_job_running", "job" => job).decrement(1.0);

        let took = begun.elapsed();
        let permanent = outcome::conclude(&mut run, ended, cut, entry.job.section().timeout);
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
        outcome::report(&run, took);
        let lines = telemetry::run_logs().take(&run.id);
        if !lines.is_empty()
            && let Err(error) = store::run_logs::save(&doors.store, &run.id, &lines).await
        {
            warn!(job, error = %chain(&error), "cannot keep the log of a run");
        }
        told::end(self, settings, entry, callbacks, &run, took);
        Some(run)
    }
}

/// `replies.home` to `replies`.
pub(super) fn feature(job: &str) -> &str {
    job.split('.').next().unwrap_or(job)
}
