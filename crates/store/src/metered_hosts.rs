//! Hosts that do not answer for several accounts at once.

use chrono::{DateTime, Utc};

use crate::{Db, Error, db::micros};

/// Whether a host is asked for one account at a time now.
pub async fn is_single(db: &Db, host: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM metered_hosts WHERE host = $1 AND single_until > $2";
    Ok(on!(db, pool => {
        sqlx::query(SQL).bind(host).bind(micros(now)).fetch_optional(pool).await.map(|row| row.is_some())
    })?)
}

/// Asks a host for one account at a time until then.
pub async fn mark_single(db: &Db, host: &str, until: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO metered_hosts (host, single_until) VALUES ($1, $2)
        ON CONFLICT (host) DO UPDATE SET single_until = excluded.single_until";
    on_write!(db, pool => sqlx::query(SQL).bind(host).bind(micros(until)).execute(pool).await.map(drop))?;
    Ok(())
}
