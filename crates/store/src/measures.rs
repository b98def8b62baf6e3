//! What servers count of themselves, over time.

use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    text::{clean, is_key},
};

/// One number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Measure {
    /// Whose.
    pub server: String,
    /// Of what: `users`, `week.logins`, `admin.new_users`, …
    pub key: String,
    /// Seconds since 1970; the start of the week or the day where it is of one.
    pub at: i64,
    /// The number.
    pub value: i64,
}

/// Inserts or updates: the number of a day that is not over grows.
pub async fn save(db: &Db, measures: &[Measure]) -> Result<(), Error> {
    let mut rows: Vec<&Measure> = measures.iter().filter(|row| is_key(&row.key)).collect();
    rows.sort_by_key(|row| (&row.server, &row.key, row.at));
    // Twice the same key in one statement is an error.
    rows.dedup_by_key(|row| (row.server.clone(), row.key.clone(), row.at));
    for chunk in rows.chunks(1000) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("INSERT INTO measures (server, key, at, value) ");
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.server).push_bind(clean(&row.key)).push_bind(row.at).push_bind(row.value);
            });
            query.push(" ON CONFLICT (server, key, at) DO UPDATE SET value = excluded.value");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// One number of a server over time, oldest first.
pub async fn range(db: &Db, server: &str, key: &str, since: i64, to: i64) -> Result<Vec<Measure>, Error> {
    const SQL: &str = "
        SELECT * FROM measures WHERE server = $1 AND key = $2 AND at >= $3 AND at <= $4 ORDER BY at LIMIT 100000";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(server).bind(clean(key)).bind(since).bind(to).fetch_all(pool).await
    })?)
}

/// What is known of each server: server and key, sorted.
pub async fn keys(db: &Db) -> Result<Vec<(String, String)>, Error> {
    const SQL: &str = "SELECT DISTINCT server, key FROM measures ORDER BY server, key";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// The newest of each number of a server, sorted by key.
pub async fn newest(db: &Db, server: &str) -> Result<Vec<Measure>, Error> {
    const SQL: &str = "
        SELECT m.server, m.key, m.at, m.value FROM measures m
        JOIN (SELECT key, MAX(at) AS at FROM measures WHERE server = $1 GROUP BY key) n ON n.key = m.key AND n.at = m.at
        WHERE m.server = $1 ORDER BY m.key";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).fetch_all(pool).await)?)
}
