//! Statements that need two texts, next to each other.

use crate::{
    Db,
    archive::search::{Filter, token},
    db::Tx,
};

/// The text for the open engine.
fn pick(db: &Db, postgres: &'static str, sqlite: &'static str) -> &'static str {
    match db {
        Db::Postgres(_) => postgres,
        Db::Sqlite { .. } => sqlite,
    }
}

/// How several rows are inserted in a transaction that is rolled back whole when one of them fails. SQLite writes down
/// how to take a statement of several rows back by itself, for which there is no need then, and which costs a tenth.
pub(crate) fn insert_into(tx: &Tx) -> &'static str {
    match tx {
        Tx::Postgres(_) => "INSERT INTO ",
        Tx::Sqlite(_) => "INSERT OR FAIL INTO ",
    }
}

/// Whether sqlx has kept its list of migrations in this database before.
pub(crate) fn has_migrations(db: &Db) -> &'static str {
    pick(
        db,
        "SELECT to_regclass('_sqlx_migrations') IS NOT NULL",
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations')",
    )
}

/// What follows the `@` of `acct`.
pub(crate) fn domain_of_acct(db: &Db) -> &'static str {
    pick(db, "split_part(acct, '@', 2)", "substr(acct, instr(acct, '@') + 1)")
}

/// Bytes on disk.
pub(crate) fn size(db: &Db) -> &'static str {
    pick(
        db,
        "SELECT pg_database_size(current_database())",
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    )
}

/// Takes or renews a lease: `$1` name, `$2` holder, `$3` seconds, and on SQLite `$4` now and `$5` the end.
///
/// Postgres may serve several machines, so its own clock decides (`clock_timestamp()`, which goes on while the
/// statement waits for another one's row). SQLite serves one machine and has no clock worth asking.
pub(crate) fn take_lease(db: &Db) -> &'static str {
    pick(
        db,
        "INSERT INTO leases (name, holder, fence, expires_at)
         VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
         ON CONFLICT (name) DO UPDATE SET
            holder = excluded.holder,
            expires_at = clock_timestamp() + make_interval(secs => $3),
            fence = leases.fence + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
         WHERE leases.expires_at <= clock_timestamp() OR leases.holder = excluded.holder
         RETURNING name, holder, fence, expires_at",
        "INSERT INTO leases (name, holder, fence, expires_at) VALUES ($1, $2, 1, $5)
         ON CONFLICT (name) DO UPDATE SET
            holder = excluded.holder,
            expires_at = excluded.expires_at,
            fence = leases.fence + CASE WHEN leases.holder = excluded.holder THEN 0 ELSE 1 END
         WHERE leases.expires_at <= $4 OR leases.holder = excluded.holder
         RETURNING name, holder, fence, expires_at",
    )
}

/// Leases that stand: `$1` now, on SQLite only.
pub(crate) fn standing_leases(db: &Db) -> &'static str {
    pick(
        db,
        "SELECT name, holder, fence, expires_at FROM leases
         WHERE holder <> '' AND expires_at > clock_timestamp() ORDER BY name",
        "SELECT name, holder, fence, expires_at FROM leases WHERE holder <> '' AND expires_at > $1 ORDER BY name",
    )
}

/// One of them: `$1` its name, and on SQLite `$2` now.
pub(crate) fn standing_lease(db: &Db) -> &'static str {
    pick(
        db,
        "SELECT name, holder, fence, expires_at FROM leases
         WHERE name = $1 AND holder <> '' AND expires_at > clock_timestamp()",
        "SELECT name, holder, fence, expires_at FROM leases WHERE name = $1 AND holder <> '' AND expires_at > $2",
    )
}

/// Steps around rows that another process is claiming; SQLite has one writer at a time and no need to.
pub(crate) fn skip_locked(db: &Db) -> &'static str {
    pick(db, " FOR UPDATE SKIP LOCKED", "")
}

/// Claims due rows. Two Postgres processes step around each other's rows instead of waiting for them; SQLite has
/// one writer at a time and no need to. The list of rows is made once (`MATERIALIZED`), or Postgres may make it
/// again for each row and hand out more than asked for. Rows come out with the tries before this one.
macro_rules! claim {
    ($thread:literal, $lock:literal) => {
        concat!(
            "WITH due (due_uri) AS MATERIALIZED (
                SELECT uri FROM wanted
                WHERE server = $1 AND state = 'wanted' AND next_try_at <= $2
                    AND (claimed_until IS NULL OR claimed_until <= $2)",
            $thread,
            " ORDER BY next_try_at LIMIT $5",
            $lock,
            ")
            UPDATE wanted SET tries = tries + 1, claimed_by = $3, claimed_until = $4
            FROM due WHERE server = $1 AND uri = due_uri
            RETURNING server, uri, host, feature, thread, in_reply_to, state, status_id, tries - 1 AS tries, reason,
                next_try_at, found_at, ended_at"
        )
    };
}

/// Claims rows that are due: `$1` server, `$2` now, `$3` holder, `$4` until, `$5` how many, and `$6` the thread.
pub(crate) fn claim(db: &Db, of_one_thread: bool) -> &'static str {
    if of_one_thread {
        pick(
            db,
            claim!(" AND thread = $6", " FOR UPDATE SKIP LOCKED"),
            claim!(" AND thread = $6", ""),
        )
    } else {
        pick(db, claim!("", " FOR UPDATE SKIP LOCKED"), claim!("", ""))
    }
}

/// Makes statuses findable; rows follow.
pub(crate) fn search_insert(db: &Db) -> &'static str {
    pick(
        db,
        "INSERT INTO archive_search (id, words) VALUES ",
        "INSERT INTO archive_search (rowid, words, facets) VALUES ",
    )
}

/// What stands in a row between id, words and facets, and behind.
pub(crate) fn search_row(db: &Db) -> (&'static str, &'static str, &'static str) {
    match db {
        Db::Postgres(_) => (", CAST(", " || ' ' || ", " AS TSVECTOR))"),
        Db::Sqlite { .. } => (", ", ", ", ")"),
    }
}

/// What stands behind all rows.
pub(crate) fn search_insert_end(db: &Db) -> &'static str {
    pick(db, " ON CONFLICT (id) DO UPDATE SET words = excluded.words", "")
}

/// And no longer: `$1` id.
pub(crate) fn search_delete(db: &Db) -> &'static str {
    pick(
        db,
        "DELETE FROM archive_search WHERE id = $1",
        "DELETE FROM archive_search WHERE rowid = $1",
    )
}

/// Words as the engine takes them. They hold letters and digits alone; what else might stand there is left out.
pub(crate) fn search_text(db: &Db, words: &[String]) -> String {
    match db {
        // Postgres counts positions up to 16,383 only.
        Db::Postgres(_) => words
            .iter()
            .enumerate()
            .filter(|(_, word)| !plain(word).is_empty())
            .map(|(n, word)| format!("'{}':{}", plain(word), (n + 1).min(16_383)))
            .collect::<Vec<_>>()
            .join(" "),
        Db::Sqlite { .. } => words.iter().map(|word| plain(word)).collect::<Vec<_>>().join(" "),
    }
}

/// Facets as the engine takes them; one that all statuses have stands for "anything".
pub(crate) fn search_facets(db: &Db, facets: &[String]) -> String {
    let facets = facets.iter().map(String::as_str).chain(["any"]);
    match db {
        Db::Postgres(_) => facets.map(|facet| format!("'={facet}'")).collect::<Vec<_>>().join(" "),
        Db::Sqlite { .. } => facets.collect::<Vec<_>>().join(" "),
    }
}

/// Keeps everybody else from writing which files statuses show until the transaction ends. On SQLite one writes at a time
/// anyway.
pub(crate) fn lock_archive_files(db: &Db) -> Option<&'static str> {
    matches!(db, Db::Postgres(_)).then_some("LOCK TABLE archive_files, archive_file_uses IN SHARE ROW EXCLUSIVE MODE")
}

/// What stands before the words that are looked for.
pub(crate) fn search_begin(db: &Db) -> &'static str {
    pick(db, "f.words @@ CAST(", "f.archive_search MATCH ")
}

/// And behind.
pub(crate) fn search_end(db: &Db) -> &'static str {
    pick(db, " AS TSQUERY)", "")
}

/// What is looked for, in the engine's language.
pub(crate) fn search_words(db: &Db, filter: &Filter) -> String {
    let facets: Vec<String> = filter.facets.iter().map(token).collect();
    let mut wanted = Vec::new();
    let mut unwanted = Vec::new();
    for term in &filter.terms {
        let words: Vec<String> = term
            .words
            .iter()
            .map(|word| plain(word))
            .filter(|word| !word.is_empty())
            .collect();
        if words.is_empty() {
            continue;
        }
        let text = match db {
            Db::Postgres(_) => {
                let last = words.len() - 1;
                let words = words.iter().enumerate().map(|(n, word)| {
                    let beginning = if term.prefix && n == last { ":*" } else { "" };
                    format!("'{word}'{beginning}")
                });
                format!("({})", words.collect::<Vec<_>>().join(" <-> "))
            }
            Db::Sqlite { .. } => {
                let beginning = if term.prefix { " *" } else { "" };
                format!("words : \"{}\"{beginning}", words.join(" "))
            }
        };
        if term.not { &mut unwanted } else { &mut wanted }.push(text);
    }
    match db {
        Db::Postgres(_) => {
            wanted.extend(facets.iter().map(|facet| format!("'={facet}'")));
            if wanted.is_empty() {
                wanted.push("'=any'".to_owned());
            }
            wanted.extend(unwanted.iter().map(|text| format!("!{text}")));
            wanted.join(" & ")
        }
        Db::Sqlite { .. } => {
            wanted.extend(facets.iter().map(|facet| format!("facets : \"{facet}\"")));
            if wanted.is_empty() {
                wanted.push("facets : \"any\"".to_owned());
            }
            let wanted = wanted.join(" AND ");
            if unwanted.is_empty() {
                wanted
            } else {
                format!("({wanted}) NOT ({})", unwanted.join(" OR "))
            }
        }
    }
}

/// Without anything that either engine's language or tokenizer would take for more than a letter.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).take(64).collect()
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::*;
    use crate::{
        testing::on_each_engine,
        wanted::{State, Wanted},
    };

    /// A server's queue may hold a million ended rows; a claim looks at the due ones only.
    #[tokio::test]
    async fn a_claim_goes_by_its_index() {
        on_each_engine(async |db| {
            let now = "2026-03-01T12:00:00Z".parse().unwrap();
            let row = |n: i64| Wanted {
                server: "home.example".to_owned(),
                uri: format!("https://a.example/{n}"),
                host: "a.example".to_owned(),
                feature: "replies".to_owned(),
                thread: Some(format!("https://a.example/thread/{}", n % 100)),
                in_reply_to: None,
                state: if n % 10 == 0 { State::Wanted } else { State::Done },
                status_id: None,
                tries: 0,
                reason: None,
                next_try_at: now,
                found_at: now,
                ended_at: None,
            };
            let rows: Vec<_> = (0..20_000).map(row).collect();
            crate::wanted::insert(&db, &rows).await.unwrap();
            on_write!(&db, pool => sqlx::query("ANALYZE wanted").execute(pool).await.map(drop)).unwrap();
            for (of_one_thread, index) in [(false, "wanted_due"), (true, "wanted_due_by_thread")] {
                let explain = pick(&db, "EXPLAIN ", "EXPLAIN QUERY PLAN ");
                let sql = AssertSqlSafe(format!("{explain}{}", claim(&db, of_one_thread)));
                let plan: Vec<String> = on_write!(&db, pool => {
                    let query = sqlx::query(sql).bind("home.example").bind(now).bind("me").bind(now).bind(7_i64);
                    let query = if of_one_thread { query.bind("https://a.example/thread/10") } else { query };
                    let rows = query.fetch_all(pool).await.unwrap();
                    rows.iter().map(|row| row.try_get(0).or_else(|_| row.try_get("detail")).unwrap()).collect()
                });
                let plan = plan.join("\n");
                assert!(plan.contains(index), "{plan}");
                assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN wanted"), "{plan}");
            }
        })
        .await;
    }
}
