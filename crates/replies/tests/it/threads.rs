//! Whole threads: what arrives, what it costs, and what becomes of what does not.

use std::{collections::HashSet, time::Duration};

use fake_fediverse::{Builtin, Fault, Giant, Logged, Scenario, Software, Thread};
use job::JobError;
use model::Clock;
use replies::Config;
use store::wanted::{State, Wanted};

use crate::house::House;

/// One thread at one origin, of which home knows a quarter.
fn one(software: Software, replies: usize, builtin: Builtin) -> Scenario {
    Scenario {
        threads: 1,
        replies,
        builtin,
        origins: vec![software],
        ..Scenario::small()
    }
}

fn thread(house: &House) -> Thread {
    house.fediverse.threads().remove(0)
}

/// Of what home lacks, that which nothing else it lacks replies to.
fn leaves(house: &House, thread: &Thread) -> usize {
    let lacking = |uri: &String| !house.fediverse.home_has(uri);
    let missing: Vec<_> = thread.replies.iter().filter(|(uri, _)| lacking(uri)).collect();
    let parents: HashSet<_> = missing.iter().map(|(_, parent)| parent).collect();
    missing.iter().filter(|(uri, _)| !parents.contains(uri)).count()
}

/// What is written down of a thread's replies.
async fn rows(house: &House) -> Vec<Wanted> {
    let uris: Vec<_> = thread(house).replies.into_iter().map(|(uri, _)| uri).collect();
    store::wanted::load(&house.store, &house.server(), &uris).await.unwrap()
}

/// Requests to home about single threads: neither the timeline nor the server itself.
fn about_threads(house: &House) -> Vec<Logged> {
    let general = ["/timelines/", "/instance", "/verify_credentials", "/domain_blocks"];
    let mut log = house.fediverse.log().home().0;
    log.retain(|request| !general.iter().any(|part| request.path.contains(part)));
    log
}

/// Check 1.
#[tokio::test(flavor = "multi_thread")]
async fn asks_for_leaves_only() {
    // This origin tells the parent of every reply.
    let house = House::build(one(Software::Akkoma, 200, Builtin::Off)).await;
    let missing = house.fediverse.missing();
    let leaves = leaves(&house, &thread(&house));
    assert!(leaves < missing && missing == 150, "{leaves} of {missing}");
    let summary = house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
    let log = house.fediverse.log();
    assert!(log.resolves().len() <= leaves, "{} for {leaves}", log.resolves().len());
    assert_eq!(log.repeated_resolves(), Vec::<String>::new());
}

/// Check 1, where a conversation's collection has replies from elsewhere as bare addresses: what they answer is not told.
#[tokio::test(flavor = "multi_thread")]
async fn asks_for_leaves_only_where_parents_are_not_told() {
    let mut scenario = one(Software::Mastodon, 200, Builtin::Off);
    scenario.origins.extend([Software::Akkoma, Software::Mastodon]);
    scenario.threads = 0;
    let house = House::build(scenario).await;
    house.fediverse.thread(0, 200);
    let leaves = leaves(&house, &thread(&house));
    let summary = house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
    let log = house.fediverse.log();
    let untold = rows(&house)
        .await
        .iter()
        .filter(|row| row.in_reply_to.is_none())
        .count();
    assert!(untold > 20, "the scenario tests nothing: {untold}");
    let asked = log.resolves().len();
    assert!(asked <= leaves, "{asked} for {leaves}");
    assert_eq!(log.repeated_resolves(), Vec::<String>::new());
}

/// Check 9.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_reply_is_not_fetched_again() {
    let house = House::build(one(Software::Akkoma, 20, Builtin::Off)).await;
    house.pass().await;
    for (uri, _) in thread(&house).replies {
        house.fediverse.edit(&uri);
    }
    house.fediverse.clear_log();
    house.later(7 * 60);
    house.run("replies.home").await.unwrap();
    house.run("replies.wanted").await.unwrap();
    assert!(!house.fediverse.log().path("/context").is_empty(), "it was looked at");
    assert_eq!(house.fediverse.log().resolves(), Vec::<String>::new());
}

/// Check 2.
#[tokio::test(flavor = "multi_thread")]
async fn leaves_the_work_to_a_server_that_does_it() {
    let house = House::build(one(Software::Mastodon, 200, Builtin::Works)).await;
    let retry = Duration::from_secs(3);
    house.fediverse.turn(|knobs| knobs.refresh_retry = 3);
    let summary = house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
    let home = house.fediverse.log().home();
    let (set_off, judged) = (&home.path("/context").0[0], &home.path("/api/v1/statuses").0);
    let judged = judged
        .iter()
        .find(|request| !request.path.ends_with("/context"))
        .unwrap();
    assert!(judged.at - set_off.at >= retry, "the server said when to come back");
    // A count names no reply: nothing is done before home has shown it, which the next visit does.
    let open = |rows: &[Wanted]| rows.iter().filter(|row| row.state == State::Wanted).count();
    assert!(open(&rows(&house).await) > 0);
    house.later(7 * 60);
    let summary = house.run("replies.home").await.unwrap();
    assert_eq!(open(&rows(&house).await), 0, "{summary:?}");
    assert_eq!(house.fediverse.log().resolves(), Vec::<String>::new());
    let log = about_threads(&house);
    assert!(log.len() <= 4, "{log:#?}");
}

/// Check 2, where nobody sees to the thread again: what is not proven is looked for all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_fetched_is_proven_without_another_visit() {
    let house = House::build(one(Software::Mastodon, 40, Builtin::Works)).await;
    house.fediverse.turn(|knobs| knobs.refresh_retry = 1);
    house.run("replies.home").await.unwrap();
    house.later(7 * 60);
    house.run("replies.wanted").await.unwrap();
    assert!(rows(&house).await.iter().all(|row| row.state == State::Done));
    assert_eq!(house.fediverse.log().resolves(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_about_a_refresh_no_more_often_than_told() {
    let house = House::build(one(Software::Mastodon, 40, Builtin::Hangs)).await;
    house.fediverse.turn(|knobs| knobs.refresh_retry = 1);
    let run = house.run("replies.home");
    let watch = async {
        while house.fediverse.log().path("/async_refreshes/").len() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        house.stop.cancel();
    };
    let (end, ()) = tokio::join!(run, watch);
    assert!(matches!(end, Err(JobError::Stopped)), "a wait is cut short by a stop");
    let polls = house.fediverse.log().path("/async_refreshes/").0;
    for (earlier, later) in polls.iter().zip(&polls[1..]) {
        assert!(later.at - earlier.at >= Duration::from_secs(1));
    }
}

/// Check 3.
#[tokio::test(flavor = "multi_thread")]
async fn completes_what_the_server_gives_up_after_five() {
    let house = House::build(one(Software::Mastodon, 40, Builtin::FiveItems)).await;
    house.fediverse.turn(|knobs| knobs.refresh_retry = 1);
    let missing = house.fediverse.missing();
    let summary = house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
    assert!(house.fediverse.log().resolves().len() < missing);
    assert_eq!(house.fediverse.log().repeated_resolves(), Vec::<String>::new());
}

/// Check 2: a refresh whose job died says `running` for a day.
#[tokio::test(flavor = "multi_thread")]
async fn does_without_a_server_that_hangs() {
    let house = House::build(one(Software::Mastodon, 40, Builtin::Hangs)).await;
    house.fediverse.turn(|knobs| knobs.refresh_retry = 1);
    let config = Config {
        patience: Duration::from_secs(4),
        ..Config::default()
    };
    house.run_with("replies.home", &config).await.unwrap();
    for _ in 0..4 {
        house.later(2);
        house.run("replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
    let polls = house.fediverse.log().path("/async_refreshes/").len();
    assert!((1..=3).contains(&polls), "{polls}");
    assert_eq!(house.fediverse.log().repeated_resolves(), Vec::<String>::new());
}

/// Check 4.
#[tokio::test(flavor = "multi_thread")]
async fn keeps_wanting_what_failed() {
    let house = House::build(one(Software::Mastodon, 20, Builtin::Off)).await;
    house
        .fediverse
        .fault(None, "/api/v2/search", Fault::ResolvesNothing, None);
    house.run("replies.home").await.unwrap();
    let asked: HashSet<_> = house.fediverse.log().resolves().into_iter().collect();
    let tried: Vec<_> = rows(&house).await.into_iter().filter(|row| row.tries > 0).collect();
    assert!(!asked.is_empty() && tried.len() == asked.len());
    for row in &tried {
        assert_eq!((row.state, row.tries), (State::Wanted, 1), "{row:?}");
        assert!(
            row.reason.as_deref().is_some_and(|reason| !reason.is_empty()),
            "{row:?}"
        );
        assert!(row.next_try_at > house.clock.now(), "{row:?}");
    }
    // Not before its time.
    house.fediverse.clear_log();
    house.run("replies.wanted").await.unwrap();
    assert!(house.fediverse.log().resolves().iter().all(|uri| !asked.contains(uri)));
    house.fediverse.heal(None);
    for _ in 0..6 {
        house.later(5);
        house.run("replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
    assert!(rows(&house).await.iter().all(|row| row.state == State::Done));
}

/// Check 4.
#[tokio::test(flavor = "multi_thread")]
async fn gives_up_after_its_tries() {
    let mut config = Config::default();
    config.wanted.tries = 3;
    let house = House::build(one(Software::Mastodon, 20, Builtin::Off)).await;
    house
        .fediverse
        .fault(None, "/api/v2/search", Fault::ResolvesNothing, None);
    house.run_with("replies.home", &config).await.unwrap();
    let missing = house.fediverse.missing();
    for _ in 0..12 {
        house.later(60);
        house.run_with("replies.wanted", &config).await.unwrap();
        assert!(rows(&house).await.iter().all(|row| row.state != State::Done));
    }
    let rows = rows(&house).await;
    assert_eq!(rows.len(), missing);
    for row in &rows {
        assert_eq!((row.state, row.tries), (State::Failed, 3), "{row:?}");
    }
    let log = house.fediverse.log();
    assert_eq!(log.resolves().len(), missing * 3);
}

/// Check 5.
#[tokio::test(flavor = "multi_thread")]
async fn a_giant_is_listed_cheaply_and_fetched_in_parts() {
    let mut scenario = one(Software::Mastodon, 10_000, Builtin::Off);
    scenario.giant = Some(Giant {
        replies: 10_000,
        depth: 300,
        widest: 4000,
    });
    let config = Config {
        per_run: 100,
        ..Config::default()
    };
    let house = House::build(scenario).await;
    let missing = house.fediverse.missing();
    let summary = house.run_with("replies.home", &config).await.unwrap();
    assert_eq!(summary.get("listed"), 10_000, "{summary:?}");
    let origin = house.fediverse.log().origins(None);
    // What the server runs and how many replies it counts, asked once for all its threads.
    let about_itself = |path: &str| path == "/robots.txt" || path.contains("nodeinfo") || path == "/api/v1/statuses";
    let listing = origin.0.iter().filter(|request| !about_itself(&request.path)).count();
    assert!(listing <= 170, "{listing} requests to the origin");
    assert!(house.fediverse.log().resolves().len() <= 100);

    let mut before = house.fediverse.missing();
    assert!(before < missing);
    for _ in 0..2 {
        house.later(2);
        house.run_with("replies.wanted", &config).await.unwrap();
        let after = house.fediverse.missing();
        assert!(after < before, "{after} of {before}");
        before = after;
    }
    let log = house.fediverse.log();
    assert!(log.resolves().len() <= 300);
    assert_eq!(log.repeated_resolves(), Vec::<String>::new());
    assert_eq!(log.origins(None).len(), origin.len(), "what is wanted is known");
}

/// Check 5.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_is_continued() {
    let mut house = House::build(one(Software::Mastodon, 200, Builtin::Off)).await;
    house
        .fediverse
        .turn(|knobs| knobs.resolve_takes = Duration::from_millis(5));
    let run = house.run("replies.home");
    let watch = async {
        while house.fediverse.log().resolves().len() < 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        house.stop.cancel();
    };
    let (end, ()) = tokio::join!(run, watch);
    assert!(matches!(end, Err(JobError::Stopped)), "{end:?}");
    let left = house.fediverse.missing();
    assert!(left > 0);
    house.stop = Default::default();
    for _ in 0..4 {
        house.later(2);
        house.run("replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
    // The two in flight were cut off, so nobody can tell whether they had begun.
    let repeated = house.fediverse.log().repeated_resolves();
    assert!(repeated.len() <= 2, "{repeated:?}");
}

/// Check 8.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_root_is_left_for_a_week() {
    let house = House::build(one(Software::Mastodon, 20, Builtin::Off)).await;
    let root = thread(&house).root;
    house.fediverse.delete(&root);
    house.run("replies.home").await.unwrap();
    let uris = [root];
    let saved = store::threads::load(&house.store, &house.server(), &uris)
        .await
        .unwrap();
    assert_eq!(saved[0].trouble.as_deref(), Some("gone"), "{saved:?}");
    assert!(!house.fediverse.log().origins(None).is_empty());

    house.fediverse.clear_log();
    for _ in 0..6 {
        house.later(24 * 60);
        house.run("replies.home").await.unwrap();
        house.run("replies.wanted").await.unwrap();
    }
    let log = house.fediverse.log();
    assert!(log.origins(None).is_empty(), "{log:?}");
    assert!(log.resolves().is_empty());
}
