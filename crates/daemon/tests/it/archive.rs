//! The archive by the program itself: killed in the midst, and two at its files.

use std::{collections::BTreeMap, time::Duration};

use fake_fediverse::{Builtin, Fediverse, Scenario, Software};
use rand::Rng as _;
use serde_json::json;
use store::{
    Db,
    archive::{self, files},
    leases,
};

use crate::house::{House, server};

/// What is archived, in an order that leaves nothing to do for the ones before.
const JOBS: [&str; 6] = [
    "archive.statuses",
    "archive.bookmarks",
    "archive.favourites",
    "archive.context",
    "archive.media",
    "archive.lists",
];

async fn furnished() -> Fediverse {
    let fediverse = Fediverse::start(Scenario {
        threads: 0,
        replies: 0,
        builtin: Builtin::Off,
        origins: vec![Software::Mastodon],
        rate_limits: false,
        ..Scenario::small()
    })
    .await;
    let now: chrono::DateTime<chrono::Utc> = std::time::SystemTime::now().into();
    let ago = |minutes: i64| now - chrono::TimeDelta::minutes(minutes);
    let mut uris = Vec::new();
    for n in 0..130 {
        let mut fields = json!({});
        if n % 20 == 0 {
            let url = fediverse.file(&format!("/system/{n}.gif"), "image/gif", &format!("GIF89a {n}"));
            fields = json!({"media_attachments": [{"id": n.to_string(), "type": "image", "url": url}]});
        }
        uris.push(fediverse.post(&format!("number {n}"), ago(600 - n), fields));
    }
    let person = fediverse.writer(0, 3, 3);
    fediverse.chain(&person, 5);
    for uri in person.posts.iter().chain(&uris[..90]) {
        fediverse.bookmark(uri);
    }
    fediverse.favourite(&person.posts[0]);
    fediverse
}

fn house(fediverse: &Fediverse) -> House {
    let house = House::with(&format!(
        "token_per_five_minutes = 1000000\npaging_per_fifteen_minutes = 1000000\n[store]\nurl = \"sqlite://egret.db\"\n{}",
        server(&fediverse.home(), &["me"])
    ));
    house.write("me.token", &fediverse.token());
    house
}

async fn open(url: String) -> Db {
    let config = store::Config {
        url: Some(url),
        ..store::Config::default()
    };
    Db::open(&config).await.unwrap()
}

/// All that is kept, without when it was noticed.
async fn rows(house: &House) -> Vec<String> {
    let db = open(format!("sqlite://{}", house.path().join("egret.db").display())).await;
    let mut rows = Vec::new();
    for kept in archive::each(&db, None, 0, 100_000).await.unwrap() {
        let mut activities: Vec<_> = archive::activities(&db, &[kept.id])
            .await
            .unwrap()
            .into_iter()
            .map(|one| format!("{} {} {:?}", one.login, one.kind, one.ended_at.is_some()))
            .collect();
        activities.sort();
        let versions = archive::versions(&db, kept.id).await.unwrap().len();
        let mut shown: Vec<_> = files::of_status(&db, kept.id)
            .await
            .unwrap()
            .into_iter()
            .map(|file| (file.url, file.blob))
            .collect();
        shown.sort();
        rows.push(format!("{} {} {activities:?} {versions} {shown:?}", kept.id, kept.uri));
    }
    let found = archive::search::search(&db, &archive::search::Filter::default(), 100_000)
        .await
        .unwrap();
    rows.push(format!("{} found", found.len()));
    rows.push(format!("{:?}", files::blobs(&db, "", 1000).await.unwrap()));
    let lists: BTreeMap<String, i64> = archive::entries::snapshots(&db, &login(&db).await, 1000)
        .await
        .unwrap()
        .into_iter()
        .map(|one| (one.list, one.entries))
        .collect();
    rows.push(format!("{lists:?}"));
    db.close().await;
    rows
}

/// Every job to its end, one after the other, so that each finds what those before brought.
async fn settle(house: &House) {
    for job in JOBS {
        let ended = house.egret(&["once", job]).await;
        assert_eq!(ended.code, Some(0), "{job}: {ended:?}");
    }
}

async fn login(db: &Db) -> String {
    archive::logins(db).await.unwrap().pop().unwrap()
}

/// Killed with `SIGKILL` again and again, each time after some requests more, wherever it is then: nothing is lost and
/// nothing is there twice. `EGRET_KILLS=500` makes it 500 times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_midst_of_archiving_it_loses_nothing() {
    let kills: usize = std::env::var("EGRET_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(6);
    let fediverse = furnished().await;
    let mut once = vec!["once"];
    once.extend(JOBS);
    let whole = house(&fediverse);
    settle(&whole).await;
    let expected = rows(&whole).await;
    assert!(expected.len() > 135, "{}", expected.len());

    let mut killed = house(&fediverse);
    for nth in 0..kills {
        // Requests until it dies: with each try it comes further in the first round, then it begins on an empty disk.
        let round = nth % 12;
        if nth > 0 && round == 0 {
            killed = house(&fediverse);
        }
        fediverse.clear_log();
        let mut child = killed.command(&once).spawn().unwrap();
        let enough = 2 + 2 * round;
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if fediverse.log().len() >= enough {
                break None;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        if ended.is_none() {
            // Into whatever it makes of the answer: a transaction, a file, the next request.
            let pause = rand::rng().random_range(0..15);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            child.kill().await.unwrap();
        }
        if round == 11 || nth + 1 == kills {
            settle(&killed).await;
            assert_eq!(rows(&killed).await, expected, "after {} kills", nth + 1);
            let verified = killed.egret(&["archive", "verify"]).await;
            assert_eq!(verified.code, Some(0), "{verified:?}");
        }
    }
}

/// Two at the archive's files, on both engines: the second one says so and goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_the_files_refuse_politely() {
    store::testing::on_each_url(|url| async move {
        let house = House::with("");
        house.config(&format!("[store]\nurl = \"{url}\"\n"));
        assert_eq!(house.egret(&["migrate"]).await.code, Some(0));
        let db = open(url).await;
        if matches!(db, Db::Postgres(_)) {
            let now = std::time::SystemTime::now().into();
            let held = leases::take(&db, "archive.media/", "another", Duration::from_secs(600), now).await;
            let held = held.unwrap().expect("nobody else holds it");
            for command in [
                &["archive", "verify"][..],
                &["archive", "forget", "--author", "a@b.example", "--yes"],
                &["import", "mastodon-zip", "none.zip", "--login", "b.example/a"],
            ] {
                house
                    .egret(command)
                    .await
                    .refused(&["another process is at work on the archive's files", "try again"]);
            }
            let looks = house.egret(&["archive", "forget", "--author", "a@b.example"]).await;
            assert_eq!(looks.code, Some(0), "who only looks is welcome: {looks:?}");
            leases::release(&db, &held).await.unwrap();
        }
        let ended = house.egret(&["archive", "verify"]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let ended = house.egret(&["archive", "verify"]).await;
        assert_eq!(ended.code, Some(0), "it gave the files back: {ended:?}");
        db.close().await;
    })
    .await;
}
