//! `backfill.followings`: an account's posts, once.

use std::time::Duration;

use backfill::{Config, Order};
use chrono::TimeDelta;
use fake_fediverse::{Scenario, Software};
use job::JobError;
use model::Clock;

use crate::house::{House, config, origins};

const JOB: &str = "backfill.followings";

fn all(posts: usize) -> Config {
    Config {
        posts_per_account: posts,
        ..config()
    }
}

/// Check 25.
/// Requirement S4.
#[tokio::test(flavor = "multi_thread")]
async fn does_its_work() {
    for software in [Software::Mastodon, Software::Akkoma, Software::Mitra, Software::Other] {
        let house = House::build(origins(&[software])).await;
        let person = house.fediverse.writer(0, 120, 100);
        let other = house.fediverse.writer(0, 1, 0);
        house.fediverse.boost_there(&person, &other.posts[0]);
        house
            .fediverse
            .write_privately(&person, house.clock.now() - TimeDelta::hours(8));
        house.fediverse.follow(&person);
        let summary = house.run(JOB, &all(120)).await;
        let rows = house.wanted(&person).await;
        let uris: Vec<_> = rows.iter().map(|row| row.uri.clone()).collect();
        let expected: Vec<_> = person.posts[100..].iter().rev().cloned().collect();
        assert_eq!(uris, expected, "{software:?} {summary:?}");
        assert_eq!(summary.get("wanted"), 20, "{software:?}");
        assert!(house.wanted(&other).await.is_empty(), "a boost is not their post");
        assert!(
            house.fediverse.log().resolves().is_empty(),
            "that is somebody else's job"
        );
    }
}

/// Requirement S4: for ever.
#[tokio::test(flavor = "multi_thread")]
async fn does_nothing_the_second_time() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 30, 10);
    house.fediverse.follow(&person);
    house.run(JOB, &all(40)).await;
    let rows = house.wanted(&person).await;
    house.fetched(&rows).await;
    house.fediverse.clear_log();
    house.later(24 * 365);
    let summary = house.run(JOB, &all(40)).await;
    assert_eq!(summary.get("remembered"), 1, "for ever: {summary:?}");
    assert!(house.fediverse.log().origins(None).is_empty());
    assert_eq!(house.wanted(&person).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_between_pages() {
    let mut house = House::build(Scenario {
        latency: Duration::from_millis(20),
        ..origins(&[Software::Mastodon])
    })
    .await;
    let person = house.fediverse.writer(0, 120, 0);
    house.fediverse.follow(&person);
    let config = all(120);
    let pages = |house: &House| house.fediverse.log().origins(None).path("/statuses").len();
    let run = house.try_run(JOB, &config);
    let watch = async {
        // Pinned ones, and the first page of the others.
        while pages(&house) < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        house.stop.cancel();
    };
    let (end, ()) = tokio::join!(run, watch);
    assert!(matches!(end, Err(JobError::Stopped)), "{end:?}");
    assert!(house.wanted(&person).await.len() < 120);
    house.stop = Default::default();
    house.run(JOB, &config).await;
    assert_eq!(house.wanted(&person).await.len(), 120);
    let row = house.remembered(&person).await.unwrap();
    assert!(row.cursor.is_none() && row.next_at.is_none(), "{row:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_ends() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 120, 0);
    house.fediverse.follow(&person);
    house.stop.cancel();
    let end = house.try_run(JOB, &all(120)).await;
    assert!(matches!(end, Err(JobError::Stopped)), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_posts_come_first_and_the_order_is_chosen() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 60, 0);
    house.fediverse.pin(&person.posts[0]);
    house.fediverse.follow(&person);
    house
        .run(
            JOB,
            &Config {
                order: Order::Oldest,
                ..all(10)
            },
        )
        .await;
    let uris: Vec<_> = house.wanted(&person).await.into_iter().map(|row| row.uri).collect();
    assert_eq!(uris.len(), 10);
    assert_eq!(uris[0], person.posts[0], "pinned, and years older");
    assert_eq!(uris[1..], person.posts[51..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn young_posts_wait_until_they_enter_no_timeline() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let mut person = house.fediverse.writer(0, 1, 0);
    let now = house.clock.now();
    let young = house.fediverse.write(&person, now - TimeDelta::hours(1));
    person.posts.push(young.clone());
    house.fediverse.follow(&person);
    let careful = Config {
        hold: Duration::from_secs(6 * 3600),
        ..all(40)
    };
    house.run(JOB, &careful).await;
    let rows = house.wanted(&person).await;
    assert_eq!(rows.len(), 2);
    assert!((rows[0].next_try_at - now).num_minutes() < 1);
    assert_eq!(rows[1].uri, young);
    assert!(
        (rows[1].next_try_at - now).num_minutes() >= 4 * 60 + 59,
        "{:?}",
        rows[1]
    );
}

/// Check 28.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_elsewhere_is_fetched_if_home_lacks_it() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 10, 6);
    store::backfills::insert_seen(&house.store, &house.server(), &person.posts)
        .await
        .unwrap();
    house.fediverse.follow(&person);
    let summary = house.run(JOB, &all(40)).await;
    assert_eq!(
        (summary.get("at_home"), summary.get("wanted")),
        (6, 4),
        "counted as fetched, and not there: {summary:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn survives_a_busy_server() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 5, 0);
    house.fediverse.follow(&person);
    house
        .fediverse
        .fault(None, "/following", fake_fediverse::Fault::Empty(503), None);
    let end = house.try_run(JOB, &all(40)).await;
    assert!(matches!(end, Err(JobError::Transient(_))), "{end:?}");
    house.fediverse.heal(None);
    house.run(JOB, &all(40)).await;
    assert_eq!(house.wanted(&person).await.len(), 5);
}
