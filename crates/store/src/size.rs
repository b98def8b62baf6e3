//! What the database takes.

use crate::{Db, Error, dialect};

/// Bytes on disk.
///
/// # Errors
/// When the database cannot be read.
pub async fn size(db: &Db) -> Result<u64, Error> {
    let bytes: i64 = on!(db, pool => sqlx::query_scalar(dialect::size(db)).fetch_one(pool).await)?;
    let mut bytes = u64::try_from(bytes).unwrap_or(0);
    if let Db::Sqlite { write, .. } = db {
        // The log beside the file, folded in now and then.
        let mut log = write.connect_options().get_filename().as_os_str().to_owned();
        log.push("-wal");
        bytes += tokio::fs::metadata(log).await.map_or(0, |file| file.len());
    }
    Ok(bytes)
}
