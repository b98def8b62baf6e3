//! Full-text search: the same words and the same answers on both engines, since both are given words that are folded
//! and cut already.

use chrono::{DateTime, Utc};
use sqlx::QueryBuilder;

use super::{Facet, Item, KEPT, Kept, first_id, fnv};
use crate::{Db, Error, db::Tx, dialect, list::push_list};

/// Words of one status that are found. A longer one is kept whole and found by its beginning.
const MOST_WORDS: usize = 8000;

/// A part of what is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// One word, or several in a row.
    pub words: Vec<String>,
    /// Whether the last word is only its beginning.
    pub prefix: bool,
    /// Whether it must not be there.
    pub not: bool,
}

/// Which statuses.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words and phrases, all of them.
    pub terms: Vec<Term>,
    /// Facets, all of them.
    pub facets: Vec<Facet>,
    /// Only what these logins have to do with; `None` is everybody's.
    pub logins: Option<Vec<String>>,
    /// Only what is one of these for them.
    pub kinds: Vec<String>,
    /// Written at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Written before.
    pub until: Option<DateTime<Utc>>,
    /// Where the page before ended.
    pub before: Option<i64>,
    /// Only what was deleted, or only what was not.
    pub gone: Option<bool>,
}

/// The facet as a word that no text holds.
pub(crate) fn token(facet: &Facet) -> String {
    format!("{}{:016x}", facet.kind, fnv(&facet.value))
}

/// Found statuses, newest first.
pub async fn search(db: &Db, filter: &Filter, limit: u32) -> Result<Vec<Kept>, Error> {
    if filter.logins.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let by_words = !filter.terms.is_empty() || !filter.facets.is_empty();
    let key = match (by_words, db) {
        (false, _) => "s.id",
        (true, Db::Postgres(_)) => "f.id",
        (true, Db::Sqlite { .. }) => "f.rowid",
    };
    on!(db, pool => {
        let mut query = QueryBuilder::new(format!("SELECT {KEPT} FROM "));
        if by_words {
            query.push(format!("archive_search f JOIN archive_statuses s ON s.id = {key} WHERE "));
            query.push(dialect::search_begin(db)).push_bind(dialect::search_words(db, filter)).push(dialect::search_end(db));
        } else {
            query.push("archive_statuses s WHERE TRUE");
        }
        for (bound, sign) in [
            (filter.since.map(first_id), ">="), (filter.until.map(first_id), "<"), (filter.before, "<"),
        ] {
            if let Some(bound) = bound {
                query.push(format!(" AND {key} {sign} ")).push_bind(bound);
            }
        }
        match filter.gone {
            Some(true) => drop(query.push(" AND s.gone_at IS NOT NULL")),
            Some(false) => drop(query.push(" AND s.gone_at IS NULL")),
            None => {}
        }
        if filter.logins.is_some() || !filter.kinds.is_empty() {
            // By itself the list of what was done is short against the archive; behind words, the other way round.
            query.push(if by_words || filter.kinds.is_empty() {
                " AND EXISTS (SELECT 1 FROM archive_activities a WHERE a.status = s.id"
            } else {
                " AND s.id IN (SELECT a.status FROM archive_activities a WHERE TRUE"
            });
            for (column, values) in [("a.login", filter.logins.as_deref()), ("a.kind", Some(&filter.kinds[..]))] {
                let Some(values) = values.filter(|values| !values.is_empty()) else { continue };
                query.push(format!(" AND {column} IN ("));
                push_list(&mut query, values);
            }
            query.push(")");
        }
        query.push(format!(" ORDER BY {key} DESC LIMIT ")).push_bind(i64::from(limit));
        // Postgres plans a statement that it keeps without looking at what is asked for, and then takes a rare word to be
        // as common as any: it looks for the newest that has it, through the whole archive.
        Ok(query.build_query_as().persistent(false).fetch_all(pool).await?)
    })
}

/// Makes new statuses findable.
pub(super) async fn insert(db: &Db, tx: &mut Tx, items: &[(i64, &Item)]) -> Result<(), Error> {
    // Words of a chunk are held twice over while it is written.
    for chunk in items.chunks(100) {
        let rows: Vec<(i64, String, String)> = chunk
            .iter()
            .map(|(id, item)| {
                let facets: Vec<String> = item.facets.iter().map(token).collect();
                let words = dialect::search_text(db, &item.words[..item.words.len().min(MOST_WORDS)]);
                (*id, words, dialect::search_facets(db, &facets))
            })
            .collect();
        on_tx!(&mut *tx, connection => {
            let mut query = QueryBuilder::new(dialect::search_insert(db));
            let (before, between, after) = dialect::search_row(db);
            for (n, (id, words, facets)) in rows.into_iter().enumerate() {
                query.push(if n == 0 { "(" } else { ", (" }).push_bind(id);
                query.push(before).push_bind(words).push(between).push_bind(facets).push(after);
            }
            query.push(dialect::search_insert_end(db));
            query.build().execute(connection).await.map(drop)
        })?;
    }
    Ok(())
}

/// Makes a status findable by what it says now.
pub(super) async fn replace(db: &Db, tx: &mut Tx, id: i64, item: &Item) -> Result<(), Error> {
    delete(db, tx, id).await?;
    insert(db, tx, &[(id, item)]).await
}

/// A status is found no more.
pub(super) async fn delete(db: &Db, tx: &mut Tx, id: i64) -> Result<(), Error> {
    let sql = dialect::search_delete(db);
    on_tx!(tx, connection => sqlx::query(sql).bind(id).execute(connection).await.map(drop))?;
    Ok(())
}
