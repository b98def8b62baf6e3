//! Who is at a thread now: a short hold, renewed while its holder lives, so that two jobs never visit one thread at
//! the same time and a crash costs minutes.

use chrono::{DateTime, Utc};

use crate::{Db, Error, db::micros, text::is_key};

/// Takes a thread for `holder` until then; `false` while somebody else has it. A uri longer than any server makes
/// (2 KiB) is never taken.
pub async fn claim(
    db: &Db,
    server: &str,
    uri: &str,
    holder: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO visits (server, uri, holder, held_until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (server, uri) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
        WHERE visits.held_until <= $5 OR visits.holder = excluded.holder";
    if !is_key(uri) {
        return Ok(false);
    }
    let taken = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(server).bind(uri).bind(holder).bind(micros(until)).bind(now);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(taken > 0)
}

/// Holds everything that `holder` has for longer.
pub async fn renew(db: &Db, holder: &str, until: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE visits SET held_until = $2 WHERE holder = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(holder).bind(micros(until)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Lets one thread go.
pub async fn free(db: &Db, server: &str, uri: &str, holder: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM visits WHERE server = $1 AND uri = $2 AND holder = $3";
    on_write!(db, pool => sqlx::query(SQL).bind(server).bind(uri).bind(holder).execute(pool).await.map(drop))?;
    Ok(())
}

/// Lets all go that `holder` has.
pub async fn free_all(db: &Db, holder: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM visits WHERE holder = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(holder).execute(pool).await.map(drop))?;
    Ok(())
}

/// Lets all go that is held by anybody: for a process that has just found itself alone.
pub async fn clear(db: &Db) -> Result<(), Error> {
    on_write!(db, pool => sqlx::query("DELETE FROM visits").execute(pool).await.map(drop))?;
    Ok(())
}
