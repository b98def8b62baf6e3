//! Tokens for scripts that ask our API.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{Db, Error, text::clean};

/// A token, as much of it as we keep.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ApiToken {
    /// The public half of the token: how it is found.
    pub id: String,
    /// Who uses it, in the operator's words; no two that work have the same.
    pub name: String,
    /// A hash of the secret half.
    pub hash: String,
    /// What it may, as words.
    pub rights: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when, if not for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last shown to us, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is worth nothing.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Inserts. False when a token that works has the name already.
pub async fn insert(db: &Db, token: &ApiToken) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO api_tokens (id, name, hash, rights, created_at, expires_at, last_used_at, revoked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING";
    Ok(on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&token.id).bind(clean(&token.name)).bind(&token.hash).bind(&token.rights);
        let query = query.bind(token.created_at).bind(token.expires_at).bind(token.last_used_at);
        query.bind(token.revoked_at).execute(pool).await.map(|done| done.rows_affected() > 0)
    })?)
}

/// One token, be it good or not.
pub async fn load(db: &Db, id: &str) -> Result<Option<ApiToken>, Error> {
    const SQL: &str = "SELECT * FROM api_tokens WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// All tokens, oldest first.
pub async fn list(db: &Db) -> Result<Vec<ApiToken>, Error> {
    const SQL: &str = "SELECT * FROM api_tokens ORDER BY created_at, id";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// It was shown to us.
pub async fn mark_used(db: &Db, id: &str, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(id).bind(now).execute(pool).await.map(drop))?;
    Ok(())
}

/// Makes the token of this name worth nothing from now on. False when there is none that works.
pub async fn revoke(db: &Db, name: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "UPDATE api_tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(clean(name)).bind(now).execute(pool).await.map(|done| done.rows_affected() > 0)
    })?)
}
