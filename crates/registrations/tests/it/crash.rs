//! A process that dies anywhere: nobody is lost, and no call is made twice.

use std::{env, future::Future, pin::pin, process::Command, task::Poll, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use fake_fediverse::Fault;
use model::{Clock as _, FakeClock};
use store::{
    Db,
    applicants::{self, State},
    testing::{on_each_engine, on_each_url},
};

use crate::house::{self, House};

/// Those who wait, and what becomes of them.
const PEOPLE: [(&str, &str, State); 5] = [
    ("mayor", "mayor@nyc.gov", State::Approved),
    ("judge", "judge@ec.europa.eu", State::Approved),
    ("fan", "fan@gmail.com", State::Rejected),
    ("fun", "fun@aol.com", State::Rejected),
    ("other", "other@elsewhere.example", State::Hold),
];

impl House {
    /// A server where they wait, and rejections that wait for nobody.
    async fn with_people(store: Db) -> (Self, Vec<String>) {
        let mut house = Self::on(store, house::scenario()).await;
        house.config.veto = Duration::ZERO;
        let ids = PEOPLE.map(|(name, email, _)| house.apply(name, email)).into();
        (house, ids)
    }

    /// The process comes back and runs until nothing is left to do; then everybody is where they belong, and each call
    /// was carried out once and never refused.
    async fn comes_to_the_same_end(&self, ids: &[String], after: &str) {
        for _ in 0..3 {
            self.later(6);
            self.run().await.unwrap();
        }
        for (id, (name, _, state)) in ids.iter().zip(PEOPLE) {
            let row = self.one(id).await;
            assert_eq!(row.state, state, "{name}, {after}");
            let there = self.fediverse.user(name);
            assert_eq!(there.is_none(), state == State::Rejected, "{name}, {after}");
            if state != State::Hold {
                assert_eq!(row.ended_by.as_deref(), Some("egret"), "{name}, {after}");
            }
        }
        for verb in ["approve", "reject"] {
            let calls = self.calls(verb);
            let carried_out = calls.iter().filter(|status| **status == 200).count();
            let refused = calls.iter().filter(|status| matches!(**status, 403 | 404)).count();
            assert_eq!((carried_out, refused), (2, 0), "{verb}, {after}: {calls:?}");
        }
        let open = store::effects::list(&self.store, None, Some(store::effects::State::Intended), None, 10);
        assert!(open.await.unwrap().is_empty(), "{after}");
    }
}

/// When the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// The server has the request and has done nothing yet; the connection breaks with the process.
    Arrived,
    /// The server has done it, and nobody reads the answer.
    Answered,
}

/// Runs until the server got its `n`-th request, then drops everything. Gives whether the run ended before.
async fn run_until(house: &House, n: usize, death: Death) -> bool {
    let dead = async {
        loop {
            let log = house.fediverse.log().0;
            let done = match death {
                Death::Arrived => log.len() >= n,
                Death::Answered => log.get(n - 1).is_some_and(|call| call.http_status != 0),
            };
            if done {
                return;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    };
    tokio::select! {
        biased;
        () = dead => false,
        run = house.run() => { run.unwrap(); true }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_at_any_request_loses_nobody_and_repeats_nothing() {
    on_each_engine(async |db| {
        // Kept to the end: another server on the port of one that is gone would be that one to the database.
        let mut houses = Vec::new();
        for death in [Death::Arrived, Death::Answered] {
            for n in 1..=16 {
                let (house, ids) = House::with_people(db.clone()).await;
                if death == Death::Arrived {
                    let slow = Fault::Slow(Duration::from_millis(3));
                    house.fediverse.fault(None, "", slow, None);
                }
                house.later(1);
                run_until(&house, n, death).await;
                house.fediverse.heal(None);
                // Whoever has not got an answer by then gets none.
                tokio::time::sleep(Duration::from_millis(10)).await;
                house.comes_to_the_same_end(&ids, &format!("{death:?} at {n}")).await;
                houses.push(house);
            }
        }
    })
    .await;
}

/// Polls a future so many times and drops it; gives whether it ended before.
async fn poll_at_most<F: Future>(times: u32, future: F) -> bool {
    let (mut future, mut polled) = (pin!(future), 0);
    std::future::poll_fn(|cx| {
        if polled == times {
            return Poll::Ready(false);
        }
        polled += 1;
        future.as_mut().poll(cx).map(|_| true)
    })
    .await
}

/// Between requests as well: within the store's statements and transactions, and between them.
#[tokio::test(flavor = "multi_thread")]
async fn dying_between_any_two_steps_loses_nobody_and_repeats_nothing() {
    on_each_engine(async |db| {
        let mut steps = 1;
        // Kept to the end: another server on the port of one that is gone would be that one to the database.
        let mut houses = Vec::new();
        loop {
            let (house, ids) = House::with_people(db.clone()).await;
            house.later(1);
            let ended = poll_at_most(steps, house.run()).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            house.comes_to_the_same_end(&ids, &format!("after {steps} steps")).await;
            houses.push(house);
            if ended {
                break;
            }
            // Some hundred steps make a run; each time other ones are met.
            steps += 1 + steps / 7;
        }
        assert!(steps > 50, "{steps}");
    })
    .await;
}

/// A real process that is really killed, again and again, at no particular moment.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_loses_nobody_and_repeats_nothing() {
    on_each_url(async |url| {
        let config = store::Config {
            url: Some(url.clone()),
            ..store::Config::default()
        };
        let store = Db::open(&config).await.unwrap();
        store::migrate(&store).await.unwrap();
        let (house, ids) = House::with_people(store).await;
        for round in 0..12_u64 {
            house.later(6);
            let mut process = Command::new(env::current_exe().unwrap())
                .args(["--exact", "crash::the_process_that_is_killed", "--nocapture"])
                .env("EGRET_VICTIM_STORE", &url)
                .env("EGRET_VICTIM_HOME", house.fediverse.home())
                .env("EGRET_VICTIM_TOKEN", house.fediverse.admin_token())
                .env("EGRET_VICTIM_NOW", house.clock.now().to_rfc3339())
                .spawn()
                .unwrap();
            let before = house.fediverse.log().0.len();
            let requests = 1 + usize::try_from(round % 4).unwrap();
            for _ in 0..2000 {
                if house.fediverse.log().0.len() >= before + requests || process.try_wait().unwrap().is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_micros(round * 700 % 5000)).await;
            process.kill().unwrap();
            process.wait().unwrap();
        }
        house.comes_to_the_same_end(&ids, "kill -9").await;
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
    let mut config = house::config();
    config.veto = Duration::ZERO;
    let (home, token) = (var("HOME").unwrap(), var("TOKEN").unwrap());
    let job = registrations::jobs(&config).remove(0);
    for _ in 0..1000 {
        let cx = house::context(house::door(), store.clone(), &clock, &config, &home, &token);
        let _ = job.run(&cx).await;
        clock.advance(TimeDelta::seconds(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_on_where_it_was() {
    let house = House::with(|scenario| scenario.applicants = 900).await;
    let mut house = house;
    house.config.rules.clear();
    house.later(1);
    assert!(!run_until(&house, 3, Death::Answered).await);
    let before = house.fediverse.log().0.len();
    house.later(1);
    house.run().await.unwrap();
    let counts = applicants::counts(&house.store).await.unwrap();
    assert_eq!(
        counts.iter().map(|(_, _, count)| count).sum::<i64>(),
        900,
        "nobody is lost"
    );
    assert!(
        house.fediverse.log().0.len() - before <= 5,
        "what was read is not read again"
    );
}
