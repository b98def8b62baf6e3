//! From one SQLite file to an empty Postgres: every row of every table, or nothing.
//!
//! Both engines hold the same tables, so what is copied is not listed here: a table that a later migration adds is moved
//! like the others. Values travel as text and are read by Postgres as what its column is.

use futures::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder, Row as _, Transaction};

use crate::{Db, Error, migrations};

/// Parameters of one statement; Postgres counts them in 16 bits.
const PARAMETERS: usize = 30_000;

/// Made anew from what it is made of: SQLite keeps no words that could be copied.
const SEARCH: &str = "archive_search";

/// Moves everything. Gives tables and how many rows each had, and calls `tell` after each.
///
/// # Errors
/// When the databases are not an SQLite and a Postgres, both at the newest migration, the target is not empty, or the
/// counts differ afterwards; the target is as it was then.
pub async fn move_all(from: &Db, to: &Db, mut tell: impl FnMut(&str, u64)) -> Result<Vec<(String, u64)>, Error> {
    let wrong = |reason: String| Error::Move(reason);
    let (Db::Sqlite { write, .. }, Db::Postgres(pool)) = (from, to) else {
        return Err(wrong(
            "it goes from an SQLite file to a Postgres, and no other way".to_owned(),
        ));
    };
    for (db, name) in [(from, "the database it comes from"), (to, "the database it goes to")] {
        if !migrations(db).await?.pending.is_empty() {
            return Err(wrong(format!("{name} is not up to date; start egret on it once")));
        }
    }
    const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'
        AND name NOT LIKE '@_sqlx%' ESCAPE '@' AND name NOT LIKE 'archive@_search%' ESCAPE '@' ORDER BY name";
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(write).await?;
    let mut tx = pool.begin().await?;
    for table in tables.iter().map(String::as_str).chain([SEARCH]) {
        let rows = count(&mut tx, table).await?;
        if rows > 0 {
            return Err(wrong(format!(
                "the database it goes to is not empty ({table} has {rows} rows); make a new one"
            )));
        }
    }
    let mut moved = Vec::new();
    for table in &tables {
        let rows = copy(write, &mut tx, table).await?;
        let there = count(&mut tx, table).await?;
        if rows != there {
            return Err(wrong(format!("{table} had {rows} rows, and {there} arrived")));
        }
        tell(table, rows);
        moved.push((table.clone(), rows));
    }
    let found = search(write, &mut tx).await?;
    tell(SEARCH, found);
    moved.push((SEARCH.to_owned(), found));
    tx.commit().await?;
    Ok(moved)
}

async fn count(tx: &mut Transaction<'_, Postgres>, table: &str) -> Result<u64, Error> {
    let sql = format!("SELECT COUNT(*) FROM {}", quoted(table));
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut **tx).await?;
    Ok(count.unsigned_abs())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn copy(from: &sqlx::SqlitePool, tx: &mut Transaction<'_, Postgres>, table: &str) -> Result<u64, Error> {
    const COLUMNS: &str = "SELECT column_name::text, data_type::text FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position";
    const HERE: &str = "SELECT COUNT(*) FROM pragma_table_info($1)";
    let columns: Vec<(String, String)> = sqlx::query_as(COLUMNS).bind(table).fetch_all(&mut **tx).await?;
    let here: i64 = sqlx::query_scalar(HERE).bind(table).fetch_one(from).await?;
    if columns.is_empty() || here.unsigned_abs() != columns.len() as u64 {
        return Err(Error::Move(format!(
            "{table} has other columns in the database it goes to"
        )));
    }
    let read: Vec<String> = columns
        .iter()
        .map(|(name, kind)| {
            let name = quoted(name);
            match kind.as_str() {
                // Text of a float is shorter than the float, unless it is told not to be.
                "double precision" => format!("CASE WHEN {name} IS NULL THEN NULL ELSE printf('%!.17g', {name}) END"),
                "bytea" => format!("CASE WHEN {name} IS NULL THEN NULL ELSE '\\x' || hex({name}) END"),
                _ => format!("CAST({name} AS TEXT)"),
            }
        })
        .collect();
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    let into = format!("INSERT INTO {} ({}) ", quoted(table), names.join(", "));
    let sql = format!("SELECT {} FROM {}", read.join(", "), quoted(table));
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(from);
    let most = (PARAMETERS / columns.len()).clamp(1, 1000);
    let (mut batch, mut copied): (Vec<Vec<Option<String>>>, u64) = (Vec::new(), 0);
    loop {
        let row = rows.try_next().await?;
        if let Some(row) = &row {
            let values: Result<_, sqlx::Error> = (0..columns.len()).map(|n| row.try_get(n)).collect();
            batch.push(values?);
        }
        if batch.len() >= most || (row.is_none() && !batch.is_empty()) {
            copied += batch.len() as u64;
            let mut query = QueryBuilder::<Postgres>::new(&into);
            query.push_values(batch.drain(..), |mut into, values| {
                for (value, (_, kind)) in values.into_iter().zip(&columns) {
                    into.push_bind(value).push_unseparated(format!("::{kind}"));
                }
            });
            query.build().execute(&mut **tx).await?;
        }
        if row.is_none() {
            return Ok(copied);
        }
    }
}

/// Words and facets of a status, as SQLite's index lists them.
#[derive(Default)]
struct Found {
    id: i64,
    lexemes: Vec<String>,
    words: usize,
}

/// Makes what was findable findable: the index itself says which words stand where.
async fn search(from: &sqlx::SqlitePool, tx: &mut Transaction<'_, Postgres>) -> Result<u64, Error> {
    const VIEW: &str = "CREATE VIRTUAL TABLE temp.archive_words USING fts5vocab('main', 'archive_search', 'instance')";
    const WORDS: &str = "SELECT doc, col, term FROM temp.archive_words ORDER BY doc, col, offset";
    let mut connection = from.acquire().await?;
    sqlx::query(VIEW).execute(&mut *connection).await?;
    let mut all = 0;
    let mut batch = Vec::new();
    let mut one = Found::default();
    {
        let mut rows = sqlx::query_as::<_, (i64, String, String)>(WORDS).fetch(&mut *connection);
        while let Some((id, column, term)) = rows.try_next().await? {
            if id != one.id {
                all += finish(&mut one, &mut batch, tx, 500).await?;
                one.id = id;
            }
            // Postgres counts positions up to 16,383 only; facets are lexemes that begin with `=`.
            one.lexemes.push(if column == "words" {
                one.words += 1;
                format!("'{}':{}", escaped(&term), one.words.min(16_383))
            } else {
                format!("'={}'", escaped(&term))
            });
        }
    }
    all += finish(&mut one, &mut batch, tx, 1).await?;
    sqlx::query("DROP TABLE temp.archive_words")
        .execute(&mut *connection)
        .await?;
    Ok(all)
}

fn escaped(term: &str) -> String {
    term.replace('\\', "\\\\").replace('\'', "''")
}

/// Puts a status that is complete to those that wait, and writes them when there are enough.
async fn finish(
    one: &mut Found,
    batch: &mut Vec<(i64, String)>,
    tx: &mut Transaction<'_, Postgres>,
    enough: usize,
) -> Result<u64, Error> {
    let done = std::mem::take(one);
    if !done.lexemes.is_empty() {
        batch.push((done.id, done.lexemes.join(" ")));
    }
    if batch.len() < enough.max(1) {
        return Ok(0);
    }
    let written = batch.len() as u64;
    let mut query = QueryBuilder::<Postgres>::new("INSERT INTO archive_search (id, words) ");
    query.push_values(batch.drain(..), |mut into, (id, words)| {
        into.push_bind(id).push_bind(words).push_unseparated("::tsvector");
    });
    query.build().execute(&mut **tx).await?;
    Ok(written)
}
