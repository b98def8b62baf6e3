//! Servers that we hold a token for, as last seen, and how each login fares.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Db, Error};

/// A server as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
pub async fn save(_db: &Db, _server: &Server) -> Result<(), Error> {
    todo!()
}

/// One server.
pub async fn load(_db: &Db, _host: &str) -> Result<Option<Server>, Error> {
    todo!()
}

/// All servers.
pub async fn list(_db: &Db) -> Result<Vec<Server>, Error> {
    todo!()
}

/// Inserts or updates.
pub async fn save_login(_db: &Db, _login: &Login) -> Result<(), Error> {
    todo!()
}

/// All logins.
pub async fn list_logins(_db: &Db) -> Result<Vec<Login>, Error> {
    todo!()
}
