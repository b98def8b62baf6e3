//! How far each job has come in each scope.

use chrono::{DateTime, Utc};

use crate::{Db, Error};

/// Remembers how far `job` has come in `scope`.
pub async fn save(_db: &Db, _job: &str, _scope: &str, _value: &str, _now: DateTime<Utc>) -> Result<(), Error> {
    todo!()
}

/// How far `job` had come in `scope`.
pub async fn load(_db: &Db, _job: &str, _scope: &str) -> Result<Option<String>, Error> {
    todo!()
}

/// Forgets it.
pub async fn delete(_db: &Db, _job: &str, _scope: &str) -> Result<(), Error> {
    todo!()
}
