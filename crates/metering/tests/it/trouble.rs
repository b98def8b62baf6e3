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

/// Goal 10: ten thousand accounts over five hundred hosts, of which one in ten never answers, one in twenty has errors and
/// one in a hundred shows pages; two accounts in a hundred are gone. Every healthy account has its one point, and when the
/// hosts are back, the others have theirs in the same slot.
#[tokio::test(flavor = "multi_thread")]
async fn every_healthy_account_has_its_point() {
    let mut house = House::build().await;
    house.config.concurrency = 64;
    let (mut healthy, mut gone) = (0_i64, 0);
    let mut accounts = Vec::new();
    for n in 0..500 {
        let fault = match n % 100 {
            0..10 => Some(Fault::Silent),
            10..15 => Some(Fault::Status(502)),
            15 => Some(Fault::Html),
            _ => None,
        };
        let ids = house.track(n, 20).await;
        // Two of the twenty of every fifth host.
        let lost: usize = if n % 5 == 0 { 2 } else { 0 };
        for id in 0..lost {
            house.refuse(n, id + 3, if id == 0 { 404 } else { 410 });
        }
        gone += lost;
        if fault.is_none() {
            healthy += 20 - i64::try_from(lost).unwrap();
        }
        accounts.extend(ids.into_iter().enumerate().map(|(id, account)| (account, n, id + 1)));
        house.fault(n, fault);
    }
    assert_eq!((accounts.len(), gone), (10_000, 200));
    let summary = house.measure().await;
    assert_eq!(summary.get("measured"), healthy, "{summary:?}");

    for n in 0..500 {
        house.fault(n, None);
    }
    for _ in 0..6 {
        house.later(1);
        house.run("metering.retries").await;
    }
    for (account, n, id) in accounts {
        let is_gone = n % 5 == 0 && (id == 3 || id == 4);
        let points = store::metered_points::count(&house.store, account).await.unwrap();
        assert_eq!(points, i64::from(!is_gone), "h{n} u{id}");
    }
}

/// Forty accounts are one request, so a hundred thousand on one server are 2,500: of the 300 in five minutes that one
/// token has, 69.4 % of an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_server_is_asked_once_for_forty() {
    let house = House::build().await;
    house.track(0, 4000).await;
    house.measure().await;
    let asked = house.asked(0);
    let batches = asked
        .iter()
        .filter(|path| path.starts_with("/api/v1/accounts?"))
        .count();
    assert_eq!(batches, 100);
    // What a host is asked once for all: its software.
    let others = asked.len() - batches;
    assert!(others <= 3, "{asked:?}");
    let requests = 100_000 / 4000 * batches;
    assert_eq!(requests, 2500);
    assert!(requests * 1000 / 3600 <= 695);
}
