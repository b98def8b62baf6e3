//! From one engine to the other.

use sqlx::AssertSqlSafe;
use store::{
    Config, Db,
    notices::{self, Notice, Severity},
    testing,
};

use crate::{id, minute};

const ROWS: usize = 1203;

/// A value of a kind of column, another for each row.
fn value(kind: &str, n: usize) -> String {
    match kind {
        "bigint" | "integer" => (n * 7).to_string(),
        "double precision" => format!("{n}.1234567890123456"),
        "boolean" => (n % 2).to_string(),
        "jsonb" => format!("'{{\"n\": {n}, \"t\": \"Jürgen''s\"}}'"),
        "timestamp with time zone" => format!("'2026-03-01T12:{:02}:{:02}.123456+00:00'", n / 60 % 60, n % 60),
        _ => format!("'ü ''{n}'"),
    }
}

/// Every table with its columns and their kinds, as Postgres has them.
async fn columns(to: &Db) -> Vec<(String, Vec<(String, String)>)> {
    let Db::Postgres(pool) = to else { unreachable!() };
    let found: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name NOT IN ('_sqlx_migrations', 'archive_search')
         ORDER BY table_name, ordinal_position",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut tables: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (table, column, kind) in found {
        match tables.last_mut().filter(|(last, _)| *last == table) {
            Some((_, columns)) => columns.push((column, kind)),
            None => tables.push((table, vec![(column, kind)])),
        }
    }
    tables
}

/// SQLite to Postgres keeps every row of every table there is, and a second move is refused.
#[tokio::test]
async fn a_move_keeps_every_row_of_every_table() {
    testing::on_each_url(|url| async move {
        if url.starts_with("sqlite") {
            return;
        }
        let (from, _folder) = testing::sqlite().await;
        let config = Config {
            url: Some(url),
            ..Config::default()
        };
        let to = Db::open(&config).await.unwrap();
        store::migrate(&to).await.unwrap();
        let Db::Sqlite { write, .. } = &from else {
            unreachable!()
        };
        let tables = columns(&to).await;
        assert!(tables.len() > 30, "{}", tables.len());
        let mut expected = Vec::new();
        for (table, columns) in &tables {
            let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            for chunk in (0..ROWS).collect::<Vec<_>>().chunks(200) {
                let rows: Vec<String> = chunk
                    .iter()
                    .map(|n| {
                        let values: Vec<String> = columns.iter().map(|(_, kind)| value(kind, *n)).collect();
                        format!("({})", values.join(", "))
                    })
                    .collect();
                let sql = format!(
                    "INSERT OR IGNORE INTO \"{table}\" ({}) VALUES {}",
                    names.join(", "),
                    rows.join(", ")
                );
                sqlx::query(AssertSqlSafe(sql))
                    .execute(write)
                    .await
                    .unwrap_or_else(|error| panic!("{table}: {error}"));
            }
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{table}\"")))
                .fetch_one(write)
                .await
                .unwrap();
            expected.push((table.clone(), count.unsigned_abs()));
        }
        sqlx::query("DELETE FROM notices").execute(write).await.unwrap();
        let notice = Notice {
            id: id(),
            feature: "operations".into(),
            kind: "dump".into(),
            about: "Jürgen's \\ database".into(),
            severity: Severity::Error,
            text: "line\nline".into(),
            created_at: minute(3),
            seen_at: None,
            delivered_at: None,
        };
        notices::insert(&from, &notice).await.unwrap();
        sqlx::query("INSERT INTO archive_search (rowid, words, facets) VALUES (7, 'hello wide world', 'k1 any')")
            .execute(write)
            .await
            .unwrap();
        let moved = store::move_all(&from, &to, |_, _| ()).await.unwrap();
        for (table, rows) in expected.iter().filter(|(table, _)| table != "notices") {
            assert!(
                moved.contains(&(table.clone(), *rows)),
                "{table}: {rows} rows, {moved:?}"
            );
        }
        assert_eq!(notices::list(&to, false, None, 10).await.unwrap(), [notice]);
        let Db::Postgres(pool) = &to else { unreachable!() };
        let found: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM archive_search WHERE words @@ '''wide'' <-> ''world'' & ''=k1'''::tsquery",
        )
        .fetch_all(pool)
        .await
        .unwrap();
        assert_eq!(found, [7]);
        let again = store::move_all(&from, &to, |_, _| ()).await.unwrap_err().to_string();
        assert!(again.contains("is not empty"), "{again}");
        to.close().await;
    })
    .await;
}
