//! Migrations: `both` plus the engine's own, embedded in the binary.

use crate::{Db, Error};

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrations {
    /// Applied, newest last.
    pub applied: Vec<i64>,
    /// Known to the binary and not applied.
    pub pending: Vec<i64>,
}

/// Applies what is pending and says where the database stands. Safe with several processes at once.
///
/// # Errors
/// [`Error::Newer`] and [`Error::Migrate`].
pub async fn migrate(_db: &Db) -> Result<Migrations, Error> {
    todo!()
}

/// Where the database stands; changes nothing.
///
/// # Errors
/// [`Error::Newer`], or when the database cannot be read.
pub async fn migrations(_db: &Db) -> Result<Migrations, Error> {
    todo!()
}
