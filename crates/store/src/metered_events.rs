//! What happened to metered accounts: renamed, moved, suspended, deleted, returned, a milestone reached.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, QueryBuilder};

use crate::{Db, Error, db::micros, text::clean_opt};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Event {
    /// A UUID in the order of time.
    pub id: String,
    /// To whom.
    pub account: i64,
    /// When we saw it.
    pub at: DateTime<Utc>,
    /// One word.
    pub kind: String,
    /// What was before.
    pub was: Option<String>,
    /// What is now.
    pub became: Option<String>,
}

/// Adds events.
pub async fn insert(db: &Db, events: &[Event]) -> Result<(), Error> {
    for chunk in events.chunks(1000) {
        on_write!(db, pool => {
            let mut query = QueryBuilder::new("INSERT INTO metered_events (id, account, at, kind, was, became) ");
            query.push_values(chunk, |mut values, event| {
                values.push_bind(&event.id).push_bind(event.account).push_bind(micros(event.at)).push_bind(&event.kind);
                values.push_bind(clean_opt(event.was.as_deref())).push_bind(clean_opt(event.became.as_deref()));
            });
            query.push(" ON CONFLICT (id) DO NOTHING");
            query.build().execute(pool).await.map(drop)
        })?;
    }
    Ok(())
}

/// Events of an account from one moment to another, oldest first. Of more than `limit` the newest.
pub async fn range(
    db: &Db,
    account: i64,
    since: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: u32,
) -> Result<Vec<Event>, Error> {
    const SQL: &str = "
        SELECT * FROM metered_events WHERE account = $1 AND at >= $2 AND at <= $3 ORDER BY at DESC, id DESC LIMIT $4";
    let mut events: Vec<Event> = on!(db, pool => {
        let query = sqlx::query_as(SQL).bind(account).bind(micros(since)).bind(micros(to));
        query.bind(i64::from(limit)).fetch_all(pool).await
    })?;
    events.reverse();
    Ok(events)
}
