//! The ledger: every write on somebody else's server, planned, sent, answered.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder, Type, types::Json};

use crate::{
    Db, Error,
    list::push_list,
    text::{clean, clean_json, clean_opt},
};

/// Rows in one statement.
const CHUNK: usize = 500;

/// How far an effect has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Planned while observing; never counts as done.
    Rehearsed,
    /// Waits: quota used up, panic stop, or a human must agree.
    Held,
    /// About to be sent; found after a crash it is reconciled by asking the server.
    Intended,
    /// Carried out.
    Done,
    /// The server refused it.
    Failed,
    /// Undone later.
    Undone,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Effect {
    /// UUID v7.
    pub id: String,
    /// `blocklists`, …
    pub feature: String,
    /// Which server, `host[:port]`.
    pub server: String,
    /// `domain_block.create`, `report.create`, …
    pub kind: String,
    /// What it is about, the same for the same wish: makes a second one impossible while the first is alive.
    pub key: String,
    /// What is sent.
    #[sqlx(json)]
    pub intent: Value,
    /// Why: rule, list, evidence, who agreed.
    #[sqlx(json)]
    pub reason: Value,
    /// How far.
    pub state: State,
    /// Why it waits or failed.
    pub note: Option<String>,
    /// What came back.
    #[sqlx(json(nullable))]
    pub result: Option<Value>,
    /// Planned.
    pub planned_at: DateTime<Utc>,
    /// Last change.
    pub changed_at: DateTime<Utc>,
}

/// Records an effect unless one with the same feature, server, kind and key is `Held`, `Intended` or `Done`; `None` then.
///
/// Of the rehearsals of one wish only the newest is kept, under its own id.
pub async fn insert(db: &Db, effect: &Effect) -> Result<Option<()>, Error> {
    // The question keeps rehearsals of what is alive out; among living effects the unique index decides.
    const ALIVE: &str = "
        INSERT INTO effects (id, feature, server, kind, key, intent, reason, state, note, result, planned_at, changed_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
        WHERE NOT EXISTS (SELECT 1 FROM effects WHERE feature = $2 AND server = $3 AND kind = $4 AND key = $5
            AND state IN ('held', 'intended', 'done'))
        ON CONFLICT (feature, server, kind, key) WHERE state IN ('held', 'intended', 'done') DO NOTHING";
    if effect.state == State::Rehearsed {
        let kept = rehearse(db, std::slice::from_ref(effect)).await?;
        return Ok((kept > 0).then_some(()));
    }
    let inserted = on_write!(db, pool => {
        let query = sqlx::query(ALIVE).bind(&effect.id).bind(&effect.feature).bind(&effect.server);
        let query = query.bind(&effect.kind).bind(&effect.key);
        let query = query.bind(Json(clean_json(&effect.intent))).bind(Json(clean_json(&effect.reason)));
        let query = query.bind(effect.state).bind(clean_opt(effect.note.as_deref()));
        let query = query.bind(effect.result.as_ref().map(|result| Json(clean_json(result))));
        let query = query.bind(effect.planned_at).bind(effect.changed_at);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok((inserted > 0).then_some(()))
}

/// Records rehearsals, each unless an effect of the same feature, server, kind and key is `Held`, `Intended` or `Done`. Of
/// the rehearsals of one wish only the newest is kept, under its own id. Gives how many were kept.
pub async fn rehearse(db: &Db, effects: &[Effect]) -> Result<u64, Error> {
    const COLUMNS: &str = "id, feature, server, kind, key, intent, reason, note, planned_at, changed_at";
    // One statement cannot replace what it has just put there.
    let mut newest: BTreeMap<_, &Effect> = BTreeMap::new();
    for effect in effects {
        newest.insert((&effect.feature, &effect.server, &effect.kind, &effect.key), effect);
    }
    let newest: Vec<&Effect> = newest.into_values().collect();
    let mut kept = 0;
    for chunk in newest.chunks(CHUNK) {
        kept += on_write!(db, pool => {
            let mut query = QueryBuilder::new("WITH wished (");
            query.push(COLUMNS).push(") AS (");
            query.push_values(chunk, |mut values, effect| {
                values.push_bind(&effect.id).push_bind(&effect.feature).push_bind(&effect.server);
                values.push_bind(&effect.kind).push_bind(&effect.key).push_bind(Json(clean_json(&effect.intent)));
                values.push_bind(Json(clean_json(&effect.reason))).push_bind(clean_opt(effect.note.as_deref()));
                values.push_bind(effect.planned_at).push_bind(effect.changed_at);
            });
            query.push(") INSERT INTO effects (").push(COLUMNS).push(", state) SELECT ").push(COLUMNS);
            query.push(
                ", 'rehearsed' FROM wished WHERE NOT EXISTS (SELECT 1 FROM effects alive
                    WHERE alive.feature = wished.feature AND alive.server = wished.server AND alive.kind = wished.kind
                        AND alive.key = wished.key AND alive.state IN ('held', 'intended', 'done'))
                ON CONFLICT (feature, server, kind, key) WHERE state = 'rehearsed' DO UPDATE SET
                    id = excluded.id, intent = excluded.intent, reason = excluded.reason, note = excluded.note,
                    result = NULL, planned_at = excluded.planned_at, changed_at = excluded.changed_at",
            );
            query.build().execute(pool).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(kept)
}

/// Moves from one state to another; `false` when it was not in `from` (somebody else was faster) or when another
/// effect for the same wish is alive.
pub async fn advance(
    db: &Db,
    id: &str,
    from: State,
    to: State,
    note: Option<&str>,
    result: Option<&Value>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE effects SET state = $3, note = $4, result = COALESCE($5, result), changed_at = $6
        WHERE id = $1 AND state = $2";
    let moved = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(id).bind(from).bind(to).bind(clean_opt(note));
        let query = query.bind(result.map(|result| Json(clean_json(result)))).bind(now);
        query.execute(pool).await.map(|done| done.rows_affected())
    });
    match moved {
        Ok(rows) => Ok(rows > 0),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sends a held effect on its way, or says anew why it waits: with what its wish says now, as `held` has it. `false` when
/// somebody moved it, held it back or let it go since it was read.
///
/// # Errors
/// When the database does not take it.
pub async fn go_on(db: &Db, held: &Effect, to: State, note: Option<&str>, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE effects SET state = $3, note = $4, intent = $5, reason = $6, changed_at = $7
        WHERE id = $1 AND state = 'held' AND COALESCE(note, '') = $2";
    let moved = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&held.id).bind(held.note.as_deref().unwrap_or_default()).bind(to);
        let query = query.bind(clean_opt(note)).bind(Json(clean_json(&held.intent)));
        let query = query.bind(Json(clean_json(&held.reason))).bind(now);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(moved > 0)
}

/// One effect.
pub async fn load(db: &Db, id: &str) -> Result<Option<Effect>, Error> {
    const SQL: &str = "SELECT * FROM effects WHERE id = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(id).fetch_optional(pool).await)?)
}

/// The effect of this wish that is alive (`Held`, `Intended` or `Done`): at most one.
pub async fn alive(db: &Db, feature: &str, server: &str, kind: &str, key: &str) -> Result<Option<Effect>, Error> {
    const SQL: &str = "
        SELECT * FROM effects WHERE feature = $1 AND server = $2 AND kind = $3 AND key = $4
            AND state IN ('held', 'intended', 'done')";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(feature).bind(server).bind(kind).bind(key).fetch_optional(pool).await
    })?)
}

/// Effects of a feature (or all) in a state (or any), newest first, before an id.
pub async fn list(
    db: &Db,
    feature: Option<&str>,
    state: Option<State>,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Effect>, Error> {
    let filter = Filter {
        feature: feature.map(str::to_owned),
        state,
        before: before.map(str::to_owned),
        ..Filter::default()
    };
    search(db, &filter, limit).await
}

/// Which effects; an empty filter means all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this feature.
    pub feature: Option<String>,
    /// Of one of these parts; `None` for any.
    pub among: Option<Vec<Part>>,
    /// In this state.
    pub state: Option<State>,
    /// For this server.
    pub server: Option<String>,
    /// Older than this one.
    pub before: Option<String>,
}

/// A part of all effects: what somebody looks after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of this feature; `None` for any.
    pub feature: Option<String>,
    /// For these servers; `None` for any.
    pub servers: Option<Vec<String>>,
}

impl Part {
    /// Whether an effect of this feature for this server is in it.
    pub fn has(&self, feature: &str, server: &str) -> bool {
        self.feature.as_deref().is_none_or(|own| own == feature)
            && self
                .servers
                .as_ref()
                .is_none_or(|own| own.iter().any(|host| host == server))
    }
}

/// Effects that pass the filter, newest first.
pub async fn search(db: &Db, filter: &Filter, limit: u32) -> Result<Vec<Effect>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM effects WHERE 1 = 1");
        if let Some(feature) = &filter.feature {
            query.push(" AND feature = ").push_bind(feature);
        }
        if let Some(among) = &filter.among {
            query.push(" AND (1 = 0");
            for part in among {
                query.push(" OR (1 = 1");
                if let Some(feature) = &part.feature {
                    query.push(" AND feature = ").push_bind(feature);
                }
                if let Some(servers) = &part.servers {
                    // An empty list is nobody's, and no SQL either.
                    query.push(" AND server IN (");
                    push_list(&mut query, servers);
                }
                query.push(")");
            }
            query.push(")");
        }
        if let Some(state) = filter.state {
            query.push(" AND state = ").push_bind(state);
        }
        if let Some(server) = &filter.server {
            query.push(" AND server = ").push_bind(server);
        }
        if let Some(before) = &filter.before {
            query.push(" AND id < ").push_bind(before);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// How many effects wait, by feature and server.
pub async fn waiting(db: &Db) -> Result<Vec<(String, String, i64)>, Error> {
    const SQL: &str = "
        SELECT feature, server, COUNT(*) FROM effects WHERE state = 'held'
        GROUP BY feature, server ORDER BY feature, server";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Effects of a feature that were `Intended` or `Done` since.
pub async fn sent_since(db: &Db, feature: &str, since: DateTime<Utc>) -> Result<i64, Error> {
    const SQL: &str = "
        SELECT COUNT(*) FROM effects WHERE feature = $1 AND state IN ('intended', 'done') AND changed_at >= $2";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(feature).bind(since).fetch_one(pool).await)?)
}

/// Whether the panic stop holds all effects, and who set it when.
pub async fn panic_stop(db: &Db) -> Result<Option<(String, DateTime<Utc>)>, Error> {
    const SQL: &str = "SELECT who, set_at FROM panic_stops";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_optional(pool).await)?)
}

/// Sets (`Some(who)`) or lifts it. Set again, it keeps who was first.
pub async fn set_panic_stop(db: &Db, who: Option<&str>, now: DateTime<Utc>) -> Result<(), Error> {
    const SET: &str = "INSERT INTO panic_stops (id, who, set_at) VALUES ('all', $1, $2) ON CONFLICT (id) DO NOTHING";
    const LIFT: &str = "DELETE FROM panic_stops";
    on_write!(db, pool => match who {
        Some(who) => sqlx::query(SET).bind(clean(who)).bind(now).execute(pool).await.map(drop),
        None => sqlx::query(LIFT).execute(pool).await.map(drop),
    })?;
    Ok(())
}

/// Deletes what never reached anybody (rehearsed, failed) and was last touched before `before`. What was done stays:
/// it is what can be explained and undone.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM effects WHERE state IN ('rehearsed', 'failed') AND changed_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
