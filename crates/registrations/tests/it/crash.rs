//! A process that dies at any request: nobody is lost, and no call is made twice.

use std::{collections::BTreeMap, time::Duration};

use fake_fediverse::Fault;
use store::applicants::{self, State};

use crate::house::House;

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
    for death in [Death::Arrived, Death::Answered] {
        for n in 1..=16 {
            let mut house = House::build().await;
            house.config.veto = Duration::ZERO;
            let people: BTreeMap<&str, (String, State)> = [
                ("mayor", "mayor@nyc.gov", State::Approved),
                ("judge", "judge@ec.europa.eu", State::Approved),
                ("fan", "fan@gmail.com", State::Rejected),
                ("fun", "fun@aol.com", State::Rejected),
                ("other", "other@elsewhere.example", State::Hold),
            ]
            .map(|(name, email, state)| (name, (house.apply(name, email), state)))
            .into();
            if death == Death::Arrived {
                house
                    .fediverse
                    .fault(None, "", Fault::Slow(Duration::from_millis(3)), None);
            }
            house.later(1);
            run_until(&house, n, death).await;
            house.fediverse.heal(None);
            // Whoever has not got an answer by then gets none.
            tokio::time::sleep(Duration::from_millis(10)).await;
            for _ in 0..3 {
                house.later(6);
                house.run().await.unwrap();
            }
            for (name, (id, state)) in &people {
                assert_eq!(house.state(id).await, *state, "{name}, {death:?} at {n}");
                let there = house.fediverse.user(name);
                assert_eq!(there.is_none(), *state == State::Rejected, "{name}, {death:?} at {n}");
                if *state != State::Hold {
                    assert_eq!(
                        house.one(id).await.ended_by.as_deref(),
                        Some("egret"),
                        "{name}, {death:?} at {n}"
                    );
                }
            }
            for verb in ["approve", "reject"] {
                let calls = house.calls(verb);
                let carried_out = calls.iter().filter(|http_status| **http_status == 200).count();
                let refused = calls
                    .iter()
                    .filter(|http_status| matches!(**http_status, 403 | 404))
                    .count();
                assert_eq!((carried_out, refused), (2, 0), "{verb}, {death:?} at {n}: {calls:?}");
            }
            let open = store::effects::list(&house.store, None, Some(store::effects::State::Intended), None, 10)
                .await
                .unwrap();
            assert!(open.is_empty(), "{death:?} at {n}: {open:?}");
        }
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
