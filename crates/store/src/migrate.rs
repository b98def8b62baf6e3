//! Migrations: `both` plus the engine's own, embedded in the binary.

use std::time::Duration;

use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::{Db, Error, dialect};

// `POSTGRES` and `SQLITE`, by build.rs: number, noun and text of every file.
include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

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
pub async fn migrate(db: &Db) -> Result<Migrations, Error> {
    migrations(db).await?;
    let migrator = migrator(known(db));
    match db {
        // Replicas that start together queue at an advisory lock.
        Db::Postgres(pool) => migrator.run(pool).await?,
        // SQLite has no such lock: of two starters one finds the tables made or the file busy, and looks again.
        Db::Sqlite { write, .. } => {
            for tries in 0.. {
                match migrator.run(write).await {
                    Ok(()) => break,
                    Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) if tries < 5 => {
                        tokio::time::sleep(Duration::from_millis(20 << tries)).await;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    migrations(db).await
}

/// Where the database stands; changes nothing.
///
/// # Errors
/// [`Error::Newer`], or when the database cannot be read.
pub async fn migrations(db: &Db) -> Result<Migrations, Error> {
    let known = known(db);
    let has_table: bool = on_write!(db, pool => {
        sqlx::query_scalar(dialect::has_migrations(db)).fetch_one(pool).await
    })?;
    let applied: Vec<i64> = if has_table {
        const SQL: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
        on_write!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?
    } else {
        Vec::new()
    };
    let newest = known.last().map_or(0, |file| file.0);
    if let Some(&found) = applied.last().filter(|&&found| found > newest) {
        return Err(Error::Newer { found, known: newest });
    }
    let pending = known
        .iter()
        .map(|file| file.0)
        .filter(|version| !applied.contains(version))
        .collect();
    Ok(Migrations { applied, pending })
}

fn known(db: &Db) -> &'static [(i64, &'static str, &'static str)] {
    match db {
        Db::Postgres(_) => POSTGRES,
        Db::Sqlite { .. } => SQLITE,
    }
}

fn migrator(files: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(version, noun, text): &(i64, &'static str, &'static str)| {
        Migration::new(version, noun.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}

/// Only these migrations, for tests of upgrades from databases that lack the others.
///
/// # Errors
/// When one of them does not apply.
#[cfg(feature = "testing")]
pub(crate) async fn migrate_only(db: &Db, wanted: impl Fn(i64) -> bool) -> Result<(), Error> {
    let files: Vec<_> = known(db).iter().copied().filter(|file| wanted(file.0)).collect();
    let migrator = migrator(&files);
    match db {
        Db::Postgres(pool) => migrator.run(pool).await?,
        Db::Sqlite { write, .. } => migrator.run(write).await?,
    }
    Ok(())
}
