//! Accounts whose posts were asked for at their origin, and addresses that an earlier program had counted as fetched.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    db::micros,
    text::{clean, clean_opt, is_key},
};

/// Rows in one statement: 11 columns each, and SQLite takes 32,766 parameters.
const CHUNK: usize = 1000;

/// An account whose posts were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Backfill {
    /// Our server's host.
    pub server: String,
    /// `user@domain`, lower case.
    pub acct: String,
    /// Who asked first: `followings`, `followers`, …
    pub source: String,
    /// Where the origin's list goes on, while a round is under way.
    pub cursor: Option<String>,
    /// Posts that the origin listed in this round.
    pub listed: i64,
    /// Of those, how many home lacked.
    pub wanted: i64,
    /// Failures in a row.
    pub failures: i64,
    /// Why the last try ended early.
    pub trouble: Option<String>,
    /// Start of the round under way.
    pub started_at: Option<DateTime<Utc>>,
    /// End of the last whole round.
    pub finished_at: Option<DateTime<Utc>>,
    /// Not before this; `None` is never again.
    pub next_at: Option<DateTime<Utc>>,
}

/// Some accounts of a server; unknown ones are left out.
pub async fn load(db: &Db, server: &str, accts: &[String]) -> Result<Vec<Backfill>, Error> {
    let mut found = Vec::new();
    for chunk in accts.chunks(CHUNK) {
        let mut part: Vec<Backfill> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM backfills WHERE server = ");
            query.push_bind(server).push(" AND acct IN (");
            let mut list = query.separated(", ");
            for acct in chunk {
                list.push_bind(acct);
            }
            query.push(")");
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Inserts or updates. An acct longer than any server makes is not kept.
pub async fn save(db: &Db, row: &Backfill) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO backfills (server, acct, source, cursor, listed, wanted, failures, trouble, started_at,
            finished_at, next_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (server, acct) DO UPDATE SET source = excluded.source, cursor = excluded.cursor,
            listed = excluded.listed, wanted = excluded.wanted, failures = excluded.failures,
            trouble = excluded.trouble, started_at = excluded.started_at, finished_at = excluded.finished_at,
            next_at = excluded.next_at";
    if !is_key(&row.acct) {
        return Ok(());
    }
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&row.server).bind(&row.acct).bind(&row.source);
        let query = query.bind(clean_opt(row.cursor.as_deref())).bind(row.listed).bind(row.wanted).bind(row.failures);
        let query = query.bind(clean_opt(row.trouble.as_deref())).bind(row.started_at.map(micros));
        query.bind(row.finished_at.map(micros)).bind(row.next_at.map(micros)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Adds those not there yet and gives how many were new. One transaction.
pub async fn insert(db: &Db, rows: &[Backfill]) -> Result<u64, Error> {
    let mut rows: Vec<&Backfill> = rows.iter().filter(|row| is_key(&row.acct)).collect();
    // Two processes that insert the same rows in two orders would wait for each other.
    rows.sort_by_key(|row| (&row.server, &row.acct));
    again!(insert_sorted(db, &rows))
}

async fn insert_sorted(db: &Db, rows: &[&Backfill]) -> Result<u64, Error> {
    const SQL: &str = "
        INSERT INTO backfills (server, acct, source, cursor, listed, wanted, failures, trouble, started_at,
            finished_at, next_at) ";
    let mut new = 0;
    let mut tx = db.begin().await?;
    for chunk in rows.chunks(CHUNK) {
        new += on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new(SQL);
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.server).push_bind(&row.acct).push_bind(&row.source);
                values.push_bind(clean_opt(row.cursor.as_deref())).push_bind(row.listed).push_bind(row.wanted);
                values.push_bind(row.failures).push_bind(clean_opt(row.trouble.as_deref()));
                values.push_bind(row.started_at.map(micros)).push_bind(row.finished_at.map(micros));
                values.push_bind(row.next_at.map(micros));
            });
            query.push(" ON CONFLICT (server, acct) DO NOTHING");
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    tx.commit().await?;
    Ok(new)
}

/// The accounts last read whole, newest first, for the page.
pub async fn list(db: &Db, limit: u32) -> Result<Vec<Backfill>, Error> {
    const SQL: &str = "SELECT * FROM backfills ORDER BY finished_at DESC NULLS LAST, server, acct LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// How many accounts are remembered.
pub async fn count(db: &Db) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM backfills";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}

/// Forgets accounts that might have been read again since `before` and were not. Those for ever stay.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM backfills WHERE next_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}

/// Adds addresses that another program had counted as fetched and gives how many were new. One transaction; those
/// longer than any server makes are not kept.
pub async fn insert_seen(db: &Db, server: &str, urls: &[String]) -> Result<u64, Error> {
    let mut urls: Vec<&String> = urls.iter().filter(|url| is_key(url)).collect();
    urls.sort_unstable();
    again!(insert_seen_sorted(db, server, &urls))
}

async fn insert_seen_sorted(db: &Db, server: &str, urls: &[&String]) -> Result<u64, Error> {
    let mut new = 0;
    let mut tx = db.begin().await?;
    for chunk in urls.chunks(CHUNK * 10) {
        new += on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("INSERT INTO seen_urls (server, url) ");
            query.push_values(chunk, |mut values, url| {
                values.push_bind(server).push_bind(*url);
            });
            query.push(" ON CONFLICT (server, url) DO NOTHING");
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    tx.commit().await?;
    Ok(new)
}

/// Those of `urls` that another program had counted as fetched.
pub async fn seen(db: &Db, server: &str, urls: &[String]) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for chunk in urls.chunks(CHUNK) {
        let mut part: Vec<String> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT url FROM seen_urls WHERE server = ");
            query.push_bind(server).push(" AND url IN (");
            let mut list = query.separated(", ");
            for url in chunk {
                list.push_bind(clean(url));
            }
            query.push(")");
            query.build_query_scalar().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}
