//! How far each job has come in each scope.

use chrono::{DateTime, Utc};

use crate::{Db, Error};

/// Remembers how far `job` has come in `scope`.
pub async fn save(db: &Db, job: &str, scope: &str, value: &str, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO cursors (job, scope, value, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (job, scope) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
    on_write!(db, pool => sqlx::query(SQL).bind(job).bind(scope).bind(value).bind(now).execute(pool).await.map(drop))?;
    Ok(())
}

/// How far `job` had come in `scope`.
pub async fn load(db: &Db, job: &str, scope: &str) -> Result<Option<String>, Error> {
    const SQL: &str = "SELECT value FROM cursors WHERE job = $1 AND scope = $2";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(job).bind(scope).fetch_optional(pool).await)?)
}

/// Forgets it.
pub async fn delete(db: &Db, job: &str, scope: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM cursors WHERE job = $1 AND scope = $2";
    on_write!(db, pool => sqlx::query(SQL).bind(job).bind(scope).execute(pool).await.map(drop))?;
    Ok(())
}
