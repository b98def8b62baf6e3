//! Every set of rules there ever was, how far each rule is trusted, and what rules did to the past.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use crate::{
    Db, Error,
    cases::{Line, insert_line},
    db::micros,
    text::{clean, clean_json},
};

/// A set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct StoredRuleset {
    /// Counts up; the highest is in place.
    pub version: i64,
    /// Of the rules.
    pub digest: String,
    /// TOML.
    pub rules: String,
    /// What changed.
    pub note: String,
    /// `files`, or a person.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// How far a rule is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Standing {
    /// The rule.
    pub name: String,
    /// Of its text: another text is another rule.
    pub digest: String,
    /// `shadow`, `live`, `off`.
    pub standing: String,
    /// Why it may be so.
    pub why: String,
    /// The backtest that speaks for it.
    pub backtest: Option<String>,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// When a standing was last said.
const CHANGED: &str = "SELECT MAX(at) FROM rule_standings";

/// The rules in place.
pub async fn newest(db: &Db) -> Result<Option<StoredRuleset>, Error> {
    const SQL: &str = "SELECT * FROM rulesets ORDER BY version DESC LIMIT 1";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_optional(pool).await)?)
}

/// Which version is in place, without reading it; 0 for none. Changes with each standing as well, in the second figure.
pub async fn stamp(db: &Db) -> Result<(i64, Option<DateTime<Utc>>), Error> {
    const VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM rulesets";
    Ok(on!(db, pool => {
        let version: i64 = sqlx::query_scalar(VERSION).fetch_one(pool).await?;
        let changed: Option<DateTime<Utc>> = sqlx::query_scalar(CHANGED).fetch_one(pool).await?;
        (version, changed)
    }))
}

/// One version.
pub async fn load(db: &Db, version: i64) -> Result<Option<StoredRuleset>, Error> {
    const SQL: &str = "SELECT * FROM rulesets WHERE version = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(version).fetch_optional(pool).await)?)
}

/// Versions, newest first.
pub async fn list(db: &Db, before: Option<i64>, limit: u32) -> Result<Vec<StoredRuleset>, Error> {
    const SQL: &str = "
        SELECT * FROM rulesets WHERE ($1 IS NULL OR version < $1) ORDER BY version DESC LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(before).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Puts rules in place as the version after `after`, with a line in the audit. `None` when somebody else changed them
/// meanwhile: then nothing happened.
pub async fn save(db: &Db, after: i64, ruleset: &StoredRuleset, line: &Line) -> Result<Option<i64>, Error> {
    const SQL: &str = "
        INSERT INTO rulesets (version, digest, rules, note, by, at)
        SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT COALESCE(MAX(version), 0) FROM rulesets) = $7
        ON CONFLICT (version) DO NOTHING";
    let version = after + 1;
    again!(async {
        let mut tx = db.begin().await?;
        let inserted = on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(version).bind(&ruleset.digest).bind(clean(&ruleset.rules));
            let query = query.bind(clean(&ruleset.note)).bind(clean(&ruleset.by)).bind(micros(ruleset.at)).bind(after);
            query.execute(connection).await.map(|done| done.rows_affected())
        })?;
        if inserted == 0 {
            return Ok(None);
        }
        insert_line(&mut tx, line).await?;
        tx.commit().await?;
        Ok::<_, Error>(Some(version))
    })
}

/// What was said of rules.
pub async fn standings(db: &Db) -> Result<Vec<Standing>, Error> {
    const SQL: &str = "SELECT * FROM rule_standings ORDER BY name, at";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Says it of a rule, with a line in the audit. What is said last is dated last, whatever the clock says: by that others
/// notice it (see [`stamp`]).
pub async fn set_standing(db: &Db, standing: &Standing, line: &Line) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO rule_standings (name, digest, standing, why, backtest, by, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name, digest) DO UPDATE SET standing = excluded.standing, why = excluded.why,
            backtest = excluded.backtest, by = excluded.by, at = excluded.at";
    again!(async {
        let mut tx = db.begin().await?;
        let newest: Option<DateTime<Utc>> =
            on_tx!(&mut tx, connection => sqlx::query_scalar(CHANGED).fetch_one(connection).await)?;
        let next = newest.map(|newest| newest + TimeDelta::microseconds(1));
        let at = next.map_or(micros(standing.at), |next| next.max(micros(standing.at)));
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(clean(&standing.name)).bind(&standing.digest).bind(&standing.standing);
            let query = query.bind(clean(&standing.why)).bind(&standing.backtest).bind(clean(&standing.by));
            query.bind(at).execute(connection).await.map(drop)
        })?;
        insert_line(&mut tx, line).await?;
        tx.commit().await
    })
}

/// Rules tried on the past.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Backtest {
    /// UUID v7.
    pub id: String,
    /// `asked`, `done`, `failed`.
    pub state: String,
    /// TOML.
    pub rules: String,
    /// Of each rule, by name.
    #[sqlx(json)]
    pub digests: Value,
    /// What was seen since.
    pub since: DateTime<Utc>,
    /// Once done.
    #[sqlx(json(nullable))]
    pub result: Option<Value>,
    /// Who wanted it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Done or failed.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Asks for one, or keeps one that is done already.
pub async fn save_backtest(db: &Db, test: &Backtest) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO backtests (id, state, rules, digests, since, result, by, at, ended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, result = excluded.result, ended_at = excluded.ended_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&test.id).bind(&test.state).bind(clean(&test.rules));
        let query = query.bind(Json(clean_json(&test.digests))).bind(micros(test.since));
        let query = query.bind(test.result.as_ref().map(|result| Json(clean_json(result)))).bind(clean(&test.by));
        query.bind(micros(test.at)).bind(test.ended_at.map(micros)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// The newest of them.
pub async fn backtests(db: &Db, limit: u32) -> Result<Vec<Backtest>, Error> {
    const SQL: &str = "SELECT * FROM backtests ORDER BY id DESC LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// One of them.
pub async fn backtest(db: &Db, id: &str) -> Result<Option<Backtest>, Error> {
    const SQL: &str = "SELECT * FROM backtests WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// Those somebody waits for, oldest first.
pub async fn backtests_asked(db: &Db, limit: u32) -> Result<Vec<Backtest>, Error> {
    const SQL: &str = "SELECT * FROM backtests WHERE state = 'asked' ORDER BY at LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Forgets those that ended before `before` and speak for no rule.
pub async fn delete_backtests(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "
        DELETE FROM backtests WHERE ended_at < $1
            AND id NOT IN (SELECT backtest FROM rule_standings WHERE backtest IS NOT NULL)";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}
