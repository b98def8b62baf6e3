//! What rules matched: the evidence of cases, and how each rule fares.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder, types::Json};

use crate::{
    Db, Error,
    db::micros,
    list::push_list,
    text::{clean, clean_json},
};

/// Something that a rule matched.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Hit {
    /// UUID v7.
    pub id: String,
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// `user`, or `user@domain`.
    pub acct: String,
    /// Empty for the server's own people.
    pub domain: String,
    /// Empty for the profile.
    pub status_id: String,
    /// Of what was judged.
    pub digest: String,
    /// Which rule.
    pub rule: String,
    /// `live`, `shadow`, `exempt`, `immune`.
    pub standing: String,
    /// What it adds.
    pub weight: f64,
    /// The version that judged.
    pub ruleset: i64,
    /// Where, what it says there, what was matched; `{}` once it was forgotten.
    #[sqlx(json)]
    pub evidence: Value,
    /// In which case.
    pub case_id: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Keeps hits; gives the ids of those that are new. The same rule on the same words is one hit, however often they are
/// judged; an old one that had no case goes into this one.
pub async fn save(db: &Db, hits: &[Hit]) -> Result<Vec<String>, Error> {
    const SQL: &str = "
        INSERT INTO rule_hits (id, server, account_id, acct, domain, status_id, digest, rule, standing, weight, ruleset,
            evidence, case_id, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (server, account_id, status_id, digest, rule) DO UPDATE SET standing = excluded.standing,
            case_id = COALESCE(excluded.case_id, rule_hits.case_id)
        RETURNING id";
    if hits.is_empty() {
        return Ok(Vec::new());
    }
    again!(async {
        let mut new = Vec::new();
        let mut tx = db.begin().await?;
        for hit in hits {
            let id: String = on_tx!(&mut tx, connection => {
                let query = sqlx::query_scalar(SQL).bind(&hit.id).bind(&hit.server).bind(clean(&hit.account_id));
                let query = query.bind(clean(&hit.acct)).bind(clean(&hit.domain)).bind(clean(&hit.status_id));
                let query = query.bind(&hit.digest).bind(clean(&hit.rule)).bind(&hit.standing).bind(hit.weight);
                let query = query.bind(hit.ruleset).bind(Json(clean_json(&hit.evidence))).bind(&hit.case_id);
                query.bind(micros(hit.at)).fetch_one(connection).await
            })?;
            if id == hit.id {
                new.push(id);
            }
        }
        tx.commit().await?;
        Ok::<_, Error>(new)
    })
}

/// The evidence of a case, oldest first.
pub async fn of_case(db: &Db, case_id: &str, limit: u32) -> Result<Vec<Hit>, Error> {
    const SQL: &str = "SELECT * FROM rule_hits WHERE case_id = $1 ORDER BY id LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(case_id).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Hits of a rule, newest first, before an id.
pub async fn of_rule(db: &Db, rule: &str, before: Option<&str>, limit: u32) -> Result<Vec<Hit>, Error> {
    const SQL: &str = "
        SELECT * FROM rule_hits WHERE rule = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(rule).bind(before).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Other accounts that the same rules hit, those with most rules in common first: id, name and how many.
pub async fn similar(db: &Db, server: &str, account_id: &str, limit: u32) -> Result<Vec<(String, String, i64)>, Error> {
    const SQL: &str = "
        SELECT account_id, MAX(acct), COUNT(DISTINCT rule) FROM rule_hits
        WHERE server = $1 AND account_id <> $2
            AND rule IN (SELECT mine.rule FROM rule_hits mine WHERE mine.server = $1 AND mine.account_id = $2)
        GROUP BY account_id ORDER BY 3 DESC, 1 LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(server).bind(account_id).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Hits, accounts and cases of each rule since, by standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Numbers {
    /// Which rule.
    pub rule: String,
    /// `live`, `shadow`, `exempt`, `immune`.
    pub standing: String,
    /// What it matched.
    pub hits: i64,
    /// Of how many accounts.
    pub accounts: i64,
    /// The last time.
    pub last_at: DateTime<Utc>,
}

/// How each rule fared since.
pub async fn numbers(db: &Db, since: DateTime<Utc>) -> Result<Vec<Numbers>, Error> {
    const SQL: &str = "
        SELECT rule, standing, COUNT(*) AS hits, COUNT(DISTINCT server || '/' || account_id) AS accounts, MAX(at) AS last_at
        FROM rule_hits WHERE at >= $1 GROUP BY rule, standing ORDER BY rule, standing";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}

/// What people thought of the cases each rule spoke in: `(rule, confirmed, rejected)`. A rule's hits from before `since`
/// count no more.
pub async fn verdicts(db: &Db, since: DateTime<Utc>) -> Result<Vec<(String, i64, i64)>, Error> {
    const SQL: &str = "
        SELECT h.rule, COUNT(DISTINCT c.id) FILTER (WHERE c.verdict = 'confirmed'),
            COUNT(DISTINCT c.id) FILTER (WHERE c.verdict = 'rejected')
        FROM rule_hits h JOIN cases c ON c.id = h.case_id
        WHERE h.at >= $1 AND h.standing = 'live' AND c.verdict IS NOT NULL GROUP BY h.rule ORDER BY h.rule";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}

/// Each hit since, oldest first: `(at, standing)`, for the timeline.
pub async fn timeline(db: &Db, since: DateTime<Utc>) -> Result<Vec<(DateTime<Utc>, String)>, Error> {
    const SQL: &str = "SELECT at, standing FROM rule_hits WHERE at >= $1 ORDER BY at LIMIT 200000";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}

/// Forgets the words in hits from before `before`; that there was a hit, and of which rule, stays.
pub async fn forget(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    Ok(on_write!(db, pool => {
        let mut query = QueryBuilder::new("UPDATE rule_hits SET evidence = ");
        query.push_bind(Json(serde_json::json!({}))).push(" WHERE at < ").push_bind(micros(before));
        query.push(" AND evidence <> ").push_bind(Json(serde_json::json!({})));
        query.build().execute(pool).await.map(|done| done.rows_affected())
    })?)
}

/// Deletes hits from before `before` altogether.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM rule_hits WHERE at < $1";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}

/// Live hits of an account that are in no case, or in one that is not over, oldest first.
pub async fn live_of(db: &Db, server: &str, account_id: &str, limit: u32) -> Result<Vec<Hit>, Error> {
    const SQL: &str = "
        SELECT * FROM (
            SELECT h.* FROM rule_hits h WHERE h.server = $1 AND h.account_id = $2 AND h.standing = 'live'
                AND (h.case_id IS NULL OR EXISTS (SELECT 1 FROM cases c WHERE c.id = h.case_id AND c.ended_at IS NULL))
            ORDER BY h.id DESC LIMIT $3
        ) newest ORDER BY id";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(server).bind(account_id).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// These are the evidence of a case from now on.
pub async fn attach(db: &Db, case_id: &str, ids: &[String]) -> Result<(), Error> {
    for chunk in ids.chunks(500) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("UPDATE rule_hits SET case_id = ");
            query.push_bind(case_id).push(" WHERE id IN (");
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}
