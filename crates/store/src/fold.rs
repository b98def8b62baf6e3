//! Folds SQLite's log into the file beside those who write.

use std::{path::PathBuf, time::Duration};

use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};

use crate::{Db, Error};

/// How often it looks whether anything was written.
const EVERY: Duration = Duration::from_millis(250);

/// Goes on for as long as it is polled; on Postgres, which has a process of its own for this, it does nothing for ever.
///
/// Whoever writes the page that makes the log too long folds it, a disk's pace, while all others wait: of webhooks that
/// came 200 a second each hundredth met that. Beside them it costs nobody a wait, since neither readers nor writers are
/// in its way.
pub async fn keep_folded(db: &Db) {
    let Db::Sqlite { write, .. } = db else {
        return std::future::pending().await;
    };
    let mut log = write.connect_options().get_filename().as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let (mut seen, mut connection) = (None, None);
    loop {
        tokio::time::sleep(EVERY).await;
        let changed = std::fs::metadata(&log).and_then(|log| log.modified()).ok();
        if changed == seen {
            continue;
        }
        if fold(write, &mut connection).await.is_ok() {
            seen = changed;
        } else {
            // Nothing is lost: whoever writes folds a log that has grown long.
            connection = None;
        }
    }
}

async fn fold(write: &SqlitePool, connection: &mut Option<SqliteConnection>) -> Result<(), Error> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(write.connect_options().connect().await?),
    };
    // What is written meanwhile, or still read by somebody, is left for the next time.
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .execute(&mut *connection)
        .await?;
    Ok(())
}
