//! Statuses whose replies we look after, and what earlier visits found. (`context` in Mastodon's words; a table of
//! that name would be taken for the API's answer.)

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    db::micros,
    list::push_list,
    newest::{Before, merge},
    text::{clean_opt, is_key},
};

/// A status whose replies we look after, on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Thread {
    /// Our server's host.
    pub server: String,
    /// Its identity.
    pub uri: String,
    /// Its id on our server.
    pub status_id: String,
    /// Its origin's host.
    pub host: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// `replies_count` on our server when last visited.
    pub replies_seen: Option<i64>,
    /// The origin's `replies_count` when last visited.
    pub origin_replies: Option<i64>,
    /// Replies the origin listed at the last visit.
    pub listed: i64,
    /// Of those, missing at home before it.
    pub missing: i64,
    /// Visits in a row that found nothing new.
    pub quiet_visits: i64,
    /// Last visit.
    pub visited_at: Option<DateTime<Utc>>,
    /// Not before this.
    pub next_visit_at: DateTime<Utc>,
    /// `gone`, `closed` (its origin shows nothing to strangers), `robots`, … or nothing.
    pub trouble: Option<String>,
    /// Of what the origin listed when it was last compared with our server.
    pub digest: Option<String>,
}

/// Some threads of a server, by uri; unknown ones are left out.
pub async fn load(db: &Db, server: &str, uris: &[String]) -> Result<Vec<Thread>, Error> {
    let mut found = Vec::new();
    for chunk in uris.chunks(500) {
        let mut part: Vec<Thread> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM threads WHERE server = ");
            query.push_bind(server).push(" AND uri IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Inserts or updates. A uri longer than any server makes (2 KiB) is not kept.
pub async fn save(db: &Db, thread: &Thread) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO threads (server, uri, status_id, host, created_at, replies_seen, origin_replies, listed, missing,
            quiet_visits, visited_at, next_visit_at, trouble, digest)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (server, uri) DO UPDATE SET status_id = excluded.status_id, host = excluded.host,
            created_at = excluded.created_at, replies_seen = excluded.replies_seen,
            origin_replies = excluded.origin_replies, listed = excluded.listed, missing = excluded.missing,
            quiet_visits = excluded.quiet_visits, visited_at = excluded.visited_at,
            next_visit_at = excluded.next_visit_at, trouble = excluded.trouble, digest = excluded.digest";
    if !is_key(&thread.uri) {
        return Ok(());
    }
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&thread.server).bind(&thread.uri).bind(&thread.status_id);
        let query = query.bind(&thread.host).bind(micros(thread.created_at)).bind(thread.replies_seen);
        let query = query.bind(thread.origin_replies).bind(thread.listed).bind(thread.missing);
        let query = query.bind(thread.quiet_visits).bind(thread.visited_at).bind(micros(thread.next_visit_at));
        let query = query.bind(clean_opt(thread.trouble.as_deref())).bind(thread.digest.as_deref());
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Adds threads whose replies are to be listed once our server has their first status; those known already, in any
/// way, stay as they are. Given are uri, host and time of writing.
pub async fn insert_pending(
    db: &Db,
    server: &str,
    rows: &[(String, String, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let rows: Vec<_> = rows.iter().filter(|(uri, ..)| is_key(uri)).collect();
    for chunk in rows.chunks(500) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new(
                "INSERT INTO threads (server, uri, status_id, host, created_at, listed, missing, quiet_visits, next_visit_at) ");
            query.push_values(chunk, |mut values, (uri, host, created_at)| {
                values.push_bind(server).push_bind(uri).push_bind("").push_bind(host).push_bind(micros(*created_at));
                values.push_bind(0_i64).push_bind(0_i64).push_bind(0_i64).push_bind(now);
            });
            query.push(" ON CONFLICT (server, uri) DO NOTHING");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Threads added by [`insert_pending`] that nobody has visited, longest due first.
pub async fn pending(db: &Db, server: &str, now: DateTime<Utc>, limit: u32) -> Result<Vec<Thread>, Error> {
    const SQL: &str = "
        SELECT * FROM threads WHERE visited_at IS NULL AND status_id = '' AND server = $1 AND next_visit_at <= $2
        ORDER BY next_visit_at, uri LIMIT $3";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(now).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// A page of the threads of these servers, last visited first.
pub async fn page(db: &Db, servers: &[String], before: Option<&Before>, limit: u32) -> Result<Vec<Thread>, Error> {
    const SQL: &str = "
        SELECT * FROM threads WHERE server = $1 AND visited_at IS NOT NULL ORDER BY visited_at DESC, uri LIMIT $2";
    const NEXT: &str = "
        SELECT * FROM threads WHERE server = $1 AND visited_at <= $3 AND (visited_at < $3 OR uri > $4)
        ORDER BY visited_at DESC, uri LIMIT $2";
    let mut rows: Vec<Thread> = Vec::new();
    for server in servers {
        rows.append(&mut on!(db, pool => match before {
            None => sqlx::query_as(SQL).bind(server).bind(i64::from(limit)).fetch_all(pool).await,
            Some(before) => {
                let (at, uri) = before.of(server);
                let query = sqlx::query_as(NEXT).bind(server).bind(i64::from(limit));
                query.bind(at).bind(uri).fetch_all(pool).await
            }
        })?);
    }
    Ok(merge(rows, limit, |row| (row.visited_at, &row.server)))
}

/// Deletes threads not visited since `before`. One that was never visited goes when its first visit was due before.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM threads WHERE COALESCE(visited_at, next_visit_at) < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
