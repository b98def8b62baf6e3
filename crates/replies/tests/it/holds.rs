//! Runs that meet, runs that die, and lists that come in parts.

use std::time::Duration;

use fake_fediverse::{Builtin, Fault, Giant, Scenario, Software};
use store::wanted::{self, State};

use crate::house::{House, net_config};

fn one(software: Software, replies: usize, builtin: Builtin) -> Scenario {
    Scenario {
        threads: 1,
        replies,
        builtin,
        origins: vec![software],
        ..Scenario::small()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_that_meet_a_thread_visit_it_once() {
    let house = House::build(Scenario {
        threads: 12,
        ..Scenario::small()
    })
    .await;
    let (home, lists) = tokio::join!(
        house.run_as("one", "replies.home"),
        house.run_as("two", "replies.lists")
    );
    let (home, lists) = (home.unwrap(), lists.unwrap());
    let visited = home.get("visited") + lists.get("visited");
    assert!((12..=13).contains(&visited), "{home:?} {lists:?}");
    assert_eq!(house.fediverse.log().repeated_resolves(), Vec::<String>::new());
    for _ in 0..4 {
        house.later(2);
        house.run("replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
}

/// Check 5: a run that is killed in the middle is continued minutes later, and nothing is asked for again.
/// Requirement S11.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_continued() {
    let house = House::build(one(Software::Akkoma, 200, Builtin::Off)).await;
    house
        .fediverse
        .turn(|knobs| knobs.resolve_takes = Duration::from_millis(5));
    let watch = async {
        while house.fediverse.log().resolves().len() < 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    // Dropped where it stands: nothing is put away, as by `kill -9`.
    tokio::select! {
        end = house.run_as("killed", "replies.home") => panic!("ended: {end:?}"),
        () = watch => {}
    }
    assert!(house.fediverse.missing() > 0);
    house.later(1);
    house.run_as("early", "replies.wanted").await.unwrap();
    assert!(house.fediverse.missing() > 0, "its claims stand for two minutes");
    for _ in 0..4 {
        house.later(2);
        house.run_as("next", "replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
    let repeated = house.fediverse.log().repeated_resolves();
    assert!(repeated.len() <= 2, "those in flight: {repeated:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_to_us_is_left_to_home() {
    let mut scenario = Scenario::small();
    scenario.origins = vec![Software::GoToSocial];
    scenario.builtin = Builtin::Works;
    let house = House::build(scenario).await;
    let before = house.fediverse.missing();
    let summary = house.run("replies.home").await.unwrap();
    assert_eq!(summary.get("left_to_home"), 6, "{summary:?}");
    // Whoever looks next sees what home has fetched.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    house.later(7 * 60);
    house.run("replies.home").await.unwrap();
    assert!(house.fediverse.missing() < before);
    let roots: Vec<_> = house
        .fediverse
        .threads()
        .into_iter()
        .map(|thread| thread.root)
        .collect();
    let threads = store::threads::load(&house.store, &house.server(), &roots)
        .await
        .unwrap();
    assert_eq!(threads.len(), roots.len());
    assert!(
        threads
            .iter()
            .all(|thread| thread.trouble.as_deref() == Some("needs a signed fetch")),
        "{threads:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_breaks_off_is_used_as_far_as_it_goes() {
    let config = net::Config {
        attempts: 1,
        ..net_config()
    };
    let house = House::named(one(Software::Mastodon, 200, Builtin::Off), &config).await;
    house.fediverse.fault(Some(0), "/contexts/", Fault::Close, None);
    let summary = house.run("replies.home").await.unwrap();
    assert_eq!(summary.get("listed_in_part"), 1, "{summary:?}");
    assert!(summary.get("listed") >= 60 && summary.get("arrived") > 0, "{summary:?}");
    house.fediverse.heal(Some(0));
    for _ in 0..8 {
        house.later(4 * 60);
        house.run("replies.home").await.unwrap();
        house.run("replies.wanted").await.unwrap();
    }
    assert_eq!(house.fediverse.missing(), 0);
}

/// Check 5, where the origin has to be asked branch by branch: each visit goes on where the last one stopped, here
/// because the origin failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_continued() {
    let mut scenario = one(Software::MastodonOld, 600, Builtin::Off);
    scenario.giant = Some(Giant {
        replies: 600,
        depth: 30,
        widest: 300,
    });
    let config = net::Config {
        attempts: 1,
        ..net_config()
    };
    let house = House::named(scenario, &config).await;
    let few = replies::Config {
        per_run: 1,
        ..replies::Config::default()
    };
    let contexts = || house.fediverse.log().origins(None).path("/context").0;
    let watch = async {
        while contexts().len() < 10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        house.fediverse.fault(Some(0), "/context", Fault::Close, None);
    };
    let (first, ()) = tokio::join!(house.run_with("replies.home", &few), watch);
    let first = first.unwrap();
    assert_eq!(first.get("listed_in_part"), 1, "{first:?}");
    assert!(first.get("listed") > 300 && first.get("listed") < 600, "{first:?}");

    house.fediverse.heal(Some(0));
    house.later(61);
    let second = house.run_with("replies.home", &few).await.unwrap();
    assert_eq!(
        (second.get("listed"), second.get("listed_in_part")),
        (600, 0),
        "{second:?}"
    );
    let wanted = wanted::list(&house.store, State::Wanted, 10_000).await.unwrap().len();
    assert_eq!(wanted, house.fediverse.missing());
    let mut paths: Vec<_> = contexts().into_iter().map(|request| request.path).collect();
    let all = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert!(
        all - paths.len() <= 1,
        "only what failed is asked for again: {all}, {}",
        paths.len()
    );
}
