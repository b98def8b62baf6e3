//! What somebody should hear of, once per subject and day.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, Type};

use crate::{Db, Error, db::micros, text::clean};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something waits for somebody.
    Warning,
    /// Something does not work until somebody mends it.
    Error,
}

/// One thing to hear of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Notice {
    /// UUID v7.
    pub id: String,
    /// `blocklists`, …
    pub feature: String,
    /// `quota`, `token`, `rest`, …: one word for what happened.
    pub kind: String,
    /// Which login, job, …; empty for the whole feature.
    pub about: String,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence for people: what happened, and what to do.
    pub text: String,
    /// When it happened first that day.
    pub created_at: DateTime<Utc>,
    /// When somebody saw it.
    pub seen_at: Option<DateTime<Utc>>,
    /// When it was delivered to somebody.
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Keeps a notice unless the same feature, kind and subject have one from the same day (UTC); `false` then. It is
/// neither seen nor delivered yet, whatever it says.
pub async fn insert(db: &Db, notice: &Notice) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO notices (id, feature, kind, about, day, severity, text, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (feature, kind, about, day) DO NOTHING";
    let day = notice.created_at.format("%Y-%m-%d").to_string();
    let inserted = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&notice.id).bind(&notice.feature).bind(&notice.kind);
        let query = query.bind(clean(&notice.about)).bind(day).bind(notice.severity).bind(clean(&notice.text));
        query.bind(notice.created_at).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(inserted > 0)
}

/// Notices, newest first, before an id; only those that nobody saw where `unseen`.
pub async fn list(db: &Db, unseen: bool, before: Option<&str>, limit: u32) -> Result<Vec<Notice>, Error> {
    const SQL: &str = "
        SELECT id, feature, kind, about, severity, text, created_at, seen_at, delivered_at FROM notices
        WHERE ($1 = FALSE OR seen_at IS NULL) AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(unseen).bind(before).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// One notice.
pub async fn load(db: &Db, id: &str) -> Result<Option<Notice>, Error> {
    const SQL: &str = "
        SELECT id, feature, kind, about, severity, text, created_at, seen_at, delivered_at FROM notices WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// Notices that were not delivered yet, oldest first.
pub async fn undelivered(db: &Db, limit: u32) -> Result<Vec<Notice>, Error> {
    const SQL: &str = "
        SELECT id, feature, kind, about, severity, text, created_at, seen_at, delivered_at FROM notices
        WHERE delivered_at IS NULL ORDER BY id LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// What a feature told since `since` and nobody got yet, oldest first.
pub async fn undelivered_of(db: &Db, feature: &str, since: DateTime<Utc>, limit: u32) -> Result<Vec<Notice>, Error> {
    const SQL: &str = "
        SELECT id, feature, kind, about, severity, text, created_at, seen_at, delivered_at FROM notices
        WHERE delivered_at IS NULL AND feature = $1 AND created_at >= $2 ORDER BY id LIMIT $3";
    let limit = i64::from(limit);
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(feature).bind(micros(since)).bind(limit).fetch_all(pool).await)?)
}

/// Somebody saw it; `false` when somebody had before, or there is none.
pub async fn mark_seen(db: &Db, id: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "UPDATE notices SET seen_at = $2 WHERE id = $1 AND seen_at IS NULL";
    let marked = on_write!(db, pool => {
        sqlx::query(SQL).bind(id).bind(now).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(marked > 0)
}

/// It was delivered; `false` when it had been before (another process was faster), or there is none.
pub async fn mark_delivered(db: &Db, id: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "UPDATE notices SET delivered_at = $2 WHERE id = $1 AND delivered_at IS NULL";
    let marked = on_write!(db, pool => {
        sqlx::query(SQL).bind(id).bind(now).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(marked > 0)
}

/// Deletes what happened before `before`, seen or not.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM notices WHERE created_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
