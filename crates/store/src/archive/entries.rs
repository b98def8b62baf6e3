//! Lists of a login as dated snapshots: what is kept is who was on a list from when to when.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    text::{clean, is_key},
};

const CHUNK: usize = 500;

/// Somebody or something on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Entry {
    /// Who or what: an acct, a domain, a tag, an id.
    pub entry: String,
    /// First seen on it.
    pub since: DateTime<Utc>,
    /// Noticed to be off it.
    pub until: Option<DateTime<Utc>>,
    /// The server's own JSON.
    pub body: String,
}

/// One reading of a whole list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Snapshot {
    /// Whose.
    pub login: String,
    /// Which.
    pub list: String,
    /// When.
    pub taken_at: DateTime<Utc>,
    /// How many were on it.
    pub entries: i64,
    /// Of those, new since the reading before.
    pub added: i64,
    /// And off it since.
    pub removed: i64,
}

/// Compares a whole list with what was on it, and records what changed. A reading that changes nothing is recorded too:
/// it says that nothing did.
pub async fn snapshot(
    db: &Db,
    login: &str,
    list: &str,
    entries: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<Snapshot, Error> {
    again!(snapshot_once(db, login, list, entries, now))
}

async fn snapshot_once(
    db: &Db,
    login: &str,
    list: &str,
    entries: &[(String, String)],
    now: DateTime<Utc>,
) -> Result<Snapshot, Error> {
    const OPEN: &str = "SELECT entry FROM archive_entries WHERE login = $1 AND list = $2 AND until IS NULL";
    const CLOSE: &str =
        "UPDATE archive_entries SET until = $4 WHERE login = $1 AND list = $2 AND entry = $3 AND until IS NULL";
    const TAKEN: &str = "
        INSERT INTO archive_snapshots (login, list, taken_at, entries, added, removed) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (login, list, taken_at) DO NOTHING";
    let entries: HashMap<&str, &str> = entries
        .iter()
        .filter(|(entry, _)| is_key(entry))
        .map(|(entry, body)| (entry.as_str(), body.as_str()))
        .collect();
    let mut tx = db.begin().await?;
    let open: Vec<String> = on_tx!(&mut tx, connection => {
        sqlx::query_scalar(OPEN).bind(login).bind(list).fetch_all(connection).await
    })?;
    let open: HashSet<String> = open.into_iter().collect();
    let mut added: Vec<_> = entries.iter().filter(|(entry, _)| !open.contains(**entry)).collect();
    added.sort_unstable();
    for chunk in added.chunks(CHUNK) {
        on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("INSERT INTO archive_entries (login, list, entry, since, body) ");
            query.push_values(chunk, |mut values, (entry, body)| {
                values.push_bind(login).push_bind(list).push_bind(**entry).push_bind(now).push_bind(clean(body));
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    let removed: Vec<_> = open
        .iter()
        .filter(|entry| !entries.contains_key(entry.as_str()))
        .collect();
    for entry in &removed {
        on_tx!(&mut tx, connection => {
            sqlx::query(CLOSE).bind(login).bind(list).bind(entry.as_str()).bind(now).execute(connection).await.map(drop)
        })?;
    }
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let snapshot = Snapshot {
        login: login.to_owned(),
        list: list.to_owned(),
        taken_at: now,
        entries: count(entries.len()),
        added: count(added.len()),
        removed: count(removed.len()),
    };
    on_tx!(&mut tx, connection => {
        let query = sqlx::query(TAKEN).bind(login).bind(list).bind(now).bind(snapshot.entries);
        query.bind(snapshot.added).bind(snapshot.removed).execute(connection).await.map(drop)
    })?;
    tx.commit().await?;
    Ok(snapshot)
}

/// Who was on a list at a time.
pub async fn at(db: &Db, login: &str, list: &str, when: DateTime<Utc>) -> Result<Vec<Entry>, Error> {
    const SQL: &str = "
        SELECT entry, since, until, body FROM archive_entries
        WHERE login = $1 AND list = $2 AND since <= $3 AND (until IS NULL OR until > $3) ORDER BY entry";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(login).bind(list).bind(when).fetch_all(pool).await)?)
}

/// Readings of a login's lists, newest first.
pub async fn snapshots(db: &Db, login: &str, limit: u32) -> Result<Vec<Snapshot>, Error> {
    const SQL: &str = "SELECT * FROM archive_snapshots WHERE login = $1 ORDER BY taken_at DESC, list LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(login).bind(i64::from(limit)).fetch_all(pool).await)?)
}
