//! What an operator asks the program about itself: `check`, `healthcheck`, `man`.

use crate::house::{House, fediverse, server};

/// Each trouble is told where it is, with what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_names_each_trouble_and_what_to_do() {
    let fediverse = fediverse().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let house = House::with(&format!(
        "{}{}[registrations.pending]\nenabled = true\nlogins = [\"me\", \"mod\"]\n\
         [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n",
        server(&fediverse.home(), &["mod", "me", "old", "few"]),
        server(&gone, &["far"]),
    ));
    house.write("mod.token", &fediverse.admin_token());
    house.write("me.token", &fediverse.token());
    house.write("old.token", "a-token-that-was-revoked");
    house.write("few.token", &fediverse.token_with(&["read:accounts"]));
    house.write("far.token", "a-token-of-elsewhere");
    let checked = house.egret(&["check", "--json"]).await;
    assert_eq!(checked.code, Some(3), "some of it works: {checked:?}");
    let report = checked.json();
    let login = |name: &str| {
        let logins = report["logins"].as_array().unwrap();
        let found = logins
            .iter()
            .find(|it| it["name"].as_str().unwrap().ends_with(&format!("/{name}")));
        found.unwrap_or_else(|| panic!("no {name} in {report}")).clone()
    };
    let says = |name: &str| login(name)["says"].as_str().unwrap().to_owned();
    // A person's account lacks what only a moderator may.
    assert_eq!(login("mod")["well"], true, "{report}");
    assert!(
        says("old").contains("put a new one into its token_file and reload"),
        "{}",
        says("old")
    );
    assert!(says("few").contains("without the scope"), "{}", says("few"));
    assert!(
        login("few")["missing_scopes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it == "read:statuses"),
        "{report}"
    );
    assert_eq!(login("far")["well"], false);
    assert!(
        !says("far").is_empty() && !says("far").contains("panicked"),
        "{}",
        says("far")
    );
    for secret in ["a-token-that-was-revoked", "a-token-of-elsewhere"] {
        assert!(!checked.stdout.contains(secret) && !checked.stderr.contains(secret));
    }
    // Each job of a server that cannot run says why, and those that can say when.
    let jobs = report["jobs"].as_array().unwrap();
    for job in jobs {
        assert!(!job["says"].as_str().unwrap().is_empty(), "{job}");
    }
    let snapshot = jobs
        .iter()
        .find(|it| it["name"] == "operations.snapshot" && it["well"] == true);
    assert!(
        snapshot.is_some(),
        "the nightly snapshot is on where something moderates: {report}"
    );

    let text = house.egret(&["check"]).await;
    for part in ["config ", "database  SQLite", "LOGIN", "CAN RUN", "mod may: everything"] {
        assert!(text.stdout.contains(part), "{part:?} is not in {}", text.stdout);
    }
}

/// Nothing to check is no trouble, and it says what to do next.
#[tokio::test]
async fn check_without_a_server_says_how_to_begin() {
    let house = House::with("");
    let checked = house.egret(&["check"]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("egret init https://your.server"), "{checked:?}");
}

/// A database that does not answer is named, without its password, and with what to look at.
#[tokio::test]
async fn a_database_that_cannot_be_reached_is_told_without_its_password() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let house = House::with(&format!(
        "[store]\nurl = \"postgres://egret:hunter22@127.0.0.1:{port}/egret\"\n"
    ));
    for command in [&["check"][..], &["run"], &["migrate"]] {
        let ended = house.egret(command).await;
        ended.refused(&["127.0.0.1", "check [store] url and that the server runs"]);
        assert!(!ended.stderr.contains("hunter22"), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthcheck_says_by_its_exit_code_whether_the_daemon_is_ready() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let house = House::with("");
    let alone = house
        .command(&["healthcheck"])
        .env("EGRET__WEB__LISTEN", address.to_string())
        .output();
    let alone = alone.await.unwrap();
    assert_eq!(alone.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&alone.stderr).contains("nothing answers"),
        "{alone:?}"
    );

    let daemon = house.run().await;
    let mut asked = house.command(&["healthcheck", "--json"]);
    let ready = asked.env("EGRET__WEB__LISTEN", &daemon.address).output().await.unwrap();
    assert_eq!(ready.status.code(), Some(0), "{ready:?}");
    let said: serde_json::Value = serde_json::from_slice(&ready.stdout).unwrap();
    assert_eq!(said["ready"], true, "{ready:?}");
}

/// A page for each command, in the form that `man` reads.
#[tokio::test]
async fn man_writes_a_page_for_each_command() {
    let house = House::with("");
    let one = house.egret(&["man"]).await;
    assert_eq!(one.code, Some(0), "{one:?}");
    assert!(
        one.stdout.contains(".TH egret 1") && one.stdout.contains(".SH SYNOPSIS"),
        "{one:?}"
    );
    assert_eq!(house.egret(&["man", "pages/here"]).await.code, Some(0));
    let folder = house.path().join("pages/here");
    for page in ["egret.1", "egret-run.1", "egret-check.1", "egret-backup-restore.1"] {
        let text = std::fs::read_to_string(folder.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(
            text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"),
            "{page}: {text}"
        );
    }
    // As `man` itself sees them, where it is.
    if let Ok(groff) = std::process::Command::new("groff")
        .args(["-man", "-ww", "-Tascii", "-z"])
        .arg(folder.join("egret.1"))
        .output()
    {
        assert!(groff.status.success(), "{groff:?}");
    }
    // A folder that cannot be made.
    house.write("file", "");
    house
        .egret(&["man", "file/below"])
        .await
        .refused(&["cannot write to", "file/below"]);
}

#[tokio::test]
async fn completions_are_there_for_each_shell() {
    let house = House::with("");
    for shell in ["bash", "zsh", "fish"] {
        let ended = house.egret(&["completions", shell]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains("healthcheck"), "{shell}");
    }
}
