//! From an empty database to today's, once.

use store::{
    Config, Db, Error, migrate, migrations,
    testing::{on_each_engine, on_each_url},
};

async fn open(url: &str) -> Db {
    let config = Config {
        url: Some(url.to_owned()),
        ..Config::default()
    };
    Db::open(&config).await.unwrap()
}

async fn execute(db: &Db, sql: &'static str) {
    match db {
        Db::Postgres(pool) => drop(sqlx::query(sql).execute(pool).await.unwrap()),
        Db::Sqlite { write, .. } => drop(sqlx::query(sql).execute(write).await.unwrap()),
    }
}

#[tokio::test]
async fn an_empty_database_is_migrated_once() {
    on_each_url(async |url| {
        let db = open(&url).await;
        let before = migrations(&db).await.unwrap();
        assert!(before.applied.is_empty() && before.pending.len() >= 4);
        let after = migrate(&db).await.unwrap();
        assert_eq!(after.applied, before.pending);
        assert_eq!(after.pending, [0; 0]);
        assert_eq!(migrate(&db).await.unwrap(), after);
        assert_eq!(migrations(&db).await.unwrap(), after);
        db.close().await;
    })
    .await;
}

#[tokio::test]
async fn several_starters_migrate_together() {
    on_each_url(async |url| {
        let mut tasks = Vec::new();
        for _ in 0..4 {
            let db = open(&url).await;
            tasks.push(tokio::spawn(async move {
                let at = migrate(&db).await;
                db.close().await;
                at
            }));
        }
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap().pending, [0; 0]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    on_each_engine(async |db| {
        execute(
            &db,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'future', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
        for refused in [migrate(&db).await, migrations(&db).await] {
            let error = refused.unwrap_err();
            assert!(matches!(error, Error::Newer { found: 9999, .. }), "{error}");
            assert!(error.to_string().contains("install the newer egret"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_migration_changed_after_it_was_applied_is_an_error() {
    on_each_engine(async |db| {
        execute(&db, "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1").await;
        assert!(matches!(migrate(&db).await, Err(Error::Migrate(_))));
    })
    .await;
}
