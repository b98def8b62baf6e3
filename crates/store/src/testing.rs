//! A fresh database on each engine, for tests.

use std::future::Future;

use crate::Db;

/// A fresh migrated SQLite database in a folder that goes with the guard.
pub async fn sqlite() -> (Db, tempfile::TempDir) {
    todo!()
}

/// Runs `story` on a fresh SQLite database and, where `TEST_DATABASE_URL` is set, on a fresh schema of that
/// Postgres. `REQUIRE_POSTGRES=1` makes a missing URL a failure.
pub async fn on_each_engine<F, Fut>(_story: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    todo!()
}
