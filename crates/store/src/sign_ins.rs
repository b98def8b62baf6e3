//! Sign-ins under way: what a callback must bring along, and links that work once.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Db, Error};

/// A sign-in that was begun.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SignIn {
    /// A hash of the state that travels through the server.
    pub id: String,
    /// A hash of the cookie of the browser that began.
    pub browser: String,
    /// `host[:port]`.
    pub server: String,
    /// The PKCE verifier, sealed with the cookie.
    pub sealed: String,
    /// A path of ours.
    pub destination: String,
    /// The end.
    pub expires_at: DateTime<Utc>,
}

/// Remembers that a sign-in was begun.
pub async fn insert(db: &Db, sign_in: &SignIn) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO sign_ins (id, browser, server, sealed, destination, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&sign_in.id).bind(&sign_in.browser).bind(&sign_in.server);
        query.bind(&sign_in.sealed).bind(&sign_in.destination).bind(sign_in.expires_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Takes out what this browser began with this state: nobody gets it a second time. `None` also when it expired.
pub async fn take(db: &Db, id: &str, browser: &str, now: DateTime<Utc>) -> Result<Option<SignIn>, Error> {
    const SQL: &str = "DELETE FROM sign_ins WHERE id = $1 AND browser = $2 RETURNING *";
    let taken: Option<SignIn> =
        on_write!(db, pool => sqlx::query_as(SQL).bind(id).bind(browser).fetch_optional(pool).await)?;
    Ok(taken.filter(|sign_in| sign_in.expires_at > now))
}

/// Remembers a link by a hash of its secret.
pub async fn insert_link(db: &Db, id: &str, expires_at: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO sign_in_links (id, expires_at) VALUES ($1, $2)";
    on_write!(db, pool => sqlx::query(SQL).bind(id).bind(expires_at).execute(pool).await.map(drop))?;
    Ok(())
}

/// Whether the link was good; it is not any more.
pub async fn take_link(db: &Db, id: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM sign_in_links WHERE id = $1 RETURNING expires_at";
    let expires_at: Option<DateTime<Utc>> =
        on_write!(db, pool => sqlx::query_scalar(SQL).bind(id).fetch_optional(pool).await)?;
    Ok(expires_at.is_some_and(|expires_at| expires_at > now))
}

/// Forgets what expired.
pub async fn delete_expired(db: &Db, now: DateTime<Utc>) -> Result<(), Error> {
    for sql in [
        "DELETE FROM sign_ins WHERE expires_at <= $1",
        "DELETE FROM sign_in_links WHERE expires_at <= $1",
    ] {
        on_write!(db, pool => sqlx::query(sql).bind(now).execute(pool).await.map(drop))?;
    }
    Ok(())
}
