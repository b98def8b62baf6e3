//! Accounts that somebody wants measured and nobody has looked up yet, and what came of it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    db::micros,
    text::{clean, clean_opt},
};

/// An account that somebody wants measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Wish {
    /// A UUID in the order of time.
    pub id: String,
    /// As it was given.
    pub address: String,
    /// What it is to belong to.
    #[sqlx(json)]
    pub groups: Vec<String>,
    /// `hand`, `import`, …
    pub source: String,
    /// `asked`, `done`, `refused`.
    pub state: String,
    /// Once done.
    pub account: Option<i64>,
    /// Once refused; before that, why it did not work yet.
    pub reason: Option<String>,
    /// So far.
    pub tries: i64,
    /// When it is looked up.
    pub not_before: DateTime<Utc>,
    /// When somebody asked.
    pub asked_at: DateTime<Utc>,
}

/// Adds wishes.
pub async fn insert(db: &Db, wishes: &[Wish]) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO metered_wishes (id, address, groups, source, state, account, reason, tries, not_before, asked_at) ";
    for chunk in wishes.chunks(1000) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new(SQL);
            query.push_values(chunk, |mut values, wish| {
                let groups: Vec<String> = wish.groups.iter().map(|group| clean(group).into_owned()).collect();
                values.push_bind(&wish.id).push_bind(clean(&wish.address)).push_bind(sqlx::types::Json(groups));
                values.push_bind(&wish.source).push_bind(&wish.state).push_bind(wish.account);
                values.push_bind(clean_opt(wish.reason.as_deref())).push_bind(wish.tries);
                values.push_bind(micros(wish.not_before)).push_bind(micros(wish.asked_at));
            });
            query.push(" ON CONFLICT (id) DO NOTHING");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Wishes that are due, the oldest first.
pub async fn due(db: &Db, now: DateTime<Utc>, limit: u32) -> Result<Vec<Wish>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_wishes WHERE state = 'asked' AND not_before <= $1 ORDER BY not_before, id LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(now)).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// One wish.
pub async fn load(db: &Db, id: &str) -> Result<Option<Wish>, Error> {
    const SQL: &str = "SELECT * FROM metered_wishes WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(clean(id)).fetch_optional(pool).await)?)
}

/// Says what came of a wish.
pub async fn save(db: &Db, wish: &Wish) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE metered_wishes SET state = $2, account = $3, reason = $4, tries = $5, not_before = $6 WHERE id = $1";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&wish.id).bind(&wish.state).bind(wish.account);
        let query = query.bind(clean_opt(wish.reason.as_deref())).bind(wish.tries).bind(micros(wish.not_before));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Wishes that wait or were refused, newest first.
pub async fn open(db: &Db, limit: u32) -> Result<Vec<Wish>, Error> {
    const SQL: &str = "SELECT * FROM metered_wishes WHERE state <> 'done' ORDER BY id DESC LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Forgets wishes that came to an end before a moment.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM metered_wishes WHERE state <> 'asked' AND asked_at < $1";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
