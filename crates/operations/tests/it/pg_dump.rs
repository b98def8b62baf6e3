//! Dumps: with programs that misbehave, and with the real ones where there is a Postgres.

use std::collections::BTreeMap;

use operations::{apply::dump, config::Database};

use crate::house::House;

const JOB: &str = "operations.pg_dump";

/// `pg_restore --list` as it looks for a Mastodon.
const CONTENTS: &str =
    "printf ';\\n; Archive\\n1; 0 1 TABLE DATA public users m\\n2; 0 2 TABLE DATA public statuses m\\n'";

async fn house() -> House {
    let mut house = House::empty().await;
    let url_file = house.file("url", "postgres://egret:hush@localhost/mastodon\n");
    house.config.pg_dump.pg_dump = vec![house.script("pg_dump", "head -c 1000 /dev/zero")];
    house.config.pg_dump.pg_restore = vec![house.script("pg_restore", CONTENTS)];
    let database = Database {
        url_file,
        tables: vec!["users".into(), "statuses".into()],
        scratch_url_file: None,
    };
    house.config.pg_dump.databases = BTreeMap::from([("mastodon".to_owned(), database)]);
    house.config.validate().unwrap();
    house
}

fn good(house: &House) -> Vec<String> {
    dump::found(&house.backups(), Some("mastodon"))
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn files(house: &House) -> usize {
    std::fs::read_dir(house.backups()).map_or(0, Iterator::count)
}

/// Check 53.
#[tokio::test]
async fn what_is_not_good_gets_no_name_and_the_last_good_one_stays() {
    let mut house = house().await;
    house.job(JOB).await.unwrap();
    let kept = good(&house);
    assert_eq!((kept.len(), files(&house)), (1, 2));
    let (fine, contents) = (
        house.config.pg_dump.pg_dump.clone(),
        house.config.pg_dump.pg_restore.clone(),
    );
    let cases = [
        (
            "fails",
            "head -c 1000 /dev/zero; echo 'server closed the connection' >&2; exit 1",
            CONTENTS,
            "server closed",
        ),
        ("half", "head -c 500 /dev/zero", CONTENTS, "had 1000"),
        ("nothing", "true", CONTENTS, "had 1000"),
        (
            "unreadable",
            "head -c 1000 /dev/zero",
            "echo 'not an archive' >&2; exit 1",
            "not an archive",
        ),
        (
            "another",
            "head -c 1000 /dev/zero",
            "echo '1; 0 1 TABLE DATA public users m'",
            "statuses",
        ),
        ("killed", "kill -9 $$", CONTENTS, "signal"),
    ];
    for (name, dumps, lists, says) in cases {
        house.later(24);
        house.config.pg_dump.pg_dump = vec![house.script(&format!("dump-{name}"), dumps)];
        house.config.pg_dump.pg_restore = vec![house.script(&format!("list-{name}"), lists)];
        let said = house.job(JOB).await.unwrap_err().to_string();
        assert!(said.contains(says) && !said.contains("hush"), "{name}: {said}");
        assert_eq!(good(&house), kept, "{name}");
        assert_eq!(files(&house), 2, "{name}: nothing half is left");
    }
    let told = house.told().await;
    assert_eq!(told.len(), 6, "a notice a day: {told:?}");
    // Whatever the retention says, the newest good one stays.
    house.later(24 * 365);
    house.config.pg_dump.keep_daily = 1;
    house.config.pg_dump.keep_weekly = 0;
    dump::prune(
        &house.backups(),
        "mastodon",
        &house.config.pg_dump,
        house.cx().clock.now(),
    );
    assert_eq!(good(&house), kept);
    (house.config.pg_dump.pg_dump, house.config.pg_dump.pg_restore) = (fine, contents);
    house.job(JOB).await.unwrap();
    assert_eq!(good(&house).len(), 1, "and goes when there is a newer one");
    assert_ne!(good(&house), kept);
}

/// Check 53.
#[tokio::test]
async fn an_old_good_dump_is_an_alarm() {
    let mut house = house().await;
    house.job(JOB).await.unwrap();
    assert_eq!(house.job("operations.freshness").await.unwrap().get("stale"), 0);
    house.later(25);
    assert_eq!(house.job("operations.freshness").await.unwrap().get("stale"), 0);
    house.later(2);
    assert_eq!(house.job("operations.freshness").await.unwrap().get("stale"), 1);
    assert_eq!(house.told().await, [("stale".to_owned(), "mastodon".to_owned())]);
    let watched = operations::config::Watched {
        path: "/nonexistent/restic".into(),
        alarm: std::time::Duration::from_secs(60),
    };
    house.config.freshness.files.push(watched);
    assert_eq!(house.job("operations.freshness").await.unwrap().get("stale"), 2);
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept() {
    let house = house().await;
    std::fs::create_dir_all(house.backups()).unwrap();
    std::fs::write(house.backups().join(".mastodon-20260101T000000Z.dump.partial"), "x").unwrap();
    house.job(JOB).await.unwrap();
    assert_eq!(files(&house), 2);
}

/// The real programs, where `TEST_DATABASE_URL` leads to a Postgres and they are installed.
#[tokio::test]
async fn the_real_pg_dump_is_driven_checked_and_restored() {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
        return;
    };
    let has = |program: &str| std::process::Command::new(program).arg("--version").output().is_ok();
    if !["pg_dump", "pg_restore", "psql"].into_iter().all(has) {
        eprintln!("pg_dump is not installed: not tried");
        return;
    }
    let mut house = House::empty().await;
    let url_file = house.file("url", &url);
    let name = format!("egret_dumped_{}", uuid::Uuid::new_v4().simple());
    let of = |database: &str| {
        let mut url: net::Url = url.parse().unwrap();
        url.set_path(database);
        String::from(url)
    };
    let psql = |sql: String, database: &str| {
        let there = of(database);
        let ran = std::process::Command::new("psql")
            .args(["-qAt", "-d", &there, "-c", &sql])
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    psql(format!("CREATE DATABASE {name}"), "postgres");
    psql(
        "CREATE TABLE users AS SELECT generate_series(1, 42) AS id".to_owned(),
        &name,
    );
    let own = house.file("own", &of(&name));
    let database = Database {
        url_file: own,
        tables: vec!["users".into()],
        scratch_url_file: Some(url_file),
    };
    house.config.pg_dump.databases.insert("mastodon".into(), database);
    let ran = house.job(JOB).await;
    let found = dump::found(&house.backups(), None);
    psql(format!("DROP DATABASE {name}"), "postgres");
    ran.unwrap();
    assert_eq!(found[0].1.restored, BTreeMap::from([("users".to_owned(), 42)]));
}
