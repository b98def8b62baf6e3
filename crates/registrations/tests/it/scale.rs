//! Many at once.

use std::time::{Duration, Instant};

use model::Clock as _;
use store::{
    applicants::{self, State},
    webhook_events::{self, WebhookEvent},
};

use crate::house::House;

/// How many requests carried a cursor.
fn with_cursor(house: &House) -> usize {
    let log = house.fediverse.log();
    let carries = |call: &&fake_fediverse::Logged| call.query.iter().any(|(key, _)| key == "max_id");
    log.0.iter().filter(carries).count()
}

/// How often each of them was judged.
async fn judged(house: &House) -> std::collections::HashMap<String, u32> {
    let (mut after, mut judged) = (String::new(), std::collections::HashMap::new());
    loop {
        let page = applicants::events_since(&house.store, &after, 2000).await.unwrap();
        let Some(last) = page.last() else { return judged };
        after.clone_from(&last.id);
        for line in page.into_iter().filter(|line| line.kind == "judged") {
            *judged.entry(line.account_id).or_default() += 1;
        }
    }
}

/// The first start at a server where ten thousand wait, all with the same reason and from one network: it observes, and
/// asks for nothing but the list.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_are_read_within_the_paging_budget_and_decided_once() {
    const MANY: usize = 10_000;
    let mut house = House::with(|scenario| {
        scenario.applicants = MANY;
        scenario.rate_limits = true;
    })
    .await;
    house.config.mode = job::Mode::Observe;
    let begin = Instant::now();
    house.tick().await;
    eprintln!("{MANY} judged in {:?}", begin.elapsed());
    let log = house.fediverse.log().0;
    assert!(
        log.iter().all(|call| call.http_status == 200),
        "no refusal, no second try"
    );
    assert_eq!(
        (log.len(), with_cursor(&house)),
        (51, 50),
        "the pages, of which the last is empty, and nothing else"
    );
    let counts = applicants::counts(&house.store).await.unwrap();
    assert_eq!(counts.iter().map(|(_, _, count)| count).sum::<i64>(), MANY as i64);
    let times = judged(&house).await;
    assert_eq!(times.len(), MANY);
    assert!(times.values().all(|times| *times == 1));
    let of = |wanted: State| counts.iter().find(|(_, state, _)| *state == wanted).unwrap().2;
    let rehearsed = store::effects::list(&house.store, None, None, None, 10_000)
        .await
        .unwrap();
    assert_eq!(rehearsed.len() as i64, of(State::Ready), "visible, each once");
    assert!(of(State::Ready) > 2000 && of(State::Veto) > 1000 && of(State::Hold) > 1000 && of(State::Waiting) > 3000);

    // A minute later only the newest are looked at. The whole list is read again when the budget allows, which is 150
    // pages in a quarter of an hour, and decides nothing anew.
    house.fediverse.clear_log();
    house.tick().await;
    assert_eq!((house.fediverse.log().0.len(), with_cursor(&house)), (1, 0));
    house.later(3);
    house.tick().await;
    assert_eq!((house.fediverse.log().0.len(), with_cursor(&house)), (52, 50));
    assert!(
        judged(&house).await.values().all(|times| *times == 1),
        "each decided once"
    );
    assert_eq!(house.writes(), 0);
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
            job: "registrations.pending".into(),
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
        job: "registrations.pending".into(),
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
            job: "registrations.pending".into(),
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
