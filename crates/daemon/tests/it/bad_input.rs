//! What is wrong is said once, by its name, with an exit code that a script sees.

use std::os::unix::fs::PermissionsExt as _;

use crate::house::{House, Site, fediverse, only_home, server};

#[tokio::test]
async fn an_unknown_key() {
    House::with("[replies.home]\nlenght = 3\n")
        .egret(&["check"])
        .await
        .refused(&["egret.toml", "lenght"]);
    let ended = House::with("")
        .command(&["check"])
        .env("EGRET__REPLIES__HOME__LENGHT", "3")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(said.contains("EGRET__REPLIES__HOME__LENGHT"), "{said}");
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

/// Requirement S13.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_names_role_permissions_and_what_each_job_lacks() {
    let fediverse = fediverse().await;
    let joined = "[replies.joined]\nenabled = true\n";
    let house = House::with(&format!(
        "{}{}{joined}",
        server(&fediverse.home(), &["me"]),
        only_home("")
    ));
    house.write("me.token", &fediverse.admin_token());
    let ended = house.egret(&["check"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        ended.stdout.contains("Owner") && ended.stdout.contains("administrator"),
        "{ended:?}"
    );

    // The scope without the permission behind it.
    fediverse.set_permissions("admin", 0x10000);
    let job = |ended: &crate::house::Ended, name: &str| {
        let said = ended.json();
        let jobs = said["jobs"].as_array().unwrap().clone();
        jobs.into_iter().find(|job| job["name"] == name).unwrap()
    };
    let ended = house.egret(&["check", "--json"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let line = job(&ended, "replies.joined");
    assert_eq!(
        line["missing_permissions"],
        serde_json::json!(["manage_users"]),
        "{line}"
    );
    assert_eq!(line["missing_scopes"], serde_json::json!([]), "{line}");
    assert!(
        line["says"].as_str().unwrap().contains("the permission `manage_users`"),
        "{line}"
    );
    assert_eq!(job(&ended, "replies.home")["well"], true);
    assert_eq!(
        ended.json()["logins"][0]["permissions"],
        serde_json::json!(["invite_users"])
    );

    // Neither the one nor the other.
    house.write("me.token", &fediverse.token_of_with("admin", &["read"]));
    let line = job(&house.egret(&["check", "--json"]).await, "replies.joined");
    assert_eq!(
        line["missing_scopes"],
        serde_json::json!(["admin:read:accounts"]),
        "{line}"
    );
    assert_eq!(
        line["missing_permissions"],
        serde_json::json!(["manage_users"]),
        "{line}"
    );
    for part in ["`admin:read:accounts`", "`manage_users`"] {
        assert!(line["says"].as_str().unwrap().contains(part), "{line}");
    }
}

#[tokio::test]
async fn with_json_an_error_is_one_object_on_standard_output() {
    let house = House::with("[replies.home]\nlenght = 3\n");
    for command in [
        &["check"][..],
        &["run"],
        &["once"],
        &["jobs"],
        &["migrate"],
        &["effects", "list"],
        &["replies", "fetch", "https://a.example/@a/1"],
    ] {
        house.refused_as_json(command, &["egret.toml", "lenght"]).await;
    }
    let house = House::with("");
    house.refused_as_json(&["effects", "show", "x"], &["no effect x"]).await;
    house.refused_as_json(&["jobs", "run", "no.such"], &["no.such"]).await;
    house
        .refused_as_json(&["init", "https://a.example"], &["egret.toml"])
        .await;
    house
        .refused_as_json(&["demo", "--listen", "192.0.2.1:1"], &["192.0.2.1"])
        .await;
    let usage = house.egret(&["dance", "--json"]).await;
    assert_eq!(usage.code, Some(2), "{usage:?}");
    assert!(usage.json()["error"].as_str().unwrap().contains("dance"), "{usage:?}");
    house.refused_as_json(&["notify", "test"], &["no channel is set"]).await;
    house
        .refused_as_json(&["demo", "--store", "sqlite://x.db"], &["--store"])
        .await;
    house
        .refused_as_json(&["check", "--config", "none.toml"], &["none.toml", "--config"])
        .await;
    let completions = house.egret(&["completions", "bash", "--json"]).await;
    assert!(completions.json()["script"].as_str().unwrap().contains("_egret"));
    assert_eq!(house.egret(&["--version", "--json"]).await.code, Some(0));
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

/// Check 27.
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

    let made = house
        .egret(&["token", "create", "--name", "watch", "--scope", "view", "--json"])
        .await
        .json();
    let daemon = house.run().await;
    daemon.says("(revoked?)").await;
    let page = daemon.text("/healthz").await;
    assert!(page.contains("degraded") && !page.contains("old"), "{page}");
    let page = daemon.text_for("/healthz", made["token"].as_str()).await;
    assert!(
        page.contains("/old") && page.contains(&format!("{}…", &revoked[..2])),
        "{page}"
    );
    assert!(!page.contains("/me\"") && !page.contains(&revoked), "{page}");
    let page = daemon.text_for("/api/v1/overview", made["token"].as_str()).await;
    assert!(
        page.contains("/old") && !page.contains(&revoked),
        "the overview names it: {page}"
    );
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
