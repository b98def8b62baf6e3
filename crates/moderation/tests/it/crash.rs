//! A process that dies anywhere: no report is lost, and none is filed twice.

use std::{env, future::Future, pin::pin, process::Command, task::Poll, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use fake_fediverse::Event;
use model::FakeClock;
use store::{
    Db,
    cases::State,
    effects,
    testing::{on_each_engine, on_each_url},
};

use crate::house::{self, CASINO, House};

const PEOPLE: usize = 3;

impl House {
    /// A server that told of spam by several people, and nobody has looked yet.
    async fn with_spam(store: Db) -> Self {
        let house = Self::on(store, CASINO).await;
        for n in 0..PEOPLE {
            house.more_spam(n).await;
        }
        house
    }

    async fn more_spam(&self, n: usize) {
        self.fediverse.joins(None, &format!("eve{n}"));
        // Somebody who was judged before: what is new of them must be new after a crash as well.
        let id = self.fediverse.says(&format!("eve{n}"), "<p>good morning</p>");
        assert!(self.deliver(Event::StatusCreated, &id).await);
        let id = self.fediverse.says(&format!("eve{n}"), &format!("<p>casino {n}</p>"));
        assert!(self.deliver(Event::StatusCreated, &id).await);
    }

    /// The process comes back and runs until nothing is left to do; then each of them was reported, once.
    async fn comes_to_the_same_end(&self, people: usize, after: &str) {
        for _ in 0..4 + people / 50 {
            self.later(7);
            self.inbox().await;
            self.run(moderation::CASES).await.unwrap();
        }
        let mut targets: Vec<String> = self.filed().into_iter().map(|one| one.target).collect();
        targets.sort();
        let mut wanted: Vec<String> = (0..people).map(|n| format!("eve{n}")).collect();
        wanted.sort();
        assert_eq!(targets, wanted, "{after}");
        let server = self.server();
        let mine: Vec<_> = self
            .cases()
            .await
            .into_iter()
            .filter(|case| case.server == server)
            .collect();
        assert_eq!(mine.len(), people, "{after}");
        assert!(
            mine.iter()
                .all(|case| case.state == State::Reported && case.report_id.is_some()),
            "{after}: {mine:#?}"
        );
        let open = effects::list(&self.store, None, Some(effects::State::Intended), None, 10)
            .await
            .unwrap();
        assert!(open.is_empty(), "{after}: {open:?}");
    }
}

/// Polls a future so many times and drops it; gives what it ended with, if it ended before.
async fn poll_at_most<F: Future>(times: u32, future: F) -> Option<F::Output> {
    let (mut future, mut polled) = (pin!(future), 0);
    std::future::poll_fn(|cx| {
        if polled == times {
            return Poll::Ready(None);
        }
        polled += 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Check 34: within the store's statements and transactions, within requests, and between them.
#[tokio::test(flavor = "multi_thread")]
async fn dying_between_any_two_steps_loses_nothing_and_repeats_nothing() {
    on_each_engine(async |db| {
        let (mut steps, mut points) = (1, 0);
        // Kept to the end: another server on the port of one that is gone would be that one to the database.
        let mut houses = Vec::new();
        loop {
            let house = House::with_spam(db.clone()).await;
            house.later(1);
            let ended = poll_at_most(steps, house.run(moderation::INBOX)).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            house
                .comes_to_the_same_end(PEOPLE, &format!("after {steps} steps"))
                .await;
            houses.push(house);
            points += 1;
            if let Some(ended) = ended {
                ended.unwrap();
                break;
            }
            // Some hundred steps make a run; each time other ones are met.
            steps += 1 + steps / 3;
        }
        // How many steps make a run depends on how busy the machine is.
        assert!(points > 2, "{points}");
    })
    .await;
}

/// Check 34: when the server has the request, and when it has answered and nobody reads it.
#[tokio::test(flavor = "multi_thread")]
async fn dying_at_any_request_loses_nothing_and_repeats_nothing() {
    on_each_engine(async |db| {
        // Kept to the end: another server on the port of one that is gone would be that one to the database.
        let mut houses = Vec::new();
        for answered in [false, true] {
            for n in 1..=8 {
                let house = House::with_spam(db.clone()).await;
                house.later(1);
                house.fediverse.clear_log();
                let dead = async {
                    loop {
                        let log = house.fediverse.log().0;
                        if log.len() >= n && (!answered || log[n - 1].http_status != 0) {
                            return;
                        }
                        tokio::time::sleep(Duration::from_micros(200)).await;
                    }
                };
                tokio::select! {
                    biased;
                    () = dead => {}
                    run = house.run(moderation::INBOX) => drop(run.unwrap()),
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
                house
                    .comes_to_the_same_end(PEOPLE, &format!("at request {n}, answered: {answered}"))
                    .await;
                houses.push(house);
            }
        }
    })
    .await;
}

/// Check 34: a real process that is really killed, again and again, at no particular moment; as often as
/// `EGRET_KILL_POINTS` says.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_nothing_and_repeats_nothing() {
    let rounds: usize = env::var("EGRET_KILL_POINTS").map_or(10, |text| text.parse().unwrap());
    on_each_url(async |url| {
        let config = store::Config {
            url: Some(url.clone()),
            ..store::Config::default()
        };
        let store = Db::open(&config).await.unwrap();
        store::migrate(&store).await.unwrap();
        let house = House::with_spam(store).await;
        for round in 0..rounds {
            house.later(6);
            house.more_spam(PEOPLE + round).await;
            let mut process = Command::new(env::current_exe().unwrap())
                .args(["--exact", "crash::the_process_that_is_killed", "--nocapture"])
                .env("EGRET_VICTIM_STORE", &url)
                .env("EGRET_VICTIM_HOME", house.fediverse.home())
                .env("EGRET_VICTIM_TOKEN", house.fediverse.admin_token())
                .env("EGRET_VICTIM_NOW", house.clock_now().to_rfc3339())
                .spawn()
                .unwrap();
            let before = house.fediverse.log().0.len();
            let requests = 2 + round % 7;
            for _ in 0..2000 {
                if house.fediverse.log().0.len() >= before + requests || process.try_wait().unwrap().is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_micros(round as u64 * 700 % 5000)).await;
            process.kill().unwrap();
            process.wait().unwrap();
        }
        house.comes_to_the_same_end(PEOPLE + rounds, "kill -9").await;
        house.store.close().await;
    })
    .await;
}

/// Not a test but the victim of one: it runs over and over until it is killed.
#[tokio::test]
async fn the_process_that_is_killed() {
    let var = |name: &str| env::var(format!("EGRET_VICTIM_{name}"));
    let Ok(url) = var("STORE") else { return };
    let config = store::Config {
        url: Some(url),
        ..store::Config::default()
    };
    let store = Db::open(&config).await.unwrap();
    let now: DateTime<Utc> = var("NOW").unwrap().parse().unwrap();
    let clock = FakeClock::at(now);
    let config = house::config();
    let (home, token) = (var("HOME").unwrap(), var("TOKEN").unwrap());
    let jobs = moderation::jobs(&config);
    for _ in 0..1000 {
        for name in [moderation::INBOX, moderation::CASES] {
            let job = jobs.iter().find(|job| job.name() == name).unwrap();
            let cx = house::context(house::door(), store.clone(), &clock, &config, &home, &token);
            let _ = Box::pin(job.run(&cx)).await;
        }
        clock.advance(TimeDelta::seconds(1));
    }
}
