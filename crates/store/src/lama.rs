//! LAMA's database, read only: another program's, and not of our making.

use std::path::Path;

use sqlx::{ConnectOptions, Connection, FromRow, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::Error;

/// A status as LAMA has it, once for each thing that was done with it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    /// Of the activity.
    pub id: i64,
    /// post, reblog, favourite, bookmark, mention, poll, or one of these with `.parent` or `.link`.
    pub activity_type: String,
    /// The status as Mastodon.py wrote it down.
    pub json: String,
    /// `[[path or errors, alt], …]`.
    pub attachments: String,
}

/// The open database.
#[derive(Debug)]
pub struct Lama(SqliteConnection);

/// Opens `app.db`, read only.
///
/// # Errors
/// When it is no database.
pub async fn open(file: &Path) -> Result<Lama, Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .immutable(true);
    Ok(Lama(options.connect().await?))
}

impl Lama {
    /// Activities of an account after one, in order.
    ///
    /// # Errors
    /// When it is not LAMA's.
    pub async fn page(&mut self, account: &str, after: i64, limit: u32) -> Result<Vec<Row>, Error> {
        const SQL: &str = "
            SELECT a.id, a.activity_type, p.json, COALESCE(p.attachments, '[]') AS attachments
            FROM activities a JOIN posts p ON p.post_uri = a.post_uri
            WHERE lower(a.account) = $1 AND a.id > $2 ORDER BY a.id LIMIT $3";
        let query = sqlx::query_as(SQL).bind(account).bind(after).bind(i64::from(limit));
        Ok(query.fetch_all(&mut self.0).await?)
    }

    /// Closes it.
    pub async fn close(self) {
        let _ = self.0.close().await;
    }

    /// Makes a database such as LAMA's, for tests: activities with their statuses.
    ///
    /// # Errors
    /// When it cannot be written.
    #[cfg(feature = "testing")]
    pub async fn sample(file: &Path, account: &str, rows: &[Row]) -> Result<(), Error> {
        const TABLES: &str = "
            CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, post_uri TEXT UNIQUE NOT NULL, json TEXT NOT NULL,
                attachments TEXT);
            CREATE TABLE activities (id INTEGER PRIMARY KEY, account TEXT, post_uri TEXT, activity_type TEXT)";
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let mut db = options.connect().await?;
        sqlx::raw_sql(TABLES).execute(&mut db).await?;
        for row in rows {
            let uri = format!("row {}", row.json.len());
            sqlx::query("INSERT OR IGNORE INTO posts (post_uri, json, attachments) VALUES ($1, $2, $3)")
                .bind(&uri)
                .bind(&row.json)
                .bind(&row.attachments)
                .execute(&mut db)
                .await?;
            sqlx::query("INSERT INTO activities (id, account, post_uri, activity_type) VALUES ($1, $2, $3, $4)")
                .bind(row.id)
                .bind(account)
                .bind(&uri)
                .bind(&row.activity_type)
                .execute(&mut db)
                .await?;
        }
        db.close().await?;
        Ok(())
    }
}
