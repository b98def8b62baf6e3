//! Looking again: what was edited, deleted or taken back, and what is still to be asked for.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder};

use super::{File, Item, Version, files};
use crate::{Db, Error, db::micros, list::push_list, text::clean};

/// A status to ask a server for.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Due {
    /// Ours.
    pub id: i64,
    /// The server's.
    pub server_id: String,
}

/// Why statuses are to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Not looked at since a time.
    Unchecked(DateTime<Utc>),
    /// Edited; the versions are wanted.
    History,
    /// The parents are wanted.
    Context,
    /// The poll ended before a time.
    Poll(DateTime<Utc>),
}

/// Statuses of a login to ask its server for, those that wait longest first.
pub async fn due(db: &Db, login: &str, server: &str, why: Why, limit: u32) -> Result<Vec<Due>, Error> {
    const MINE: &str = " AND EXISTS (SELECT 1 FROM archive_activities a WHERE a.status = s.id AND a.login = ";
    let (condition, bound, order) = match why {
        Why::Unchecked(before) => (
            "gone_at IS NULL AND s.checked_at < ",
            Some(before),
            "s.checked_at, s.id",
        ),
        Why::History => ("history_due", None, "s.id"),
        Why::Context => ("context_due", None, "s.id DESC"),
        Why::Poll(before) => ("poll_ends_at < ", Some(before), "s.poll_ends_at"),
    };
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT s.id, s.server_id FROM archive_statuses s WHERE s.server = ");
        query.push_bind(server).push(format!(" AND s.{condition}"));
        if let Some(bound) = bound {
            query.push_bind(bound);
        }
        query.push(MINE).push_bind(login).push(format!(") ORDER BY {order} LIMIT ")).push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// These were asked for and are as they were.
pub async fn mark_checked(db: &Db, ids: &[i64], now: DateTime<Utc>) -> Result<(), Error> {
    change(db, "UPDATE archive_statuses SET checked_at = ", Some(now), "", ids).await
}

/// These are deleted. The time is the first at which it was noticed.
pub async fn mark_gone(db: &Db, ids: &[i64], now: DateTime<Utc>) -> Result<(), Error> {
    change(
        db,
        "UPDATE archive_statuses SET gone_at = ",
        Some(now),
        "gone_at IS NULL AND ",
        ids,
    )
    .await
}

/// Their parents are all there.
pub async fn mark_context(db: &Db, ids: &[i64]) -> Result<(), Error> {
    change(db, "UPDATE archive_statuses SET context_due = FALSE", None, "", ids).await
}

/// Their parents are to be asked for.
pub async fn want_context(db: &Db, ids: &[i64]) -> Result<(), Error> {
    change(db, "UPDATE archive_statuses SET context_due = TRUE", None, "", ids).await
}

/// Their polls are as they will stay.
pub async fn mark_poll(db: &Db, ids: &[i64]) -> Result<(), Error> {
    change(db, "UPDATE archive_statuses SET poll_ends_at = NULL", None, "", ids).await
}

async fn change(
    db: &Db,
    set: &'static str,
    value: Option<DateTime<Utc>>,
    also: &'static str,
    ids: &[i64],
) -> Result<(), Error> {
    for chunk in ids.chunks(500) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new(set);
            if let Some(value) = value {
                query.push_bind(value);
            }
            query.push(format!(" WHERE {also}id IN ("));
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Adds versions that a server told of, with the files that they showed, and says that this status's history is whole.
pub async fn save_versions(
    db: &Db,
    id: i64,
    versions: &[Version],
    files: &[File],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let item = Item {
        files: files.to_vec(),
        ..Item::default()
    };
    again!(save_versions_once(db, id, versions, &item, now))
}

async fn save_versions_once(
    db: &Db,
    id: i64,
    versions: &[Version],
    item: &Item,
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    const INSERT: &str = "
        INSERT INTO archive_versions (status, version_at, digest, body, seen_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (status, version_at) DO NOTHING";
    const DONE: &str = "UPDATE archive_statuses SET history_due = FALSE WHERE id = $1";
    let mut new = 0;
    let mut tx = db.begin().await?;
    for version in versions {
        new += on_tx!(&mut tx, connection => {
            let query = sqlx::query(INSERT).bind(id).bind(micros(version.version_at)).bind(&version.digest);
            let query = query.bind(clean(&version.body)).bind(version.seen_at);
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    files::insert(&mut tx, &[(id, item)], now).await?;
    on_tx!(&mut tx, connection => sqlx::query(DONE).bind(id).execute(connection).await.map(drop))?;
    tx.commit().await?;
    Ok(new)
}

/// A login's activities of these kinds with these statuses were taken back. Gives how many stood.
pub async fn end(db: &Db, login: &str, kind: &str, ids: &[i64], now: DateTime<Utc>) -> Result<u64, Error> {
    let mut ended = 0;
    for chunk in ids.chunks(500) {
        ended += on_write!(db, pool => {
            let mut query = QueryBuilder::new("UPDATE archive_activities SET ended_at = ");
            query.push_bind(now).push(" WHERE ended_at IS NULL AND login = ").push_bind(login);
            query.push(" AND kind = ").push_bind(kind).push(" AND status IN (");
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(ended)
}
