//! A fresh database on each engine and what stands in it, for tests.

use std::{
    env,
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};

use crate::{
    Config, Db,
    cases::{Case, State},
    migrate,
};

/// A case of moderation as rules open it, decided and not sent.
pub fn case(id: &str, account_id: &str, at: DateTime<Utc>) -> Case {
    Case {
        id: id.to_owned(),
        reference: format!("EG-{id}"),
        acct: "eve@bad.example".to_owned(),
        domain: "bad.example".to_owned(),
        state: State::Ready,
        score: 1.0,
        rules: vec!["casino".to_owned()],
        statuses: vec!["1".to_owned()],
        category: "spam".to_owned(),
        why: "because".to_owned(),
        ruleset: 1,
        ..Case::new("home.example", account_id, at)
    }
}

/// A fresh migrated SQLite database in a folder that goes with the guard.
pub async fn sqlite() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let db = open(&sqlite_url(&folder)).await;
    migrate(&db).await.expect("the migrations apply");
    (db, folder)
}

/// Runs `story` on a fresh SQLite database and, where `TEST_DATABASE_URL` is set, on a fresh schema of that
/// Postgres. `REQUIRE_POSTGRES=1` makes a missing URL a failure.
pub async fn on_each_engine<F, Fut>(story: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    on_each_url(|url| {
        let story = &story;
        async move {
            let db = open(&url).await;
            migrate(&db).await.expect("the migrations apply");
            story(db.clone()).await;
            db.close().await;
        }
    })
    .await;
}

/// Runs `story` with the `[store] url` of an empty, unmigrated database of each engine, like [`on_each_engine`].
pub async fn on_each_url<F, Fut>(story: F)
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a temporary folder");
    story(sqlite_url(&folder)).await;
    let Ok(server) = env::var("TEST_DATABASE_URL") else {
        let required = env::var("REQUIRE_POSTGRES").is_ok_and(|value| !matches!(value.as_str(), "" | "0"));
        assert!(!required, "REQUIRE_POSTGRES is set, but TEST_DATABASE_URL is not");
        return;
    };
    let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
    execute(&server, format!("CREATE SCHEMA {schema}")).await;
    let separator = if server.contains('?') { '&' } else { '?' };
    let url = format!("{server}{separator}options=-c%20search_path%3D{schema}&application_name={schema}");
    // Dropped whether or not the story panics, so that a failing test leaves nothing behind.
    let ended = AssertUnwindSafe(story(url)).catch_unwind().await;
    execute(&server, format!("DROP SCHEMA {schema} CASCADE")).await;
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

/// Applies only those migrations, as an older Egret would have.
pub async fn migrate_only(db: &Db, wanted: impl Fn(i64) -> bool) {
    crate::migrate::migrate_only(db, wanted)
        .await
        .expect("the migrations apply");
}

/// Trouble with the database of [`on_each_url`] for so long: another program keeps SQLite's file to itself, as backups do,
/// and Postgres hangs up on everybody over and over, as when it is started anew.
pub async fn trouble(url: &str, length: Duration) {
    if let Some(path) = url.strip_prefix("sqlite://") {
        let options = SqliteConnectOptions::new().filename(path).busy_timeout(length);
        let Ok(mut connection) = options.connect().await else {
            return;
        };
        if sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.is_ok() {
            tokio::time::sleep(length).await;
        }
        let _ = connection.close().await;
        return;
    }
    const CUT: &str = "
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()";
    let options: PgConnectOptions = url.parse().expect("a Postgres URL");
    let name = options.get_application_name().expect("each test has a name").to_owned();
    let mut connection = PgConnection::connect_with(&options.application_name("trouble"))
        .await
        .expect("Postgres answers");
    let over = tokio::time::Instant::now() + length;
    while tokio::time::Instant::now() < over {
        let cut = sqlx::query(CUT).bind(&name).execute(&mut connection).await;
        cut.expect("connections of one's own may be cut");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _ = connection.close().await;
}

async fn open(url: &str) -> Db {
    let config = Config {
        url: Some(url.to_owned()),
        ..Config::default()
    };
    Db::open(&config).await.expect("the test database opens")
}

fn sqlite_url(folder: &tempfile::TempDir) -> String {
    format!("sqlite://{}", folder.path().join("egret.db").display())
}

async fn execute(server: &str, sql: String) {
    let options: PgConnectOptions = server.parse().expect("TEST_DATABASE_URL is a Postgres URL");
    let mut connection = PgConnection::connect_with(&options)
        .await
        .expect("TEST_DATABASE_URL answers");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("schemas may be made");
    let _ = connection.close().await;
}
