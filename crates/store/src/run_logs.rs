//! What runs had to say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use crate::{Db, Error, text::clean};

/// A line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    pub at: DateTime<Utc>,
    /// `error`, `warn` or `info`.
    pub level: String,
    /// What.
    pub text: String,
}

/// Keeps the log of a run that ended.
pub async fn save(db: &Db, run: &str, lines: &[Line]) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO run_logs (run, lines) VALUES ($1, $2) ON CONFLICT (run) DO UPDATE SET lines = excluded.lines";
    let lines: Vec<Line> = lines
        .iter()
        .map(|line| Line {
            text: clean(&line.text).into_owned(),
            ..line.clone()
        })
        .collect();
    on_write!(db, pool => sqlx::query(SQL).bind(run).bind(Json(&lines)).execute(pool).await.map(drop))?;
    Ok(())
}

/// The log of a run, oldest line first; empty where nothing was kept.
pub async fn load(db: &Db, run: &str) -> Result<Vec<Line>, Error> {
    const SQL: &str = "SELECT lines FROM run_logs WHERE run = $1";
    let found: Option<Json<Vec<Line>>> = on!(db, pool => sqlx::query_scalar(SQL).bind(run).fetch_optional(pool).await)?;
    Ok(found.map(|Json(lines)| lines).unwrap_or_default())
}

/// Deletes the logs of runs that are no longer on record.
pub async fn delete_orphans(db: &Db) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM run_logs WHERE NOT EXISTS (SELECT 1 FROM job_runs WHERE job_runs.id = run_logs.run)";
    Ok(on_write!(db, pool => sqlx::query(SQL).execute(pool).await.map(|done| done.rows_affected()))?)
}

/// Deletes the logs of runs that ended before `before`; the runs stay.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM run_logs WHERE EXISTS (
        SELECT 1 FROM job_runs WHERE job_runs.id = run_logs.run AND job_runs.finished_at < $1)";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
