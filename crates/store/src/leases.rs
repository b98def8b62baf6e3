//! One owner per name, among all processes on one database.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Db, Error};

/// A lease as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What is owned, such as `replies.home/server/login`.
    pub name: String,
    /// Which process: random per process.
    pub holder: String,
    /// Grows with every change of owner.
    pub fence: i64,
    /// When it may be taken over.
    pub expires_at: DateTime<Utc>,
}

/// Takes or renews the lease; `None` when somebody else holds it. On Postgres the database's clock decides.
pub async fn take(
    _db: &Db,
    _name: &str,
    _holder: &str,
    _ttl: Duration,
    _now: DateTime<Utc>,
) -> Result<Option<Lease>, Error> {
    todo!()
}

/// Whether `lease` still stands with its fence.
pub async fn holds(_db: &Db, _lease: &Lease, _now: DateTime<Utc>) -> Result<bool, Error> {
    todo!()
}

/// Gives it back.
pub async fn release(_db: &Db, _lease: &Lease) -> Result<(), Error> {
    todo!()
}

/// Every lease that has not expired.
pub async fn list(_db: &Db, _now: DateTime<Utc>) -> Result<Vec<Lease>, Error> {
    todo!()
}
