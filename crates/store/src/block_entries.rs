//! Who owns which block on our servers, and every change we made to one.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder, Type, types::Json};

use crate::{
    Db, Error,
    db::LAST,
    effects::Effect,
    list::push_list,
    text::{clean, clean_json, clean_opt, like},
};

/// Whose a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Made or adopted by us, and as we left it.
    Ours,
    /// A moderator changed it since: theirs until adopted.
    Drifted,
    /// It was ours and a moderator lifted it, or said that it is not wanted.
    Dismissed,
    /// The server says that a parent's block covers it.
    Covered,
    /// The server refuses it for good.
    Quarantined,
}

/// One domain on one server.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Entry {
    /// Which server, `host[:port]`.
    pub server: String,
    /// Which domain.
    pub domain: String,
    /// Whose.
    pub state: State,
    /// Its id there.
    pub block_id: Option<String>,
    /// As the server showed it after our last change.
    #[sqlx(json(nullable))]
    pub written: Option<Value>,
    /// As it was before our first one; `None` when there was none.
    #[sqlx(json(nullable))]
    pub before: Option<Value>,
    /// Who wanted it.
    #[sqlx(json)]
    pub reason: Value,
    /// The last change.
    pub change: Option<String>,
    /// Wanted harder, but followed, since.
    pub capped_since: Option<DateTime<Utc>>,
    /// Those whose follows it would end can hear of it, since.
    pub told_at: Option<DateTime<Utc>>,
    /// For people.
    pub note: Option<String>,
    /// First touched.
    pub created_at: DateTime<Utc>,
    /// Last touched.
    pub changed_at: DateTime<Utc>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Change {
    /// The effect's id.
    pub id: String,
    /// Which run or command made it.
    pub run: String,
    /// On which server.
    pub server: String,
    /// Of which domain.
    pub domain: String,
    /// `create`, `update`, `delete`.
    pub action: String,
    /// The block before.
    #[sqlx(json(nullable))]
    pub before: Option<Value>,
    /// And after.
    #[sqlx(json(nullable))]
    pub after: Option<Value>,
    /// Why.
    #[sqlx(json)]
    pub reason: Value,
    /// Follows counted before it.
    pub follows: Option<i64>,
    /// The job, or who approved it.
    pub who: String,
    /// The run that undid it.
    pub undone_by: Option<String>,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// A run's changes in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Run {
    /// Its id.
    pub run: String,
    /// On which server.
    pub server: String,
    /// The job, or who approved it.
    pub who: String,
    /// Blocks made.
    pub created: i64,
    /// Changed.
    pub updated: i64,
    /// Lifted.
    pub deleted: i64,
    /// Changes undone since.
    pub undone: i64,
    /// Its last change.
    pub changed_at: DateTime<Utc>,
}

/// Everything known of a server's blocks, by domain.
pub async fn list(db: &Db, server: &str) -> Result<Vec<Entry>, Error> {
    const SQL: &str = "SELECT * FROM block_entries WHERE server = $1 ORDER BY domain";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).fetch_all(pool).await)?)
}

/// A domain on all servers.
pub async fn of_domain(db: &Db, domain: &str) -> Result<Vec<Entry>, Error> {
    const SQL: &str = "SELECT * FROM block_entries WHERE domain = $1 ORDER BY server";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(domain).fetch_all(pool).await)?)
}

/// Domains that contain a text, on these servers or over all, behind `after` (a domain and a server; empty for the first).
pub async fn search(
    db: &Db,
    servers: Option<&[String]>,
    text: &str,
    after: (&str, &str),
    limit: u32,
) -> Result<Vec<Entry>, Error> {
    let pattern = format!("%{}%", like(&text.to_lowercase()));
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM block_entries WHERE domain LIKE ");
        query.push_bind(pattern).push(" ESCAPE '!' AND (domain > ").push_bind(after.0);
        query.push(" OR (domain = ").push_bind(after.0).push(" AND server > ").push_bind(after.1).push("))");
        if let Some(servers) = servers {
            query.push(" AND server IN (");
            push_list(&mut query, servers);
        }
        query.push(" ORDER BY domain, server LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// The statement that saves an entry. A macro, since its type differs between the engines.
macro_rules! put {
    ($entry:expr) => {{
        let entry: &Entry = $entry;
        let query = sqlx::query(SAVE)
            .bind(&entry.server)
            .bind(clean(&entry.domain))
            .bind(entry.state);
        let query = query
            .bind(clean_opt(entry.block_id.as_deref()))
            .bind(json(entry.written.as_ref()));
        let query = query
            .bind(json(entry.before.as_ref()))
            .bind(Json(clean_json(&entry.reason)));
        let query = query
            .bind(entry.change.as_deref())
            .bind(entry.capped_since)
            .bind(clean_opt(entry.note.as_deref()));
        query.bind(entry.created_at).bind(entry.changed_at).bind(entry.told_at)
    }};
}

const SAVE: &str = "
    INSERT INTO block_entries (server, domain, state, block_id, written, before, reason, change, capped_since, note,
        created_at, changed_at, told_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (server, domain) DO UPDATE SET state = excluded.state, block_id = excluded.block_id,
        written = excluded.written, before = excluded.before, reason = excluded.reason, change = excluded.change,
        capped_since = excluded.capped_since, note = excluded.note, changed_at = excluded.changed_at,
        told_at = excluded.told_at";

fn json(value: Option<&Value>) -> Option<Json<Value>> {
    value.map(|value| Json(clean_json(value)))
}

/// Inserts or updates what is known of a domain.
pub async fn save(db: &Db, entry: &Entry) -> Result<(), Error> {
    on_write!(db, pool => put!(entry).execute(pool).await.map(drop))?;
    Ok(())
}

/// Records a change together with what is known now, in one transaction; `entry: None` forgets the domain. A change
/// that is there already stays as it is.
pub async fn record(db: &Db, change: &Change, entry: Option<&Entry>) -> Result<(), Error> {
    again!(record_once(db, change, entry))
}

async fn record_once(db: &Db, change: &Change, entry: Option<&Entry>) -> Result<(), Error> {
    const INSERT: &str = "
        INSERT INTO block_changes (id, run, server, domain, action, before, after, reason, follows, who, undone_by, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING";
    const FORGET: &str = "DELETE FROM block_entries WHERE server = $1 AND domain = $2";
    let mut tx = db.begin().await?;
    on_tx!(&mut tx, connection => {
        let query = sqlx::query(INSERT).bind(&change.id).bind(&change.run).bind(&change.server).bind(clean(&change.domain));
        let query = query.bind(&change.action).bind(json(change.before.as_ref())).bind(json(change.after.as_ref()));
        let query = query.bind(Json(clean_json(&change.reason))).bind(change.follows).bind(clean(&change.who));
        query.bind(change.undone_by.as_deref()).bind(change.changed_at).execute(connection).await.map(drop)
    })?;
    match entry {
        Some(entry) => on_tx!(&mut tx, connection => put!(entry).execute(connection).await.map(drop))?,
        None => on_tx!(&mut tx, connection => {
            sqlx::query(FORGET).bind(&change.server).bind(&change.domain).execute(connection).await.map(drop)
        })?,
    }
    tx.commit().await
}

/// Forgets a domain on a server.
pub async fn delete(db: &Db, server: &str, domain: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM block_entries WHERE server = $1 AND domain = $2";
    on_write!(db, pool => sqlx::query(SQL).bind(server).bind(domain).execute(pool).await.map(drop))?;
    Ok(())
}

/// A run's changes, in the order they were made.
pub async fn of_run(db: &Db, run: &str) -> Result<Vec<Change>, Error> {
    const SQL: &str = "SELECT * FROM block_changes WHERE run = $1 ORDER BY id";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(run).fetch_all(pool).await)?)
}

/// A domain's changes on all servers, newest first.
pub async fn changes(db: &Db, domain: &str, limit: u32) -> Result<Vec<Change>, Error> {
    const SQL: &str = "SELECT * FROM block_changes WHERE domain = $1 ORDER BY id DESC LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(domain).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// Runs that changed something on these servers, or on any, newest first; those that ended before `before`, a time and a
/// run.
pub async fn runs(
    db: &Db,
    servers: Option<&[String]>,
    before: Option<(DateTime<Utc>, &str)>,
    limit: u32,
) -> Result<Vec<Run>, Error> {
    const SQL: &str = "
        SELECT run, server, MIN(who) AS who, COUNT(*) FILTER (WHERE action = 'create') AS created,
            COUNT(*) FILTER (WHERE action = 'update') AS updated, COUNT(*) FILTER (WHERE action = 'delete') AS deleted,
            COUNT(undone_by) AS undone, MAX(changed_at) AS changed_at
        FROM block_changes";
    // Without a bound: later than anything, and still a time to both engines.
    let (at, run) = before.unwrap_or((LAST, ""));
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new(SQL);
        if let Some(servers) = servers {
            query.push(" WHERE server IN (");
            push_list(&mut query, servers);
        }
        query.push(" GROUP BY run, server HAVING MAX(changed_at) < ").push_bind(at);
        query.push(" OR (MAX(changed_at) = ").push_bind(at).push(" AND run < ").push_bind(run);
        query.push(") ORDER BY MAX(changed_at) DESC, run DESC LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// A change was undone by a run.
pub async fn mark_undone(db: &Db, id: &str, by: &str) -> Result<(), Error> {
    const SQL: &str = "UPDATE block_changes SET undone_by = $2 WHERE id = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(id).bind(by).execute(pool).await.map(drop))?;
    Ok(())
}

/// Effects on a server that were sent, or may have been, and are not in the record of changes: the process died in
/// between. Oldest first.
pub async fn unrecorded(db: &Db, server: &str) -> Result<Vec<Effect>, Error> {
    const SQL: &str = "
        SELECT * FROM effects WHERE feature = 'blocklists' AND server = $1 AND state IN ('intended', 'done')
            AND NOT EXISTS (SELECT 1 FROM block_changes WHERE block_changes.id = effects.id)
        ORDER BY id";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(server).fetch_all(pool).await)?)
}

/// The last change of a domain on a server: what the next one comes after.
pub async fn last_change(db: &Db, server: &str, domain: &str) -> Result<Option<String>, Error> {
    const SQL: &str = "SELECT id FROM block_changes WHERE server = $1 AND domain = $2 ORDER BY id DESC LIMIT 1";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(server).bind(domain).fetch_optional(pool).await)?)
}
