//! Check 45: hosts in trouble cost their own gaps and nobody else's.

use store::metered_points::Point;

use crate::house::{Fault, House};

/// Check 45: only the host in trouble is without a point.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_host_costs_its_own_gap() {
    let house = House::build().await;
    let faults = [
        None,
        Some(Fault::Status(500)),
        Some(Fault::Status(429)),
        Some(Fault::Html),
        Some(Fault::Silent),
        None,
    ];
    let mut ids = Vec::new();
    for n in 0..faults.len() {
        ids.push(house.track(n, 45).await);
    }
    // Known from yesterday, when all was well.
    house.measure().await;
    house.later(24);
    for (n, fault) in faults.into_iter().enumerate() {
        house.fault(n, fault);
        house.person(n, 1, |account| account["statuses_count"] = serde_json::json!(1001));
    }
    house.clear();
    let summary = house.measure().await;
    assert_eq!(
        (summary.get("measured"), summary.get("failed")),
        (90, 180),
        "{summary:?}"
    );
    for (n, ids) in ids.iter().enumerate().take(5).skip(1) {
        assert!(house.asked(n).len() <= 4, "{n}: {:?}", house.asked(n));
        assert_eq!(house.points(ids[0]).await.len(), 1);
        assert!(house.account(ids[44]).await.trouble.is_some());
    }
    for n in [0, 5] {
        assert_eq!(house.points(ids[n][0]).await.len(), 2);
    }

    // Back within the slot: the point is late, and there is one.
    for n in 1..5 {
        house.fault(n, None);
    }
    house.later(2);
    let summary = house.run("metering.retries").await;
    assert_eq!(summary.get("measured"), 180, "{summary:?}");
    for ids in &ids[1..5] {
        let points = house.points(ids[0]).await;
        assert_eq!((points.len(), points[1].lag), (2, 7210));
        assert_eq!(house.account(ids[0]).await.trouble, None);
    }
    house.later(1);
    assert_eq!(house.run("metering.retries").await.get("measured"), 0);
}

/// A slot without a point is a gap with its reason once it is over, and a long one is one row.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_is_over_is_a_gap() {
    let house = House::build().await;
    let ids = house.track(0, 2).await;
    house.measure().await;
    house.fault(0, Some(Fault::Status(500)));
    for _ in 0..5 {
        house.later(24);
        house.measure().await;
        house.run("metering.retries").await;
    }
    let points = house.points(ids[0]).await;
    assert_eq!(points.len(), 2, "{points:?}");
    assert!(points[1].is_gap());
    assert_eq!((points[1].slot, points[1].span), (points[0].slot + 86_400, 3 * 86_400));
    let reason = points[1].gap.clone().unwrap_or_default();
    assert!(reason.contains("HTTP 500") || reason.contains("rests"), "{reason}");
    house.fault(0, None);
    house.later(48);
    house.measure().await;
    let points = house.points(ids[0]).await;
    assert_eq!(points.iter().filter(|point| !point.is_gap()).count(), 2);
}

/// Check 42: gone twice a day apart is archived, and what comes back goes on under the same id.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_is_archived_and_may_come_back() {
    let house = House::build().await;
    let ids = house.track(0, 2).await;
    house.measure().await;
    house.refuse(0, 2, 410);
    house.later(24);
    house.measure().await;
    assert_eq!(house.account(ids[1]).await.state, "tracked");
    house.later(24);
    house.measure().await;
    assert_eq!(house.account(ids[1]).await.state, "archived");
    assert_eq!(house.events(ids[1]).await, ["deleted"]);
    house.clear();
    house.later(24);
    house.measure().await;
    assert!(house.asked(0).iter().all(|path| !path.ends_with("/2")), "left alone");
    house.refuse(0, 2, 404);
    house.later(24 * 5);
    house.run("metering.retries").await;
    assert_eq!(house.account(ids[1]).await.state, "archived");
    // It is there again.
    house.forget_refusal(0, 2);
    house.later(24 * 7);
    house.run("metering.retries").await;
    assert_eq!(house.account(ids[1]).await.state, "tracked");
    assert_eq!(house.events(ids[1]).await, ["deleted", "returned"]);
    let points: Vec<Point> = house
        .points(ids[1])
        .await
        .into_iter()
        .filter(|point| !point.is_gap())
        .collect();
    assert_eq!(points.len(), 2);
}

/// One account that its server stumbles over costs the others nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_account_costs_its_own_gap() {
    let house = House::build().await;
    house.track(0, 40).await;
    house.refuse(0, 5, 500);
    let summary = house.measure().await;
    assert_eq!((summary.get("measured"), summary.get("failed")), (39, 1), "{summary:?}");
}

/// Many hosts with faults of all kinds: every healthy account has its point.
#[tokio::test(flavor = "multi_thread")]
async fn every_healthy_account_has_its_point() {
    let house = House::build().await;
    let mut healthy = 0;
    for n in 0..50 {
        house.track(n, 10).await;
        let fault = match n % 20 {
            0 | 10 => Some(Fault::Silent),
            5 => Some(Fault::Status(502)),
            7 => Some(Fault::Html),
            _ => None,
        };
        if fault.is_none() {
            house.refuse(n, 9, 404);
            healthy += 9;
        }
        house.fault(n, fault);
    }
    let summary = house.measure().await;
    assert_eq!(summary.get("measured"), healthy, "{summary:?}");
    assert_eq!(summary.get("measured") + summary.get("failed"), 500, "{summary:?}");
}
