//! Which notices went to which channel.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use crate::{Db, Error, db::micros, notices::Notice, text::clean};

/// A channel as it fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Channel {
    /// Its name in the config.
    pub channel: String,
    /// What happened before is not told.
    pub since: DateTime<Utc>,
    /// In a row.
    pub failures: i64,
    /// Not tried before.
    pub next_at: Option<DateTime<Utc>>,
    /// What was wrong last.
    pub error: Option<String>,
}

/// A channel as it fares; one that was never seen begins now.
pub async fn channel(db: &Db, name: &str, now: DateTime<Utc>) -> Result<Channel, Error> {
    const NEW: &str = "INSERT INTO notice_channels (channel, since, failures) VALUES ($1, $2, 0)
        ON CONFLICT (channel) DO NOTHING";
    const SQL: &str = "SELECT * FROM notice_channels WHERE channel = $1";
    on_write!(db, pool => sqlx::query(NEW).bind(name).bind(now).execute(pool).await.map(drop))?;
    Ok(on_write!(db, pool => sqlx::query_as(SQL).bind(name).fetch_one(pool).await)?)
}

/// Every channel that was ever seen.
pub async fn channels(db: &Db) -> Result<Vec<Channel>, Error> {
    const SQL: &str = "SELECT * FROM notice_channels ORDER BY channel";
    Ok(on!(db, pool => sqlx::query_as(SQL).fetch_all(pool).await)?)
}

/// Notices since `since` that did not go to a channel yet, oldest first.
pub async fn waiting(db: &Db, channel: &str, since: DateTime<Utc>, limit: u32) -> Result<Vec<Notice>, Error> {
    const SQL: &str = "
        SELECT id, feature, kind, about, severity, text, created_at, seen_at, delivered_at FROM notices
        WHERE created_at >= $2 AND NOT EXISTS (
            SELECT 1 FROM notice_deliveries WHERE notice_deliveries.notice = notices.id AND channel = $1)
        ORDER BY id LIMIT $3";
    let limit = i64::from(limit);
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(channel).bind(micros(since)).bind(limit).fetch_all(pool).await)?)
}

/// These went to a channel, or are not for it.
pub async fn sent(db: &Db, channel: &str, notices: &[&str], wanted: bool, now: DateTime<Utc>) -> Result<(), Error> {
    const WELL: &str = "UPDATE notice_channels SET failures = 0, next_at = NULL, error = NULL WHERE channel = $1";
    for chunk in notices.chunks(500) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("INSERT INTO notice_deliveries (notice, channel, wanted, sent_at) ");
            query.push_values(chunk, |mut row, notice| {
                row.push_bind(*notice).push_bind(channel).push_bind(wanted).push_bind(micros(now));
            });
            query.push(" ON CONFLICT (notice, channel) DO NOTHING");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    if wanted {
        on_write!(db, pool => sqlx::query(WELL).bind(channel).execute(pool).await.map(drop))?;
    }
    Ok(())
}

/// A message did not go; the next try is not before `next_at`.
pub async fn failed(db: &Db, channel: &str, error: &str, next_at: DateTime<Utc>) -> Result<(), Error> {
    const SQL: &str = "UPDATE notice_channels SET failures = failures + 1, next_at = $2, error = $3 WHERE channel = $1";
    on_write!(db, pool => {
        sqlx::query(SQL).bind(channel).bind(micros(next_at)).bind(clean(error)).execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// Messages that went to a channel since.
pub async fn messages_since(db: &Db, channel: &str, since: DateTime<Utc>) -> Result<i64, Error> {
    const SQL: &str = "
        SELECT COUNT(DISTINCT sent_at) FROM notice_deliveries WHERE channel = $1 AND wanted AND sent_at >= $2";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(channel).bind(micros(since)).fetch_one(pool).await)?)
}

/// Forgets what went before; the notices themselves are older still.
pub async fn delete_older(db: &Db, before: DateTime<Utc>) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM notice_deliveries WHERE sent_at < $1
        AND NOT EXISTS (SELECT 1 FROM notices WHERE notices.id = notice_deliveries.notice)";
    Ok(on_write!(db, pool => {
        sqlx::query(SQL).bind(micros(before)).execute(pool).await.map(|done| done.rows_affected())
    })?)
}

/// A stretch of time in figures: name, what came of it, how many.
pub type Tally = Vec<(String, String, i64)>;

/// Runs by job and outcome since.
pub async fn runs(db: &Db, since: DateTime<Utc>) -> Result<Tally, Error> {
    const SQL: &str = "
        SELECT job, outcome, COUNT(*) FROM job_runs WHERE started_at >= $1 AND outcome <> 'running'
        GROUP BY job, outcome ORDER BY job, outcome";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}

/// Effects by feature and state since.
pub async fn effects(db: &Db, since: DateTime<Utc>) -> Result<Tally, Error> {
    const SQL: &str = "
        SELECT feature, state, COUNT(*) FROM effects WHERE changed_at >= $1
        GROUP BY feature, state ORDER BY feature, state";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}

/// Notices by feature and severity since.
pub async fn notices(db: &Db, since: DateTime<Utc>) -> Result<Tally, Error> {
    const SQL: &str = "
        SELECT feature, severity, COUNT(*) FROM notices WHERE created_at >= $1
        GROUP BY feature, severity ORDER BY feature, severity";
    Ok(on!(db, pool => sqlx::query_as(SQL).bind(micros(since)).fetch_all(pool).await)?)
}
