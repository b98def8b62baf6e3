//! Forgetting: a status, an author or a login, with all that belongs to nobody else.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::QueryBuilder;

use super::{Item, fnv, search};
use crate::{Db, Error, db::Tx, dialect, list::push_list};

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
    /// Blobs that nothing shows any more: their files are to be deleted, and then [`forget_blobs`].
    pub blobs: Vec<String>,
}

/// Forgets, a bounded piece at a time until all is gone. What goes of the disk is for the caller to delete. Killed in
/// between, the next time finishes it. A status or an author is not kept again, however it is met.
pub async fn forget(db: &Db, whom: &Whom, now: DateTime<Utc>) -> Result<Forgotten, Error> {
    const REMEMBER: &str =
        "INSERT INTO archive_forgotten (what, forgotten_at) VALUES ($1, $2) ON CONFLICT (what) DO NOTHING";
    let mut gone = Forgotten::default();
    let what = match whom {
        Whom::Status(uri) => Some(status_key(uri)),
        Whom::Author(author) => Some(author_key(author)),
        Whom::Login(_) => None,
    };
    if let Some(what) = what {
        on_write!(db, pool => sqlx::query(REMEMBER).bind(&what).bind(now).execute(pool).await.map(drop))?;
    }
    if let Whom::Status(uri) = whom {
        const WANTED: &str = "DELETE FROM archive_wanted WHERE uri = $1";
        on_write!(db, pool => sqlx::query(WANTED).bind(uri).execute(pool).await.map(drop))?;
    }
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
    gone.blobs = again!(orphans(db))?;
    Ok(gone)
}

/// What names a forgotten status, without saying which it is.
fn status_key(uri: &str) -> String {
    key(&format!("status {uri}"))
}

fn author_key(author: &str) -> String {
    key(&format!("author {author}"))
}

/// Two halves, so that no two things that people meet have the same.
fn key(text: &str) -> String {
    let back: String = text.chars().rev().collect();
    format!("{:016x}{:016x}", fnv(text), fnv(&back))
}

/// These without what was forgotten on request.
pub async fn without_forgotten<'i>(db: &Db, items: &'i [Item]) -> Result<Vec<&'i Item>, Error> {
    const ANY: &str = "SELECT EXISTS (SELECT 1 FROM archive_forgotten)";
    // Mostly nothing was, and then nobody needs the keys of a page.
    if !on!(db, pool => sqlx::query_scalar::<_, bool>(ANY).fetch_one(pool).await?) {
        return Ok(items.iter().collect());
    }
    let keys = |item: &Item| [status_key(&item.uri), author_key(&item.author)];
    let mut all: Vec<String> = items.iter().flat_map(keys).collect();
    all.sort_unstable();
    all.dedup();
    let mut forgotten: HashSet<String> = HashSet::new();
    for chunk in all.chunks(1000) {
        let found: Vec<String> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT what FROM archive_forgotten WHERE what IN (");
            push_list(&mut query, chunk);
            query.build_query_scalar().fetch_all(pool).await
        })?;
        forgotten.extend(found);
    }
    let mut left: Vec<&Item> = items.iter().collect();
    if !forgotten.is_empty() {
        left.retain(|item| !keys(item).iter().any(|key| forgotten.contains(key)));
    }
    Ok(left)
}

/// The files of these blobs are deleted. One that is shown again meanwhile stays.
pub async fn forget_blobs(db: &Db, blobs: &[String]) -> Result<(), Error> {
    for chunk in blobs.chunks(CHUNK) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new(
                "DELETE FROM archive_blobs WHERE NOT EXISTS (
                    SELECT 1 FROM archive_files f WHERE f.blob = archive_blobs.blob) AND blob IN (",
            );
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
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

/// Takes away files that nothing shows, and gives the blobs that were only theirs.
async fn orphans(db: &Db) -> Result<Vec<String>, Error> {
    const FILES: &str = "DELETE FROM archive_files WHERE NOT EXISTS (SELECT 1 FROM archive_file_uses u WHERE u.url = archive_files.url)";
    const BLOBS: &str = "
        SELECT blob FROM archive_blobs b WHERE NOT EXISTS (SELECT 1 FROM archive_files f WHERE f.blob = b.blob)
        ORDER BY blob";
    let mut tx = db.begin().await?;
    // A page that is being saved elsewhere may show a file that nothing shows yet: it is waited for, and waits.
    if let Some(lock) = dialect::lock_archive_files(db) {
        on_tx!(&mut tx, connection => sqlx::query(lock).execute(connection).await.map(drop))?;
    }
    on_tx!(&mut tx, connection => sqlx::query(FILES).execute(connection).await.map(drop))?;
    let blobs = on_tx!(&mut tx, connection => sqlx::query_scalar(BLOBS).fetch_all(connection).await)?;
    tx.commit().await?;
    Ok(blobs)
}
