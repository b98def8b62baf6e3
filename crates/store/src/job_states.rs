//! What people and features told the scheduler about a job: paused, wanted now.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{Db, Error, text::clean_opt};

/// A job's state for one scope (empty scope: for all its scopes).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct JobState {
    /// `feature.noun`.
    pub job: String,
    /// As in `job_runs`.
    pub scope: String,
    /// Paused by somebody.
    pub paused: bool,
    /// Somebody asked for a run at this time and it has not started yet.
    pub wake_at: Option<DateTime<Utc>>,
    /// Why the job rests until the config is reloaded (a `Permanent` error).
    pub rests: Option<String>,
}

/// All states that are not plain.
pub async fn list(db: &Db) -> Result<Vec<JobState>, Error> {
    const SQL: &str = "
        SELECT job, scope, paused, wake_at, rests FROM job_states
        WHERE paused OR wake_at IS NOT NULL OR rests IS NOT NULL ORDER BY job, scope";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Pauses or resumes.
pub async fn set_paused(db: &Db, job: &str, scope: &str, paused: bool, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO job_states (job, scope, paused, changed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (job, scope) DO UPDATE SET paused = excluded.paused, changed_at = excluded.changed_at";
    on_write!(db, pool => sqlx::query(SQL).bind(job).bind(scope).bind(paused).bind(now).execute(pool).await.map(drop))?;
    Ok(())
}

/// Asks for a run.
pub async fn wake(db: &Db, job: &str, scope: &str, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO job_states (job, scope, paused, wake_at, changed_at) VALUES ($1, $2, FALSE, $3, $3)
        ON CONFLICT (job, scope) DO UPDATE SET wake_at = excluded.wake_at, changed_at = excluded.changed_at";
    on_write!(db, pool => sqlx::query(SQL).bind(job).bind(scope).bind(now).execute(pool).await.map(drop))?;
    Ok(())
}

/// Asks for a run where nobody has: for those who ask many times a second. A run that is about to start will find what
/// was stored before this.
pub async fn wake_once(db: &Db, job: &str, scope: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    // Where many wake the same, asking costs less than each of them queueing to write what stands there.
    const WOKEN: &str = "SELECT COUNT(*) FROM job_states WHERE job = $1 AND scope = $2 AND wake_at IS NOT NULL";
    const SQL: &str = "
        INSERT INTO job_states (job, scope, paused, wake_at, changed_at) VALUES ($1, $2, FALSE, $3, $3)
        ON CONFLICT (job, scope) DO UPDATE SET wake_at = excluded.wake_at, changed_at = excluded.changed_at
        WHERE job_states.wake_at IS NULL";
    let woken: i64 = on!(db, pool => sqlx::query_scalar(WOKEN).bind(job).bind(scope).fetch_one(pool).await)?;
    if woken > 0 {
        return Ok(false);
    }
    let changed = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(job).bind(scope).bind(now);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(changed > 0)
}

/// A wish that is further ahead than this was made by a clock that was.
const AHEAD: TimeDelta = TimeDelta::minutes(1);

/// The run has started: takes back a wish that is not younger than `started_at`. One that is younger by far was made while
/// the clock was ahead, and goes as well: it would start one run after the other until its time has come.
pub async fn woken(db: &Db, job: &str, scope: &str, started_at: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE job_states SET wake_at = NULL WHERE job = $1 AND scope = $2 AND (wake_at <= $3 OR wake_at > $4)";
    let ahead = started_at + AHEAD;
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(job).bind(scope).bind(started_at);
        query.bind(ahead).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Lets a job rest, or ends its rest with `None`.
pub async fn set_rests(db: &Db, job: &str, scope: &str, reason: Option<&str>, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO job_states (job, scope, paused, rests, changed_at) VALUES ($1, $2, FALSE, $3, $4)
        ON CONFLICT (job, scope) DO UPDATE SET rests = excluded.rests, changed_at = excluded.changed_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(job).bind(scope).bind(clean_opt(reason)).bind(now);
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}
