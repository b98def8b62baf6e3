//! Recent statuses of the owners of logins, and what they brought.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    db::micros,
    text::{clean, is_key},
};

/// A status and what it brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Status {
    /// `server/login`.
    pub login: String,
    /// On the login's server.
    pub status_id: String,
    /// For people.
    pub url: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Its hashtags.
    #[sqlx(json)]
    pub tags: Vec<String>,
    /// Replies.
    pub replies: i64,
    /// Boosts.
    pub reblogs: i64,
    /// Favourites.
    pub favourites: i64,
    /// When that was.
    pub seen_at: DateTime<Utc>,
}

/// Writes what a look brought, and a point of each status that brought something new.
pub async fn save(db: &Db, statuses: &[Status]) -> Result<u64, Error> {
    const POINTS: &str = "
        INSERT INTO metered_status_points (login, status_id, at, replies, reblogs, favourites)
        SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (
            SELECT 1 FROM metered_statuses WHERE login = $1 AND status_id = $2 AND replies = $4 AND reblogs = $5
                AND favourites = $6)
        ON CONFLICT (login, status_id, at) DO NOTHING";
    let mut rows: Vec<&Status> = statuses.iter().filter(|row| is_key(&row.status_id)).collect();
    rows.sort_by_key(|row| (&row.login, &row.status_id));
    rows.dedup_by_key(|row| (row.login.clone(), row.status_id.clone()));
    let mut changed = 0;
    let mut tx = db.begin().await?;
    for row in &rows {
        changed += on_tx!(&mut tx, connection => {
            let query = sqlx::query(POINTS).bind(&row.login).bind(&row.status_id).bind(row.seen_at.timestamp());
            let query = query.bind(row.replies).bind(row.reblogs).bind(row.favourites);
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    for chunk in rows.chunks(1000) {
        on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new(
                "INSERT INTO metered_statuses (login, status_id, url, created_at, tags, replies, reblogs, favourites,
                    seen_at) ",
            );
            query.push_values(chunk, |mut values, row| {
                let tags: Vec<String> = row.tags.iter().map(|tag| clean(tag).into_owned()).collect();
                values.push_bind(&row.login).push_bind(&row.status_id).push_bind(clean(&row.url));
                values.push_bind(micros(row.created_at)).push_bind(sqlx::types::Json(tags)).push_bind(row.replies);
                values.push_bind(row.reblogs).push_bind(row.favourites).push_bind(micros(row.seen_at));
            });
            query.push(
                " ON CONFLICT (login, status_id) DO UPDATE SET url = excluded.url, tags = excluded.tags,
                    replies = excluded.replies, reblogs = excluded.reblogs, favourites = excluded.favourites,
                    seen_at = excluded.seen_at",
            );
            query.build().execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// The statuses of a login since a moment, newest first.
pub async fn since(db: &Db, login: &str, since: DateTime<Utc>, limit: u32) -> Result<Vec<Status>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_statuses WHERE login = $1 AND created_at >= $2 ORDER BY created_at DESC LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(login).bind(micros(since)).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Logins whose statuses are known.
pub async fn logins(db: &Db) -> Result<Vec<String>, Error> {
    const SQL: &str = "SELECT DISTINCT login FROM metered_statuses ORDER BY login";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?)
}

/// What a status had brought at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct StatusPoint {
    /// On the login's server.
    pub status_id: String,
    /// Seconds since 1970.
    pub at: i64,
    /// Replies.
    pub replies: i64,
    /// Boosts.
    pub reblogs: i64,
    /// Favourites.
    pub favourites: i64,
    /// When the status was written.
    pub created_at: DateTime<Utc>,
}

/// What each status of a login that brought something since a moment had brought, at all times: by status, oldest
/// first.
pub async fn points(db: &Db, login: &str, since: i64, limit: u32) -> Result<Vec<StatusPoint>, Error> {
    const SQL: &str = "
        SELECT p.status_id, p.at, p.replies, p.reblogs, p.favourites, s.created_at
        FROM metered_status_points p JOIN metered_statuses s ON s.login = p.login AND s.status_id = p.status_id
        WHERE p.login = $1
            AND p.status_id IN (SELECT status_id FROM metered_status_points WHERE login = $1 AND at >= $2)
        ORDER BY p.status_id, p.at LIMIT $3";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(login).bind(since).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// A status of a login.
pub async fn load(db: &Db, login: &str, status_id: &str) -> Result<Option<Status>, Error> {
    const SQL: &str = "SELECT * FROM metered_statuses WHERE login = $1 AND status_id = $2";
    let status_id = clean(status_id);
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(login).bind(&*status_id).fetch_optional(pool).await)?)
}

/// What one status had brought over time, oldest first.
pub async fn points_of(db: &Db, login: &str, status_id: &str) -> Result<Vec<StatusPoint>, Error> {
    const SQL: &str = "
        SELECT p.status_id, p.at, p.replies, p.reblogs, p.favourites, s.created_at
        FROM metered_status_points p JOIN metered_statuses s ON s.login = p.login AND s.status_id = p.status_id
        WHERE p.login = $1 AND p.status_id = $2 ORDER BY p.at LIMIT 100000";
    let status_id = clean(status_id);
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(login).bind(&*status_id).fetch_all(pool).await)?)
}
