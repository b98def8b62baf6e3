//! Plans of blocks, and what we publish.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, Type, types::Json};

use crate::{
    Db, Error,
    text::{clean, clean_json},
};

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Made; what it may do alone is done, the rest waits for a human.
    Open,
    /// A human agreed: the next run carries it out.
    Approved,
    /// A human said no.
    Dismissed,
    /// Carried out.
    Applied,
    /// A newer one took its place.
    Stale,
}

/// A plan for one server.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Plan {
    /// Which server, `host[:port]`.
    pub server: String,
    /// Names it.
    pub hash: String,
    /// By which policy.
    pub policy: String,
    /// What became of it.
    pub state: State,
    /// The plan itself.
    #[sqlx(json)]
    pub plan: Value,
    /// Who approved or dismissed it.
    pub who: Option<String>,
    /// The run that carried it out.
    pub run: Option<String>,
    /// When it was first made.
    pub made_at: DateTime<Utc>,
    /// Last change of its state.
    pub changed_at: DateTime<Utc>,
}

/// Something we publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Output {
    /// Its name in the config.
    pub name: String,
    /// Media type.
    pub kind: String,
    /// The text.
    pub body: String,
    /// Ed25519 over its SHA-256, in base64.
    pub signature: Option<String>,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// Remembers lists and policies as they are used, for pages.
pub async fn save_config(db: &Db, config: &Value, now: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO block_config (id, config, saved_at) VALUES ('blocklists', $1, $2)
        ON CONFLICT (id) DO UPDATE SET config = excluded.config, saved_at = excluded.saved_at";
    on_write!(db, pool => sqlx::query(SQL).bind(Json(clean_json(config))).bind(now).execute(pool).await.map(drop))?;
    Ok(())
}

/// Lists and policies as they were last used.
pub async fn config(db: &Db) -> Result<Option<Value>, Error> {
    const SQL: &str = "SELECT config FROM block_config WHERE id = 'blocklists'";
    let found: Option<Json<Value>> = on!(db, pool => sqlx::query_scalar(SQL).fetch_optional(pool).await)?;
    Ok(found.map(|Json(config)| config))
}

/// Saves a plan as the server's newest of its policy; other open ones become stale. One that is there already keeps its state.
/// `false` when it was there.
pub async fn save(db: &Db, plan: &Plan) -> Result<bool, Error> {
    again!(save_once(db, plan))
}

async fn save_once(db: &Db, plan: &Plan) -> Result<bool, Error> {
    const STALE: &str = "
        UPDATE block_plans SET state = 'stale', changed_at = $3
        WHERE server = $1 AND hash <> $2 AND policy = $4 AND state IN ('open', 'approved')";
    const INSERT: &str = "
        INSERT INTO block_plans (server, hash, policy, state, plan, who, run, made_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (server, hash) DO NOTHING";
    // What comes back after it was stale, or applied and needed again, is open once more; a no stays a no.
    const REOPEN: &str = "
        UPDATE block_plans SET state = $5, plan = $3, made_at = $4, changed_at = $4
        WHERE server = $1 AND hash = $2 AND state IN ('stale', 'applied')";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, connection => {
        let query = sqlx::query(STALE).bind(&plan.server).bind(&plan.hash).bind(plan.made_at).bind(&plan.policy);
        query.execute(connection).await.map(drop)
    })?;
    let new = on_tx!(&mut tx, connection => {
        let query = sqlx::query(INSERT).bind(&plan.server).bind(&plan.hash).bind(&plan.policy).bind(plan.state);
        let query = query.bind(Json(clean_json(&plan.plan))).bind(plan.who.as_deref()).bind(plan.run.as_deref());
        query.bind(plan.made_at).bind(plan.changed_at).execute(connection).await.map(|done| done.rows_affected())
    })?;
    if new == 0 {
        on_tx!(&mut tx, connection => {
            let query = sqlx::query(REOPEN).bind(&plan.server).bind(&plan.hash).bind(Json(clean_json(&plan.plan)));
            query.bind(plan.made_at).bind(plan.state).execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await?;
    Ok(new > 0)
}

/// One plan, by its hash or how that begins (8 characters at least).
pub async fn load(db: &Db, hash: &str) -> Result<Option<Plan>, Error> {
    const SQL: &str = "SELECT * FROM block_plans WHERE hash >= $1 AND hash < $2 ORDER BY made_at DESC LIMIT 1";
    if hash.len() < 8 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    // `g` comes after every hexadecimal digit.
    let hash = hash.to_ascii_lowercase();
    let end = format!("{hash}g");
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(&hash).bind(&end).fetch_optional(pool).await)?)
}

/// Plans that are open or approved, by server, the newest first.
pub async fn open(db: &Db) -> Result<Vec<Plan>, Error> {
    const SQL: &str = "SELECT * FROM block_plans WHERE state IN ('open', 'approved') ORDER BY server, made_at DESC";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// What is open or approved and, where that is nothing of a server's policy, the last plan of it that was applied: it tells
/// what stays and why.
pub async fn current(db: &Db) -> Result<Vec<Plan>, Error> {
    const SQL: &str = "
        SELECT * FROM block_plans AS this WHERE state IN ('open', 'approved') OR (state = 'applied'
            AND policy <> 'clear' AND policy NOT LIKE 'undo%' AND made_at = (
                SELECT MAX(made_at) FROM block_plans AS other
                WHERE other.server = this.server AND other.policy = this.policy
                    AND other.state IN ('open', 'approved', 'applied')))
        ORDER BY server, made_at DESC";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Moves a plan on; `false` when it is neither open nor approved.
pub async fn advance(
    db: &Db,
    server: &str,
    hash: &str,
    to: State,
    who: Option<&str>,
    run: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE block_plans SET state = $3, who = COALESCE($4, who), run = COALESCE($5, run), changed_at = $6
        WHERE server = $1 AND hash = $2 AND state IN ('open', 'approved')";
    let moved = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(server).bind(hash).bind(to).bind(who.map(clean)).bind(run);
        query.bind(now).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(moved > 0)
}

/// Forgets plans last touched before `before` that nobody waits for.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM block_plans WHERE state = 'stale' AND changed_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}

/// Publishes a text under its name.
pub async fn publish(db: &Db, output: &Output) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO block_outputs (name, kind, body, signature, made_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, body = excluded.body, signature = excluded.signature,
            made_at = excluded.made_at";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&output.name).bind(&output.kind).bind(clean(&output.body));
        query.bind(output.signature.as_deref()).bind(output.made_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// What is published under a name.
pub async fn output(db: &Db, name: &str) -> Result<Option<Output>, Error> {
    const SQL: &str = "SELECT * FROM block_outputs WHERE name = $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(name).fetch_optional(pool).await)?)
}
