//! Staged suspension: silence, tell, wait, suspend.

use std::time::Duration;

use blocklists::gather;

use crate::house::{House, pairs};

async fn staged() -> House {
    let mut house = House::build("domain,severity\nbad.social,suspend\nquiet.social,suspend\n").await;
    house.policy().stage = Some(Duration::from_secs(7 * 24 * 3600));
    house.fediverse.set_follows("bad.social", 12, 3);
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_domain_is_silenced_told_of_and_suspended_later() {
    let house = staged().await;
    let summary = house.pass().await;
    assert_eq!(
        house.blocks(),
        pairs(&[("bad.social", "silence"), ("quiet.social", "suspend")])
    );
    assert_eq!(summary.get("told"), 1);
    let notices = store::notices::undelivered(&house.store, 10).await.unwrap();
    let notice = notices.iter().find(|notice| notice.kind == "stage").unwrap();
    let day = (house.clock_now() + chrono::TimeDelta::days(7))
        .format("%Y-%m-%d")
        .to_string();
    for part in ["bad.social (12 follows, 3 followers)", &*day, "egret blocks affected"] {
        assert!(notice.text.contains(part), "{part}: {}", notice.text);
    }
    house.fediverse.clear_log();
    for _ in 0..6 {
        let summary = house.pass_after(24).await;
        assert_eq!((house.methods(), summary.get("told")), (vec![], 0));
    }
    let note = &house.plan().await.notes[0];
    assert!(note.text.contains(&day), "{}", note.text);
    house.pass_after(25).await;
    assert_eq!(house.methods(), ["PUT"]);
    assert_eq!(house.blocks()[0].1, "suspend");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_follows_there_is_nothing_to_wait_for() {
    let house = staged().await;
    house.pass().await;
    house.fediverse.set_follows("bad.social", 0, 0);
    house.pass_after(1).await;
    assert_eq!(house.blocks()[0].1, "suspend");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_what_is_only_rehearsed() {
    let mut house = staged().await;
    house.observe();
    house.policy().count_follows = true;
    house.pass().await;
    assert!(house.told().await.iter().all(|(kind, _)| kind != "stage"));
}

/// The names behind the numbers, for whoever wants to write to them.
#[tokio::test(flavor = "multi_thread")]
async fn those_affected_are_named() {
    let house = House::build("domain,severity\n").await;
    let writers = [house.fediverse.writer(0, 1, 1), house.fediverse.writer(0, 1, 1)];
    house.fediverse.follow(&writers[1]);
    let host = writers[0].acct.split_once('@').unwrap().1;
    let cx = house.cx();
    let found = gather::affected(&cx, cx.login().unwrap(), host).await.unwrap();
    assert_eq!((found.following.len(), found.is_whole), (1, true), "{found:?}");
    assert!(found.looked_at >= 2, "{found:?}");
    assert!(found.following.iter().all(|acct| !acct.contains('@')), "{found:?}");
}
