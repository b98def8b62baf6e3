//! Accounts whose posts were asked for at their origin, and addresses that an earlier program had counted as fetched.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Type};

use crate::{
    Db, Error,
    db::micros,
    dialect,
    list::push_list,
    text::{clean, clean_opt, is_key},
};

/// Rows in one statement: 11 columns each, and SQLite takes 32,766 parameters.
const CHUNK: usize = 1000;

/// An account whose posts were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Backfill {
    /// Our server's host.
    pub server: String,
    /// `user@domain`, lower case.
    pub acct: String,
    /// Who asked first: `followings`, `followers`, …
    pub source: String,
    /// Where the origin's list goes on, while a round is under way.
    pub cursor: Option<String>,
    /// Posts that the origin listed in this round.
    pub listed: i64,
    /// Of those, how many home lacked.
    pub wanted: i64,
    /// Failures in a row.
    pub failures: i64,
    /// Why the last try ended early.
    pub trouble: Option<String>,
    /// Start of the round under way.
    pub started_at: Option<DateTime<Utc>>,
    /// End of the last whole round.
    pub finished_at: Option<DateTime<Utc>>,
    /// Not before this; `None` is never again.
    pub next_at: Option<DateTime<Utc>>,
}

/// Some accounts of a server; unknown ones are left out.
pub async fn load(db: &Db, server: &str, accts: &[String]) -> Result<Vec<Backfill>, Error> {
    let mut found = Vec::new();
    for chunk in accts.chunks(CHUNK) {
        let mut part: Vec<Backfill> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM backfills WHERE server = ");
            query.push_bind(server).push(" AND acct IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// Inserts or updates. An acct longer than any server makes is not kept.
pub async fn save(db: &Db, row: &Backfill) -> Result<(), Error> {
    const SQL: &str = "
        INSERT INTO backfills (server, acct, source, cursor, listed, wanted, failures, trouble, started_at,
            finished_at, next_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (server, acct) DO UPDATE SET source = excluded.source, cursor = excluded.cursor,
            listed = excluded.listed, wanted = excluded.wanted, failures = excluded.failures,
            trouble = excluded.trouble, started_at = excluded.started_at, finished_at = excluded.finished_at,
            next_at = excluded.next_at";
    if !is_key(&row.acct) {
        return Ok(());
    }
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(&row.server).bind(&row.acct).bind(&row.source);
        let query = query.bind(clean_opt(row.cursor.as_deref())).bind(row.listed).bind(row.wanted).bind(row.failures);
        let query = query.bind(clean_opt(row.trouble.as_deref())).bind(row.started_at.map(micros));
        query.bind(row.finished_at.map(micros)).bind(row.next_at.map(micros)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Adds those not there yet and gives how many were new. One transaction.
pub async fn insert(db: &Db, rows: &[Backfill]) -> Result<u64, Error> {
    let mut rows: Vec<&Backfill> = rows.iter().filter(|row| is_key(&row.acct)).collect();
    // Two processes that insert the same rows in two orders would wait for each other.
    rows.sort_by_key(|row| (&row.server, &row.acct));
    again!(insert_sorted(db, &rows))
}

async fn insert_sorted(db: &Db, rows: &[&Backfill]) -> Result<u64, Error> {
    const SQL: &str = "
        INSERT INTO backfills (server, acct, source, cursor, listed, wanted, failures, trouble, started_at,
            finished_at, next_at) ";
    let mut new = 0;
    let mut tx = db.begin().await?;
    for chunk in rows.chunks(CHUNK) {
        new += on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new(SQL);
            query.push_values(chunk, |mut values, row| {
                values.push_bind(&row.server).push_bind(&row.acct).push_bind(&row.source);
                values.push_bind(clean_opt(row.cursor.as_deref())).push_bind(row.listed).push_bind(row.wanted);
                values.push_bind(row.failures).push_bind(clean_opt(row.trouble.as_deref()));
                values.push_bind(row.started_at.map(micros)).push_bind(row.finished_at.map(micros));
                values.push_bind(row.next_at.map(micros));
            });
            query.push(" ON CONFLICT (server, acct) DO NOTHING");
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    tx.commit().await?;
    Ok(new)
}

/// How far an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Not read yet.
    Waiting,
    /// A round is under way.
    Reading,
    /// Read whole.
    Done,
    /// The last try ended early.
    Trouble,
    /// Whoever it is asked for it, or their host did.
    LeftAlone,
}

/// [`Backfill::state`], for the database.
const STATE: &str = "CASE WHEN trouble IS NOT NULL AND failures = 0 THEN 'left_alone' WHEN trouble IS NOT NULL THEN 'trouble' WHEN started_at IS NOT NULL THEN 'reading'
    WHEN finished_at IS NOT NULL THEN 'done' ELSE 'waiting' END";

impl Backfill {
    /// How far it is.
    pub fn state(&self) -> State {
        match self {
            // What is left alone was not tried, and so did not fail.
            Self {
                trouble: Some(_),
                failures: 0,
                ..
            } => State::LeftAlone,
            Self { trouble: Some(_), .. } => State::Trouble,
            Self {
                started_at: Some(_), ..
            } => State::Reading,
            Self {
                finished_at: Some(_), ..
            } => State::Done,
            _ => State::Waiting,
        }
    }
}

/// Adds ` AND server IN (…)`; an empty list is nobody's.
macro_rules! push_servers {
    ($query:expr, $servers:expr) => {
        if let Some(servers) = $servers {
            $query.push(" AND server IN (''");
            for server in servers {
                $query.push(", ").push_bind(server);
            }
            $query.push(")");
        }
    };
}

/// A page of accounts by server and name, after a server and name; of these servers, and in this state, where given.
pub async fn page(
    db: &Db,
    servers: Option<&[String]>,
    state: Option<State>,
    after: Option<(&str, &str)>,
    limit: u32,
) -> Result<Vec<Backfill>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM backfills WHERE 1 = 1");
        push_servers!(query, servers);
        if let Some(state) = state {
            query.push(" AND ").push(STATE).push(" = ").push_bind(state);
        }
        if let Some((server, acct)) = after {
            query.push(" AND (server, acct) > (").push_bind(server).push(", ").push_bind(acct).push(")");
        }
        query.push(" ORDER BY server, acct LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Accounts in a state, those last read whole first.
pub async fn newest(db: &Db, servers: Option<&[String]>, state: State, limit: u32) -> Result<Vec<Backfill>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT * FROM backfills WHERE ");
        query.push(STATE).push(" = ").push_bind(state);
        push_servers!(query, servers);
        query.push(" ORDER BY finished_at DESC NULLS LAST, server, acct LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Accounts in one state, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Count {
    /// Which.
    pub state: State,
    /// How many.
    pub accounts: i64,
    /// Posts listed in their rounds.
    pub listed: i64,
    /// Of those, how many home lacked.
    pub wanted: i64,
}

/// How many accounts are in each state.
pub async fn counts(db: &Db, servers: Option<&[String]>) -> Result<Vec<Count>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(STATE).push(
            " AS state, COUNT(*) AS accounts, CAST(SUM(listed) AS BIGINT) AS listed, CAST(SUM(wanted) AS BIGINT) AS wanted
             FROM backfills WHERE 1 = 1");
        push_servers!(query, servers);
        query.push(" GROUP BY 1 ORDER BY 1");
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// A server that accounts come from, and how it fares.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Origin {
    /// As in the accounts' names.
    pub domain: String,
    /// Accounts from there.
    pub accounts: i64,
    /// Of those, read whole.
    pub done: i64,
    /// Of those, in trouble.
    pub trouble: i64,
    /// What it runs; `None` where it was never asked.
    pub software: Option<String>,
    /// Failures in a row.
    pub failures: Option<i64>,
    /// Not asked before this.
    pub rests_until: Option<DateTime<Utc>>,
    /// The last failure.
    pub last_error: Option<String>,
}

/// Where accounts come from, those with most trouble first.
pub async fn origins(db: &Db, servers: Option<&[String]>, limit: u32) -> Result<Vec<Origin>, Error> {
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT homes.*, software, failures, rests_until, last_error FROM (SELECT ");
        query.push(dialect::domain_of_acct(db)).push(
            " AS domain, COUNT(*) AS accounts, COUNT(*) FILTER (WHERE trouble IS NULL AND finished_at IS NOT NULL) AS done,
                COUNT(*) FILTER (WHERE trouble IS NOT NULL AND failures > 0) AS trouble FROM backfills WHERE 1 = 1");
        push_servers!(query, servers);
        query.push(" GROUP BY 1 ORDER BY 4 DESC, 2 DESC, 1 LIMIT ").push_bind(i64::from(limit));
        query.push(") AS homes LEFT JOIN hosts ON hosts.host = homes.domain ORDER BY trouble DESC, accounts DESC, domain");
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// Forgets accounts that might have been read again since `before` and were not. Those for ever stay.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM backfills WHERE next_at < $1";
    Ok(on_write!(db, pool => sqlx::query(SQL).bind(before).execute(pool).await.map(|done| done.rows_affected()))?)
}

/// Adds addresses that another program had counted as fetched and gives how many were new. One transaction; those
/// longer than any server makes are not kept.
pub async fn insert_seen(db: &Db, server: &str, urls: &[String]) -> Result<u64, Error> {
    let mut urls: Vec<&String> = urls.iter().filter(|url| is_key(url)).collect();
    urls.sort_unstable();
    again!(insert_seen_sorted(db, server, &urls))
}

async fn insert_seen_sorted(db: &Db, server: &str, urls: &[&String]) -> Result<u64, Error> {
    let mut new = 0;
    let mut tx = db.begin().await?;
    for chunk in urls.chunks(CHUNK * 10) {
        new += on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("INSERT INTO seen_urls (server, url) ");
            query.push_values(chunk, |mut values, url| {
                values.push_bind(server).push_bind(*url);
            });
            query.push(" ON CONFLICT (server, url) DO NOTHING");
            query.build().execute(connection).await.map(|done| done.rows_affected())
        })?;
    }
    tx.commit().await?;
    Ok(new)
}

/// Those of `urls` that another program had counted as fetched.
pub async fn seen(db: &Db, server: &str, urls: &[String]) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for chunk in urls.chunks(CHUNK) {
        let mut part: Vec<String> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT url FROM seen_urls WHERE server = ");
            query.push_bind(server).push(" AND url IN (");
            push_list(&mut query, chunk.iter().map(|url| clean(url)));
            query.build_query_scalar().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}
