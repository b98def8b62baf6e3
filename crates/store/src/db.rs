//! The open database.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{
    ConnectOptions, Connection, PgPool, Postgres, Sqlite, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, url::Target};

/// Connections to Postgres unless the config says otherwise: jobs run one statement at a time.
const CONNECTIONS: u32 = 8;
/// SQLite's readers. Each costs a thread and up to 2 MiB of page cache, hence few, and closed when idle.
const READERS: u32 = 4;
/// Pages, of 4 KiB, after which whoever writes folds SQLite's log into the file. Seldom, since they and all who write after
/// them wait for it: where a daemon runs, [`crate::keep_folded`] does it beside them.
const LONGEST_LOG: &str = "16000";
/// How long a server may take to answer the first connection before the operator hears about it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The `[store]` section.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `sqlite:///path/egret.db` or `postgres://…`. Default: a file in the state folder (`$STATE_DIRECTORY`, else
    /// `$XDG_STATE_HOME/egret`).
    pub url: Option<String>,
    /// A file that holds the URL, for passwords.
    pub url_file: Option<PathBuf>,
    /// Connections to Postgres.
    pub connections: Option<u32>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("url", &self.url.as_ref().map(|_| "…"))
            .field("url_file", &self.url_file)
            .field("connections", &self.connections)
            .finish()
    }
}

/// The open database: one of two engines behind one set of queries.
#[derive(Debug, Clone)]
pub enum Db {
    /// A server's.
    Postgres(PgPool),
    /// A file's: many readers, one writer.
    Sqlite {
        /// Read only.
        read: SqlitePool,
        /// One connection.
        write: SqlitePool,
    },
}

/// An open transaction, so that `on_tx!` can run the same lines on either engine's.
pub(crate) enum Tx {
    Postgres(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// Runs the same reading lines on whichever engine is open.
macro_rules! on {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::Db::Postgres($pool) => $body,
            $crate::Db::Sqlite { read: $pool, .. } => $body,
        }
    };
}

/// Runs the same writing lines on whichever engine is open.
macro_rules! on_write {
    ($db:expr, $pool:ident => $body:expr) => {
        match $db {
            $crate::Db::Postgres($pool) => $body,
            $crate::Db::Sqlite { write: $pool, .. } => $body,
        }
    };
}

/// Runs the same lines inside an open transaction.
macro_rules! on_tx {
    ($tx:expr, $connection:ident => $body:expr) => {
        match $tx {
            $crate::db::Tx::Postgres(tx) => {
                let $connection = &mut **tx;
                $body
            }
            $crate::db::Tx::Sqlite(tx) => {
                let $connection = &mut **tx;
                $body
            }
        }
    };
}

/// Tries a whole transaction again when it lost against another one (see `Error::is_contention`).
macro_rules! again {
    ($transaction:expr) => {{
        let mut tries = 0_u32;
        loop {
            match $transaction.await {
                Err(error) if tries < 6 && $crate::Error::is_contention(&error) => {
                    tries += 1;
                    $crate::db::pause(tries).await;
                }
                ended => break ended,
            }
        }
    }};
}

/// Waits a little before the next try; at random, so that two losers do not meet again.
pub(crate) async fn pause(tries: u32) {
    let most = 10_u64 << tries.min(6);
    tokio::time::sleep(Duration::from_millis(rand::random_range(1..=most))).await;
}

/// The first moment and the last that have four digits for their year. SQLite sorts times as texts, and those of other
/// years come out in no order; Postgres refuses the furthest of them.
const FIRST: DateTime<Utc> = DateTime::from_timestamp(-62_135_596_800, 0).expect("a time");
pub(crate) const LAST: DateTime<Utc> = DateTime::from_timestamp(253_402_300_799, 999_999_000).expect("a time");

/// Makes a time fit for a column. Our clock gives no more than microseconds, but times that come from elsewhere may, and
/// SQLite would keep what Postgres cuts; and a stranger's time may be no time of any calendar.
pub(crate) fn micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6).clamp(FIRST, LAST)
}

impl Db {
    /// Opens the database that `config` names, creating an SQLite file (and its folder) if need be. Does not migrate.
    ///
    /// # Errors
    /// When the URL is unusable or the database cannot be reached.
    pub async fn open(config: &Config) -> Result<Self, Error> {
        match Target::of(config)? {
            Target::Postgres(options) => {
                Self::open_postgres(*options, config.connections.unwrap_or(CONNECTIONS).max(1)).await
            }
            Target::Sqlite(path) => Self::open_sqlite(&path).await,
        }
    }

    pub(crate) async fn open_postgres(options: PgConnectOptions, connections: u32) -> Result<Self, Error> {
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("egret"),
        };
        // The pool would go on trying for as long as a caller may wait for a free connection. The first one is
        // made by hand, so that a wrong address is told within seconds.
        let unreachable = |source| Error::Unreachable {
            target: postgres_target(&options),
            hint: "check [store] url and that the server runs",
            source,
        };
        match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
            Ok(Ok(connection)) => drop(connection.close().await),
            Ok(Err(error)) => return Err(unreachable(error)),
            Err(_) => return Err(unreachable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(15))
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(options);
        Ok(Self::Postgres(pool))
    }

    pub(crate) async fn open_sqlite(path: &Path) -> Result<Self, Error> {
        let unreachable = |source| Error::Unreachable {
            target: format!("SQLite at {}", path.display()),
            hint: "check [store] url and that the folder may be written",
            source,
        };
        create(path).map_err(|error| unreachable(sqlx::Error::Io(error)))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true);
        // Idle pages of the writer are worth little: the operating system caches the file as well.
        let write = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", LONGEST_LOG)
            .optimize_on_close(true, 400);
        // A file does not hang up: whether a connection still answers is looked at when it comes back, as always.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(write)
            .await
            .map_err(unreachable)?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(Duration::from_secs(30))
            .connect_lazy_with(options.read_only(true));
        Ok(Self::Sqlite { read, write })
    }

    /// For people: `SQLite at /path` or `Postgres at host/db`, without a password.
    pub fn describe(&self) -> String {
        match self {
            Self::Postgres(pool) => postgres_target(&pool.connect_options()),
            Self::Sqlite { write, .. } => format!("SQLite at {}", write.connect_options().get_filename().display()),
        }
    }

    /// The folder that an SQLite file is in.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Postgres(_) => None,
            Self::Sqlite { write, .. } => {
                let options = write.connect_options();
                options.get_filename().parent().map(Path::to_owned)
            }
        }
    }

    /// Closes every connection, SQLite's log folded into the file.
    pub async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            // The last connection to close folds the log in, and a reader cannot.
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
        }
    }

    /// Opens a transaction for several statements that must arrive together. On SQLite it takes the write lock at
    /// once, because one that reads before it writes fails as soon as another writer was faster.
    pub(crate) async fn begin(&self) -> Result<Tx, Error> {
        Ok(match self {
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
        })
    }
}

impl Tx {
    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

fn postgres_target(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("Postgres at {}/{database}", socket.display()),
        None => format!("Postgres at {}:{}/{database}", options.get_host(), options.get_port()),
    }
}

/// Makes the file and its folder for this user's eyes only: the archive in it may hold private statuses. SQLite
/// gives its log the same permissions.
fn create(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
