//! Counts over time, by several processes and after restarts.

use std::sync::Arc;

use chrono::TimeDelta;
use fake_fediverse::Event;
use job::Job;
use store::testing::on_each_engine;

use crate::house::{House, config};

/// More than five an hour.
const FLOOD: &str = r#"
[[rules]]
id = "flood"
weight = 1.0
when = [{ counter = "posts", window = "1h", at_least = 6 }, { keywords = ["number"] }]
"#;

/// The inbox of a process of its own.
fn process() -> Arc<dyn Job> {
    let jobs = moderation::jobs(&config());
    jobs.into_iter().find(|job| job.name() == moderation::INBOX).unwrap()
}

impl House {
    async fn one_more(&self, n: usize, inbox: &Arc<dyn Job>) {
        self.clock.advance(TimeDelta::seconds(5));
        let id = self.fediverse.says("eve", &format!("<p>number {n}</p>"));
        assert!(self.deliver(Event::StatusCreated, &id).await);
        Box::pin(inbox.run(&self.cx())).await.unwrap();
    }
}

/// Two processes that each see every other status count like one that sees all, and so does a third that comes late.
#[tokio::test(flavor = "multi_thread")]
async fn processes_agree_on_counts() {
    on_each_engine(async |db| {
        let house = House::on(db, FLOOD).await;
        house.fediverse.joins(None, "eve");
        let (one, two) = (process(), process());
        for n in 0..5 {
            house.one_more(n, if n % 2 == 0 { &one } else { &two }).await;
        }
        assert!(house.hits("flood").await.iter().all(|hit| hit.server != house.server()));
        house.one_more(5, &two).await;
        house.one_more(6, &process()).await;
        house.one_more(7, &one).await;
        let mine = house
            .hits("flood")
            .await
            .into_iter()
            .filter(|hit| hit.server == house.server());
        let counted: Vec<String> = mine
            .map(|hit| hit.evidence["matched"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(counted, ["6", "7", "8"]);
    })
    .await;
}

/// A rule that counts further back than those before it begins with all that was seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_comes_later_counts_what_was_before_it() {
    let house = House::with_rules(FLOOD).await;
    house.fediverse.joins(None, "eve");
    let inbox = process();
    for n in 0..3 {
        house.one_more(n, &inbox).await;
    }
    house.later(120);
    house.one_more(3, &inbox).await;
    house
        .write(&FLOOD.replace("\"1h\", at_least = 6", "\"1d\", at_least = 5"))
        .await;
    house.one_more(4, &inbox).await;
    assert_eq!(house.hits("flood").await.len(), 1);
}

/// Whoever says that it is of tomorrow is counted for the hour in which it was seen, and no longer.
#[tokio::test(flavor = "multi_thread")]
async fn what_says_it_is_of_tomorrow_is_of_today() {
    let house = House::with_rules(FLOOD).await;
    house.fediverse.joins(None, "eve");
    let inbox = process();
    for n in 0..5 {
        let tomorrow = house.clock_now() + TimeDelta::days(400);
        let id = house
            .fediverse
            .says_to("eve", &format!("<p>of tomorrow {n}</p>"), "public", tomorrow);
        assert!(house.deliver(Event::StatusCreated, &id).await);
    }
    Box::pin(inbox.run(&house.cx())).await.unwrap();
    house.later(120);
    house.one_more(9, &inbox).await;
    assert!(house.hits("flood").await.is_empty());
    house.one_more(10, &process()).await;
    assert!(house.hits("flood").await.is_empty());
}
