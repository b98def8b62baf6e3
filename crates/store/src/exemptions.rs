//! Whom rules leave alone, all of them or one, for ever or for a while.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::{
    Db, Error,
    cases::{Line, insert_line},
    db::micros,
    text::clean,
};

/// Somebody whom rules leave alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Exemption {
    /// UUID v7.
    pub id: String,
    /// Empty for all servers.
    pub server: String,
    /// Empty for a whole domain.
    pub account_id: String,
    /// Empty for one account.
    pub domain: String,
    /// Empty for all rules.
    pub rule: String,
    /// `None` for ever.
    pub until: Option<DateTime<Utc>>,
    /// For people.
    pub why: String,
    /// Who said so; `egret` where a person's deed did.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Adds one, with a line in the audit.
pub async fn insert(db: &Db, exemption: &Exemption, line: &Line) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO exemptions (id, server, account_id, domain, rule, until, why, by, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
    again!(async {
        let mut tx = db.begin().await?;
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(&exemption.id).bind(&exemption.server).bind(clean(&exemption.account_id));
            let query = query.bind(clean(&exemption.domain)).bind(clean(&exemption.rule));
            let query = query.bind(exemption.until.map(micros)).bind(clean(&exemption.why)).bind(clean(&exemption.by));
            query.bind(micros(exemption.at)).execute(connection).await.map(drop)
        })?;
        insert_line(&mut tx, line).await?;
        tx.commit().await
    })
}

/// Takes one back; `false` when there is none.
pub async fn delete(db: &Db, id: &str, line: &Line) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM exemptions WHERE id = $1";
    again!(async {
        let mut tx = db.begin().await?;
        let deleted = on_tx!(&mut tx, connection => {
            sqlx::query(SQL).bind(id).execute(connection).await.map(|done| done.rows_affected())
        })?;
        if deleted == 0 {
            return Ok(false);
        }
        insert_line(&mut tx, line).await?;
        tx.commit().await?;
        Ok::<_, Error>(true)
    })
}

/// What holds now of an account: its own, its domain's, and those of its domain's parents are for the caller to tell.
pub async fn of(db: &Db, server: &str, account_id: &str, now: DateTime<Utc>) -> Result<Vec<Exemption>, Error> {
    const SQL: &str = "
        SELECT * FROM exemptions WHERE (server = $1 OR server = '') AND (account_id = $2 OR (account_id = '' AND domain <> ''))
            AND (until IS NULL OR until > $3) ORDER BY id";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).bind(account_id).bind(micros(now)).fetch_all(pool).await)?)
}

/// All that hold now, newest first.
pub async fn list(db: &Db, now: DateTime<Utc>, limit: u32) -> Result<Vec<Exemption>, Error> {
    const SQL: &str = "SELECT * FROM exemptions WHERE until IS NULL OR until > $1 ORDER BY id DESC LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(now)).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// One of them.
pub async fn load(db: &Db, id: &str) -> Result<Option<Exemption>, Error> {
    const SQL: &str = "SELECT * FROM exemptions WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}
