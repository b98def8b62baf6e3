//! What servers push to us: stored before it is answered, once however often it is delivered, then claimed by whoever
//! wants it.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder};

use crate::{Db, Error, db::micros, dialect, list::push_list, text::clean};

/// A note that a server pushed. Its body holds addresses and private words, so it does not print.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct WebhookEvent {
    /// UUID v7.
    pub id: String,
    /// Whose, `host[:port]`.
    pub server: String,
    /// The job that wants it. One note that several want is a row for each.
    pub job: String,
    /// `account.created`, …
    pub event: String,
    /// Id of what it is about; empty where it names none.
    pub object_id: String,
    /// SHA-256 of the body as it came, in hex.
    pub digest: String,
    /// The body; empty once done.
    pub body: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

impl std::fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookEvent")
            .field("id", &self.id)
            .field("server", &self.server)
            .field("event", &self.event)
            .field("object_id", &self.object_id)
            .finish_non_exhaustive()
    }
}

/// Stores an event unless the same body came before from that server for that job; `false` then.
pub async fn insert(db: &Db, event: &WebhookEvent) -> Result<bool, Error> {
    const SQL: &str = "
        INSERT INTO webhook_events (id, server, event, object_id, digest, body, received_at, job)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (server, digest, job) DO NOTHING";
    let inserted = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&event.id).bind(&event.server).bind(clean(&event.event));
        let query = query.bind(clean(&event.object_id)).bind(&event.digest).bind(clean(&event.body));
        query.bind(event.received_at).bind(&event.job).execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(inserted > 0)
}

/// Claims up to `limit` events for a job that are not done, oldest first, for `holder` until `until`; no other claim
/// sees them before.
pub async fn claim(
    db: &Db,
    server: &str,
    job: &str,
    holder: &str,
    limit: u32,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<WebhookEvent>, Error> {
    let claimed = again!(async {
        let rows: Vec<WebhookEvent> = on_write!(db, pool => {
            let mut query = QueryBuilder::new(
                "WITH open (open_id) AS MATERIALIZED (SELECT id FROM webhook_events WHERE done_at IS NULL AND server = ");
            query.push_bind(server).push(" AND job = ").push_bind(job);
            query.push(" AND (claimed_until IS NULL OR claimed_until <= ").push_bind(now);
            query.push(") ORDER BY id LIMIT ").push_bind(i64::from(limit)).push(dialect::skip_locked(db));
            query.push(") UPDATE webhook_events SET claimed_by = ").push_bind(holder);
            query.push(", claimed_until = ").push_bind(micros(until));
            query.push(" FROM open WHERE id = open_id RETURNING id, server, job, event, object_id, digest, body, received_at");
            query.build_query_as().fetch_all(pool).await
        })?;
        Ok::<_, Error>(rows)
    });
    let mut claimed = claimed?;
    claimed.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(claimed)
}

/// Whoever claimed them has looked: their bodies are forgotten, their digests kept against redeliveries.
pub async fn mark_done(db: &Db, ids: &[String], now: DateTime<Utc>) -> Result<(), Error> {
    for chunk in ids.chunks(1000) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("UPDATE webhook_events SET body = '', done_at = ");
            query.push_bind(now).push(", claimed_by = NULL, claimed_until = NULL WHERE id IN (");
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Whoever claimed them could not look: they are free again from `until` on.
pub async fn let_go(db: &Db, holder: &str, until: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE webhook_events SET claimed_until = $2 WHERE claimed_by = $1 AND done_at IS NULL";
    on_write!(db, pool => sqlx::query(SQL).bind(holder).bind(micros(until)).execute(pool).await.map(drop))?;
    Ok(())
}

/// A note that was signed well and could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, FromRow)]
pub struct Letter {
    /// UUID v7.
    pub id: String,
    /// Whose.
    pub server: String,
    /// As far as it could be told.
    pub event: String,
    /// What was wrong with it.
    pub why: String,
    /// Its length in bytes. No word of it is kept.
    pub size: i64,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// Keeps that a note could not be read. A server that sends many of them fills no table: of each hour, event and reason
/// the first is kept.
pub async fn keep_letter(db: &Db, letter: &Letter) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO webhook_letters (id, server, event, why, size, received_at)
        SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (
            SELECT 1 FROM webhook_letters WHERE server = $2 AND event = $3 AND why = $4 AND received_at > $7)";
    let since = micros(letter.received_at - chrono::TimeDelta::hours(1));
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&letter.id).bind(&letter.server).bind(clean(&letter.event));
        let query = query.bind(clean(&letter.why)).bind(letter.size).bind(micros(letter.received_at));
        query.bind(since).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// The newest of them.
pub async fn letters(db: &Db, limit: u32) -> Result<Vec<Letter>, Error> {
    const SQL: &str = "SELECT * FROM webhook_letters ORDER BY id DESC LIMIT $1";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// How many of these kinds wait, from all servers.
pub async fn waiting(db: &Db) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "
        SELECT event, COUNT(*) FROM webhook_events WHERE done_at IS NULL GROUP BY event ORDER BY event";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Deletes what came before `before`, done or not: by then the truth was asked for in other ways.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM webhook_events WHERE received_at < $1";
    const LETTERS: &str = "DELETE FROM webhook_letters WHERE received_at < $1";
    on_write!(db, pool => sqlx::query(LETTERS).bind(before).execute(pool).await.map(drop))?;
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
