//! What is wrong is said once, by its name, with an exit code that a script sees.

use std::os::unix::fs::PermissionsExt as _;

use crate::house::{House, Site, fediverse, only_home, server};

#[tokio::test]
async fn an_unknown_key() {
    House::with("[replies.home]\nlenght = 3\n")
        .egret(&["check"])
        .await
        .refused(&["egret.toml", "lenght"]);
}

#[tokio::test]
async fn an_unreadable_token_file() {
    let house = House::with(&server("http://127.0.0.1:9", &["me"]));
    house
        .egret(&["run"])
        .await
        .refused(&["me.token", "127.0.0.1:9/me", "token_file"]);
    // Root may read everything.
    let file = house.write("me.token", "0123456789abcdef");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o0)).unwrap();
    if std::fs::read(&file).is_err() {
        house.egret(&["run"]).await.refused(&["me.token", "let the user"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_mastodon() {
    let site = Site::start("text/html", "<!doctype html><title>A bakery</title>").await;
    let house = House::with(&format!("{}{}", server(&site.url, &["me"]), only_home("")));
    house.write("me.token", "0123456789abcdef");
    for command in ["check", "once"] {
        let ended = house.egret(&[command]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let host = site.url.trim_start_matches("http://");
        assert!(
            ended.stdout.contains(&format!("{host} is not a Mastodon server")),
            "{ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_the_scope() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    house.write("me.token", &fediverse.token_with(&["read:statuses", "read:accounts"]));
    let ended = house.egret(&["once", "replies.home"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("lacks the scope `read:search`"), "{ended:?}");
    assert!(fediverse.log().resolves().is_empty());
    let ended = house.egret(&["check"]).await;
    assert!(matches!(ended.code, Some(1 | 3)), "{ended:?}");
    assert!(ended.stdout.contains("read:search"), "{ended:?}");
}

#[tokio::test]
async fn an_unreachable_database() {
    // A port of ours on which nobody listens.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let house = House::with("");
    let url = format!("postgres://egret:verysecret@{free}/egret");
    let ended = house.egret(&["--store", &url, "run"]).await;
    ended.refused(&[&free.to_string()]);
    assert!(!ended.stderr.contains("verysecret"), "{ended:?}");
    house
        .egret(&["--store", "sqlite:///proc/nowhere/egret.db", "run"])
        .await
        .refused(&["/proc/nowhere"]);
}

#[tokio::test]
async fn a_port_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    House::with("")
        .egret(&["run", "--listen", &listen])
        .await
        .refused(&["[web] listen", &listen, "in use"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_disables_its_login_alone() {
    let fediverse = fediverse().await;
    let house = House::with(&format!(
        "{}{}",
        server(&fediverse.home(), &["me", "old"]),
        only_home("")
    ));
    house.write("me.token", &fediverse.token());
    let revoked = fediverse.token_with(&["read"]);
    house.write("old.token", &revoked);
    fediverse.revoke(&revoked);
    let ended = house.egret(&["once"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(fediverse.missing(), 0, "the other login works");
    assert!(ended.stdout.contains("/old (revoked?)"), "{ended:?}");

    let ended = house.egret(&["check"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let line = ended.stdout.lines().find(|line| line.contains("/old ")).unwrap();
    assert!(line.contains(&format!("{}…", &revoked[..2])), "{line}");
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(&revoked) && !text.contains(&fediverse.token()));
    }
}

#[tokio::test]
async fn bad_usage_is_two() {
    let house = House::with("");
    assert_eq!(house.egret(&["dance"]).await.code, Some(2));
    house
        .egret(&["once", "replies.hom"])
        .await
        .refused(&["replies.hom", "replies.home"]);
    house.egret(&["once"]).await.refused(&["[[servers]]", "egret init"]);
}
