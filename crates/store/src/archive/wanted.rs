//! Statuses that are known by their address alone, and are to be asked for.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, QueryBuilder};

use super::{Item, NewActivity, Page};
use crate::{
    Db, Error,
    db::{Tx, micros},
    list::push_list,
    text::{clean_opt, is_key},
};

const CHUNK: usize = 500;

/// What a login has to do with a status of which the address is all that is known.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Wanted {
    /// link, boost, favourite, bookmark.
    pub kind: String,
    /// The status.
    pub uri: String,
    /// When it was done, where it is known.
    pub at: Option<DateTime<Utc>>,
    /// Of a boost.
    pub visibility: Option<String>,
    /// Times it was asked for.
    pub tries: i64,
}

impl Wanted {
    /// What is to be noted once the status is there.
    pub fn activity(&self) -> NewActivity {
        NewActivity {
            kind: self.kind.clone(),
            at: self.at,
            activity_id: None,
            visibility: self.visibility.clone(),
        }
    }
}

/// What marking found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marked {
    /// Statuses that are kept.
    pub known: u64,
    /// Activities with them that were not there.
    pub new: u64,
    /// Statuses that are to be asked for.
    pub wanted: u64,
}

/// A login did this with these statuses. Those that are kept get their activity at once, unless they had it before, taken
/// back or not; the others are wanted.
pub async fn mark(db: &Db, login: &str, marks: &[Wanted], now: DateTime<Utc>) -> Result<Marked, Error> {
    let mut marked = Marked::default();
    for chunk in marks.chunks(CHUNK) {
        let uris: Vec<String> = chunk
            .iter()
            .map(|mark| mark.uri.clone())
            .filter(|uri| is_key(uri))
            .collect();
        let ids: HashMap<String, i64> = super::by_uris(db, &uris)
            .await?
            .into_iter()
            .map(|kept| (kept.uri, kept.id))
            .collect();
        let kept: Vec<i64> = ids.values().copied().collect();
        let before = super::activities(db, &kept).await?;
        let mut seen: HashSet<(i64, &str)> = before
            .iter()
            .filter(|one| one.login == login)
            .map(|one| (one.status, one.kind.as_str()))
            .collect();
        let known: Vec<(i64, &Wanted)> = chunk
            .iter()
            .filter_map(|mark| Some((*ids.get(&mark.uri)?, mark)))
            .filter(|(id, mark)| seen.insert((*id, mark.kind.as_str())))
            .collect();
        marked.known += chunk.iter().filter(|mark| ids.contains_key(&mark.uri)).count() as u64;
        if !known.is_empty() {
            marked.new += on_write!(db, pool => {
                let mut query = QueryBuilder::new(
                    "INSERT INTO archive_activities (login, kind, status, noticed_at, at, visibility) ",
                );
                query.push_values(&known, |mut values, (id, mark)| {
                    values.push_bind(login).push_bind(&mark.kind).push_bind(*id).push_bind(now);
                    values.push_bind(mark.at.map(micros)).push_bind(clean_opt(mark.visibility.as_deref()));
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(pool).await.map(|done| done.rows_affected())
            })?;
        }
        let mut seen = HashSet::new();
        let rest: Vec<&Wanted> = chunk
            .iter()
            .filter(|mark| is_key(&mark.uri) && !ids.contains_key(&mark.uri))
            .filter(|mark| seen.insert((mark.uri.as_str(), mark.kind.as_str())))
            .collect();
        marked.wanted += rest.len() as u64;
        if !rest.is_empty() {
            on_write!(db, pool => {
                let mut query = QueryBuilder::new(INSERT);
                query.push_values(&rest, |mut values, mark| {
                    values.push_bind(login).push_bind(&mark.kind).push_bind(&mark.uri);
                    values.push_bind(mark.at.map(micros)).push_bind(clean_opt(mark.visibility.as_deref()));
                    values.push_bind(0_i64).push_bind(now);
                });
                query.push(" ON CONFLICT DO NOTHING");
                query.build().execute(pool).await.map(drop)
            })?;
        }
    }
    Ok(marked)
}

const INSERT: &str = "INSERT INTO archive_wanted (login, kind, uri, at, visibility, tries, next_try_at) ";

/// Notes what statuses that are being saved link to.
pub(super) async fn insert_links(tx: &mut Tx, page: &Page<'_>, items: &[(i64, &Item)]) -> Result<(), Error> {
    let mut links: Vec<&str> = items
        .iter()
        .flat_map(|(_, item)| item.links.iter().map(String::as_str))
        .filter(|link| is_key(link))
        .collect();
    links.sort_unstable();
    links.dedup();
    for chunk in links.chunks(CHUNK) {
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(INSERT);
            query.push_values(chunk, |mut values, link| {
                values.push_bind(page.login).push_bind("link").push_bind(*link);
                values.push_bind(None::<DateTime<Utc>>).push_bind(None::<String>).push_bind(0_i64).push_bind(page.now);
            });
            query.push(" ON CONFLICT DO NOTHING");
            query.build().execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

/// What a login wants by now, those that wait longest first.
pub async fn due(db: &Db, login: &str, kinds: &[&str], now: DateTime<Utc>, limit: u32) -> Result<Vec<Wanted>, Error> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on!(db, pool => {
        let mut query = QueryBuilder::new("SELECT kind, uri, at, visibility, tries FROM archive_wanted WHERE login = ");
        query.push_bind(login).push(" AND next_try_at <= ").push_bind(now).push(" AND kind IN (");
        push_list(&mut query, kinds);
        query.push(" ORDER BY next_try_at, uri LIMIT ").push_bind(i64::from(limit));
        query.build_query_as().fetch_all(pool).await
    })?)
}

/// It was asked for. `None`: it is kept now, or given up.
pub async fn mark_tried(db: &Db, login: &str, wanted: &Wanted, next: Option<DateTime<Utc>>) -> Result<(), Error> {
    const SQL: &str = "
        UPDATE archive_wanted SET tries = tries + 1, next_try_at = $4 WHERE login = $1 AND kind = $2 AND uri = $3";
    on_write!(db, pool => {
        let query = sqlx::query(SQL).bind(login).bind(&wanted.kind).bind(&wanted.uri).bind(next);
        query.execute(pool).await.map(drop)
    })?;
    Ok(())
}

/// How many a login still waits for.
pub async fn waiting(db: &Db, login: &str) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM archive_wanted WHERE login = $1 AND next_try_at IS NOT NULL";
    Ok(on!(db, pool => sqlx::query_scalar(SQL).bind(login).fetch_one(pool).await)?)
}
