//! `replies.home`.

use std::collections::HashSet;

use fake_fediverse::{Fault, Scenario};

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn does_its_work() {
    let house = House::build(Scenario::small()).await;
    let missing = house.fediverse.missing();
    assert!(missing > 20);
    let summary = house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
    let log = house.fediverse.log();
    let resolves = log.resolves();
    assert_eq!(
        resolves.len(),
        resolves.iter().collect::<HashSet<_>>().len(),
        "nothing is asked twice"
    );
}

/// Requirement S15, and requirement S11.
#[tokio::test(flavor = "multi_thread")]
async fn does_nothing_the_second_time() {
    let house = House::build(Scenario::small()).await;
    house.pass().await;
    house.fediverse.clear_log();
    house.run("replies.home").await.unwrap();
    house.run("replies.wanted").await.unwrap();
    assert_eq!(house.fediverse.log().resolves(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_nothing_when_observing() {
    let house = House::build(Scenario::small()).await;
    house.pass().await;
    assert!(house.fediverse.log().0.iter().all(|request| request.method == "GET"));
    assert!(
        store::effects::list(&house.store, None, None, None, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_between_pages() {
    let house = House::build(Scenario::small()).await;
    house.stop.cancel();
    assert!(matches!(house.run("replies.home").await, Err(job::JobError::Stopped)));
    assert!(house.fediverse.log().resolves().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn survives_a_busy_server() {
    let house = House::build(Scenario::small()).await;
    house
        .fediverse
        .fault(None, "/api/v2/search", Fault::ResolvesNothing, None);
    let summary = house.run("replies.home").await.unwrap();
    assert!(
        summary.get("retried") > 0 && house.fediverse.missing() > 0,
        "{summary:?}"
    );
    house.fediverse.heal(None);
    for _ in 0..6 {
        house.later(5);
        house.run("replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
}
