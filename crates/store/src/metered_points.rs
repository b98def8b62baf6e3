//! What metered accounts had, over time: runs of equal counts.

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Db, Error,
    list::push_list,
    text::{clean, clean_opt},
};

/// Rows in one statement: 11 columns each, and SQLite takes 32,766 parameters.
const CHUNK: usize = 1000;

/// The same counts at every slot from `slot` to `slot + span`. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Point {
    /// Whose.
    pub account: i64,
    /// When it was to be measured.
    pub slot: i64,
    /// Seconds after that at which it was.
    pub lag: i32,
    /// Seconds from the first slot to the last.
    pub span: i32,
    /// Slots in it.
    pub points: i32,
    /// Seconds to the next slot, as planned then.
    pub step: i32,
    /// Followers.
    pub followers: Option<i32>,
    /// Accounts followed.
    pub following: Option<i32>,
    /// Statuses written.
    pub statuses: Option<i32>,
    /// Day of the last status, since 1970.
    pub last_status: Option<i32>,
    /// Why a count is missing.
    pub gap: Option<String>,
}

impl Point {
    /// When it was first measured.
    pub fn from(&self) -> i64 {
        self.slot + i64::from(self.lag)
    }

    /// When it was last measured.
    pub fn until(&self) -> i64 {
        if self.span == 0 { self.from() } else { self.last_slot() }
    }

    /// The last slot in it.
    pub fn last_slot(&self) -> i64 {
        self.slot + i64::from(self.span)
    }

    /// Whether nothing was measured.
    pub fn is_gap(&self) -> bool {
        self.followers.is_none() && self.following.is_none() && self.statuses.is_none()
    }
}

/// A run that goes on to another slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Longer {
    /// Whose.
    pub account: i64,
    /// The run.
    pub slot: i64,
    /// Its new length.
    pub span: i32,
}

/// What a batch of accounts brought, for [`save`].
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// New runs. One that is there stays as it is: a slot has one point.
    pub new: Vec<Point>,
    /// Runs that go on.
    pub longer: Vec<Longer>,
    /// Accounts whose slot is done.
    pub measured: Vec<i64>,
    /// The slot.
    pub slot: i64,
}

/// Writes what a batch brought, all of it or nothing.
pub async fn save(db: &Db, batch: &Batch) -> Result<(), Error> {
    again!(save_once(db, batch))
}

async fn save_once(db: &Db, batch: &Batch) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for chunk in batch.new.chunks(CHUNK) {
        insert_in(&mut tx, chunk).await?;
    }
    for chunk in batch.longer.chunks(CHUNK) {
        on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("WITH longer (owner, start, length) AS (");
            query.push_values(chunk, |mut values, run| {
                values.push_bind(run.account).push_bind(run.slot).push_bind(run.span);
            });
            query.push(
                ") UPDATE metered_points SET span = longer.length, points = points + 1 FROM longer
                WHERE account = longer.owner AND slot = longer.start AND span < longer.length",
            );
            query.build().execute(connection).await.map(drop)
        })?;
    }
    for chunk in batch.measured.chunks(CHUNK) {
        on_tx!(&mut tx, connection => {
            let mut query = QueryBuilder::new("UPDATE metered_accounts SET measured_slot = ");
            query.push_bind(batch.slot);
            query.push(", tries = 0, trouble = NULL, gone_at = NULL, next_try_at = NULL, condition = '' WHERE id IN (");
            push_list(&mut query, chunk);
            query.push(" AND measured_slot < ").push_bind(batch.slot);
            query.build().execute(connection).await.map(drop)
        })?;
    }
    tx.commit().await
}

/// Adds runs, such as another program's or those of a gap; those there already stay as they are.
pub async fn insert(db: &Db, points: &[Point]) -> Result<u64, Error> {
    let mut points: Vec<&Point> = points.iter().collect();
    points.sort_by_key(|point| (point.account, point.slot));
    again!(insert_sorted(db, &points))
}

async fn insert_sorted(db: &Db, points: &[&Point]) -> Result<u64, Error> {
    let mut tx = db.begin().await?;
    let mut new = 0;
    for chunk in points.chunks(CHUNK) {
        new += insert_in(&mut tx, chunk.iter().copied()).await?;
    }
    tx.commit().await?;
    Ok(new)
}

async fn insert_in<'a>(
    tx: &mut crate::db::Tx,
    points: impl IntoIterator<Item = &'a Point> + Clone,
) -> Result<u64, Error> {
    const SQL: &str = "
        INSERT INTO metered_points (account, slot, lag, span, points, step, followers, following, statuses,
            last_status, gap) ";
    let new = on_tx!(&mut *tx, connection => {
        let mut query = QueryBuilder::new(SQL);
        query.push_values(points.clone(), |mut values, point: &Point| {
            values.push_bind(point.account).push_bind(point.slot).push_bind(point.lag).push_bind(point.span);
            values.push_bind(point.points).push_bind(point.step).push_bind(point.followers);
            values.push_bind(point.following).push_bind(point.statuses).push_bind(point.last_status);
            values.push_bind(clean_opt(point.gap.as_deref()));
        });
        query.push(" ON CONFLICT (account, slot) DO NOTHING");
        query.build().execute(connection).await.map(|done| done.rows_affected())
    })?;
    // Each account knows its newest row, so that a run finds it without looking through the others.
    on_tx!(tx, connection => {
        let mut query = QueryBuilder::new("WITH newer (owner, start) AS (");
        query.push_values(points, |mut values, point: &Point| {
            values.push_bind(point.account).push_bind(point.slot);
        });
        query.push(
            ") UPDATE metered_accounts SET newest = newer.start
            FROM (SELECT owner, MAX(start) AS start FROM newer GROUP BY owner) AS newer
            WHERE id = newer.owner AND newest < newer.start",
        );
        query.build().execute(connection).await.map(drop)
    })?;
    Ok(new)
}

/// A gap, or a gap that goes on: the slot of an account in which it could not be measured.
pub async fn save_gap(db: &Db, account: i64, slot: i64, step: i32, reason: &str) -> Result<(), Error> {
    let newest = newest(db, &[account]).await?.pop();
    if let Some(point) = newest
        && point.is_gap()
        && point.gap.as_deref() == Some(&*clean(reason))
        && let Ok(span) = i32::try_from(slot - point.slot)
    {
        let longer = Longer {
            account,
            slot: point.slot,
            span,
        };
        let batch = Batch {
            longer: vec![longer],
            ..Batch::default()
        };
        return save(db, &batch).await;
    }
    let gap = Point {
        account,
        slot,
        lag: 0,
        span: 0,
        points: 1,
        step,
        followers: None,
        following: None,
        statuses: None,
        last_status: None,
        gap: Some(reason.to_owned()),
    };
    insert(db, &[gap]).await.map(drop)
}

/// The newest row of each of these accounts, in no order.
pub async fn newest(db: &Db, accounts: &[i64]) -> Result<Vec<Point>, Error> {
    let mut found = Vec::with_capacity(accounts.len());
    for chunk in accounts.chunks(CHUNK) {
        let mut part: Vec<Point> = on!(db, pool => {
            let mut query = QueryBuilder::new(
                "SELECT p.* FROM metered_accounts a JOIN metered_points p ON p.account = a.id AND p.slot = a.newest
                WHERE a.id IN (",
            );
            push_list(&mut query, chunk);
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

/// The rows of each of these accounts that lie around a moment: the last that begins at it or before, and the first
/// that begins after it. In no order.
pub async fn around(db: &Db, accounts: &[i64], at: i64) -> Result<Vec<Point>, Error> {
    let mut found = Vec::new();
    for (edge, compare) in [("MAX", "<="), ("MIN", ">")] {
        for chunk in accounts.chunks(CHUNK) {
            let mut part: Vec<Point> = on!(db, pool => {
                let mut query = QueryBuilder::new(
                    "SELECT p.* FROM metered_accounts a JOIN metered_points p ON p.account = a.id AND p.slot = (SELECT ",
                );
                query.push(edge).push("(slot) FROM metered_points WHERE account = a.id AND slot ").push(compare);
                query.push(" ").push_bind(at).push(" AND (followers IS NOT NULL OR statuses IS NOT NULL)) WHERE a.id IN (");
                push_list(&mut query, chunk);
                query.build_query_as().fetch_all(pool).await
            })?;
            found.append(&mut part);
        }
    }
    Ok(found)
}

/// Rows of an account from one moment to another, oldest first, the one included that began before and reaches in.
/// At most `limit`; the rest begins after the last one's slot.
pub async fn range(db: &Db, account: i64, since: i64, to: i64, limit: u32) -> Result<Vec<Point>, Error> {
    const BEFORE: &str = "
        SELECT * FROM metered_points WHERE account = $1 AND slot < $2 ORDER BY slot DESC LIMIT 1";
    const SQL: &str = "
        SELECT * FROM metered_points WHERE account = $1 AND slot >= $2 AND slot <= $3 ORDER BY slot LIMIT $4";
    let before: Option<Point> = on!(db, pool => {
        sqlx::query_as(BEFORE).bind(account).bind(since).fetch_optional(pool).await
    })?;
    let mut rows: Vec<Point> = on!(db, pool => {
        sqlx::query_as(SQL).bind(account).bind(since).bind(to).bind(i64::from(limit)).fetch_all(pool).await
    })?;
    if let Some(before) = before.filter(|point| point.until() >= since) {
        rows.insert(0, before);
        rows.truncate(limit as usize);
    }
    Ok(rows)
}

/// Rows of an account that are finer than `step` and began before a moment, oldest first.
pub async fn finer(db: &Db, account: i64, before: i64, step: i32) -> Result<Vec<Point>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_points WHERE account = $1 AND slot < $2 AND step < $3 ORDER BY slot";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(account).bind(before).bind(step).fetch_all(pool).await)?)
}

/// Thins an account: deletes rows, and marks those that stay as `step` apart.
pub async fn thin(db: &Db, account: i64, delete: &[i64], keep: &[i64], step: i32) -> Result<(), Error> {
    again!(thin_once(db, account, delete, keep, step))
}

async fn thin_once(db: &Db, account: i64, delete: &[i64], keep: &[i64], step: i32) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    for (sql, slots) in [
        ("DELETE FROM metered_points", delete),
        ("UPDATE metered_points SET step = ", keep),
    ] {
        for chunk in slots.chunks(CHUNK) {
            on_tx!(&mut tx, connection => {
                let mut query = QueryBuilder::new(sql);
                if sql.starts_with("UPDATE") {
                    query.push_bind(step);
                }
                query.push(" WHERE account = ").push_bind(account).push(" AND slot IN (");
                push_list(&mut query, chunk);
                query.build().execute(connection).await.map(drop)
            })?;
        }
    }
    tx.commit().await
}

/// Slots measured of an account, gaps left out.
pub async fn count(db: &Db, account: i64) -> Result<i64, Error> {
    const SQL: &str = "
        SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM metered_points
        WHERE account = $1 AND NOT (followers IS NULL AND following IS NULL AND statuses IS NULL)";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(account).fetch_one(pool).await)?)
}

/// Rows of all accounts.
pub async fn rows(db: &Db) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM metered_points";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).fetch_one(pool).await)?)
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::testing::on_each_engine;

    const ACCOUNTS: &str = "
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO metered_accounts (id, uri, url, acct, name, host, state, condition, source, measured_slot, newest,
            tried_slot, tries, next_try_at, added_at)
        SELECT i, 'https://h' || (i % 500) || '.example/' || i, '', 'u' || i || '@h' || (i % 500) || '.example', '',
            'h' || (i % 500) || '.example', 'tracked', '', 'hand', 1700000000, 0, 0, 0,
            CASE WHEN i % 100 = 0 THEN CAST('2026-03-01T12:00:00+00:00' AS TIMESTAMPTZ) END,
            CAST('2026-03-01T12:00:00+00:00' AS TIMESTAMPTZ)
        FROM n";

    /// A hundred million rows may lie here: every statement goes by the key.
    #[tokio::test]
    async fn statements_go_by_the_key() {
        on_each_engine(async |db| {
            let point = |account: i64, n: i64| Point {
                account,
                slot: 1_700_000_000 + n * 3600,
                lag: 0,
                span: 0,
                points: 1,
                step: 3600,
                followers: Some(7),
                following: Some(7),
                statuses: Some(7),
                last_status: None,
                gap: None,
            };
            let points: Vec<Point> = (0..200).flat_map(|account| (0..100).map(move |n| (account, n))).map(|(a, n)| point(a, n)).collect();
            insert(&db, &points).await.unwrap();
            on_write!(&db, pool => sqlx::query(ACCOUNTS).execute(pool).await.map(drop)).unwrap();
            on_write!(&db, pool => sqlx::query("ANALYZE").execute(pool).await.map(drop)).unwrap();
            let explain = match &db {
                Db::Postgres(_) => "EXPLAIN ",
                Db::Sqlite { .. } => "EXPLAIN QUERY PLAN ",
            };
            for sql in [
                "SELECT * FROM metered_points WHERE account = 7 AND slot < 1700009999 ORDER BY slot DESC LIMIT 1",
                "SELECT * FROM metered_points WHERE account = 7 AND slot >= 1700000000 AND slot <= 1700009999 ORDER BY slot LIMIT 500",
                "SELECT * FROM metered_points WHERE account = 7 AND slot < 1700009999 AND step < 86400 ORDER BY slot",
                "SELECT MAX(slot) FROM metered_points WHERE account = 7 AND slot <= 1700009999 AND (followers IS NOT NULL OR statuses IS NOT NULL)",
                "SELECT * FROM metered_accounts WHERE state = 'tracked' AND host = 'h7.example' AND id > 7 AND measured_slot < 1800000000 AND tried_slot < 1800000000 ORDER BY id LIMIT 40",
                "SELECT * FROM metered_accounts WHERE next_try_at IS NOT NULL AND next_try_at <= '2026-02-01T12:00:00+00:00' AND (state = 'archived' OR (state = 'tracked' AND tried_slot = 7)) ORDER BY next_try_at, id LIMIT 40",
                "SELECT * FROM metered_accounts WHERE uri = 'https://h7.example/7' OR acct = 'u7@h7.example' ORDER BY id",
                "SELECT p.* FROM metered_accounts a JOIN metered_points p ON p.account = a.id AND p.slot = a.newest WHERE a.id IN (7, 8)",
                "UPDATE metered_points SET span = 3600, points = points + 1 WHERE account = 7 AND slot = 1700000000 AND span < 3600",
            ] {
                let plan: Vec<String> = on_write!(&db, pool => {
                    let rows = sqlx::query(AssertSqlSafe(format!("{explain}{sql}"))).fetch_all(pool).await.unwrap();
                    rows.iter().map(|row| row.try_get(0).or_else(|_| row.try_get("detail")).unwrap()).collect()
                });
                let plan = plan.join("\n");
                let by_index = ["metered_points_pkey", "USING PRIMARY KEY", "metered_accounts_", "USING INDEX"];
                assert!(by_index.iter().any(|index| plan.contains(index)), "{sql}\n{plan}");
                assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN metered"), "{sql}\n{plan}");
            }
        })
        .await;
    }
}
