//! Statuses that arrived while somebody listened, until their threads were visited.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{
    Db, Error,
    db::micros,
    text::{clean, is_key},
};

/// A status that arrived.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Heard {
    /// At which of our servers, `host[:port]`.
    pub server: String,
    /// Its identity.
    pub uri: String,
    /// Its id there.
    pub status_id: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Replies that our server knew of.
    pub replies: Option<i64>,
    /// When it arrived.
    pub heard_at: DateTime<Utc>,
}

/// Notes one; heard again, it counts as heard now. A uri longer than any server makes (2 KiB) is not kept.
pub async fn save(db: &Db, heard: &Heard) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO heard (server, uri, status_id, created_at, replies, heard_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (server, uri) DO UPDATE SET status_id = excluded.status_id, replies = excluded.replies,
            heard_at = excluded.heard_at";
    if !is_key(&heard.uri) {
        return Ok(());
    }
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&heard.server).bind(&heard.uri).bind(clean(&heard.status_id));
        let query = query.bind(micros(heard.created_at)).bind(heard.replies).bind(micros(heard.heard_at));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// What was heard at a server, oldest first.
pub async fn list(db: &Db, server: &str, limit: u32) -> Result<Vec<Heard>, Error> {
    const SQL: &str = "SELECT * FROM heard WHERE server = $1 ORDER BY heard_at, uri LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Forgets what was seen to: unless it was heard again since.
pub async fn delete(db: &Db, seen_to: &[Heard]) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM heard WHERE server = $1 AND uri = $2 AND heard_at <= $3";
    let mut tx = db.begin().await?;
    for heard in seen_to {
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(&heard.server).bind(&heard.uri).bind(heard.heard_at);
            query.execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await
}

/// Forgets what nobody saw to since `before`: no job does any more.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM heard WHERE heard_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
