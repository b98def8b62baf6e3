//! Servers that we hold a token for, as last seen, and how each login fares.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{
    Db, Error,
    text::{clean, clean_opt},
};

/// A server as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Server {
    /// `host[:port]`.
    pub host: String,
    /// Account domain.
    pub domain: String,
    /// Version, as told.
    pub version: String,
    /// `api_versions.mastodon`.
    pub api_version: Option<i64>,
    /// When asked.
    pub checked_at: DateTime<Utc>,
}

/// How a login fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Login {
    /// `server/login`.
    pub login: String,
    /// The account, `user@domain`, once known.
    pub acct: Option<String>,
    /// The token in a form that may be shown: the first and last two characters at most.
    pub masked: String,
    /// What is wrong (`revoked`), if anything, in words for people.
    pub trouble: Option<String>,
    /// When checked.
    pub checked_at: DateTime<Utc>,
}

/// Inserts or updates.
pub async fn save(db: &Db, server: &Server) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO servers (host, domain, version, api_version, checked_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (host) DO UPDATE SET domain = excluded.domain, version = excluded.version,
            api_version = excluded.api_version, checked_at = excluded.checked_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&server.host).bind(clean(&server.domain)).bind(clean(&server.version));
        query.bind(server.api_version).bind(server.checked_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// One server.
pub async fn load(db: &Db, host: &str) -> Result<Option<Server>, Error> {
    const SQL: &str = "SELECT * FROM servers WHERE host = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(host).fetch_optional(pool).await)?)
}

/// All servers.
pub async fn list(db: &Db) -> Result<Vec<Server>, Error> {
    const SQL: &str = "SELECT * FROM servers ORDER BY host";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Inserts or updates.
pub async fn save_login(db: &Db, login: &Login) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO logins (login, acct, masked, trouble, checked_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (login) DO UPDATE SET acct = excluded.acct, masked = excluded.masked,
            trouble = excluded.trouble, checked_at = excluded.checked_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&login.login).bind(clean_opt(login.acct.as_deref())).bind(&login.masked);
        query.bind(clean_opt(login.trouble.as_deref())).bind(login.checked_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// All logins.
pub async fn list_logins(db: &Db) -> Result<Vec<Login>, Error> {
    const SQL: &str = "SELECT * FROM logins ORDER BY login";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}
