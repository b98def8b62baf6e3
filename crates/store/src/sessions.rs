//! Who is signed in at the dashboard.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Db, Error, text::clean};

/// Somebody signed in with one browser. What opens it is in their cookie alone.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Session {
    /// A hash of the cookie's secret.
    pub id: String,
    /// `user@host`, or `local`.
    pub name: String,
    /// `host[:port]` of the server that vouches for them; `None` for whoever came by a one-time link.
    pub server: Option<String>,
    /// What they may, as words.
    pub rights: String,
    /// Their token at the server, sealed with the cookie's secret.
    pub sealed: Option<String>,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When they last asked for something, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When the server last said what they may.
    pub checked_at: DateTime<Utc>,
    /// When it is to be asked again.
    pub next_check_at: DateTime<Utc>,
    /// The end, however busy they are.
    pub expires_at: DateTime<Utc>,
}

/// Inserts.
pub async fn insert(db: &Db, session: &Session) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO sessions (id, name, server, rights, sealed, created_at, seen_at, checked_at, next_check_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&session.id).bind(clean(&session.name)).bind(&session.server);
        let query = query.bind(&session.rights).bind(&session.sealed).bind(session.created_at).bind(session.seen_at);
        let query = query.bind(session.checked_at).bind(session.next_check_at).bind(session.expires_at);
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// One session, be it expired or not.
pub async fn load(db: &Db, id: &str) -> Result<Option<Session>, Error> {
    const SQL: &str = "SELECT * FROM sessions WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// They asked for something.
pub async fn mark_seen(db: &Db, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE sessions SET seen_at = $2 WHERE id = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(id).bind(now).execute(pool).await.map(drop))?;
    Ok(())
}

/// The server said what they may.
pub async fn mark_checked(
    db: &Db,
    id: &str,
    rights: &str,
    now: DateTime<Utc>,
    next: DateTime<Utc>,
) -> Result<(), Error> {
    const SQL: &str = "UPDATE sessions SET rights = $2, checked_at = $3, next_check_at = $4 WHERE id = $1";
    on_write!(db, pool => {
        sqlx::query(SQL).bind(id).bind(rights).bind(now).bind(next).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// The server did not say; it is asked again at `next`.
pub async fn mark_unchecked(db: &Db, id: &str, next: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE sessions SET next_check_at = $2 WHERE id = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(id).bind(next).execute(pool).await.map(drop))?;
    Ok(())
}

/// Ends a session, and says how many the same person still has at the same server: they may share one token.
pub async fn delete(db: &Db, session: &Session, now: DateTime<Utc>) -> Result<i64, Error> {
    const DELETE: &str = "DELETE FROM sessions WHERE id = $1";
    const OTHERS: &str = "SELECT COUNT(*) FROM sessions WHERE name = $1 AND server = $2 AND expires_at > $3";
    let name = clean(&session.name);
    again!(async {
        let mut tx = db.begin().await?;
        let others = on_tx!(&mut tx, connection => {
            sqlx::query(DELETE).bind(&session.id).execute(&mut *connection).await?;
            let query = sqlx::query_scalar(OTHERS).bind(&*name).bind(&session.server).bind(now);
            query.fetch_one(&mut *connection).await?
        });
        tx.commit().await?;
        Ok(others)
    })
}

/// Forgets sessions that expired, or that nobody used since `unused_since`; returns how many.
pub async fn delete_ended(db: &Db, now: DateTime<Utc>, unused_since: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1 OR seen_at <= $2";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(now).bind(unused_since).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
