//! Who follows the owner of a login, and who did.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    db::micros,
    text::{clean, is_key},
};

/// A follower, or one who was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Follower {
    /// `server/login`.
    pub login: String,
    /// On the login's server.
    pub account_id: String,
    /// `user@domain`.
    pub acct: String,
    /// The actor, or the page.
    pub uri: String,
    /// The walk that saw them last.
    pub seen: i64,
    /// When they came; none for those of the first walk.
    pub came_at: Option<DateTime<Utc>>,
    /// When they were found to have left.
    pub left_at: Option<DateTime<Utc>>,
}

/// A page of a walk: who is seen is there. `came_at` is kept of those known already, unless they had left.
pub async fn see(db: &Db, followers: &[Follower]) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO metered_followers (login, account_id, acct, uri, seen, came_at, left_at) ";
    let mut rows: Vec<&Follower> = followers.iter().filter(|row| is_key(&row.account_id)).collect();
    rows.sort_by_key(|row| (&row.login, &row.account_id));
    rows.dedup_by_key(|row| (row.login.clone(), row.account_id.clone()));
    for chunk in rows.chunks(1000) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new(SQL);
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.login).push_bind(&row.account_id).push_bind(clean(&row.acct));
                values.push_bind(clean(&row.uri)).push_bind(row.seen).push_bind(row.came_at.map(micros));
                values.push_bind(None::<DateTime<Utc>>);
            });
            query.push(
                " ON CONFLICT (login, account_id) DO UPDATE SET acct = excluded.acct, uri = excluded.uri,
                    seen = excluded.seen, left_at = NULL,
                    came_at = CASE WHEN metered_followers.left_at IS NULL THEN metered_followers.came_at
                        ELSE excluded.came_at END",
            );
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// The end of a walk that saw everybody: who was not seen has left. Gives how many.
pub async fn mark_left(db: &Db, login: &str, walk: i64, now: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "
        UPDATE metered_followers SET left_at = $3 WHERE login = $1 AND seen < $2 AND left_at IS NULL";
    Ok(on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(login).bind(walk).bind(micros(now));
        query.execute(pool).await.map(|done| done.rows_affected())
    })?)
}

/// Those who came since a moment, newest first.
pub async fn came(db: &Db, login: &str, since: DateTime<Utc>, limit: u32) -> Result<Vec<Follower>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_followers WHERE login = $1 AND came_at >= $2 ORDER BY came_at DESC, account_id LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(login).bind(micros(since)).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Those who left since a moment, newest first.
pub async fn left(db: &Db, login: &str, since: DateTime<Utc>, limit: u32) -> Result<Vec<Follower>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_followers WHERE login = $1 AND left_at >= $2 ORDER BY left_at DESC, account_id LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(login).bind(micros(since)).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Logins whose followers are known.
pub async fn logins(db: &Db) -> Result<Vec<String>, Error> {
    const SQL: &str = "SELECT DISTINCT login FROM metered_followers ORDER BY login";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).fetch_all(pool).await)?)
}
