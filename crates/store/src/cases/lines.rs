//! What happened to cases and rules: the audit.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use super::Case;
use crate::{
    Db, Error,
    db::{Tx, micros},
    text::{clean, clean_json},
};

/// A line of what happened, to a case or to the rules.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Line {
    /// UUID v7.
    pub id: String,
    /// To which case; `None` for rules and exemptions.
    pub case_id: Option<String>,
    /// Where; empty for everywhere.
    pub server: String,
    /// When.
    pub at: DateTime<Utc>,
    /// `opened`, `merged`, `judged`, `asked`, `waits`, `reported`, `acted`, `reversed`, `ended`, `rules`, `standing`,
    /// `exempted`, `backtest`.
    pub kind: String,
    /// `egret`, or a person.
    pub by: String,
    /// What happened, without anybody's words.
    #[sqlx(json)]
    pub detail: Value,
}

impl Line {
    /// A line of this moment.
    pub fn new(case: Option<&Case>, kind: &str, by: &str, detail: Value, now: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7().to_string(),
            case_id: case.map(|case| case.id.clone()),
            server: case.map(|case| case.server.clone()).unwrap_or_default(),
            at: now,
            kind: kind.to_owned(),
            by: by.to_owned(),
            detail,
        }
    }
}

pub(crate) async fn insert_line(tx: &mut Tx, line: &Line) -> Result<(), sqlx::Error> {
    const SQL: &str = "
        INSERT INTO case_events (id, case_id, server, at, kind, by, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on_tx!(tx, connection => {
        let query = sqlx::query(SQL).bind(&line.id).bind(&line.case_id).bind(&line.server).bind(micros(line.at));
        let query = query.bind(&line.kind).bind(clean(&line.by)).bind(Json(clean_json(&line.detail)));
        query.execute(connection).await.map(drop)
    })
}

/// Adds a line that goes with nothing else.
pub async fn tell(db: &Db, line: &Line) -> Result<(), Error> {
    again!(async {
        let mut tx = db.begin().await?;
        insert_line(&mut tx, line).await?;
        tx.commit().await
    })
}

/// What happened to a case, oldest first.
pub async fn lines(db: &Db, case_id: &str) -> Result<Vec<Line>, Error> {
    const SQL: &str = "SELECT * FROM case_events WHERE case_id = $1 ORDER BY id LIMIT 1000";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(case_id).fetch_all(pool).await)?)
}

/// Everything that happened after an id, oldest first: the audit, a page at a time.
pub async fn lines_since(db: &Db, after: &str, limit: u32) -> Result<Vec<Line>, Error> {
    const SQL: &str = "SELECT * FROM case_events WHERE id > $1 ORDER BY id LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(after).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// The newest of it, newest first, before an id.
pub async fn newest_lines(db: &Db, before: Option<&str>, limit: u32) -> Result<Vec<Line>, Error> {
    const SQL: &str = "SELECT * FROM case_events WHERE ($1 IS NULL OR id < $1) ORDER BY id DESC LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(before).bind(i64::from(limit)).fetch_all(pool).await)?)
}
