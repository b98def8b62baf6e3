//! One owner per name, among all processes on one database.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;

use crate::{Db, Error, db::micros, dialect};

/// A lease as it stands.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Lease {
    /// What is owned, such as `replies.home/server/login`.
    pub name: String,
    /// Which process: random per process.
    pub holder: String,
    /// Grows with every change of owner.
    pub fence: i64,
    /// When it may be taken over.
    pub expires_at: DateTime<Utc>,
}

/// A lease without end is a lock that nobody can break.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Takes or renews the lease; `None` when somebody else holds it. On Postgres the database's clock decides.
///
/// A holder that comes late but before anybody else keeps its fence: nobody was owner in between.
pub async fn take(
    db: &Db,
    name: &str,
    holder: &str,
    ttl: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Lease>, Error> {
    let sql = dialect::take_lease(db);
    let lease = match db {
        Db::Postgres(pool) => {
            let query = sqlx::query_as(sql)
                .bind(name)
                .bind(holder)
                .bind(ttl.min(LONGEST).as_secs_f64());
            query.fetch_optional(pool).await?
        }
        Db::Sqlite { write, .. } => {
            let until = micros(now + TimeDelta::from_std(ttl.min(LONGEST)).unwrap_or(TimeDelta::zero()));
            let query = sqlx::query_as(sql).bind(name).bind(holder).bind(ttl.as_secs_f64());
            query.bind(now).bind(until).fetch_optional(write).await?
        }
    };
    Ok(lease)
}

/// Whether `lease` still stands with its fence.
pub async fn holds(db: &Db, lease: &Lease, now: DateTime<Utc>) -> Result<bool, Error> {
    let standing = load(db, &lease.name, now).await?;
    Ok(standing.is_some_and(|one| one.holder == lease.holder && one.fence == lease.fence))
}

/// The lease of this name, unless it has expired.
///
/// # Errors
/// When the database cannot be read.
pub async fn load(db: &Db, name: &str, now: DateTime<Utc>) -> Result<Option<Lease>, Error> {
    let sql = dialect::standing_lease(db);
    Ok(match db {
        Db::Postgres(pool) => sqlx::query_as(sql).bind(name).fetch_optional(pool).await?,
        Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(name).bind(now).fetch_optional(read).await?,
    })
}

/// Gives it back.
pub async fn release(db: &Db, lease: &Lease) -> Result<(), Error> {
    // The row stays for its fence; an empty holder is nobody.
    const SQL: &str = "UPDATE leases SET holder = '', expires_at = $4 WHERE name = $1 AND holder = $2 AND fence = $3";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&lease.name).bind(&lease.holder).bind(lease.fence);
        query.bind(DateTime::UNIX_EPOCH).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Every lease that has not expired.
pub async fn list(db: &Db, now: DateTime<Utc>) -> Result<Vec<Lease>, Error> {
    let sql = dialect::standing_leases(db);
    Ok(match db {
        Db::Postgres(pool) => sqlx::query_as(sql).fetch_all(pool).await?,
        Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(now).fetch_all(read).await?,
    })
}

/// Forgets leases whose name begins so and that ran out before `before`, and with them their fences: for names that are
/// never used again.
pub async fn delete_gone(db: &Db, prefix: &str, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM leases WHERE substr(name, 1, length($1)) = $1 AND expires_at < $2";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(prefix).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
