//! Starting, reloading and ending.

use fake_fediverse::Fault;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::house::{House, fediverse, only_home, server, until};

/// Requirement S10, and check 29.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_one_database_is_refused_and_a_killed_one_is_in_nobodys_way() {
    let house = House::with("");
    let first = house.run().await;
    assert_eq!(first.page("/readyz").await, 200);
    // The last two take files away, which nobody else may be about to keep.
    for command in [
        &["run"][..],
        &["once"],
        &["archive", "verify"],
        &["archive", "forget", "--login", "home/me", "--yes"],
    ] {
        house
            .egret(command)
            .await
            .refused(&["another egret", "process ", "egret.db", "stop it first"]);
    }
    assert_eq!(
        house.egret(&["archive", "search", "x"]).await.code,
        Some(0),
        "who only looks is welcome"
    );
    assert_eq!(first.page("/readyz").await, 200, "the first one goes on");
    first.signal("KILL").await;
    assert_eq!(first.ended().await, None);
    let next = house.run().await;
    assert_eq!(next.page("/readyz").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_cut_off_by_a_kill_is_taken_up_at_once_by_the_next_start() {
    let fediverse = fediverse().await;
    for origin in 0..3 {
        fediverse.fault(Some(origin), "", Fault::Silent, None);
    }
    let house = House::of(&fediverse, "");
    let first = house.run().await;
    until("the run is under way", || !fediverse.log().origins(None).is_empty()).await;
    first.signal("KILL").await;
    first.ended().await;
    assert!(fediverse.missing() > 0);
    for origin in 0..3 {
        fediverse.heal(Some(origin));
    }
    let next = house.run().await;
    next.says("was cut off by the end of its process").await;
    until("all is at home", || fediverse.missing() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn term_and_int_end_it_well() {
    let fediverse = fediverse().await;
    for signal in ["TERM", "INT"] {
        let house = House::of(&fediverse, "");
        let daemon = house.run().await;
        daemon.signal(signal).await;
        assert_eq!(daemon.ended().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let house = House::with("");
    let daemon = house.run().await;
    // A request whose body never ends keeps the drain busy for seconds: the second signal comes in its midst.
    let mut open = TcpStream::connect(&daemon.address).await.unwrap();
    let head = format!(
        "POST /webhooks/mastodon/home HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\nhalf",
        daemon.address
    );
    open.write_all(head.as_bytes()).await.unwrap();
    // A page asked for later and answered: the one before has been taken up.
    assert_eq!(daemon.page("/livez").await, 200);
    daemon.signal("TERM").await;
    daemon.says("a second signal ends at once").await;
    daemon.signal("INT").await;
    assert_eq!(daemon.ended().await, Some(130), "not the 0 of a drain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_config_at_a_reload_leaves_the_old_one_in_place() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    let daemon = house.run().await;
    daemon.says("replies.home finished").await;
    house.config("[replies.home]\nevry = \"1h\"\n");
    daemon.signal("HUP").await;
    daemon.says("the old one stays in place").await;
    daemon.says("evry").await;
    assert_eq!(daemon.page("/readyz").await, 200);

    house.config(&format!(
        "{}{}",
        server(&fediverse.home(), &["me", "lost"]),
        only_home("")
    ));
    daemon.signal("HUP").await;
    daemon.says("lost.token").await;

    // Whatever is wrong with it: none of it holds, and least of all that writing is allowed.
    for (of_server, of_home, said) in [
        ("webhook_secret_files = [\"lost.secret\"]\n", "", "lost.secret"),
        ("", "logins = [\"lost\"]", "there is no login"),
    ] {
        let login = "[[servers.logins]]";
        let server = server(&fediverse.home(), &["me"]).replacen(login, &format!("{of_server}{login}"), 1);
        let blocks = "[blocklists]\nmode = \"act\"\n";
        house.config(&format!("{server}{}{blocks}", only_home(of_home)));
        daemon.signal("HUP").await;
        daemon.says(said).await;
        let health: serde_json::Value = serde_json::from_str(&daemon.text("/healthz").await).unwrap();
        assert_eq!(health["modes"]["blocklists"], "observe", "{health}");
    }

    house.config(&format!(
        "{}{}",
        server(&fediverse.home(), &["me"]),
        only_home("every = \"1h\"")
    ));
    daemon.signal("HUP").await;
    daemon.says("the new config is in place").await;
    daemon.signal("TERM").await;
    assert_eq!(daemon.ended().await, Some(0));
}
