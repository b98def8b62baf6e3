//! Archives that are imported: ZIPs, tars, JSON, somebody's SQLite.

use std::{path::Path, sync::OnceLock};

use archive::{Blobs, Imported, Into};
use chrono::{DateTime, Utc};
use store::Db;
use tokio::runtime::{Builder, Runtime};

/// As imports expect them to be called.
const NAMES: [&str; 3] = ["archive.zip", "home.example.user.me.json", "app.db"];

/// The first byte chooses the kind of archive.
pub(super) fn read(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let kind = usize::from(choice % 3);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(NAMES[kind]);
    std::fs::write(&file, data).expect("a temporary folder can be written to");
    runtime().block_on(async {
        let db = database(folder.path()).await;
        let blobs = Blobs::at(folder.path().join("blobs"));
        let into = Into {
            db: &db,
            blobs: &blobs,
            login: "home.example/me",
            now: DateTime::<Utc>::UNIX_EPOCH,
        };
        match import(kind, into, &file).await {
            Ok(imported) => {
                assert!(imported.without_status <= imported.read, "{imported:?}");
                let again = import(kind, into, &file)
                    .await
                    .expect("what was read once is read again");
                let saved = again.saved;
                assert_eq!((saved.new, saved.activities), (0, 0), "{imported:?}, then {again:?}");
            }
            Err(error) => assert!(!format!("{error:#}").is_empty(), "refused without a word"),
        }
        db.close().await;
    });
}

async fn import(kind: usize, into: Into<'_>, file: &Path) -> anyhow::Result<Imported> {
    match kind {
        0 => archive::mastodon_zip(into, file).await,
        1 => archive::mastodon_archive(into, file).await,
        _ => archive::lama(into, file.parent().expect("a file in a folder"), "me@home.example").await,
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let built = Builder::new_current_thread().enable_all().build();
        built.expect("a runtime")
    })
}

/// Empty each time: what one archive said may not decide what another says. Migrations take long, and are made once.
async fn database(folder: &Path) -> Db {
    static EMPTY: OnceLock<Vec<u8>> = OnceLock::new();
    let file = folder.join("egret.db");
    let config = store::Config {
        url: Some(format!("sqlite://{}", file.display())),
        ..store::Config::default()
    };
    if let Some(empty) = EMPTY.get() {
        std::fs::write(&file, empty).expect("a temporary folder can be written to");
        return Db::open(&config).await.expect("a copy opens");
    }
    let db = Db::open(&config).await.expect("a new database opens");
    store::migrate(&db).await.expect("the migrations apply");
    db.close().await;
    let empty = std::fs::read(&file).expect("it was written");
    let db = Db::open(&config).await.expect("it opens again");
    EMPTY.get_or_init(|| empty);
    db
}
