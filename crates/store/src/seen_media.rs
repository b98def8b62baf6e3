//! Files of open statuses that rules want hashes of: what is wanted, and what came of it. No file is kept.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder, types::Json};

use crate::{
    Db, Error,
    db::micros,
    text::{clean, clean_opt},
};

/// Rows in one statement.
const CHUNK: usize = 200;

/// A file of a status.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SeenMedia {
    /// `host[:port]`.
    pub server: String,
    /// The status there.
    pub status_id: String,
    /// Where the server keeps the file.
    pub file: String,
    /// Where it keeps a small picture of it; empty for none.
    pub preview: String,
    /// The author there.
    pub account_id: String,
    /// `wanted`, `known`, `failed`.
    pub state: String,
    /// `sha256:…`.
    #[sqlx(json)]
    pub hashes: Vec<String>,
    /// How often it was tried in vain.
    pub tries: i64,
    /// When to try.
    pub look_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub note: Option<String>,
    /// When it was wanted.
    pub seen_at: DateTime<Utc>,
}

/// Asks for files; those that were asked for before are left as they are. Gives how many are new.
pub async fn want(db: &Db, files: &[SeenMedia]) -> Result<u64, Error> {
    let mut new = 0;
    for chunk in files.chunks(CHUNK) {
        new += on_write!(db, pool => {
            let mut query = QueryBuilder::new(
                "INSERT INTO seen_media (server, status_id, file, preview, account_id, state, hashes, tries, look_at, seen_at) ");
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.server).push_bind(clean(&row.status_id)).push_bind(clean(&row.file));
                values.push_bind(clean(&row.preview)).push_bind(clean(&row.account_id)).push_bind(&row.state);
                values.push_bind(Json(&row.hashes)).push_bind(row.tries).push_bind(row.look_at.map(micros));
                values.push_bind(micros(row.seen_at));
            });
            query.push(" ON CONFLICT (server, status_id, file) DO NOTHING");
            query.build().execute(pool).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(new)
}

/// What is known of the files of these statuses, in no order.
pub async fn of_statuses(db: &Db, server: &str, ids: &[String]) -> Result<Vec<SeenMedia>, Error> {
    listed(db, server, "status_id", ids).await
}

/// What is known of files at these addresses, of whatever status, in no order.
pub async fn at(db: &Db, server: &str, files: &[String]) -> Result<Vec<SeenMedia>, Error> {
    listed(db, server, "file", files).await
}

async fn listed(db: &Db, server: &str, column: &str, values: &[String]) -> Result<Vec<SeenMedia>, Error> {
    let mut found = Vec::new();
    for chunk in values.chunks(500) {
        let rows: Vec<SeenMedia> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM seen_media WHERE server = ");
            query.push_bind(server).push(" AND ").push(column).push(" IN (");
            let mut list = query.separated(", ");
            for value in chunk {
                list.push_bind(value);
            }
            query.push(")");
            query.build_query_as().fetch_all(pool).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Files of a server that are wanted by now, the longest wanted first.
pub async fn wanted(db: &Db, server: &str, now: DateTime<Utc>, limit: u32) -> Result<Vec<SeenMedia>, Error> {
    const SQL: &str = "
        SELECT * FROM seen_media WHERE server = $1 AND state = 'wanted' AND look_at <= $2 ORDER BY look_at, status_id LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(server).bind(micros(now)).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// What came of a file.
pub async fn save(db: &Db, file: &SeenMedia) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE seen_media SET state = $4, hashes = $5, tries = $6, look_at = $7, note = $8
        WHERE server = $1 AND status_id = $2 AND file = $3";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&file.server).bind(&file.status_id).bind(&file.file);
        let query = query.bind(&file.state).bind(Json(&file.hashes)).bind(file.tries);
        let query = query.bind(file.look_at.map(micros)).bind(clean_opt(file.note.as_deref()));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Forgets what was wanted before `before`; gives how many rows.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM seen_media WHERE seen_at < $1";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
