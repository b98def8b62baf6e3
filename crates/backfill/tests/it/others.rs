//! The other sources, and who is left alone.

use backfill::Config;
use chrono::TimeDelta;
use fake_fediverse::{Profile, Scenario, Software};
use model::Clock;

use crate::house::{House, config, origins};

/// Requirement S5, requirement S6 and requirement S16.
#[tokio::test(flavor = "multi_thread")]
async fn every_source_names_its_accounts() {
    let house = House::build(Scenario {
        threads: 2,
        replies: 0,
        ..origins(&[Software::Mastodon])
    })
    .await;
    let fediverse = &house.fediverse;
    let people: Vec<_> = (0..6).map(|_| fediverse.writer(0, 3, 0)).collect();
    let now = house.clock.now();
    fediverse.followed_by(&people[0]);
    fediverse.asked_by(&people[1]);
    fediverse.notify(&people[2], now - TimeDelta::minutes(5));
    fediverse.notify(&people[3], now - TimeDelta::hours(3));
    fediverse.enlist(&people[4]);
    fediverse.mention(&fediverse.threads()[0].root, &people[5]);
    let config = config();
    for (job, person) in [
        ("backfill.followers", Some(0)),
        ("backfill.follow_requests", Some(1)),
        ("backfill.notifications", Some(2)),
        ("backfill.lists", Some(4)),
        ("backfill.mentioned", Some(5)),
    ] {
        house.run(job, &config).await;
        if let Some(n) = person {
            assert_eq!(house.wanted(&people[n]).await.len(), 3, "{job}");
        }
    }
    assert!(house.wanted(&people[3]).await.is_empty(), "too long ago");
    let home = house.fediverse.log().home();
    let named = |path: &str| home.path(path).0;
    for path in ["/followers", "/follow_requests", "/notifications"] {
        assert!(!named(path).is_empty(), "{path}");
        assert!(
            named(path).iter().all(|request| request.bearer.is_some()),
            "{path}: who asks without a token gets nothing"
        );
    }

    // Remembered for a week, and no longer.
    house.fediverse.clear_log();
    house.run("backfill.followers", &config).await;
    assert!(house.fediverse.log().origins(None).is_empty());
    house.later(169);
    house.run("backfill.followers", &config).await;
    assert!(!house.fediverse.log().origins(None).is_empty());
}

/// Check 24: a mention says nothing of what its account wants, so the account is read before anything is decided.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_only_mentioned_is_asked_for_their_wish() {
    let house = House::build(Scenario {
        threads: 1,
        replies: 0,
        ..origins(&[Software::Mastodon])
    })
    .await;
    let plain = Profile::default;
    let people: Vec<_> = [
        Profile {
            note: "<p>no, thanks. #nobot</p>".into(),
            ..plain()
        },
        Profile {
            indexable: false,
            ..plain()
        },
        Profile {
            discoverable: None,
            ..plain()
        },
        plain(),
    ]
    .into_iter()
    .map(|profile| house.fediverse.writer_like(0, 2, 0, profile))
    .collect();
    let root = house.fediverse.threads()[0].root.clone();
    for person in &people {
        house.fediverse.mention(&root, person);
    }
    let summary = house.run("backfill.mentioned", &config()).await;
    let mut wanted = Vec::new();
    for person in &people {
        wanted.push(house.wanted(person).await.len());
    }
    assert_eq!(wanted, [0, 0, 0, 2], "{summary:?}");
    assert!(summary.get("opted_out") >= 3, "{summary:?}");

    let house = House::build(Scenario {
        threads: 1,
        replies: 0,
        ..origins(&[Software::Mastodon])
    })
    .await;
    let shy = house.fediverse.writer_like(
        0,
        2,
        0,
        Profile {
            note: "#nobot".into(),
            discoverable: None,
            indexable: false,
        },
    );
    let root = house.fediverse.threads()[0].root.clone();
    house.fediverse.mention(&root, &shy);
    let open = Config {
        respect_nobot: false,
        respect_indexable: false,
        respect_discoverable: false,
        ..config()
    };
    house.run("backfill.mentioned", &open).await;
    assert_eq!(house.wanted(&shy).await.len(), 2);
}

/// Check 11 and 12: what home suspends, and what the operator lists, is not asked anything.
#[tokio::test(flavor = "multi_thread")]
async fn blocked_hosts_are_not_asked() {
    let house = House::named(origins(&[Software::Mastodon, Software::Mastodon]), |net| {
        net.blocklist = vec!["origin1.test".into()];
    })
    .await;
    for origin in [0, 1] {
        let person = house.fediverse.writer(origin, 3, 0);
        house.fediverse.follow(&person);
    }
    house.fediverse.suspend("origin0.test");
    let summary = house.run("backfill.followings", &config()).await;
    assert_eq!(summary.get("blocked"), 2, "{summary:?}");
    assert!(house.fediverse.log().origins(None).is_empty());
}

/// A list that the operator subscribed to and marked for it counts as their own, subdomains included, and whoever is
/// only mentioned is left alone like everybody.
#[tokio::test(flavor = "multi_thread")]
async fn subscribed_lists_are_respected_for_mentions_too() {
    let house = House::named(
        Scenario {
            threads: 1,
            replies: 0,
            ..origins(&[Software::Mastodon, Software::Mastodon, Software::Mastodon])
        },
        |net| net.blocklist = vec!["origin2.test".into()],
    )
    .await;
    let thread = house.fediverse.threads().remove(0);
    // What is suspended vanishes from home's timeline, and the thread must stand there.
    let (listed, suspended) = if thread.origin == 1 { (1, 0) } else { (0, 1) };
    store::shunned::replace(&house.store, "shared", &[format!("origin{listed}.test")])
        .await
        .unwrap();
    house.fediverse.suspend(&format!("origin{suspended}.test"));
    let root = thread.root;
    let people: Vec<_> = (0..3).map(|origin| house.fediverse.writer(origin, 3, 0)).collect();
    for person in &people {
        house.fediverse.mention(&root, person);
    }
    let summary = house.run("backfill.mentioned", &config()).await;
    for person in &people {
        assert!(house.wanted(person).await.is_empty(), "{}: {summary:?}", person.acct);
    }
    assert!(summary.get("blocked") >= 2, "{summary:?}");
    assert!(house.fediverse.log().origins(None).is_empty());
}

/// What is off is no job, so it costs nothing.
/// Requirement S7.
#[test]
fn what_is_off_is_no_job() {
    assert!(backfill::jobs(&Config::default()).is_empty());
    let mut config = Config::default();
    config.followers.enabled = true;
    let names: Vec<_> = backfill::jobs(&config).iter().map(|job| job.name()).collect();
    assert_eq!(names, ["backfill.followers", "backfill.contexts"]);
}
