//! Measuring: the five stories every feature has, and batches.

use chrono::TimeDelta;
use job::JobError;
use serde_json::json;

use crate::house::{House, Server};

#[tokio::test(flavor = "multi_thread")]
async fn does_its_work() {
    let house = House::build().await;
    let (first, second) = (house.track(0, 50).await, house.track(1, 3).await);
    let summary = house.measure().await;
    assert_eq!(summary.get("measured"), 53, "{summary:?}");
    assert_eq!(
        house
            .asked(0)
            .iter()
            .filter(|path| path.contains("id[]") || path.contains("id%5B%5D"))
            .count(),
        2
    );
    let points = house.points(first[41]).await;
    assert_eq!(points.len(), 1);
    assert_eq!(
        (points[0].followers, points[0].following, points[0].statuses),
        (Some(142), Some(10), Some(1000))
    );
    assert_eq!((points[0].lag, points[0].step), (10, 86_400));

    // A day later one has changed, the others go on.
    house.later(24);
    house.person(1, 2, |account| account["followers_count"] = json!(500));
    house.measure().await;
    assert_eq!(house.points(second[1]).await.len(), 2);
    let same = house.points(second[0]).await;
    assert_eq!((same.len(), same[0].points, same[0].span), (1, 2, 86_400));
}

/// Check 45: exactly one point per slot, whatever restarts do.
#[tokio::test(flavor = "multi_thread")]
async fn does_nothing_the_second_time() {
    let house = House::build().await;
    let ids = house.track(0, 5).await;
    house.measure().await;
    house.clear();
    for _ in 0..3 {
        house.clock.advance(TimeDelta::seconds(1));
        let summary = house.measure().await;
        assert_eq!(summary.get("measured"), 0);
        house.run("metering.retries").await;
    }
    assert!(house.asked(0).is_empty());
    for id in ids {
        let points = house.points(id).await;
        assert_eq!(points.iter().map(|point| point.points).sum::<i32>(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_nothing_elsewhere() {
    let house = House::build().await;
    house.track(0, 3).await;
    house.try_add(&format!("@u2@{}", house.host(0))).await.unwrap();
    house.measure().await;
    assert!(house.methods().iter().all(|method| method == "GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_between_pages() {
    let house = House::build().await;
    house.track(0, 100).await;
    house.stop.cancel();
    assert!(matches!(
        house.try_run("metering.accounts").await,
        Err(JobError::Stopped)
    ));
    assert!(house.asked(0).is_empty());
}

/// Check 44: a batch of 40 with 3 missing is 37 points and 3 single look-ups, and never 41 ids.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_batch_leaves_out_is_asked_for_singly() {
    let house = House::build().await;
    let ids = house.track(0, 41).await;
    house.refuse(0, 3, 404);
    house.refuse(0, 7, 410);
    house.person(0, 9, |account| account["suspended"] = json!(true));
    house.refuse(0, 11, 404);
    house.clear();
    let summary = house.measure().await;
    assert_eq!((summary.get("measured"), summary.get("gone")), (38, 3), "{summary:?}");
    let asked = house.asked(0);
    let most = asked.iter().map(|path| path.matches("id%5B%5D").count()).max();
    assert_eq!(most, Some(40));
    let single = asked
        .iter()
        .filter(|path| path.starts_with("/api/v1/accounts/"))
        .count();
    // The 41st stands alone on its page.
    assert_eq!(single, 3 + 1, "{asked:?}");
    assert_eq!(house.account(ids[2]).await.condition, "gone");
    assert_eq!(house.events(ids[8]).await, ["suspended"]);
    assert!(house.points(ids[8]).await[0].is_gap());
}

/// Check 44: a server without batches is asked singly, and asked again for batches after a day.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_batches_is_remembered_for_a_day() {
    let mut house = House::build().await;
    house.config.accounts.every = std::time::Duration::from_secs(3600);
    house.server(
        0,
        Server {
            version: "4.2.9",
            batches: false,
            ..Server::default()
        },
    );
    house.track(0, 5).await;
    let batches = |house: &House| house.asked(0).iter().filter(|path| path.contains("id%5B%5D")).count();
    for hour in 0..24 {
        let summary = house.measure().await;
        assert_eq!(summary.get("measured"), 5, "{hour}: {summary:?}");
        house.later(1);
    }
    assert_eq!(batches(&house), 1);
    house.measure().await;
    assert_eq!(batches(&house), 2);
}

/// Check 44: software without Mastodon's API is measured by its collections.
#[tokio::test(flavor = "multi_thread")]
async fn other_software_is_measured_by_its_collections() {
    let house = House::build().await;
    house.server(
        0,
        Server {
            software: "writefreely",
            version: "0.15",
            ..Server::default()
        },
    );
    house.person(0, 1, |account| account["followers_count"] = json!(77));
    let tracked = house.try_add(&format!("@u1@{}", house.host(0))).await.unwrap();
    let points = house.points(tracked.id).await;
    assert_eq!(
        (points[0].followers, points[0].following, points[0].statuses),
        (Some(77), Some(10), Some(1000))
    );
}

/// Check 43, all the way to the store.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_count_is_a_gap_with_its_reason() {
    let house = House::build().await;
    let ids = house.track(0, 5).await;
    for (id, value) in [
        (1, json!(-1)),
        (2, json!(null)),
        (3, json!("12")),
        (4, json!(3_000_000_000_i64)),
    ] {
        house.person(0, id, |account| account["followers_count"] = value);
    }
    house.measure().await;
    let mut gaps = Vec::new();
    for id in &ids {
        let point = house.points(*id).await.remove(0);
        assert_eq!(point.statuses, Some(1000));
        gaps.push((point.followers, point.gap.unwrap_or_default()));
    }
    let gap = |reason: &str| (None, reason.to_owned());
    assert_eq!(
        gaps,
        [
            gap("followers hidden"),
            gap("followers not told"),
            gap("followers no number"),
            gap("followers too large to be true"),
            (Some(105), String::new()),
        ]
    );
}
