//! What statuses quote. A quote's state changes without an edit: its author may be asked, agree and change their mind.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};

use super::{Item, Quote};
use crate::{
    Db, Error,
    db::Tx,
    dialect,
    list::push_list,
    text::{clean, clean_opt, is_key},
};

/// A quote in one of the states that it was in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Quoted {
    /// The status that quotes.
    pub status: i64,
    /// First seen so.
    pub since: DateTime<Utc>,
    /// The quoted status, where the server showed it.
    pub uri: Option<String>,
    /// In the server's words.
    pub state: String,
    /// No longer so.
    pub until: Option<DateTime<Utc>>,
}

/// The quotes of some statuses in all their states, oldest first.
pub async fn quotes(db: &Db, ids: &[i64]) -> Result<Vec<Quoted>, Error> {
    let mut found = Vec::new();
    for chunk in ids.chunks(500) {
        let mut part: Vec<Quoted> = on!(db, pool => {
            let mut query =
                QueryBuilder::new("SELECT status, since, uri, state, until FROM archive_quotes WHERE status IN (");
            push_list(&mut query, chunk);
            query.push(" ORDER BY status, since");
            query.build_query_as().fetch_all(pool).await
        })?;
        found.append(&mut part);
    }
    Ok(found)
}

pub(super) async fn insert(tx: &mut Tx, items: &[(i64, &Item)], now: DateTime<Utc>) -> Result<(), Error> {
    let rows: Vec<(i64, &Quote)> = items
        .iter()
        .filter_map(|(id, item)| Some((*id, item.quote.as_ref()?)))
        .collect();
    for chunk in rows.chunks(500) {
        let insert = dialect::insert_into(tx);
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(insert);
            query.push("archive_quotes (status, since, uri, state) ");
            query.push_values(chunk, |mut values, (id, quote)| {
                values.push_bind(*id).push_bind(now);
                values.push_bind(clean_opt(uri(quote))).push_bind(clean(&quote.state));
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

/// How a quote stands now. As it stood is remembered.
pub(super) async fn set(tx: &mut Tx, id: i64, quote: Option<&Quote>, now: DateTime<Utc>) -> Result<(), Error> {
    const OPEN: &str = "SELECT uri, state FROM archive_quotes WHERE status = $1 AND until IS NULL";
    const CLOSE: &str = "UPDATE archive_quotes SET until = $2 WHERE status = $1 AND until IS NULL";
    const ADD: &str = "
        INSERT INTO archive_quotes (status, since, uri, state) VALUES ($1, $2, $3, $4)
        ON CONFLICT (status, since) DO UPDATE SET uri = excluded.uri, state = excluded.state, until = NULL";
    let open: Option<(Option<String>, String)> =
        on_tx!(&mut *tx, connection => sqlx::query_as(OPEN).bind(id).fetch_optional(connection).await)?;
    let same = match (&open, quote) {
        (None, None) => true,
        // A revoked quote hides what it quoted; the address that was seen before stands.
        (Some((_, state)), Some(quote)) => *state == *clean(&quote.state),
        _ => false,
    };
    if same {
        return Ok(());
    }
    on_tx!(&mut *tx, connection => sqlx::query(CLOSE).bind(id).bind(now).execute(connection).await.map(drop))?;
    if let Some(quote) = quote {
        let before = open.and_then(|(uri, _)| uri);
        let uri = uri(quote).map(str::to_owned).or(before);
        on_tx!(&mut *tx, connection => {
            let query = sqlx::query(ADD).bind(id).bind(now).bind(uri).bind(clean(&quote.state));
            query.execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

fn uri(quote: &Quote) -> Option<&str> {
    quote.uri.as_deref().filter(|uri| is_key(uri))
}
