//! Statuses that a server should have, and what became of each: the one mechanism behind replies and backfill.
//!
//! ```text
//! wanted ─claim─► claimed ─resolve, verify─► done
//!   ▲                │                        failed (gave up, reason kept)
//!   └──not arrived───┘                        gone · blocked
//! ```

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Type};

use crate::{
    Db, Error,
    db::micros,
    dialect,
    list::push_list,
    newest::{Before, merge},
    text::{clean, clean_opt, is_key},
};

/// Rows in one statement: 13 columns each, and SQLite takes 32,766 parameters.
const CHUNK: usize = 1000;

/// What became of a wanted status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// To be fetched, not before `next_try_at`.
    Wanted,
    /// The server has it: seen there with its own id or listed in a context.
    Done,
    /// Given up after the limit of tries.
    Failed,
    /// Deleted at its origin.
    Gone,
    /// Its host is blocked by our server or by the operator.
    Blocked,
}

/// A status that a server should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Wanted {
    /// Our server's host.
    pub server: String,
    /// Which status.
    pub uri: String,
    /// Its origin's host.
    pub host: String,
    /// Who wants it: `replies`, `backfill`.
    pub feature: String,
    /// The status on our server in whose context it should appear.
    pub thread: Option<String>,
    /// Its parent's uri, where known.
    pub in_reply_to: Option<String>,
    /// What became of it.
    pub state: State,
    /// Its id on our server, once there.
    pub status_id: Option<String>,
    /// Times the server was asked to fetch it.
    pub tries: i64,
    /// Why the last try failed, for people.
    pub reason: Option<String>,
    /// Not before this.
    pub next_try_at: DateTime<Utc>,
    /// First wanted.
    pub found_at: DateTime<Utc>,
    /// Done, failed, gone or blocked since.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Adds those not there yet (in any state) and gives how many were new. One transaction.
///
/// A uri longer than any server makes (2 KiB) is not kept, nor is the row of a thread with such a uri.
pub async fn insert(db: &Db, wanted: &[Wanted]) -> Result<u64, Error> {
    let fits = |row: &&Wanted| is_key(&row.uri) && row.thread.as_deref().is_none_or(is_key);
    let mut rows: Vec<&Wanted> = wanted.iter().filter(fits).collect();
    // Two processes that insert the same rows in two orders would wait for each other.
    rows.sort_by_key(|row| (&row.server, &row.uri));
    if rows.is_empty() {
        return Ok(0);
    }
    again!(insert_sorted(db, &rows))
}

async fn insert_sorted(db: &Db, rows: &[&Wanted]) -> Result<u64, Error> {
    const SQL: &str = "
        INSERT INTO wanted (server, uri, host, feature, thread, in_reply_to, state, status_id, tries, reason,
            next_try_at, found_at, ended_at) ";
    let mut new = 0;
    let mut tx = db.begin().await?;
    for chunk in rows.chunks(CHUNK) {
        new += on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new(SQL);
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.server).push_bind(&row.uri).push_bind(&row.host).push_bind(&row.feature);
                values.push_bind(&row.thread).push_bind(clean_opt(row.in_reply_to.as_deref())).push_bind(row.state);
                values.push_bind(clean_opt(row.status_id.as_deref())).push_bind(row.tries);
                values.push_bind(clean_opt(row.reason.as_deref())).push_bind(micros(row.next_try_at));
                values.push_bind(row.found_at).push_bind(row.ended_at);
            });
            query.push(" ON CONFLICT (server, uri) DO NOTHING");
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    tx.commit().await?;
    Ok(new)
}

/// Some rows of a server by uri; unknown ones are left out.
pub async fn load(db: &Db, server: &str, uris: &[String]) -> Result<Vec<Wanted>, Error> {
    let mut found = Vec::new();
    for chunk in uris.chunks(CHUNK) {
        let mut part: Vec<Wanted> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM wanted WHERE server = ");
            query.push_bind(server).push(" AND uri IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Claims up to `limit` rows in state `wanted` that are due (oldest `next_try_at` first; of one thread if given) for
/// `holder` until `until`; no other claim sees them before. Counts the try *before* the request goes out, so
/// that a crash cannot hide it: a row handed out with `tries > 0` may have been asked for already and is to be
/// verified first. (What is handed out shows the tries before this one; the table has one more.)
pub async fn claim(
    db: &Db,
    server: &str,
    thread: Option<&str>,
    holder: &str,
    limit: u32,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Wanted>, Error> {
    let sql = dialect::claim(db, thread.is_some());
    let claimed = again!(async {
        let rows: Vec<Wanted> = on_write!(db, pool => {
            let query = sqlx::query_as(sql).bind(server).bind(now).bind(holder).bind(micros(until)).bind(i64::from(limit));
            let query = match thread {
                Some(thread) => query.bind(thread),
                None => query,
            };
            query.fetch_all(pool).await
        })?;
        Ok::<_, Error>(rows)
    });
    let mut claimed = claimed?;
    // Neither engine promises an order of what an update returns.
    claimed.sort_by(|a, b| (a.next_try_at, a.found_at, &a.uri).cmp(&(b.next_try_at, b.found_at, &b.uri)));
    Ok(claimed)
}

/// The server has them: `(uri, id on the server)`. Also ends rows that were never claimed (ancestors that came along),
/// and rows that had been given up. One transaction; gives how many were not done before.
pub async fn mark_done(
    db: &Db,
    server: &str,
    arrived: &[(String, Option<String>)],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    // By uri, since an order shared by all keeps two processes from waiting for each other; an id beats none.
    let mut by_uri = BTreeMap::new();
    for (uri, id) in arrived {
        let known: &mut Option<&str> = by_uri.entry(uri.as_str()).or_default();
        *known = known.or(id.as_deref());
    }
    let rows: Vec<(&str, Option<&str>)> = by_uri.into_iter().collect();
    if rows.is_empty() {
        return Ok(0);
    }
    again!(mark_done_sorted(db, server, &rows, now))
}

async fn mark_done_sorted(
    db: &Db,
    server: &str,
    rows: &[(&str, Option<&str>)],
    now: DateTime<Utc>,
) -> Result<u64, Error> {
    let mut done = 0;
    let mut tx = db.begin().await?;
    for chunk in rows.chunks(CHUNK) {
        done += on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("WITH arrived (arrived_uri, arrived_id) AS (");
            query.push_values(chunk, |mut values, (uri, id)| {
                values.push_bind(*uri).push_bind(clean_opt(*id));
            });
            query.push(") UPDATE wanted SET state = 'done', reason = NULL, claimed_by = NULL, claimed_until = NULL,
                status_id = COALESCE(arrived_id, status_id), ended_at = ").push_bind(now);
            query.push(" FROM arrived WHERE uri = arrived_uri AND state <> 'done' AND server = ").push_bind(server);
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    tx.commit().await?;
    Ok(done)
}

/// A try failed; the row stays wanted until `next_try_at`, or ends in `state` if given. Frees the claim.
///
/// A row that arrived meanwhile stays done.
pub async fn mark_failed(
    db: &Db,
    server: &str,
    uri: &str,
    reason: &str,
    next_try_at: DateTime<Utc>,
    state: Option<State>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE wanted SET state = $3, reason = $4, next_try_at = $5, ended_at = $6, claimed_by = NULL,
            claimed_until = NULL
        WHERE server = $1 AND uri = $2 AND state = 'wanted'";
    let state = state.unwrap_or(State::Wanted);
    let ended_at = (state != State::Wanted).then_some(now);
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(server).bind(uri).bind(state).bind(clean(reason));
        query.bind(micros(next_try_at)).bind(ended_at).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Frees the claims of `holder` without counting the try (stopped before the request went out). What somebody else has
/// claimed since stays theirs.
pub async fn release(db: &Db, server: &str, holder: &str, uris: &[String]) -> Result<(), Error> {
    for chunk in uris.chunks(CHUNK) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new(
                "UPDATE wanted SET tries = tries - 1, claimed_by = NULL, claimed_until = NULL
                 WHERE state = 'wanted' AND tries > 0 AND claimed_by = ");
            query.push_bind(holder).push(" AND server = ").push_bind(server).push(" AND uri IN (");
            push_list(&mut query, chunk);
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Holds everything that `holder` has claimed for longer.
pub async fn renew(db: &Db, holder: &str, until: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE wanted SET claimed_until = $2 WHERE claimed_by = $1 AND state = 'wanted'";
    on_write!(db, pool => sqlx::query(SQL).bind(holder).bind(micros(until)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Frees all that `holder` has claimed, each try counted: its requests may have gone out.
pub async fn free_all(db: &Db, holder: &str) -> Result<(), Error> {
    const SQL: &str = "UPDATE wanted SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = $1";
    on_write!(db, pool => sqlx::query(SQL).bind(holder).execute(pool).await.map(drop))?;
    Ok(())
}

/// Frees what anybody has claimed, each try counted: for a process that has just found itself alone.
pub async fn clear(db: &Db) -> Result<u64, Error> {
    const SQL: &str = "UPDATE wanted SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by IS NOT NULL";
    Ok(on_write!(db, pool => sqlx::query(SQL).execute(pool).await.map(|done| done.rows_affected()))?)
}

/// Moves rows that were never tried to another time; those that somebody works on stay.
pub async fn schedule(db: &Db, server: &str, rows: &[(String, DateTime<Utc>)]) -> Result<(), Error> {
    let mut rows: Vec<_> = rows.iter().map(|(uri, at)| (uri.as_str(), micros(*at))).collect();
    rows.sort_unstable();
    for chunk in rows.chunks(CHUNK) {
        again!(async {
            on_write!(db, pool => {
                let mut query = QueryBuilder::new("WITH moved (moved_uri, moved_to) AS (");
                query.push_values(chunk, |mut values, (uri, at)| {
                    values.push_bind(*uri).push_bind(*at);
                });
                query.push(") UPDATE wanted SET next_try_at = moved_to FROM moved
                    WHERE uri = moved_uri AND state = 'wanted' AND tries = 0 AND claimed_by IS NULL AND server = ");
                query.push_bind(server);
                query.build().execute(pool).await.map(drop)
            })?;
            Ok::<_, Error>(())
        })?;
    }
    Ok(())
}

/// How much of a thread is still wanted.
pub async fn open(db: &Db, server: &str, thread: &str) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM wanted WHERE server = $1 AND thread = $2 AND state = 'wanted'";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(server).bind(thread).fetch_one(pool).await)?)
}

/// Wants a row again that had failed, was gone or blocked, from `now` on and with all its tries; `false` when there is
/// none. For people who ask for it by hand: no job revives anything.
pub async fn revive(db: &Db, server: &str, uri: &str, now: DateTime<Utc>) -> Result<bool, Error> {
    const SQL: &str = "
        UPDATE wanted SET state = 'wanted', tries = 0, reason = NULL, next_try_at = $3, ended_at = NULL,
            claimed_by = NULL, claimed_until = NULL
        WHERE server = $1 AND uri = $2 AND state IN ('failed', 'gone', 'blocked')";
    let revived = on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(server).bind(uri).bind(now);
        query.execute(pool).await.map(|done| done.rows_affected())
    })?;
    Ok(revived > 0)
}

/// How many rows are in each state, by server.
pub async fn counts(db: &Db) -> Result<Vec<(String, State, i64)>, Error> {
    const SQL: &str = "SELECT server, state, COUNT(*) FROM wanted GROUP BY server, state ORDER BY server, state";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Rows in one state, newest first, for the page.
pub async fn list(db: &Db, state: State, limit: u32) -> Result<Vec<Wanted>, Error> {
    const SQL: &str = "
        SELECT * FROM wanted WHERE state = $1 ORDER BY ended_at DESC NULLS LAST, found_at DESC, uri LIMIT $2";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(state).bind(i64::from(limit)).fetch_all(pool).await)?)
}

/// A page of the rows of these servers in one state, those that changed last first.
pub async fn page(
    db: &Db,
    servers: &[String],
    state: State,
    before: Option<&Before>,
    limit: u32,
) -> Result<Vec<Wanted>, Error> {
    const SQL: &str = "
        SELECT * FROM wanted WHERE server = $1 AND state = $2
        ORDER BY COALESCE(ended_at, found_at) DESC, uri LIMIT $3";
    const NEXT: &str = "
        SELECT * FROM wanted WHERE server = $1 AND state = $2 AND COALESCE(ended_at, found_at) <= $4
            AND (COALESCE(ended_at, found_at) < $4 OR uri > $5)
        ORDER BY COALESCE(ended_at, found_at) DESC, uri LIMIT $3";
    let mut rows: Vec<Wanted> = Vec::new();
    for server in servers {
        rows.append(&mut on!(db, pool => match before {
            None => {
                let query = sqlx::query_as(SQL).bind(server).bind(state);
                query.bind(i64::from(limit)).fetch_all(pool).await
            }
            Some(before) => {
                let (at, uri) = before.of(server);
                let query = sqlx::query_as(NEXT).bind(server).bind(state).bind(i64::from(limit));
                query.bind(at).bind(uri).fetch_all(pool).await
            }
        })?);
    }
    Ok(merge(rows, limit, |row| {
        (row.ended_at.or(Some(row.found_at)), &row.server)
    }))
}

/// Deletes ended rows older than `before`.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM wanted WHERE state <> 'wanted' AND ended_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}
