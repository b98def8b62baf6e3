//! Taking over what another tool had, and what happens then.

use std::fs;

use fake_fediverse::{Fediverse, Scenario};

use crate::house::{House, server};

/// What FediFetcher leaves behind.
fn leave_state(house: &House, followed: &str, checked: &str, seen: &[String]) {
    let folder = house.path().join("artifacts");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    write("seen_urls", format!("{}\nnonsense\n", seen.join("\n")));
    write("known_followings", format!("{followed}\nlocal\n"));
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    write(
        "recently_checked_users",
        serde_json::json!({ checked: now.to_rfc3339(), "old@b.example": "2023-04-28 12:11:21.123456+00:00" })
            .to_string(),
    );
    write(
        "seen_hosts",
        serde_json::json!({
            "a.example": {"webserver": "social.a.example", "software": "misskey", "version": "2026.1", "rawnodeinfo": {},
                          "mastodonApiSupport": false, "misskeyApiSupport": true, "last_checked": now.to_rfc3339()},
            "dead.example": {"info": null, "last_checked": now.to_rfc3339()}})
        .to_string(),
    );
    write(
        "replied_toot_server_ids",
        serde_json::json!({"https://h.example/@a/1": null, "https://h.example/@a/2": ["https://b.example/@b/1", ["b.example", "1"]]})
            .to_string(),
    );
    write("recent_context", "{}".into());
    write("state_version", "1".into());
    house.write(
        "config.json",
        r#"{"server": "h.example", "access-token": ["SECRET-TOKEN-1", "SECRET-TOKEN-2"], "home-timeline-length": 200,
            "max-followings": 80, "remember-users-for-hours": 168, "instance-blocklist": "bad.example"}"#,
    );
}

/// Check 28.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fedifetchers_state_is_taken_over_once() {
    let house = House::with("");
    leave_state(
        &house,
        "alice@a.example",
        "Bob@b.example",
        &["https://a.example/@u/1".to_owned(), "https://a.example/@u/2".to_owned()],
    );
    let run = async || {
        house
            .egret(&["import", "fedifetcher", ".", "--to", "moved.toml", "--json"])
            .await
    };
    let first = run().await;
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(
        !first.stdout.contains("SECRET") && !first.stderr.contains("SECRET"),
        "{first:?}"
    );
    let said = first.json();
    assert_eq!(said["wrote"], "written");
    let counts = |said: &serde_json::Value, what: &str| {
        let line = said["lines"]
            .as_array()
            .unwrap()
            .iter()
            .find(|line| line["what"] == what);
        line.unwrap_or_else(|| panic!("{what}: {said}"))["counts"].clone()
    };
    assert_eq!(counts(&said, "seen_urls"), serde_json::json!([2, 2]));
    assert_eq!(counts(&said, "known_followings"), serde_json::json!([1, 1]));
    assert_eq!(counts(&said, "recently_checked_users"), serde_json::json!([2, 2]));
    assert_eq!(counts(&said, "seen_hosts"), serde_json::json!([1, 1]));
    let config = fs::read_to_string(house.path().join("moved.toml")).unwrap();
    assert!(
        config.contains("[backfill.followings]") && !config.contains("SECRET"),
        "{config}"
    );
    let token = fs::read_to_string(house.path().join("egret-me2.token")).unwrap();
    assert_eq!(token.trim(), "SECRET-TOKEN-2");

    let second = run().await;
    assert_eq!(second.code, Some(0), "{second:?}");
    let said = second.json();
    assert_eq!(said["wrote"], "unchanged");
    for line in said["lines"].as_array().unwrap() {
        assert!(line["counts"].is_null() || line["counts"][1] == 0, "{line}");
    }
    // What is there is never overwritten.
    house.write("moved.toml", "# mine\n");
    house
        .egret(&["import", "fedifetcher", ".", "--to", "moved.toml"])
        .await
        .refused(&["moved.toml"]);
    assert_eq!(fs::read_to_string(house.path().join("moved.toml")).unwrap(), "# mine\n");
    let odd = house.path().join("odd.toml");
    fs::write(&odd, b"# m\xffne\n").unwrap();
    house
        .egret(&["import", "fedifetcher", ".", "--to", "odd.toml"])
        .await
        .refused(&["odd.toml"]);
    assert_eq!(fs::read(&odd).unwrap(), b"# m\xffne\n");
    house
        .egret(&["import", "fedifetcher", "nowhere"])
        .await
        .refused(&["nowhere"]);
}

/// Check 25: with what FediFetcher remembered left alone, what home lacks is fetched, each post once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_filled_in_by_one_fetch_per_missing_post() {
    let fediverse = Fediverse::start(Scenario {
        threads: 0,
        replies: 0,
        ..Scenario::small()
    })
    .await;
    let (old, new) = (fediverse.writer(0, 5, 0), fediverse.writer(1, 120, 100));
    fediverse.follow(&old);
    fediverse.follow(&new);
    let sections = "[backfill]\nposts_per_account = 120\nhold = \"0s\"\n[backfill.followings]\nenabled = true\n";
    let house = House::with(&format!("{}{sections}", server(&fediverse.home(), &["me"])));
    house.write("me.token", &fediverse.token());
    leave_state(&house, &old.acct, "x@b.example", &new.posts[..100]);
    let home = fediverse.home();
    let moved = house
        .egret(&["import", "fedifetcher", "artifacts", "--server", &home, "--json"])
        .await;
    assert_eq!(moved.code, Some(0), "{moved:?}");
    for _ in 0..2 {
        for job in ["backfill.followings", "replies.wanted"] {
            let ended = house.egret(&["once", job, "--json"]).await;
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
    }
    let log = fediverse.log();
    assert_eq!(log.resolves().len(), 20, "the second pass asks for nothing");
    assert_eq!(log.repeated_resolves(), Vec::<String>::new());
    assert!(new.posts.iter().all(|uri| fediverse.home_has(uri)));
    assert!(
        !old.posts.iter().any(|uri| fediverse.home_has(uri)),
        "remembered for ever"
    );
}
