//! Upgrades, a full disk, and the room of what was deleted.

use store::{
    Config, Db,
    notices::{self, Notice, Severity},
    testing,
};

use crate::{id, minute};

async fn open(url: &str) -> Db {
    let config = Config {
        url: Some(url.to_owned()),
        connections: Some(2),
        ..Config::default()
    };
    Db::open(&config).await.unwrap()
}

fn notice(nth: usize, text: &str) -> Notice {
    Notice {
        id: id(),
        feature: "operations".into(),
        kind: "test".into(),
        about: nth.to_string(),
        severity: Severity::Info,
        text: text.to_owned(),
        created_at: minute(0),
        seen_at: None,
        delivered_at: None,
    }
}

/// Every schema that ever was comes up to date; also one where a file with a later number was there first, since numbers
/// are given out before files are merged.
#[tokio::test]
async fn an_upgrade_from_every_schema_ends_at_the_newest() {
    let (db, _folder) = testing::sqlite().await;
    let all = store::migrations(&db).await.unwrap().applied;
    assert!(all.len() > 18);
    let folder = tempfile::tempdir().unwrap();
    for newest in &all {
        let db = open(&format!(
            "sqlite://{}",
            folder.path().join(newest.to_string()).display()
        ))
        .await;
        testing::migrate_only(&db, |version| version <= *newest).await;
        let state = store::migrate(&db).await.unwrap();
        assert_eq!(
            (state.applied.len(), state.pending.len()),
            (all.len(), 0),
            "from {newest}"
        );
        db.close().await;
    }
    let db = open(&format!("sqlite://{}", folder.path().join("gap").display())).await;
    testing::migrate_only(&db, |version| version != 19).await;
    assert!(store::migrate(&db).await.unwrap().pending.is_empty());
    db.close().await;
}

/// The same on Postgres, from each beginning.
#[tokio::test]
async fn an_upgrade_of_postgres_from_every_schema_ends_at_the_newest() {
    let (db, _folder) = testing::sqlite().await;
    let all = store::migrations(&db).await.unwrap().applied;
    for newest in all.iter().step_by(3) {
        testing::on_each_url(|url| async move {
            if url.starts_with("postgres") {
                let db = open(&url).await;
                testing::migrate_only(&db, |version| version <= *newest).await;
                assert!(store::migrate(&db).await.unwrap().pending.is_empty(), "from {newest}");
                db.close().await;
            }
        })
        .await;
    }
}

/// A full disk is an error that says so, nothing is damaged, and everything goes on when there is room.
#[tokio::test]
async fn a_full_disk_damages_nothing() {
    let (db, _folder) = testing::sqlite().await;
    let Db::Sqlite { write, .. } = &db else { unreachable!() };
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(write).await.unwrap();
    // SQLite's own way to say that the disk has no more room.
    let bound = format!("PRAGMA max_page_count = {}", pages + 20);
    sqlx::query(sqlx::AssertSqlSafe(bound)).execute(write).await.unwrap();
    let text = "x".repeat(2000);
    let mut kept = 0;
    let error = loop {
        match notices::insert(&db, &notice(kept, &text)).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 1000, "it is never full");
    };
    let mut chain = vec![error.to_string()];
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        chain.push(cause.to_string());
        source = cause.source();
    }
    assert!(chain.join(": ").contains("disk is full"), "{chain:?}");
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(write)
        .await
        .unwrap();
    assert_eq!(whole, "ok");
    assert_eq!(notices::list(&db, false, None, 2000).await.unwrap().len(), kept);
    sqlx::query("PRAGMA max_page_count = 1073741823")
        .execute(write)
        .await
        .unwrap();
    assert!(notices::insert(&db, &notice(kept, &text)).await.unwrap());
}

#[tokio::test]
async fn the_room_of_what_was_deleted_is_given_back() {
    let (db, _folder) = testing::sqlite().await;
    for nth in 0..600 {
        notices::insert(&db, &notice(nth, &"x".repeat(4000))).await.unwrap();
    }
    assert!(!store::vacuum(&db).await.unwrap(), "nothing is empty yet");
    let full = store::size(&db).await.unwrap();
    notices::delete_older(&db, minute(1)).await.unwrap();
    assert!(store::vacuum(&db).await.unwrap());
    let Db::Sqlite { write, .. } = &db else { unreachable!() };
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(write)
        .await
        .unwrap();
    assert!(store::size(&db).await.unwrap() < full / 2);
}

/// What is written gets from the log into the file without anybody who writes waiting for it.
#[tokio::test]
async fn the_log_is_folded_beside_those_who_write() {
    let (db, folder) = testing::sqlite().await;
    let Db::Sqlite { write, .. } = &db else { unreachable!() };
    let file = write.connect_options().get_filename().to_owned();
    let length = || std::fs::metadata(&file).unwrap().len();
    let writing = async {
        for nth in 0..300 {
            notices::insert(&db, &notice(nth, &"x".repeat(4000))).await.unwrap();
        }
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while length() < 1_200_000 {
            assert!(std::time::Instant::now() < until, "{} bytes in the file", length());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    assert!(length() < 1_200_000, "it was there before");
    tokio::select! {
        () = store::keep_folded(&db) => unreachable!("it goes on"),
        () = writing => {}
    }
    drop(folder);
}
