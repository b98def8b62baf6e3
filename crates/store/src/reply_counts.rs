//! How many replies origins say their statuses have, and when they are asked again.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder};

use crate::{Db, Error, db::micros, list::push_list, text::is_key};

/// Rows in one statement: 5 columns each.
const CHUNK: usize = 1000;

/// What an origin said of a status.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ReplyCount {
    /// Whose timeline it stands in: our server, `host[:port]`.
    pub server: String,
    /// The status.
    pub uri: String,
    /// How many; `None` when it did not say.
    pub replies: Option<i64>,
    /// Since when it is as many.
    pub changed_at: DateTime<Utc>,
    /// When to ask again.
    pub next_at: DateTime<Utc>,
}

/// What is known of these statuses.
pub async fn load(db: &Db, server: &str, uris: &[String]) -> Result<Vec<ReplyCount>, Error> {
    let mut found = Vec::new();
    for chunk in uris.chunks(500) {
        let mut part: Vec<ReplyCount> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM reply_counts WHERE server = ");
            query.push_bind(server).push(" AND uri IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Inserts or updates. Uris longer than any server makes (2 KiB) are not kept.
pub async fn save(db: &Db, rows: &[ReplyCount]) -> Result<(), Error> {
    let rows: Vec<_> = rows.iter().filter(|row| is_key(&row.uri)).collect();
    for chunk in rows.chunks(CHUNK) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("INSERT INTO reply_counts (server, uri, replies, changed_at, next_at) ");
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.server).push_bind(&row.uri).push_bind(row.replies);
                values.push_bind(micros(row.changed_at)).push_bind(micros(row.next_at));
            });
            query.push(
                " ON CONFLICT (server, uri) DO UPDATE SET replies = excluded.replies,
                    changed_at = excluded.changed_at, next_at = excluded.next_at");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Forgets those that nobody asked about since they were due before `before`.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM reply_counts WHERE next_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
