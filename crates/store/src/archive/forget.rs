//! Forgetting: a status, an author or a login, with all that belongs to nobody else.

use serde::Serialize;
use sqlx::QueryBuilder;

use super::search;
use crate::{Db, Error, db::Tx, list::push_list};

/// Statuses forgotten in one transaction.
const CHUNK: usize = 200;

/// Whom to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// One status, by uri.
    Status(String),
    /// All that somebody wrote, by `user@domain`.
    Author(String),
    /// All that a login had to do with, where no other has.
    Login(String),
}

/// What went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Forgotten {
    /// Statuses.
    pub statuses: u64,
    /// Their older versions.
    pub versions: u64,
    /// Activities.
    pub activities: u64,
    /// Blobs that nothing shows any more: their files are to be deleted.
    pub blobs: Vec<String>,
}

/// Forgets, a bounded piece at a time until all is gone. What goes of the disk is for the caller to delete.
pub async fn forget(db: &Db, whom: &Whom) -> Result<Forgotten, Error> {
    let mut gone = Forgotten::default();
    if let Whom::Login(login) = whom {
        const SQL: [&str; 5] = [
            "DELETE FROM archive_entries WHERE login = $1",
            "DELETE FROM archive_snapshots WHERE login = $1",
            "DELETE FROM archive_wanted WHERE login = $1",
            "DELETE FROM cursors WHERE job LIKE 'archive.%' AND scope = $1",
            "DELETE FROM archive_activities WHERE login = $1",
        ];
        for sql in SQL {
            let rows = on_write!(db, pool => {
                sqlx::query(sql).bind(login).execute(pool).await.map(|done| done.rows_affected())
            })?;
            if sql.contains("archive_activities") {
                gone.activities += rows;
            }
        }
    }
    loop {
        let ids = next(db, whom).await?;
        if ids.is_empty() {
            break;
        }
        again!(statuses(db, &ids, &mut gone))?;
    }
    gone.blobs = orphans(db).await?;
    Ok(gone)
}

async fn next(db: &Db, whom: &Whom) -> Result<Vec<i64>, Error> {
    let (sql, value) = match whom {
        Whom::Status(uri) => ("SELECT id FROM archive_statuses WHERE uri = $1 LIMIT $2", uri),
        Whom::Author(author) => ("SELECT id FROM archive_statuses WHERE author = $1 LIMIT $2", author),
        Whom::Login(login) => (
            "SELECT id FROM archive_statuses s WHERE $1 <> '' AND NOT EXISTS (
                SELECT 1 FROM archive_activities a WHERE a.status = s.id) LIMIT $2",
            login,
        ),
    };
    let limit = i64::try_from(CHUNK).unwrap_or(200);
    Ok(on!(db, pool => sqlx::query_scalar(sql).bind(value).bind(limit).fetch_all(pool).await)?)
}

async fn statuses(db: &Db, ids: &[i64], gone: &mut Forgotten) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for id in ids {
        search::delete(db, &mut tx, *id).await?;
    }
    let versions = delete(&mut tx, "DELETE FROM archive_versions WHERE status IN (", ids).await?;
    let activities = delete(&mut tx, "DELETE FROM archive_activities WHERE status IN (", ids).await?;
    delete(&mut tx, "DELETE FROM archive_tags WHERE status IN (", ids).await?;
    delete(&mut tx, "DELETE FROM archive_quotes WHERE status IN (", ids).await?;
    delete(&mut tx, "DELETE FROM archive_ids WHERE id IN (", ids).await?;
    delete(&mut tx, "DELETE FROM archive_file_uses WHERE status IN (", ids).await?;
    let statuses = delete(&mut tx, "DELETE FROM archive_statuses WHERE id IN (", ids).await?;
    tx.commit().await?;
    gone.statuses += statuses;
    gone.versions += versions;
    gone.activities += activities;
    Ok(())
}

async fn delete(tx: &mut Tx, sql: &'static str, ids: &[i64]) -> Result<u64, Error> {
    Ok(on_tx!(tx, connection => {
        let mut query = QueryBuilder::new(sql);
        push_list(&mut query, ids);
        query.build().execute(connection).await.map(|done| done.rows_affected())
    })?)
}

/// Takes away files and blobs that nothing shows, and gives the blobs.
async fn orphans(db: &Db) -> Result<Vec<String>, Error> {
    const FILES: &str = "DELETE FROM archive_files WHERE NOT EXISTS (SELECT 1 FROM archive_file_uses u WHERE u.url = archive_files.url)";
    const BLOBS: &str = "
        DELETE FROM archive_blobs WHERE NOT EXISTS (SELECT 1 FROM archive_files f WHERE f.blob = archive_blobs.blob)
        RETURNING blob";
    on_write!(db, pool => sqlx::query(FILES).execute(pool).await.map(drop))?;
    Ok(on_write!(db, pool => sqlx::query_scalar(BLOBS).fetch_all(pool).await)?)
}
