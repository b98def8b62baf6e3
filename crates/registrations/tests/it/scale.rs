//! Many at once.

use std::time::{Duration, Instant};

use model::Clock as _;
use store::{
    applicants::{self, State},
    webhook_events::{self, WebhookEvent},
};

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn many_are_read_within_the_paging_budget_and_decided_once() {
    let mut house = House::with(|scenario| scenario.applicants = 990).await;
    // Deciding is what is measured: nobody is let in, so that only the list costs requests.
    house.config.mode = job::Mode::Observe;
    for rule in &mut house.config.rules {
        rule.verdict = registrations::Verdict::Hold;
    }
    house.tick().await;
    let with_cursor = |house: &House| {
        let log = house.fediverse.log();
        log.0
            .iter()
            .filter(|call| call.query.iter().any(|(key, _)| key == "max_id"))
            .count()
    };
    let asked: Vec<_> = house
        .fediverse
        .log()
        .0
        .iter()
        .map(|call| (call.path.clone(), call.query.clone()))
        .collect();
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert_eq!(with_cursor(&house), 4);
    assert!(house.fediverse.log().0.iter().all(|call| call.http_status == 200));
    let counts = applicants::counts(&house.store).await.unwrap();
    assert_eq!(counts.iter().map(|(_, _, count)| count).sum::<i64>(), 990);
    let mut after = String::new();
    let mut judged = std::collections::HashMap::<String, u32>::new();
    loop {
        let page = applicants::events_since(&house.store, &after, 2000).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for line in page {
            *judged.entry(line.account_id).or_default() += 1;
        }
    }
    assert_eq!(judged.len(), 990);
    assert!(judged.values().all(|times| *times == 1), "each decided once");
    // A quarter of an hour of ticks stays within what the server allows.
    house.fediverse.clear_log();
    for _ in 0..14 {
        house.tick().await;
    }
    assert!(with_cursor(&house) <= 150, "{}", with_cursor(&house));
    assert!(
        house.fediverse.log().0.len() >= 14,
        "the newest are looked at every time"
    );
}

/// Check 49, the part about the job: what is replayed is decided once, and what is unknown is ignored.
#[tokio::test(flavor = "multi_thread")]
async fn a_hint_is_decided_once_and_within_the_budget() {
    let house = House::build().await;
    house.tick().await;
    let mut took = Vec::new();
    for n in 0..60 {
        let id = house.apply(&format!("a{n}"), &format!("a{n}@nyc.gov"));
        let event = WebhookEvent {
            id: uuid::Uuid::now_v7().to_string(),
            server: house.server(),
            event: "account.created".into(),
            object_id: id.clone(),
            digest: id.clone(),
            body: "{}".into(),
            received_at: house.clock.now(),
        };
        let begin = Instant::now();
        assert!(webhook_events::insert(&house.store, &event).await.unwrap());
        house.run().await.unwrap();
        took.push(begin.elapsed());
        assert_eq!(house.state(&id).await, State::Approved);
        for _ in 0..2 {
            let again = WebhookEvent {
                id: uuid::Uuid::now_v7().to_string(),
                ..event.clone()
            };
            assert!(!webhook_events::insert(&house.store, &again).await.unwrap());
        }
    }
    let unknown = WebhookEvent {
        id: uuid::Uuid::now_v7().to_string(),
        server: house.server(),
        event: "account.approved".into(),
        object_id: "404404".into(),
        digest: "unknown".into(),
        body: "{}".into(),
        received_at: house.clock.now(),
    };
    webhook_events::insert(&house.store, &unknown).await.unwrap();
    house.run().await.unwrap();
    assert_eq!(house.calls("approve").len(), 60);
    assert_eq!(applicants::find(&house.store, "404404").await.unwrap(), []);
    took.sort();
    let p99 = took[took.len() * 99 / 100];
    eprintln!("hint to effect: median {:?}, p99 {p99:?}", took[took.len() / 2]);
    assert!(
        p99 < Duration::from_secs(5),
        "a sanity bound; the budget is measured by the bench: {p99:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_hints_costs_no_more_than_the_list() {
    let house = House::build().await;
    house.tick().await;
    for n in 0..200 {
        let id = house.apply(&format!("a{n}"), &format!("a{n}@elsewhere.example"));
        let event = WebhookEvent {
            id: uuid::Uuid::now_v7().to_string(),
            server: house.server(),
            event: "account.created".into(),
            digest: id.clone(),
            object_id: id,
            body: "{}".into(),
            received_at: house.clock.now(),
        };
        webhook_events::insert(&house.store, &event).await.unwrap();
    }
    house.fediverse.clear_log();
    house.run().await.unwrap();
    let counts = applicants::counts(&house.store).await.unwrap();
    assert_eq!(counts, [(house.server(), State::Hold, 200)]);
    assert!(house.fediverse.log().0.len() <= 25, "{}", house.fediverse.log().0.len());
}
