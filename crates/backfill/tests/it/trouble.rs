//! Origins that do not answer, hide, or ask us to stay away; and the replies of posts that were fetched.

use chrono::TimeDelta;
use fake_fediverse::{Fault, KNOWN_KEY, KnownActor, Software};
use model::Clock;
use store::wanted::State;

use crate::house::{House, config, origins};

const JOB: &str = "backfill.followings";

/// What wants a signature is said so, and is not asked over and over.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_origin_is_marked_and_left() {
    let house = House::build(origins(&[Software::GoToSocial])).await;
    let person = house.fediverse.writer(0, 3, 0);
    house.fediverse.follow(&person);
    let summary = house.run(JOB, &config()).await;
    assert_eq!(summary.get("closed"), 1, "{summary:?}");
    let row = house.remembered(&person).await.unwrap();
    assert_eq!(row.trouble.as_deref(), Some("needs a signed fetch"));
    house.fediverse.clear_log();
    for _ in 0..6 {
        house.later(24);
        house.run(JOB, &config()).await;
    }
    assert!(house.fediverse.log().origins(None).is_empty());
}

/// With an actor of our own the same origin answers, and what was marked before is read at once.
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_is_let_in() {
    let actor = KnownActor::start().await;
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.pem");
    std::fs::write(&key_file, KNOWN_KEY).unwrap();
    let mut house = House::build(origins(&[Software::GoToSocial])).await;
    let person = house.fediverse.writer(0, 30, 10);
    house.fediverse.follow(&person);
    house.run(JOB, &config()).await;
    assert_eq!(house.wanted(&person).await.len(), 0);

    house.sign(net::ActorConfig {
        url: Some(actor.url.parse().unwrap()),
        key_file: Some(key_file),
        ..net::ActorConfig::default()
    });
    let summary = house.run(JOB, &config()).await;
    assert_eq!(house.wanted(&person).await.len(), 20, "{summary:?}");
    let asked = house.fediverse.log().origins(None);
    assert!(
        asked
            .0
            .iter()
            .any(|request| request.path.ends_with("/outbox") && request.http_status == 200)
    );
}

/// Check 13.
#[tokio::test(flavor = "multi_thread")]
async fn robots_txt_is_obeyed() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    house.fediverse.robots(Some(0), "User-agent: *\nDisallow: /\n");
    let person = house.fediverse.writer(0, 3, 0);
    house.fediverse.follow(&person);
    let summary = house.run(JOB, &config()).await;
    assert_eq!(summary.get("robots"), 1, "{summary:?}");
    let asked = house.fediverse.log().origins(None);
    assert!(asked.0.iter().all(|request| request.path == "/robots.txt"), "{asked:?}");
}

/// Check 15: one that fails rests, is remembered so, and comes back; the others are read meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_origin_rests_and_comes_back() {
    let house = House::build(origins(&[Software::Mastodon, Software::Mastodon])).await;
    let (ill, well) = (house.fediverse.writer(0, 3, 0), house.fediverse.writer(1, 3, 0));
    house.fediverse.follow(&ill);
    house.fediverse.follow(&well);
    house.fediverse.fault(Some(0), "", Fault::Empty(503), None);
    let summary = house.run(JOB, &config()).await;
    assert_eq!(summary.get("resting"), 1, "{summary:?}");
    assert_eq!(house.wanted(&well).await.len(), 3);
    house.fediverse.heal(Some(0));
    house.fediverse.clear_log();
    house.run(JOB, &config()).await;
    assert!(house.fediverse.log().origins(None).is_empty(), "it rests");
    house.later(24);
    house.run(JOB, &config()).await;
    assert_eq!(house.wanted(&ill).await.len(), 3);
}

/// Check 23: no listing where there are no replies.
#[tokio::test(flavor = "multi_thread")]
async fn only_posts_with_replies_have_their_replies_listed() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 12, 0);
    let reply = house
        .fediverse
        .reply_at(&person.posts[3], 0, house.clock.now() - TimeDelta::hours(20));
    house.fediverse.follow(&person);
    house.run(JOB, &config()).await;
    let rows = house.wanted(&person).await;
    assert_eq!(rows.len(), 12);

    // Home has none of them yet.
    house.fediverse.clear_log();
    let summary = house.run("backfill.contexts", &config()).await;
    assert_eq!(summary.get("visited"), 0, "{summary:?}");
    assert!(house.fediverse.log().origins(None).is_empty());

    house.fetched(&rows).await;
    house.later(1);
    let summary = house.run("backfill.contexts", &config()).await;
    assert_eq!((summary.get("visited"), summary.get("wanted")), (1, 1), "{summary:?}");
    assert_eq!(house.fediverse.log().origins(None).path("/context").len(), 1);
    let wanted = store::wanted::load(&house.store, &house.server(), &[reply])
        .await
        .unwrap();
    assert_eq!(wanted[0].state, State::Wanted);
    assert_eq!(wanted[0].thread, house.fediverse.home_id(&person.posts[3]));

    house.fediverse.clear_log();
    house.later(1);
    house.run("backfill.contexts", &config()).await;
    assert!(house.fediverse.log().origins(None).is_empty(), "once");
}

/// A list that breaks off is used as far as it goes, and read to its end when its host has come back.
#[tokio::test(flavor = "multi_thread")]
async fn replies_behind_a_failure_are_listed_later() {
    let house = House::build(origins(&[Software::MastodonOld])).await;
    let person = house.fediverse.writer(0, 1, 0);
    for _ in 0..80 {
        let at = house.clock.now() - TimeDelta::hours(20);
        house.fediverse.reply_at(&person.posts[0], 0, at);
    }
    house.fediverse.follow(&person);
    house.run(JOB, &config()).await;
    house.fetched(&house.wanted(&person).await).await;
    house.later(1);
    house.fediverse.fault(Some(0), "/replies", Fault::Close, None);
    let first = house.run("backfill.contexts", &config()).await;
    assert_eq!(first.get("listed"), 60, "what a stranger's context shows: {first:?}");

    house.fediverse.clear_log();
    house.run("backfill.contexts", &config()).await;
    assert!(house.fediverse.log().origins(None).is_empty(), "its host rests");
    house.fediverse.heal(Some(0));
    house.later(2);
    let second = house.run("backfill.contexts", &config()).await;
    assert_eq!(second.get("listed"), 80, "{second:?}");
    // But for those that were written at home.
    let wanted = first.get("wanted") + second.get("wanted");
    assert!((61..=80).contains(&wanted), "{first:?} {second:?}");
    house.fediverse.clear_log();
    house.later(2);
    house.run("backfill.contexts", &config()).await;
    assert!(house.fediverse.log().origins(None).is_empty(), "once");
}

/// A thread whose host never comes back is not kept for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_of_a_dead_host_is_left_in_the_end() {
    let house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 1, 0);
    house.fediverse.reply_at(&person.posts[0], 0, house.clock.now());
    house.fediverse.follow(&person);
    house.run(JOB, &config()).await;
    house.fetched(&house.wanted(&person).await).await;
    house.fediverse.fault(Some(0), "", Fault::Close, None);
    for _ in 0..12 {
        house.later(25);
        house.run("backfill.contexts", &config()).await;
    }
    let thread = store::threads::load(&house.store, &house.server(), &person.posts).await;
    let thread = thread.unwrap().pop().unwrap();
    assert_eq!(thread.trouble.as_deref(), Some("resting"), "{thread:?}");
    assert!(thread.visited_at.is_some());
}

/// The list goes on at an address that is no more: from there it would never go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_leads_nowhere_is_forgotten() {
    for fault in [Fault::Empty(404), Fault::WrongJson] {
        let house = House::build(origins(&[Software::Mastodon])).await;
        let person = house.fediverse.writer(0, 60, 0);
        house.fediverse.follow(&person);
        let all = backfill::Config {
            posts_per_account: 60,
            ..config()
        };
        // Account, pinned posts and the first page pass.
        house
            .fediverse
            .fault_after(Some(0), "/api/v1/accounts/", fault.clone(), 3, None);
        house.run(JOB, &all).await;
        let row = house.remembered(&person).await.unwrap();
        assert!(row.trouble.is_some() && row.cursor.is_none(), "{fault:?}: {row:?}");
        assert_eq!(house.wanted(&person).await.len(), 40, "{fault:?}");
        house.fediverse.heal(Some(0));
        house.later(24 * 8);
        house.run(JOB, &all).await;
        assert_eq!(house.wanted(&person).await.len(), 60, "{fault:?}");
    }
}

/// Check 21: what a host runs is asked once a month, an hour later where it could not be told, and a restart changes
/// nothing about that.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_runs_is_remembered_across_restarts() {
    let mut house = House::build(origins(&[Software::Mastodon, Software::Other])).await;
    let asked = |house: &House, origin| {
        let log = house.fediverse.log().origins(Some(origin));
        log.0
            .iter()
            .filter(|request| request.path == "/.well-known/nodeinfo")
            .count()
    };
    house.fediverse.fault(Some(1), "nodeinfo", Fault::Empty(404), None);
    house.fediverse.fault(Some(1), "host-meta", Fault::Empty(404), None);
    // Hours from the start, and how often each host has been asked by then.
    for (hours, known, unknown) in [(0, 1, 1), (0, 1, 1), (1, 1, 2), (29 * 24, 1, 3), (31 * 24, 2, 4)] {
        let begin = house.began;
        house
            .clock
            .advance(begin + TimeDelta::hours(hours) + TimeDelta::minutes(1) - house.clock.now());
        for origin in [0, 1] {
            let person = house.fediverse.writer(origin, 2, 0);
            house.fediverse.follow(&person);
        }
        let summary = house.run(JOB, &config()).await;
        assert_eq!(
            (asked(&house, 0), asked(&house, 1)),
            (known, unknown),
            "after {hours} h: {summary:?}"
        );
        house.restart();
    }
    // And what can be told again is believed again.
    house.fediverse.heal(Some(1));
    house.later(2);
    let person = house.fediverse.writer(1, 2, 0);
    house.fediverse.follow(&person);
    house.run(JOB, &config()).await;
    let row = store::hosts::load(
        &house.store,
        &[house.fediverse.origin(1).trim_start_matches("http://").to_owned()],
    )
    .await;
    assert_eq!(row.unwrap()[0].software, "cherrypost");
}

/// Check 15: a host that never answers rests longer each time, costs nothing meanwhile, and comes back by itself, in
/// another process too.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_host_costs_nothing_and_comes_back() {
    let mut house = House::build(origins(&[Software::Mastodon])).await;
    let person = house.fediverse.writer(0, 3, 0);
    house.fediverse.follow(&person);
    house.fediverse.fault(Some(0), "", Fault::Close, None);
    house.run(JOB, &config()).await;
    let mut asked = Vec::new();
    for _ in 0..48 {
        house.restart();
        house.fediverse.clear_log();
        house.later(1);
        house.run(JOB, &config()).await;
        asked.push(house.fediverse.log().origins(None).0.len());
    }
    let times = asked.iter().filter(|count| **count > 0).count();
    assert!((2..=8).contains(&times), "in two days: {asked:?}");
    house.fediverse.heal(Some(0));
    house.later(24 * 8);
    house.run(JOB, &config()).await;
    assert_eq!(house.wanted(&person).await.len(), 3);
}
