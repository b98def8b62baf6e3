//! The history of applicants, for people and for the audit.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::FromRow;

use crate::{Db, Error};

/// A line of somebody's history as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct History {
    /// UUID v7.
    pub id: String,
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// `judged`, `asked`, `ended`, `changed`, `looked`, `mailed`, `forgotten`.
    pub kind: String,
    /// `egret`, or a person.
    pub by: String,
    /// What happened, without anything personal.
    #[sqlx(json)]
    pub detail: Value,
}

/// A verdict with what it was made from.
#[derive(Clone, FromRow)]
pub struct Judged {
    /// Of the line in the history.
    pub id: String,
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// The verdict.
    #[sqlx(json)]
    pub detail: Value,
    /// What it was made from.
    #[sqlx(json)]
    pub inputs: Value,
}

/// The history of one applicant, oldest first.
pub async fn events(db: &Db, server: &str, account_id: &str) -> Result<Vec<History>, Error> {
    const SQL: &str = "
        SELECT id, server, account_id, at, kind, by, detail FROM applicant_events
        WHERE server = $1 AND account_id = $2 ORDER BY id LIMIT 1000";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(account_id).fetch_all(pool).await)?)
}

/// Everybody's history after an id, oldest first: the audit, a page at a time.
pub async fn events_since(db: &Db, after: &str, limit: u32) -> Result<Vec<History>, Error> {
    const SQL: &str = "
        SELECT id, server, account_id, at, kind, by, detail FROM applicant_events WHERE id > $1 ORDER BY id LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(after).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// The newest verdicts whose inputs are still known, newest first, before an id.
pub async fn verdicts(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Judged>, Error> {
    const SQL: &str = "
        SELECT id, server, account_id, detail, inputs FROM applicant_events
        WHERE kind = 'judged' AND inputs IS NOT NULL AND ($1 IS NULL OR id < $1) ORDER BY id DESC LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(before).bind(i64::from(limit)).fetch_all(pool).await)?)
}
