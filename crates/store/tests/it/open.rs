//! Opening, describing, locking, closing.

use std::{
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use store::{Config, Db, Error, cursors, lock::ProcessLock, migrate, testing};

use crate::start;

fn config(url: String) -> Config {
    Config {
        url: Some(url),
        ..Config::default()
    }
}

async fn open(path: &Path) -> Db {
    Db::open(&config(format!("sqlite://{}", path.display()))).await.unwrap()
}

#[tokio::test]
async fn a_new_file_and_its_folder_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/egret.db");
    let db = open(&path).await;
    migrate(&db).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_extension("db-wal")), 0o600);
    assert_eq!(db.describe(), format!("SQLite at {}", path.display()));
}

#[tokio::test]
async fn closing_folds_the_log_into_the_file_and_nothing_is_lost() {
    let (db, folder) = testing::sqlite().await;
    cursors::save(&db, "a.b", "s", "1", start()).await.unwrap();
    assert_eq!(cursors::load(&db, "a.b", "s").await.unwrap().as_deref(), Some("1"));
    assert!(store::size(&db).await.unwrap() > 10_000);
    db.close().await;
    let path = folder.path().join("egret.db");
    assert!(!path.with_extension("db-wal").exists());
    let db = open(&path).await;
    assert_eq!(cursors::load(&db, "a.b", "s").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn two_processes_may_read_and_write_one_file() {
    let (daemon, folder) = testing::sqlite().await;
    let command = open(&folder.path().join("egret.db")).await;
    cursors::save(&daemon, "a.b", "s", "1", start()).await.unwrap();
    cursors::save(&command, "a.b", "t", "2", start()).await.unwrap();
    assert_eq!(cursors::load(&command, "a.b", "s").await.unwrap().as_deref(), Some("1"));
    command.close().await;
    assert_eq!(cursors::load(&daemon, "a.b", "t").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn the_readers_cannot_write() {
    let (db, _folder) = testing::sqlite().await;
    let Db::Sqlite { read, .. } = &db else { panic!("SQLite") };
    assert!(sqlx::query("DELETE FROM cursors").execute(read).await.is_err());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let error = Db::open(&config("sqlite:///proc/none/egret.db".to_owned()))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }));
    assert!(error.to_string().contains("/proc/none/egret.db"), "{error}");
}

#[tokio::test]
async fn one_process_works_on_a_file() {
    let (db, folder) = testing::sqlite().await;
    let held = ProcessLock::acquire(&db).unwrap();
    // By another name of the same file, too.
    let alias = folder.path().join("alias.db");
    std::os::unix::fs::symlink(folder.path().join("egret.db"), &alias).unwrap();
    let second = open(&alias).await;
    let error = ProcessLock::acquire(&second).unwrap_err();
    let Error::Locked { path, pid } = &error else {
        panic!("{error}")
    };
    assert_eq!(path.file_name().unwrap(), "egret.db.lock");
    assert_eq!(*pid, Some(std::process::id()));
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    drop(held);
    ProcessLock::acquire(&second).unwrap();
}

#[tokio::test]
async fn a_lock_file_left_by_a_killed_process_is_in_nobodys_way() {
    let (db, folder) = testing::sqlite().await;
    std::fs::write(folder.path().join("egret.db.lock"), "999999999\n").unwrap();
    let _held = ProcessLock::acquire(&db).unwrap();
    let text = std::fs::read_to_string(folder.path().join("egret.db.lock")).unwrap();
    assert_eq!(text.trim(), std::process::id().to_string());
}

#[tokio::test]
async fn postgres_divides_the_work_by_leases_instead() {
    testing::on_each_engine(async |db| {
        if let Db::Postgres(_) = db {
            let _first = ProcessLock::acquire(&db).unwrap();
            let _second = ProcessLock::acquire(&db).unwrap();
            assert!(db.describe().starts_with("Postgres at "), "{}", db.describe());
            assert!(store::size(&db).await.unwrap() > 0);
        }
    })
    .await;
}

#[tokio::test]
async fn an_unreachable_postgres_is_told_soon_and_without_its_password() {
    // Nobody listens at the first; the second takes the connection and never says a word.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let asked = Instant::now();
        let url = format!("postgres://egret:geheim@{address}/egret");
        let error = Db::open(&config(url)).await.unwrap_err();
        assert!(asked.elapsed() < Duration::from_secs(8));
        let text = format!("{error} {error:?}");
        assert!(matches!(error, Error::Unreachable { .. }), "{text}");
        assert!(
            error.to_string().contains(&format!("Postgres at {address}/egret")),
            "{text}"
        );
        assert!(!text.contains("geheim"), "{text}");
    }
}
