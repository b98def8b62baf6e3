//! Actions that end by themselves. A row stays until its server says that it is over.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{Db, Error, db::micros, text::clean_opt};

/// An action that is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Reversal {
    /// UUID v7.
    pub id: String,
    /// Of which case.
    pub case_id: String,
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// `silence`, `sensitive`, `suspend`.
    pub action: String,
    /// When it is to end.
    pub due_at: DateTime<Utc>,
    /// `waiting`, `done`, `over`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// Not before.
    pub next_try_at: DateTime<Utc>,
    /// Why it is still there.
    pub note: Option<String>,
    /// Done or over.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Keeps that an action is to end. The same action of the same case has one end.
pub async fn insert(db: &Db, reversal: &Reversal) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO reversals (id, case_id, server, account_id, action, due_at, state, tries, next_try_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $6) ON CONFLICT (case_id, action) DO UPDATE SET
            due_at = excluded.due_at, next_try_at = excluded.next_try_at, state = 'waiting', tries = 0, note = NULL,
            ended_at = NULL";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&reversal.id).bind(&reversal.case_id).bind(&reversal.server);
        let query = query.bind(&reversal.account_id).bind(&reversal.action).bind(micros(reversal.due_at));
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Those of a server that are due.
pub async fn due(db: &Db, server: &str, now: DateTime<Utc>, limit: u32) -> Result<Vec<Reversal>, Error> {
    const SQL: &str = "
        SELECT * FROM reversals WHERE server = $1 AND state = 'waiting' AND next_try_at <= $2
        ORDER BY next_try_at LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(server).bind(micros(now)).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Those of a case.
pub async fn of_case(db: &Db, case_id: &str) -> Result<Vec<Reversal>, Error> {
    const SQL: &str = "SELECT * FROM reversals WHERE case_id = $1 ORDER BY id";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(case_id).fetch_all(pool).await)?)
}

/// Those of an account that wait: whether an action that was taken back was ours.
pub async fn waiting_for(db: &Db, server: &str, account_id: &str) -> Result<Vec<Reversal>, Error> {
    const SQL: &str = "
        SELECT * FROM reversals WHERE server = $1 AND account_id = $2 AND state = 'waiting' ORDER BY id";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(account_id).fetch_all(pool).await)?)
}

/// All that wait, the next one first.
pub async fn waiting(db: &Db, limit: u32) -> Result<Vec<Reversal>, Error> {
    const SQL: &str = "SELECT * FROM reversals WHERE state = 'waiting' ORDER BY due_at LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// It could not be done yet, and is tried again at `next`.
pub async fn put_off(db: &Db, id: &str, next: DateTime<Utc>, note: &str) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE reversals SET tries = tries + 1, next_try_at = $2, note = $3 WHERE id = $1 AND state = 'waiting'";
    on_write!(db, pool => {
        sqlx::query(SQL).bind(id).bind(micros(next)).bind(clean_opt(Some(note))).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// It is `done`, or `over` by somebody else's hand.
pub async fn end(db: &Db, id: &str, state: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "UPDATE reversals SET state = $2, ended_at = $3, note = NULL WHERE id = $1 AND state = 'waiting'";
    let ended = on_write!(db, pool => {
        sqlx::query(SQL).bind(id).bind(state).bind(micros(now)).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(ended > 0)
}
