//! Rules added on the page, beside those of the config.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, types::Json};

use crate::{
    Db, Error,
    text::{clean, clean_json},
};

/// A rule as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct StoredRule {
    /// By which its verdicts are explained.
    pub name: String,
    /// As in the config.
    #[sqlx(json)]
    pub rule: Value,
    /// Who: [`CONFIG`], or a person.
    pub changed_by: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// Inserts or replaces one that a person wrote; `false` when the config has one of that name.
pub async fn save_rule(db: &Db, rule: &StoredRule) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO applicant_rules (name, rule, changed_by, changed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET rule = excluded.rule, changed_by = excluded.changed_by,
            changed_at = excluded.changed_at
        WHERE applicant_rules.changed_by <> 'config'";
    let saved = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(clean(&rule.name)).bind(Json(clean_json(&rule.rule)));
        query.bind(clean(&rule.changed_by)).bind(rule.changed_at).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(saved > 0)
}

/// Who wrote what stands in the config file.
pub const CONFIG: &str = "config";

/// Shows the config's rules beside those of the page: those that are not in it any more go. One transaction.
pub async fn show_config_rules(db: &Db, rules: &[StoredRule]) -> Result<(), Error> {
    const CLEAR: &str = "DELETE FROM applicant_rules WHERE changed_by = $1";
    const SQL: &str = "
        INSERT INTO applicant_rules (name, rule, changed_by, changed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET rule = excluded.rule, changed_by = excluded.changed_by,
            changed_at = excluded.changed_at";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, connection => sqlx::query(CLEAR).bind(CONFIG).execute(connection).await.map(drop))?;
    for rule in rules {
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(SQL).bind(clean(&rule.name)).bind(Json(clean_json(&rule.rule))).bind(CONFIG);
            query.bind(rule.changed_at).execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await
}

/// Deletes one that a person wrote; `false` when there was none.
pub async fn delete_rule(db: &Db, name: &str) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM applicant_rules WHERE name = $1 AND changed_by <> 'config'";
    let deleted =
        on_write!(db, pool => sqlx::query(SQL).bind(name).execute(pool).await.map(|done| done.rows_affected()))?;
    Ok(deleted > 0)
}

/// All of them, by name.
pub async fn rules(db: &Db) -> Result<Vec<StoredRule>, Error> {
    const SQL: &str = "SELECT name, rule, changed_by, changed_at FROM applicant_rules ORDER BY name";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}
