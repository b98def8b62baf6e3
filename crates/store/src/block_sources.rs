//! What blocklists said: last good copies, and rows they dropped lately.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder, types::Json};

use crate::{
    Db, Error,
    text::{clean, clean_json, clean_opt},
};

/// Rows in one statement: 5 columns each.
const CHUNK: usize = 1000;

/// A list as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Source {
    /// Its name in the config.
    pub name: String,
    /// The last good copy; `None` when there never was one.
    #[serde(skip)]
    pub body: Option<String>,
    /// A newer copy that grew too fast and waits for a human.
    #[serde(skip)]
    pub pending: Option<String>,
    /// Of the newest text; empty before the first.
    pub sha256: String,
    /// Rows that can be used.
    pub row_count: i64,
    /// Rows that cannot.
    pub bad_count: i64,
    /// For the next conditional request.
    pub etag: Option<String>,
    /// The same.
    pub modified: Option<String>,
    /// Why the last fetch did not help.
    pub trouble: Option<String>,
    /// Why what it lost is not taken for lost, or what it gained not for gained.
    pub held: Option<String>,
    /// Fetches that did not help, in a row.
    pub failures: i64,
    /// Last tried.
    pub checked_at: DateTime<Utc>,
    /// Last read well.
    pub good_at: Option<DateTime<Utc>>,
    /// When the content last changed.
    pub changed_at: Option<DateTime<Utc>>,
    /// Of a log of changes: where the next ones are.
    #[serde(skip)]
    pub cursor: Option<String>,
    /// Of a log of changes: last read from its beginning.
    pub whole_at: Option<DateTime<Utc>>,
    /// SHA-256 of where it was last read: what `etag`, `modified` and `cursor` are of.
    #[serde(skip)]
    pub place: Option<String>,
}

/// A row that a list dropped or weakened.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Leaving {
    /// Which list.
    pub source: String,
    /// Of whom.
    pub domain: String,
    /// What it said.
    #[sqlx(json)]
    pub said: Value,
    /// Good fetches in a row without it.
    pub missed: i64,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// One list.
pub async fn load(db: &Db, name: &str) -> Result<Option<Source>, Error> {
    const SQL: &str = "SELECT * FROM block_sources WHERE name = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(name).fetch_optional(pool).await)?)
}

/// All lists with their bodies, by name.
pub async fn list(db: &Db) -> Result<Vec<Source>, Error> {
    const SQL: &str = "SELECT * FROM block_sources ORDER BY name";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// The lists there are and which text each has: another value means that something changed.
pub async fn stamp(db: &Db) -> Result<Vec<(String, String)>, Error> {
    const SQL: &str = "SELECT name, sha256 FROM block_sources ORDER BY name";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// All lists without their bodies, by name: for pages.
pub async fn health(db: &Db) -> Result<Vec<Source>, Error> {
    const SQL: &str = "
        SELECT name, NULL AS body, NULL AS pending, sha256, row_count, bad_count, etag, modified, trouble, held, failures,
            checked_at, good_at, changed_at, cursor, whole_at, place
        FROM block_sources ORDER BY name";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Saves a list as last seen and the rows it lost, in one transaction. `leavings: None` leaves those as they are.
pub async fn save(db: &Db, source: &Source, leavings: Option<&[Leaving]>) -> Result<(), Error> {
    again!(save_once(db, source, leavings))
}

async fn save_once(db: &Db, source: &Source, leavings: Option<&[Leaving]>) -> Result<(), Error> {
    const SAVE: &str = "
        INSERT INTO block_sources (name, body, pending, sha256, row_count, bad_count, etag, modified, trouble, held,
            failures, checked_at, good_at, changed_at, cursor, whole_at, place)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT (name) DO UPDATE SET body = excluded.body, pending = excluded.pending, sha256 = excluded.sha256,
            row_count = excluded.row_count, bad_count = excluded.bad_count, etag = excluded.etag,
            modified = excluded.modified, trouble = excluded.trouble, held = excluded.held,
            failures = excluded.failures, checked_at = excluded.checked_at, good_at = excluded.good_at,
            changed_at = excluded.changed_at, cursor = excluded.cursor, whole_at = excluded.whole_at,
            place = excluded.place";
    const CLEAR: &str = "DELETE FROM block_leavings WHERE source = $1";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, connection => {
        let query = sqlx::query(SAVE).bind(&source.name).bind(clean_opt(source.body.as_deref()));
        let query = query.bind(clean_opt(source.pending.as_deref())).bind(&source.sha256);
        let query = query.bind(source.row_count).bind(source.bad_count).bind(clean_opt(source.etag.as_deref()));
        let query = query.bind(clean_opt(source.modified.as_deref())).bind(clean_opt(source.trouble.as_deref()));
        let query = query.bind(clean_opt(source.held.as_deref())).bind(source.failures).bind(source.checked_at);
        let query = query.bind(source.good_at).bind(source.changed_at).bind(clean_opt(source.cursor.as_deref()));
        query.bind(source.whole_at).bind(source.place.as_deref()).execute(connection).await.map(drop)
    })?;
    if let Some(leavings) = leavings {
        on_tx!(&mut tx, connection => sqlx::query(CLEAR).bind(&source.name).execute(connection).await.map(drop))?;
        for chunk in leavings.chunks(CHUNK) {
            on_tx!(&mut tx, connection => {
                let mut query = QueryBuilder::new("INSERT INTO block_leavings (source, domain, said, missed, since) ");
                query.push_values(chunk, |mut values, row| {
                    values.push_bind(&source.name).push_bind(clean(&row.domain)).push_bind(Json(clean_json(&row.said)));
                    values.push_bind(row.missed).push_bind(row.since);
                });
                query.push(" ON CONFLICT (source, domain) DO NOTHING");
                query.build().execute(connection).await.map(drop)
            })?;
        }
    }
    tx.commit().await
}

/// The rows that a list lost lately, by domain.
pub async fn leavings(db: &Db, source: &str) -> Result<Vec<Leaving>, Error> {
    const SQL: &str = "SELECT * FROM block_leavings WHERE source = $1 ORDER BY domain";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(source).fetch_all(pool).await)?)
}
