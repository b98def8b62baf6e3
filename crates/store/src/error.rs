//! What can go wrong with the database.

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
    #[error("cannot open the database ({target}); check [store] url and that the server runs")]
    Unreachable {
        /// Without password.
        target: String,
        /// Why.
        #[source]
        source: sqlx::Error,
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
    /// A statement failed.
    #[error("the database refused a statement")]
    Sql(#[from] sqlx::Error),
}
