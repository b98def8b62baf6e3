//! One row per run of a job.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Type, types::Json};

use crate::{
    Db, Error,
    text::{clean_opt, like},
};

/// How a run ended. `Running` without a live lease means that the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Outcome {
    /// Not ended yet.
    Running,
    /// Did what there was to do.
    Finished,
    /// Ended by an error of the world; the next tick is the retry.
    Failed,
    /// Ended by an error that the operator must mend.
    Refused,
    /// Ran past its time limit.
    TimedOut,
    /// A bug.
    Panicked,
    /// The daemon went down, the cursor is saved.
    Stopped,
    /// The process died without a word.
    Lost,
}

impl Outcome {
    /// In one word, the same in logs, metrics, tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Stopped => "stopped",
            Self::Lost => "lost",
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct JobRun {
    /// UUID v7.
    pub id: String,
    /// `feature.noun`.
    pub job: String,
    /// `server/login`, a server's host, or empty for the daemon.
    pub scope: String,
    /// Which process.
    pub holder: String,
    /// Start.
    pub started_at: DateTime<Utc>,
    /// End.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, by name of the counter.
    #[sqlx(json)]
    pub counters: BTreeMap<String, i64>,
    /// Requests by host.
    #[sqlx(json)]
    pub requests: BTreeMap<String, u64>,
    /// For people, when it did not finish.
    pub error: Option<String>,
}

/// Records the start.
pub async fn start(db: &Db, run: &JobRun) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO job_runs (id, job, scope, holder, started_at, finished_at, outcome, counters, requests, error)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&run.id).bind(&run.job).bind(&run.scope).bind(&run.holder);
        let query = query.bind(run.started_at).bind(run.finished_at).bind(run.outcome);
        let query = query.bind(Json(&run.counters)).bind(Json(&run.requests));
        query.bind(clean_opt(run.error.as_deref())).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Records the end: `finished_at`, `outcome`, `counters`, `requests`, `error`.
pub async fn finish(db: &Db, run: &JobRun) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE job_runs SET finished_at = $2, outcome = $3, counters = $4, requests = $5, error = $6 WHERE id = $1";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&run.id).bind(run.finished_at).bind(run.outcome);
        let query = query.bind(Json(&run.counters)).bind(Json(&run.requests));
        query.bind(clean_opt(run.error.as_deref())).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Marks runs that `holder`s without a lease left behind as `Lost`; called when a lease is taken over and at start.
///
/// Whoever owns the lease of this job and scope is `except`; every other holder's run that still says `running` is
/// of a process that died.
pub async fn mark_lost(db: &Db, job: &str, scope: &str, except: &str, now: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "
        UPDATE job_runs SET outcome = $4, finished_at = $5, error = $6
        WHERE job = $1 AND scope = $2 AND holder <> $3 AND outcome = 'running'";
    let lost = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(job).bind(scope).bind(except).bind(Outcome::Lost).bind(now);
        let query = query.bind("the process ended without a word");
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(lost)
}

/// One run.
pub async fn load(db: &Db, id: &str) -> Result<Option<JobRun>, Error> {
    const SQL: &str = "SELECT * FROM job_runs WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// The newest run of a job and scope, of any outcome.
pub async fn last(db: &Db, job: &str, scope: &str) -> Result<Option<JobRun>, Error> {
    const SQL: &str = "SELECT * FROM job_runs WHERE job = $1 AND scope = $2 ORDER BY id DESC LIMIT 1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(job).bind(scope).fetch_optional(pool).await)?)
}

/// Runs in a row, newest first, that did not end well, up to `most`.
///
/// A run that goes on or was stopped with the daemon says nothing either way and is passed over; a lost one counts,
/// or a job that kills its process would be started again at once for ever.
pub async fn failures_in_a_row(db: &Db, job: &str, scope: &str, most: u32) -> Result<u32, Error> {
    const SQL: &str = "
        SELECT outcome FROM job_runs WHERE job = $1 AND scope = $2 AND outcome NOT IN ('running', 'stopped')
        ORDER BY id DESC LIMIT $3";
    let outcomes: Vec<Outcome> = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(job).bind(scope).bind(i64::from(most)).fetch_all(pool).await
    })?;
    let failures = outcomes
        .iter()
        .take_while(|&&outcome| outcome != Outcome::Finished)
        .count();
    Ok(u32::try_from(failures).unwrap_or(most))
}

/// The newest runs of all jobs, or of one, newest first, before a run's id if given (cursor).
pub async fn list(db: &Db, job: Option<&str>, before: Option<&str>, limit: u32) -> Result<Vec<JobRun>, Error> {
    const ALL: &str = "SELECT * FROM job_runs WHERE ($1 IS NULL OR id < $1) ORDER BY id DESC LIMIT $2";
    const ONE: &str = "SELECT * FROM job_runs WHERE ($1 IS NULL OR id < $1) AND job = $3 ORDER BY id DESC LIMIT $2";
    Ok(on!(db, pool => match job {
        None => sqlx::query_as(ALL).bind(before).bind(i64::from(limit)).fetch_all(pool).await,
        Some(job) => sqlx::query_as(ONE).bind(before).bind(i64::from(limit)).bind(job).fetch_all(pool).await,
    })?)
}

/// Whose runs: of these scopes, and of these servers and all logins there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whose {
    /// `server/login`, a server's host, or empty for the daemon.
    pub scopes: Vec<String>,
    /// Hosts.
    pub servers: Vec<String>,
}

impl Whose {
    /// Whether a run for `scope` is among them.
    pub fn has(&self, scope: &str) -> bool {
        let host = scope.split_once('/').map_or(scope, |(host, _)| host);
        self.scopes.iter().any(|one| one == scope) || self.servers.iter().any(|server| server == host)
    }
}

/// Adds ` AND …` for those runs; nothing for everybody's.
macro_rules! push_whose {
    ($query:expr, $whose:expr) => {
        if let Some(Whose { scopes, servers }) = $whose {
            $query.push(" AND (1 = 0");
            for scope in scopes.iter().chain(servers) {
                $query.push(" OR scope = ").push_bind(scope);
            }
            for server in servers {
                $query
                    .push(" OR scope LIKE ")
                    .push_bind(format!("{}/%", like(server)))
                    .push(" ESCAPE '!'");
            }
            $query.push(")");
        }
    };
}

/// Like [`list`], of whom is asked for.
pub async fn page(
    db: &Db,
    whose: Option<&Whose>,
    job: Option<&str>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<JobRun>, Error> {
    if whose.is_none() {
        return list(db, job, before, limit).await;
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM job_runs WHERE 1 = 1");
        push_whose!(query, whose);
        if let Some(job) = job {
            query.push(" AND job = ").push_bind(job);
        }
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// What a run cost one host and what it counted, for a chart.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Cost {
    /// Start of the run.
    pub started_at: DateTime<Utc>,
    /// Requests to the host.
    pub requests: Option<i64>,
    /// What the counter says.
    pub counted: Option<i64>,
}

/// Requests to `host` and the counter `counter` of the newest runs of `jobs` of whom is asked for, newest first.
pub async fn costs(
    db: &Db,
    whose: Option<&Whose>,
    jobs: &[String],
    host: &str,
    counter: &str,
    limit: u32,
) -> Result<Vec<Cost>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT started_at, CAST(requests ->> ");
        query.push_bind(host).push(" AS BIGINT) AS requests, CAST(counters ->> ").push_bind(counter);
        query.push(" AS BIGINT) AS counted FROM job_runs WHERE job IN (''");
        for job in jobs {
            query.push(", ").push_bind(job);
        }
        query.push(")");
        push_whose!(query, whose);
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Deletes runs that ended before `before`, but never the newest of a job and scope: the schedule counts from it.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "
        DELETE FROM job_runs WHERE finished_at < $1 AND EXISTS (
            SELECT 1 FROM job_runs AS newer
            WHERE newer.job = job_runs.job AND newer.scope = job_runs.scope AND newer.id > job_runs.id)";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
