//! The clock that all processes on one database share.

use chrono::{DateTime, Utc};

use crate::{Db, Error, db::micros};

/// What the database's own clock says. An SQLite file has none: the machine's is the only one.
///
/// # Errors
/// When the database does not answer.
pub async fn now(db: &Db) -> Result<Option<DateTime<Utc>>, Error> {
    let Db::Postgres(pool) = db else {
        return Ok(None);
    };
    let now: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(pool).await?;
    Ok(Some(micros(now)))
}
