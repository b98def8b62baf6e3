//! Care of the file: Postgres looks after itself, SQLite has to be asked.

use crate::{Db, Error};

/// A file is written anew when this part of it is empty, in percent.
const EMPTY: i64 = 30;

/// A larger one is left to its operator: writing it anew takes as much room again, and nobody writes meanwhile.
const LARGEST: i64 = 1 << 30;

/// Lets SQLite look at its statistics, and gives back the room of what was deleted where that is worth it. True when the
/// file was written anew.
///
/// # Errors
/// When the database refuses: the disk is full.
pub async fn vacuum(db: &Db) -> Result<bool, Error> {
    let Db::Sqlite { write, .. } = db else {
        return Ok(false);
    };
    sqlx::query("PRAGMA optimize").execute(write).await?;
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(write).await?;
    let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(write).await?;
    let free: i64 = sqlx::query_scalar("PRAGMA freelist_count").fetch_one(write).await?;
    if free * 100 < pages * EMPTY || pages.saturating_mul(size) > LARGEST {
        return Ok(false);
    }
    sqlx::query("VACUUM").execute(write).await?;
    Ok(true)
}
