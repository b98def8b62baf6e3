//! Files that statuses show: which are to be fetched, and which bytes came.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use super::Item;
use crate::{
    Db, Error,
    db::Tx,
    dialect,
    list::push_list,
    text::{clean, is_key},
};

const CHUNK: usize = 500;

/// A file by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Wanted {
    /// Where it is.
    pub url: String,
    /// own, other, avatar, emoji, card.
    pub kind: String,
    /// The same at its origin.
    pub fallback: Option<String>,
    /// SHA-256 in hex, once kept.
    pub blob: Option<String>,
    /// Times it was asked for.
    pub tries: i64,
    /// Why the last try failed.
    pub reason: Option<String>,
    /// Not before this; empty: kept, or given up.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// Bytes on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Blob {
    /// SHA-256 in hex.
    pub blob: String,
    /// How many.
    pub bytes: i64,
    /// What they are, by looking at them.
    #[sqlx(rename = "type")]
    pub kind: String,
}

/// Notes the files of statuses that are being saved.
pub(super) async fn insert(tx: &mut Tx, items: &[(i64, &Item)], now: DateTime<Utc>) -> Result<(), Error> {
    let mut uses: Vec<(i64, &str)> = Vec::new();
    let mut files = Vec::new();
    for (id, item) in items {
        for file in item.files.iter().filter(|file| is_key(&file.url)) {
            uses.push((*id, &file.url));
            files.push(file);
        }
    }
    files.sort_unstable_by(|a, b| a.url.cmp(&b.url));
    files.dedup_by(|a, b| a.url == b.url);
    uses.sort_unstable();
    uses.dedup();
    for chunk in files.chunks(CHUNK) {
        let insert = dialect::insert_into(tx);
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(insert);
            query.push("archive_files (url, kind, fallback, tries, next_try_at) ");
            query.push_values(chunk, |mut values, file| {
                values.push_bind(&file.url).push_bind(file.kind).push_bind(file.fallback.as_deref().map(clean));
                values.push_bind(0_i64).push_bind(now);
            });
            query.push(" ON CONFLICT (url) DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    for chunk in uses.chunks(CHUNK) {
        let insert = dialect::insert_into(tx);
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(insert);
            query.push("archive_file_uses (status, url) ");
            query.push_values(chunk, |mut values, (id, url)| {
                values.push_bind(*id).push_bind(*url);
            });
            query.push(" ON CONFLICT (status, url) DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

/// Files of these kinds to be fetched, those that wait longest first.
pub async fn due(db: &Db, kinds: &[&str], now: DateTime<Utc>, limit: u32) -> Result<Vec<Wanted>, Error> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM archive_files WHERE next_try_at <= ");
        query.push_bind(now).push(" AND kind IN (");
        push_list(&mut query, kinds);
        query.push(" ORDER BY next_try_at, url LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// A file is kept: its bytes are on disk.
pub async fn mark_kept(db: &Db, url: &str, blob: &Blob, now: DateTime<Utc>) -> Result<(), Error> {
    again!(mark_kept_once(db, url, blob, now))
}

async fn mark_kept_once(db: &Db, url: &str, blob: &Blob, now: DateTime<Utc>) -> Result<(), Error> {
    const BLOB: &str = "
        INSERT INTO archive_blobs (blob, bytes, type, kept_at) VALUES ($1, $2, $3, $4) ON CONFLICT (blob) DO NOTHING";
    const FILE: &str = "
        INSERT INTO archive_files (url, kind, blob, tries) VALUES ($1, 'other', $2, 1)
        ON CONFLICT (url) DO UPDATE SET blob = excluded.blob, tries = archive_files.tries + 1, reason = NULL,
            next_try_at = NULL";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, connection => {
        let query = sqlx::query(BLOB).bind(&blob.blob).bind(blob.bytes).bind(clean(&blob.kind)).bind(now);
        query.execute(connection).await.map(drop)
    })?;
    on_tx!(&mut tx, connection => sqlx::query(FILE).bind(url).bind(&blob.blob).execute(connection).await.map(drop))?;
    tx.commit().await
}

/// A try failed; `None` gives up.
pub async fn mark_failed(db: &Db, url: &str, reason: &str, next: Option<DateTime<Utc>>) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE archive_files SET tries = tries + 1, reason = $2, next_try_at = $3 WHERE url = $1 AND blob IS NULL";
    on_write!(db, pool => sqlx::query(SQL).bind(url).bind(clean(reason)).bind(next).execute(pool).await.map(drop))?;
    Ok(())
}

/// Files that a status shows.
pub async fn of_status(db: &Db, id: i64) -> Result<Vec<Wanted>, Error> {
    const SQL: &str = "
        SELECT f.* FROM archive_file_uses u JOIN archive_files f ON f.url = u.url WHERE u.status = $1 ORDER BY f.url";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_all(pool).await)?)
}

/// What is kept of these addresses.
pub async fn kept(db: &Db, urls: &[String]) -> Result<Vec<(String, String, String)>, Error> {
    let mut found = Vec::new();
    for chunk in urls.chunks(CHUNK) {
        let mut part: Vec<(String, String, String)> = on!(db, pool => {
            let mut query = QueryBuilder::new(
                "SELECT f.url, b.blob, b.type FROM archive_files f JOIN archive_blobs b ON b.blob = f.blob
                 WHERE f.url IN (",
            );
            push_list(&mut query, chunk.iter().map(|url| clean(url)));
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// A blob, if one of these logins has to do with a status that shows it; `None` is everybody.
pub async fn blob(db: &Db, blob: &str, logins: Option<&[String]>) -> Result<Option<Blob>, Error> {
    if logins.is_some_and(<[String]>::is_empty) {
        return Ok(None);
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT b.blob, b.bytes, b.type FROM archive_blobs b WHERE b.blob = ");
        query.push_bind(blob);
        if let Some(logins) = logins {
            query.push(
                " AND EXISTS (SELECT 1 FROM archive_files f JOIN archive_file_uses u ON u.url = f.url
                  WHERE f.blob = b.blob AND EXISTS (
                      SELECT 1 FROM archive_activities a WHERE a.status = u.status AND a.login IN (",
            );
            push_list(&mut query, logins);
            query.push("))");
        }
        query.build_query_as().fetch_optional(pool).await
    })?)
}

/// A picture, sound or video that a status shows.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Shown {
    /// The status.
    pub status: i64,
    /// Where its server has it.
    pub url: String,
    /// SHA-256 in hex.
    pub blob: String,
    /// What it is.
    #[sqlx(rename = "type")]
    pub kind: String,
}

/// What statuses of these logins show, those of the newest first.
pub async fn gallery(db: &Db, logins: &[String], before: Option<i64>, limit: u32) -> Result<Vec<Shown>, Error> {
    if logins.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new(
            "SELECT u.status, u.url, b.blob, b.type FROM archive_file_uses u
             JOIN archive_files f ON f.url = u.url AND f.kind IN ('own', 'other')
             JOIN archive_blobs b ON b.blob = f.blob WHERE u.status < ",
        );
        query.push_bind(before.unwrap_or(i64::MAX));
        query.push(" AND EXISTS (SELECT 1 FROM archive_activities a WHERE a.status = u.status AND a.login IN (");
        push_list(&mut query, logins);
        query.push(") ORDER BY u.status DESC, u.url LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// All blobs after one, a bounded piece at a time.
pub async fn blobs(db: &Db, after: &str, limit: u32) -> Result<Vec<Blob>, Error> {
    const SQL: &str = "SELECT blob, bytes, type FROM archive_blobs WHERE blob > $1 ORDER BY blob LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(after).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// A blob is not on disk any more, or is damaged: the files that were it are fetched again.
pub async fn lose(db: &Db, blob: &str, now: DateTime<Utc>) -> Result<u64, Error> {
    const FILES: &str = "
        UPDATE archive_files SET blob = NULL, tries = 0, reason = 'damaged on disk', next_try_at = $2 WHERE blob = $1";
    const BLOB: &str = "DELETE FROM archive_blobs WHERE blob = $1";
    let mut tx = db.begin().await?;
    let lost = on_tx!(&mut tx, connection => {
        sqlx::query(FILES).bind(blob).bind(now).execute(connection).await.map(|done| done.rows_affected())
    })?;
    on_tx!(&mut tx, connection => sqlx::query(BLOB).bind(blob).execute(connection).await.map(drop))?;
    tx.commit().await?;
    Ok(lost)
}

/// How files stand: kept, waiting and given up, and bytes on disk.
pub async fn standing(db: &Db) -> Result<(i64, i64, i64, i64), Error> {
    const SQL: &str = "
        SELECT COUNT(*) FILTER (WHERE blob IS NOT NULL), COUNT(*) FILTER (WHERE next_try_at IS NOT NULL),
            COUNT(*) FILTER (WHERE blob IS NULL AND next_try_at IS NULL),
            (SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM archive_blobs)
        FROM archive_files";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_one(pool).await)?)
}
