//! What can go wrong with the database.

use std::path::PathBuf;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `[store] url` (or `url_file`) is unusable.
    #[error("[store] {key}: {reason}")]
    Config {
        /// The key.
        key: &'static str,
        /// What is wrong and what to do.
        reason: String,
    },
    /// No connection.
    #[error("cannot open the database ({target}); {hint}")]
    Unreachable {
        /// Without password.
        target: String,
        /// What to do.
        hint: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Another process works on this file.
    #[error("another egret{} works on this database (it holds {path}); stop it first, or use Postgres to run several", .pid.map(|pid| format!(", process {pid},")).unwrap_or_default())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as the file tells.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {path}")]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database was migrated by a newer Egret.
    #[error("the database is at migration {found}, newer than this binary's {known}; install the newer egret again")]
    Newer {
        /// In the database.
        found: i64,
        /// In the binary.
        known: i64,
    },
    /// A migration failed or was changed after it was applied.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// What is in one database cannot go to the other.
    #[error("cannot move: {0}")]
    Move(String),
    /// A statement failed.
    #[error("the database refused a statement")]
    Sql(#[from] sqlx::Error),
}

impl Error {
    /// Whether the statement lost against another one at the same time and deserves a second try: a deadlock, a
    /// serialization failure or a row that another one has just put there on Postgres, a file busy for too long on SQLite.
    pub(crate) fn is_contention(&self) -> bool {
        let Self::Sql(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("40001" | "40P01" | "23505" | "5" | "517"))
    }
}
