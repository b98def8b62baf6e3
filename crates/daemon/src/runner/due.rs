//! Whether an entry is to start now: from its schedule, its past, what people said, and who else has it.

use chrono::{DateTime, Utc};
use job::{Due, Schedule, due};
use store::{
    job_runs::{self, Outcome},
    job_states::JobState,
    leases,
};

use super::{Entry, Runner, entry::Past};

/// What to do with an entry now.
pub(super) enum Decision {
    Start { woken: bool },
    Wait,
}

impl Runner {
    pub(super) async fn decide(
        &self,
        entry: &Entry,
        states: &[JobState],
        now: DateTime<Utc>,
    ) -> Result<Decision, store::Error> {
        let inner = &*self.0;
        let of = |scope: &str| {
            states
                .iter()
                .find(|state| state.job == entry.job.name() && state.scope == scope)
        };
        let (own, all) = (of(&entry.scope), of(""));
        let changes = entry.changes();
        let either = || own.into_iter().chain(all);
        let paused = either().any(|state| state.paused);
        let woken = either().any(|state| state.wake_at.is_some());
        let hindrance = entry.hindrance();
        let rests = hindrance.clone().or_else(|| own.and_then(|state| state.rests.clone()));
        let due = self.due(entry, now).await?;
        let mut live = entry.live();
        live.paused = paused;
        live.rests = rests.clone();
        let decision = if hindrance.is_some() || !entry.is_checked() {
            Decision::Wait
        } else if paused {
            // A pause outweighs everything: a wish waits for whoever paused it to resume it.
            Decision::Wait
        } else if woken {
            // Somebody's wish outweighs a rest: this is how they find out whether it works again.
            Decision::Start { woken: true }
        } else if rests.is_some() {
            Decision::Wait
        } else {
            match due {
                Due::Now => Decision::Start { woken: false },
                Due::At(at) => {
                    live.due_at = Some(at);
                    Decision::Wait
                }
                Due::Never => Decision::Wait,
            }
        };
        if matches!(decision, Decision::Wait) {
            if !paused && rests.is_none() && due == Due::Now {
                live.due_at = Some(now);
            }
            inner.doors.board.put(live);
        }
        let quiet = match (&decision, due) {
            (Decision::Start { .. }, _) => None,
            _ if own.or(all).is_some() || !entry.is_checked() => None,
            (Decision::Wait, _) if hindrance.is_some() => Some(DateTime::<Utc>::MAX_UTC),
            (Decision::Wait, Due::At(at)) => Some(at),
            (Decision::Wait, Due::Never) => Some(DateTime::<Utc>::MAX_UTC),
            (Decision::Wait, Due::Now) => None,
        };
        entry.set_quiet(now, quiet, changes);
        Ok(decision)
    }

    pub(super) async fn due(&self, entry: &Entry, now: DateTime<Utc>) -> Result<Due, store::Error> {
        let past = match entry.past() {
            // Until then somebody else had it; now it is known whether they finished, go on, or died.
            Some(past) if past.taken_until.is_none_or(|until| now < until) => past,
            _ => self.remember(entry).await?,
        };
        Ok(self.due_by(entry, past, now))
    }

    pub(super) fn due_by(&self, entry: &Entry, past: Past, now: DateTime<Utc>) -> Due {
        let schedule = entry.job.schedule();
        if let Some(until) = past.taken_until
            && !matches!(schedule, Schedule::Never)
        {
            return if now < until { Due::At(until) } else { Due::Now };
        }
        if past.cut_off && !matches!(schedule, Schedule::Never) {
            return Due::Now;
        }
        let last = match schedule {
            // A cron job that never ran waits for its first time since we are up.
            Schedule::Cron { .. } => past.last_start.or(Some(self.0.up_since)),
            _ => past.last_start,
        };
        due(schedule, now, last, past.failures)
    }

    /// Reads from the store when the entry last ran, and keeps it.
    pub(super) async fn remember(&self, entry: &Entry) -> Result<Past, store::Error> {
        let db = &self.0.doors.store;
        let last = job_runs::last(db, entry.job.name(), &entry.scope).await?;
        let failures = match &last {
            Some(_) => job_runs::failures_in_a_row(db, entry.job.name(), &entry.scope, 20).await?,
            None => 0,
        };
        let (mut cut_off, mut taken_until) = (false, None);
        match last.as_ref().map(|run| run.outcome) {
            Some(Outcome::Stopped | Outcome::Lost) => cut_off = true,
            Some(Outcome::Running) => {
                let lease = leases::load(db, &entry.lease(), self.0.doors.clock.now()).await?;
                let standing = lease.filter(|lease| lease.holder != self.0.doors.holder);
                // Whoever holds the lease is alive, or was a moment ago; without a lease its process is gone.
                taken_until = standing.map(|lease| lease.expires_at);
                cut_off = taken_until.is_none();
            }
            _ => {}
        }
        let past = Past {
            // Once: a run that takes its process with it is no better the second time, and waits like any failure.
            cut_off: cut_off && failures < 2,
            taken_until,
            last_start: last.map(|run| run.started_at),
            failures,
        };
        entry.set_past(past);
        Ok(past)
    }
}
