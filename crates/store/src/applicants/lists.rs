//! Published lists that rules name, as last read well.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{
    Db, Error,
    text::{clean, clean_opt},
};

/// A list as last read.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct List {
    /// A file or an address.
    pub source: String,
    /// The last good text.
    pub body: String,
    /// How many names are in it.
    pub names: i64,
    /// For asking whether it changed.
    pub etag: Option<String>,
    /// Last read well.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Last asked.
    pub checked_at: DateTime<Utc>,
    /// What went wrong then.
    pub trouble: Option<String>,
}

/// Inserts or updates.
pub async fn save_list(db: &Db, list: &List) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO applicant_lists (source, body, names, etag, fetched_at, checked_at, trouble)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (source) DO UPDATE SET body = excluded.body, names = excluded.names, etag = excluded.etag,
            fetched_at = excluded.fetched_at, checked_at = excluded.checked_at, trouble = excluded.trouble";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&list.source).bind(clean(&list.body)).bind(list.names);
        let query = query.bind(clean_opt(list.etag.as_deref())).bind(list.fetched_at).bind(list.checked_at);
        query.bind(clean_opt(list.trouble.as_deref())).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// All lists.
pub async fn lists(db: &Db) -> Result<Vec<List>, Error> {
    const SQL: &str = "
        SELECT source, body, names, etag, fetched_at, checked_at, trouble FROM applicant_lists ORDER BY source";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Which text of each list was read well: source and time. Cheap, unlike the lists.
pub async fn list_versions(db: &Db) -> Result<Vec<(String, DateTime<Utc>)>, Error> {
    const SQL: &str = "
        SELECT source, fetched_at FROM applicant_lists WHERE fetched_at IS NOT NULL ORDER BY source";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}
