//! How far the listing of a long thread has come, so that the next visit goes on where the last one stopped.

use chrono::{DateTime, Utc};

use crate::{Db, Error, text::is_key};

/// The state of the walk through a thread, as [`save`] was given it, unless it is older than `since`.
pub async fn load(db: &Db, server: &str, uri: &str, since: DateTime<Utc>) -> Result<Option<String>, Error> {
    const SQL: &str = "SELECT state FROM walks WHERE server = $1 AND uri = $2 AND updated_at >= $3";
    let state = on!(db, pool => {
        sqlx::query_scalar(SQL).bind(server).bind(uri).bind(since).fetch_optional(pool).await
    })?;
    Ok(state)
}

/// Inserts or updates. A uri longer than any server makes (2 KiB) is not kept.
pub async fn save(db: &Db, server: &str, uri: &str, state: &str, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO walks (server, uri, state, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (server, uri) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at";
    if !is_key(uri) || state.contains('\0') {
        return Ok(());
    }
    on_write!(db, pool => {
        sqlx::query(SQL).bind(server).bind(uri).bind(state).bind(now).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// The list is whole, or the thread is gone.
pub async fn delete(db: &Db, server: &str, uri: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM walks WHERE server = $1 AND uri = $2";
    on_write!(db, pool => sqlx::query(SQL).bind(server).bind(uri).execute(pool).await.map(drop))?;
    Ok(())
}

/// Deletes walks that nobody continued since `before`.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM walks WHERE updated_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
