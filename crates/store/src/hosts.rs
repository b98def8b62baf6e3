//! Origins: what they run, and how they fare.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{Db, Error, db::micros, list::push_list, text::clean};

/// An origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Origin {
    /// `host[:port]`, normalised.
    pub host: String,
    /// Who serves its API.
    pub api_host: String,
    /// Lower-case software name; empty if unknown.
    pub software: String,
    /// Version, as told.
    pub version: String,
    /// When nodeinfo was last read (or failed to be).
    pub checked_at: Option<DateTime<Utc>>,
    /// Failures in a row.
    pub failures: i64,
    /// Not asked before this.
    pub rests_until: Option<DateTime<Utc>>,
    /// The last failure, for people.
    pub last_error: Option<String>,
}

/// Some origins by host; unknown ones are left out.
pub async fn load(db: &Db, hosts: &[String]) -> Result<Vec<Origin>, Error> {
    let mut found = Vec::new();
    for chunk in hosts.chunks(500) {
        let mut part: Vec<Origin> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM hosts WHERE host IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Remembers what nodeinfo said; keeps the health.
pub async fn save_software(
    db: &Db,
    host: &str,
    api_host: &str,
    software: &str,
    version: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO hosts (host, api_host, software, version, checked_at, failures, changed_at)
        VALUES ($1, $2, $3, $4, $5, 0, $5)
        ON CONFLICT (host) DO UPDATE SET api_host = excluded.api_host, software = excluded.software,
            version = excluded.version, checked_at = excluded.checked_at, changed_at = excluded.changed_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(host).bind(clean(api_host)).bind(clean(software)).bind(clean(version));
        query.bind(now).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// A request failed in a way that concerns the whole host: counts it, lets the host rest until then. Requests that were
/// under way when it began to rest fail with the first, and are one failure with it.
pub async fn mark_failed(
    db: &Db,
    host: &str,
    error: &str,
    rests_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    // A host that was never reached serves its own API, as far as anybody knows.
    const SQL: &str = "
        INSERT INTO hosts (host, api_host, software, version, failures, rests_until, last_error, changed_at)
        VALUES ($1, $1, '', '', 1, $2, $3, $4)
        ON CONFLICT (host) DO UPDATE SET failures = hosts.failures + 1, rests_until = excluded.rests_until,
            last_error = excluded.last_error, changed_at = excluded.changed_at
        WHERE hosts.rests_until IS NULL OR hosts.rests_until <= $4";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(host).bind(micros(rests_until)).bind(clean(error)).bind(now);
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// A request worked: forgets the failures. Writes nothing when there were none.
pub async fn mark_well(db: &Db, host: &str) -> Result<(), Error> {
    // Called after nearly every request, so the one writer of SQLite is left alone unless there is something to do.
    const ASK: &str = "SELECT 1 FROM hosts WHERE host = $1 AND (failures > 0 OR rests_until IS NOT NULL)";
    const SQL: &str = "UPDATE hosts SET failures = 0, rests_until = NULL, last_error = NULL WHERE host = $1";
    if on!(db, pool => sqlx::query(ASK).bind(host).fetch_optional(pool).await.map(|row| row.is_some()))? {
        on_write!(db, pool => sqlx::query(SQL).bind(host).execute(pool).await.map(drop))?;
    }
    Ok(())
}

/// Origins, resting ones first, for the page.
pub async fn list(db: &Db, limit: u32) -> Result<Vec<Origin>, Error> {
    const SQL: &str = "SELECT * FROM hosts ORDER BY rests_until DESC NULLS LAST, host LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// A page of origins by name, after `after`.
pub async fn page(db: &Db, after: Option<&str>, limit: u32) -> Result<Vec<Origin>, Error> {
    const SQL: &str = "SELECT * FROM hosts WHERE host > $1 ORDER BY host LIMIT $2";
    let after = after.unwrap_or_default();
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(after).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// How many origins are known, and how many of them rest at `now`.
pub async fn counts(db: &Db, now: DateTime<Utc>) -> Result<(i64, i64), Error> {
    const SQL: &str = "SELECT COUNT(*), COUNT(*) FILTER (WHERE rests_until > $1) FROM hosts";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(now).fetch_one(pool).await)?)
}
