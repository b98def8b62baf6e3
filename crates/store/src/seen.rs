//! Accounts and statuses as they were last seen, for rules that count and for trying rules on the past.
//!
//! What is kept is what anybody may read: never an address, never where somebody came from, never a private status.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, QueryBuilder, types::Json};

use crate::{
    Db, Error,
    db::{Tx, micros},
    list::push_list,
    text::{clean, clean_json},
};

/// Rows in one statement.
const CHUNK: usize = 200;

/// An account as it was last seen.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct SeenAccount {
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub account_id: String,
    /// `user` for the server's own people, else `user@domain`.
    pub acct: String,
    /// Empty for the server's own people.
    pub domain: String,
    /// The public profile.
    #[sqlx(json)]
    pub facts: Value,
    /// Of the profile.
    pub digest: String,
    /// The version of the rules that judged it last; 0 for none.
    pub ruleset: i64,
    /// Seen first.
    pub first_at: DateTime<Utc>,
    /// Seen last.
    pub seen_at: DateTime<Utc>,
    /// Judged last.
    pub judged_at: Option<DateTime<Utc>>,
    /// When its statuses were last asked for.
    pub looked_at: Option<DateTime<Utc>>,
}

/// A status as it was last seen.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct SeenStatus {
    /// `host[:port]`.
    pub server: String,
    /// There.
    pub status_id: String,
    /// Its author there.
    pub account_id: String,
    /// What is public of it.
    #[sqlx(json)]
    pub facts: Value,
    /// Of all that rules look at.
    pub digest: String,
    /// Of the words alone; empty for too few.
    pub text_hash: String,
    /// Never later than it was seen.
    pub created_at: DateTime<Utc>,
    /// Edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// Seen last.
    pub seen_at: DateTime<Utc>,
    /// Which process wrote it down.
    pub seen_by: String,
}

/// A status as rules count it, with its author's name.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Counted {
    /// There.
    pub status_id: String,
    /// `user` for the server's own people, else `user@domain`.
    pub acct: String,
    /// What is public of it.
    #[sqlx(json)]
    pub facts: Value,
    /// Seen last.
    pub seen_at: DateTime<Utc>,
}

/// Keeps accounts and what they wrote as they are now, and that they were judged so: all of it or nothing. Of a status a
/// later edit stays where it is known: what is pushed comes in any order.
pub async fn save(db: &Db, accounts: &[SeenAccount], statuses: &[SeenStatus]) -> Result<(), Error> {
    let mut accounts: Vec<&SeenAccount> = accounts.iter().collect();
    accounts.sort_by(|a, b| (&a.server, &a.account_id).cmp(&(&b.server, &b.account_id)));
    accounts.dedup_by(|a, b| a.server == b.server && a.account_id == b.account_id);
    let mut statuses: Vec<&SeenStatus> = statuses.iter().collect();
    statuses.sort_by(|a, b| (&a.server, &a.status_id).cmp(&(&b.server, &b.status_id)));
    statuses.dedup_by(|a, b| a.server == b.server && a.status_id == b.status_id);
    again!(async {
        let mut tx = db.begin().await?;
        for chunk in accounts.chunks(CHUNK) {
            save_accounts(&mut tx, chunk).await?;
        }
        for chunk in statuses.chunks(CHUNK) {
            save_statuses(&mut tx, chunk).await?;
        }
        tx.commit().await
    })
}

async fn save_accounts(tx: &mut Tx, rows: &[&SeenAccount]) -> Result<(), Error> {
    on_tx!(tx, connection => {
        let mut query = QueryBuilder::new(
            "INSERT INTO seen_accounts (server, account_id, acct, domain, facts, digest, ruleset, first_at, seen_at, judged_at) ");
        query.push_values(rows, |mut values, row| {
            values.push_bind(&row.server).push_bind(clean(&row.account_id)).push_bind(clean(&row.acct));
            values.push_bind(clean(&row.domain)).push_bind(Json(clean_json(&row.facts))).push_bind(&row.digest);
            values.push_bind(row.ruleset).push_bind(micros(row.first_at)).push_bind(micros(row.seen_at));
            values.push_bind(row.judged_at.map(micros));
        });
        query.push(" ON CONFLICT (server, account_id) DO UPDATE SET acct = excluded.acct, domain = excluded.domain,
            facts = excluded.facts, digest = excluded.digest, seen_at = excluded.seen_at, ruleset = excluded.ruleset,
            judged_at = excluded.judged_at");
        query.build().execute(connection).await.map(drop)
    })?;
    Ok(())
}

async fn save_statuses(tx: &mut Tx, rows: &[&SeenStatus]) -> Result<(), Error> {
    on_tx!(tx, connection => {
        let mut query = QueryBuilder::new(
            "INSERT INTO seen_statuses (server, status_id, account_id, facts, digest, text_hash, created_at, edited_at,
                seen_at, seen_by) ");
        query.push_values(rows, |mut values, row| {
            values.push_bind(&row.server).push_bind(clean(&row.status_id)).push_bind(clean(&row.account_id));
            values.push_bind(Json(clean_json(&row.facts))).push_bind(&row.digest).push_bind(&row.text_hash);
            values.push_bind(micros(row.created_at)).push_bind(row.edited_at.map(micros));
            values.push_bind(micros(row.seen_at)).push_bind(&row.seen_by);
        });
        query.push(" ON CONFLICT (server, status_id) DO UPDATE SET facts = excluded.facts, digest = excluded.digest,
            text_hash = excluded.text_hash, edited_at = excluded.edited_at, seen_at = excluded.seen_at,
            seen_by = excluded.seen_by
            WHERE seen_statuses.edited_at IS NULL OR excluded.edited_at >= seen_statuses.edited_at");
        query.build().execute(connection).await.map(drop)
    })?;
    Ok(())
}

/// Accounts that are known, in no order.
pub async fn accounts(db: &Db, server: &str, ids: &[String]) -> Result<Vec<SeenAccount>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(500) {
        let rows: Vec<SeenAccount> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM seen_accounts WHERE server = ");
            query.push_bind(server).push(" AND account_id IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Statuses that are known, in no order.
pub async fn statuses(db: &Db, server: &str, ids: &[String]) -> Result<Vec<SeenStatus>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(500) {
        let rows: Vec<SeenStatus> = on!(db, pool => {
            let mut query = QueryBuilder::new("SELECT * FROM seen_statuses WHERE server = ");
            query.push_bind(server).push(" AND status_id IN (");
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// An account's statuses since `since`, newest first.
pub async fn statuses_of(
    db: &Db,
    server: &str,
    account_id: &str,
    since: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<SeenStatus>, Error> {
    const SQL: &str = "
        SELECT * FROM seen_statuses WHERE server = $1 AND account_id = $2 AND created_at >= $3
        ORDER BY created_at DESC LIMIT $4";
    Ok(on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(server).bind(account_id).bind(micros(since));
        query.bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Statuses of a server that were seen since `since`, oldest first, after the last of the page before; without those that
/// `except` wrote down itself.
pub async fn counted(
    db: &Db,
    server: &str,
    except: Option<&str>,
    since: DateTime<Utc>,
    after: Option<(DateTime<Utc>, &str)>,
    limit: u32,
) -> Result<Vec<Counted>, Error> {
    // By age, and not by the server: that is half of the table or all of it, and would be sorted for each page.
    const SQL: &str = "
        SELECT s.status_id, a.acct, s.facts, s.seen_at FROM seen_statuses s
        JOIN seen_accounts a ON a.server = s.server AND a.account_id = s.account_id
        WHERE s.server || '' = $1 AND ($2 IS NULL OR s.seen_by <> $2) AND s.seen_at >= $3 AND (s.seen_at, s.status_id) > ($3, $4)
        ORDER BY s.seen_at, s.status_id LIMIT $5";
    // Ids are never empty, so nothing of the first moment is left out.
    let (from, id) = after.map_or((micros(since), ""), |(at, id)| (micros(at), id));
    Ok(on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(server).bind(except).bind(from).bind(id);
        query.bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// When the status was seen that is so many before the newest of a server; `None` when there are not so many.
pub async fn counted_since(db: &Db, server: &str, most: usize) -> Result<Option<DateTime<Utc>>, Error> {
    const SQL: &str = "
        SELECT seen_at FROM seen_statuses WHERE server || '' = $1 ORDER BY seen_at DESC LIMIT 1 OFFSET $2";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(server).bind(most).fetch_optional(pool).await)?)
}

/// An account's statuses were asked for at `at`; `None` where they are still to be.
pub async fn looked(db: &Db, server: &str, account_id: &str, at: Option<DateTime<Utc>>) -> Result<(), Error> {
    const SQL: &str = "UPDATE seen_accounts SET looked_at = $3 WHERE server = $1 AND account_id = $2";
    on_write!(db, pool => sqlx::query(SQL).bind(server).bind(account_id).bind(at.map(micros)).execute(pool).await.map(drop))?;
    Ok(())
}

/// Statuses that were seen since `since`, oldest first, after the last of the page before: the past that rules are tried
/// on.
pub async fn past(
    db: &Db,
    since: DateTime<Utc>,
    after: Option<(DateTime<Utc>, &str, &str)>,
    limit: u32,
) -> Result<Vec<SeenStatus>, Error> {
    const SQL: &str = "
        SELECT * FROM seen_statuses
        WHERE seen_at >= $1 AND (seen_at, server, status_id) > ($1, $2, $3)
        ORDER BY seen_at, server, status_id LIMIT $4";
    // Each page begins in the index where the one before ended. No server's name is empty, so nothing of the first moment
    // is left out.
    let (from, server, id) = after.unwrap_or((since, "", ""));
    Ok(on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(micros(from)).bind(server).bind(id);
        query.bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// Accounts after these, by server and id: for trying rules on profiles.
pub async fn all_accounts(db: &Db, after: (&str, &str), limit: u32) -> Result<Vec<SeenAccount>, Error> {
    const SQL: &str = "
        SELECT * FROM seen_accounts WHERE (server, account_id) > ($1, $2) ORDER BY server, account_id LIMIT $3";
    Ok(on!(db, pool => {
        sqlx::query_as(SQL).bind(after.0).bind(after.1).bind(i64::from(limit)).fetch_all(pool).await
    })?)
}

/// How many accounts and statuses are kept.
pub async fn counts(db: &Db) -> Result<(i64, i64), Error> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM seen_accounts), (SELECT COUNT(*) FROM seen_statuses)";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_one(pool).await)?)
}

/// Forgets what was last seen before `before`; gives how many rows.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const STATUSES: &str = "DELETE FROM seen_statuses WHERE seen_at < $1";
    const ACCOUNTS: &str = "DELETE FROM seen_accounts WHERE seen_at < $1";
    let before = micros(before);
    let mut deleted = 0;
    for sql in [STATUSES, ACCOUNTS] {
        deleted += on_write!(db, pool => {
            sqlx::query(sql).bind(before).execute(pool).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(deleted)
}
