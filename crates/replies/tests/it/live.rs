//! `replies.live`: what arrives is visited at once, and nothing is lost when the line breaks.

use std::time::Duration;

use fake_fediverse::{Fault, Scenario, Thread};
use job::{Board, JobError};

use crate::house::House;

const JOB: &str = "replies.live";

fn empty() -> Scenario {
    Scenario {
        threads: 0,
        replies: 0,
        known: 0.0,
        ..Scenario::small()
    }
}

fn config() -> replies::Config {
    let mut config = replies::Config::default();
    config.live.enabled = true;
    config
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never happened: {what}");
}

/// Runs the job when it is woken, as the runner would, until the thread is whole.
async fn arrives(house: &House, board: &Board, thread: &Thread) {
    let whole = || thread.replies.iter().all(|(uri, _)| house.fediverse.home_has(uri));
    while !whole() {
        tokio::time::timeout(Duration::from_secs(10), board.nudged())
            .await
            .expect("the job is woken");
        house.run_with(JOB, &config()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_visited_when_it_arrives_and_what_was_missed_is_caught_up() {
    let house = House::build(empty()).await;
    // Something to go on from.
    house.fediverse.thread(0, 1);
    let (cx, board) = (house.cx(), Board::default());
    let scenario = async {
        until("it listens", || house.fediverse.open_streams() == 1).await;
        until("it knows where it is", || {
            house.fediverse.log().home().path("/timelines/home").len() == 1
        })
        .await;
        let live = house.fediverse.thread(0, 7);
        arrives(&house, &board, &live).await;
        assert_eq!(house.fediverse.open_streams(), 1, "one connection");

        // The line breaks, cannot be had again at once, and something arrives meanwhile.
        house
            .fediverse
            .fault(None, "/api/v1/streaming", Fault::Empty(503), Some(1));
        house.fediverse.cut_streams();
        let missed = house.fediverse.thread(1, 7);
        arrives(&house, &board, &missed).await;
        until("it listens again", || house.fediverse.open_streams() == 1).await;
        let later = house.fediverse.thread(0, 5);
        arrives(&house, &board, &later).await;
        assert!(
            store::heard::list(&house.store, &house.server(), 9)
                .await
                .unwrap()
                .is_empty(),
            "what was seen to is forgotten"
        );
        house.stop.cancel();
    };
    let (ended, ()) = tokio::join!(replies::listen(&cx, &board), scenario);
    assert!(matches!(ended, Err(JobError::Stopped)), "{ended:?}");
    drop(cx);
    until("the line is closed", || house.fediverse.open_streams() == 0).await;
    assert_eq!(house.fediverse.log().repeated_resolves(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_not_tried_for_ever() {
    let house = House::build(empty()).await;
    house.fediverse.revoke(&house.fediverse.token());
    let ended = replies::listen(&house.cx(), &Board::default()).await;
    assert!(matches!(ended, Err(JobError::Permanent(_))), "{ended:?}");
}
