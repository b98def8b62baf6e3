//! The newcomer's first command.

use std::os::unix::fs::PermissionsExt as _;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::house::{House, Site, fediverse};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_once_and_everything_is_there() {
    let fediverse = fediverse().await;
    for json in [false, true] {
        let house = House::with("");
        std::fs::remove_file(house.path().join("egret.toml")).unwrap();
        let home = fediverse.home();
        let mut arguments = vec!["init", &home, "--admin", "--config", "conf/egret.toml"];
        arguments.extend(json.then_some("--json"));
        let mut child = house
            .command(&arguments)
            .env("EGRET__NET__ALLOW", "127.0.0.0/8")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (mut talk, mut rest): (Box<dyn tokio::io::AsyncRead + Unpin + Send>, _) = if json {
            (
                Box::new(stderr),
                Box::new(stdout) as Box<dyn tokio::io::AsyncRead + Unpin + Send>,
            )
        } else {
            (
                Box::new(stdout),
                Box::new(stderr) as Box<dyn tokio::io::AsyncRead + Unpin + Send>,
            )
        };
        let mut lines = BufReader::new(&mut talk).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("{said}"));
            said.push_str(&line);
            if line.trim().starts_with("http://") {
                break line.trim().to_owned();
            }
        };
        for part in ["  read ", "timelines", "  admin:read ", "your server's own"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(address.contains("code_challenge_method=S256") && address.contains("state="));
        let shown = fediverse.consent("admin", &address);
        let code = shown.split("code=").nth(1).unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(format!("{code}\n").as_bytes()).await.unwrap();
        let mut result = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            result.push_str(&line);
        }
        if json {
            result.clear();
            rest.read_to_string(&mut result).await.unwrap();
            let made: serde_json::Value = serde_json::from_str(&result).unwrap();
            assert_eq!(made["scopes"], serde_json::json!(["read", "admin:read"]));
            assert_eq!(made["config"], "conf/egret.toml");
        }
        assert_eq!(child.wait().await.unwrap().code(), Some(0), "{result}");
        assert!(
            result.contains("Owner") && result.contains("conf/egret-me.token"),
            "{result}"
        );
        let token = house.path().join("conf/egret-me.token");
        assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
        let secret = std::fs::read_to_string(token).unwrap();
        assert!(!result.contains(secret.trim()));

        let check = house
            .command(&["check", "--json", "--config", "conf/egret.toml"])
            .env("EGRET__NET__ALLOW", "127.0.0.0/8")
            .output()
            .await
            .unwrap();
        let said: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
        assert_eq!(check.status.code(), Some(0), "{said}");
        assert_eq!(said["logins"][0]["role"], "Owner");
        // A second time it would overwrite what is there.
        house
            .egret(&["init", &home, "--config", "conf/egret.toml"])
            .await
            .refused(&["conf/egret.toml", "is there already"]);
        let named = house
            .command(&["init", &home])
            .env("EGRET_CONFIG", "conf/egret.toml")
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&named.stderr).into_owned();
        assert!(said.contains("conf/egret.toml is there already"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_no_mastodon_is_told_before_anybody_is_sent_there() {
    let site = Site::start("text/html", "<!doctype html><title>A bakery</title>").await;
    let house = House::with("");
    std::fs::remove_file(house.path().join("egret.toml")).unwrap();
    let output = house
        .command(&["init", &site.url])
        .env("EGRET__NET__ALLOW", "127.0.0.0/8")
        .output()
        .await
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("is not a Mastodon server"), "{stderr}");
    assert!(!house.path().join("egret.toml").exists());
    assert_eq!(house.egret(&["init", "ftp://a.example"]).await.code, Some(2));
}

/// A key that only its owner can read, and a section that fits it; nothing is overwritten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_is_made_once() {
    let house = House::with("# mine\n");
    let ended = house
        .egret(&["init", "--actor", "http://127.0.0.1:9", "--config", "egret.toml"])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let key = house.path().join("egret-actor.pem");
    let pem = std::fs::read_to_string(&key).unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n") && pem.trim_end().ends_with("-----END PRIVATE KEY-----"));
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        !format!("{ended:?}").contains(pem.lines().nth(2).unwrap()),
        "said by nobody"
    );
    let text = std::fs::read_to_string(house.path().join("egret.toml")).unwrap();
    assert!(text.contains("# mine"), "what stood there stays");
    // The daemon reads both.
    let running = house.run().await;
    let actor: serde_json::Value = serde_json::from_str(&running.text("/actor").await).unwrap();
    assert_eq!(actor["id"], "http://127.0.0.1:9/actor");
    drop(running);
    // Nothing is at that address, and that is told.
    let checked = house.egret(&["check", "--json"]).await.json();
    assert_eq!(checked["actor"]["well"], false, "{checked}");
    assert_eq!(checked["actor"]["acct"], "egret@127.0.0.1:9");
    let again = house
        .egret(&["init", "--actor", "http://127.0.0.1:9", "--config", "egret.toml"])
        .await;
    again.refused(&["egret-actor.pem", "is there already"]);
    assert_eq!(std::fs::read_to_string(&key).unwrap(), pem);
    let nobody = house.egret(&["init"]).await;
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
}
