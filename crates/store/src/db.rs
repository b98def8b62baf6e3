//! The open database.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sqlx::{PgPool, SqlitePool};

use crate::Error;

/// The `[store]` section.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite:///path/egret.db` or `postgres://…`. Default: a file in the state folder (`$STATE_DIRECTORY`, else
    /// `$XDG_STATE_HOME/egret`).
    pub url: Option<String>,
    /// A file that holds the URL, for passwords.
    pub url_file: Option<PathBuf>,
    /// Connections to Postgres.
    pub connections: Option<u32>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url.as_ref().map(|_| "…"))
            .field("url_file", &self.url_file)
            .finish()
    }
}

/// The open database: one of two engines behind one set of queries.
#[derive(Debug, Clone)]
pub enum Db {
    /// A server's.
    Postgres(PgPool),
    /// A file's: many readers, one writer.
    Sqlite {
        /// Read only.
        read: SqlitePool,
        /// One connection.
        write: SqlitePool,
    },
}

impl Db {
    /// Opens the database that `config` names, creating an SQLite file (and its folder) if need be. Does not migrate.
    ///
    /// # Errors
    /// When the URL is unusable or the database cannot be reached.
    pub async fn open(_config: &Config) -> Result<Self, Error> {
        todo!()
    }

    /// For people: `SQLite at /path` or `Postgres at host/db`, without a password.
    pub fn describe(&self) -> String {
        todo!()
    }

    /// Closes every connection, SQLite's log folded into the file.
    pub async fn close(&self) {
        todo!()
    }
}
