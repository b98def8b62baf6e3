//! Two daemons on one Postgres, where `TEST_DATABASE_URL` names one: killed, stopped, gone on, with clocks that are wrong,
//! and nothing done twice.

use std::time::Duration;

use fake_fediverse::{Applicant, Fediverse};
use rand::Rng as _;

use crate::{
    house::{House, Running, fediverse},
    office::{self, house},
};

/// Hands an event to whoever takes it, as Mastodon would until somebody does.
async fn push(fediverse: &Fediverse, daemons: &[Option<Running>], name: &str, rng: &mut impl rand::Rng) {
    for _ in 0..100 {
        let place = rng.random_range(0..daemons.len());
        let Some(daemon) = &daemons[place] else { continue };
        if office::deliver(fediverse, daemon, name).await == Some(202) {
            return;
        }
    }
    panic!("nobody takes the event of {name}");
}

async fn story(database: String, kills: usize) {
    let fediverse = fediverse().await;
    // Neither clock is right, and they disagree by more than anything here lasts.
    let houses = [
        house(&fediverse, &database).ahead(600),
        house(&fediverse, &database).ahead(-420),
    ];
    let mut daemons = Vec::new();
    for house in &houses {
        daemons.push(Some(house.run().await));
    }
    let mut rng = rand::rng();
    let mut names = Vec::new();
    for nth in 0..kills {
        for part in 0..2 {
            let name = format!("mayor{nth}x{part}");
            fediverse.apply(&Applicant::new(&name, &format!("{name}@nyc.gov")));
            push(&fediverse, &daemons, &name, &mut rng).await;
            names.push(name);
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..400))).await;
        let place = rng.random_range(0..2);
        let daemon = daemons[place].take().unwrap();
        if rng.random_bool(0.25) {
            // Longer than its lease: it goes on when another has taken over.
            daemon.signal("STOP").await;
            tokio::time::sleep(Duration::from_millis(rng.random_range(100..3500))).await;
            daemon.signal("CONT").await;
            daemons[place] = Some(daemon);
        } else {
            daemon.signal("KILL").await;
            daemon.ended().await;
            daemons[place] = Some(houses[place].run().await);
        }
    }
    office::everybody_is_approved_once(&fediverse, &names).await;
    for daemon in daemons.into_iter().flatten() {
        daemon.signal("TERM").await;
        assert_eq!(daemon.ended().await, Some(0));
    }
}

/// A replica whose clock is wrong goes by the database's, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_put_right_by_the_database_and_told() {
    store::testing::on_each_url(|url| async move {
        if !url.starts_with("postgres") {
            return;
        }
        let house = House::with(&format!("[store]\nurl = \"{url}\"\n")).ahead(-930);
        let daemon = house.run().await;
        daemon.says("the database's is followed (it is 15m").await;
        let check = house.egret(&["check", "--json"]).await.json();
        let clock = check["clock"].as_str().unwrap_or_default();
        assert!(
            clock.starts_with("it is 15m") && clock.contains("behind the database's"),
            "{check}"
        );
        assert!(clock.contains("chrony"), "{check}");
        daemon.signal("TERM").await;
        assert_eq!(daemon.ended().await, Some(0));
        // What it wrote down is the database's time.
        let config = store::Config {
            url: Some(url.clone()),
            ..store::Config::default()
        };
        let db = store::Db::open(&config).await.unwrap();
        let now = store::clock::now(&db).await.unwrap().unwrap();
        let told = store::notices::undelivered(&db, 10).await.unwrap();
        let told = told.iter().find(|notice| notice.kind == "clock").unwrap();
        assert!((now - told.created_at).num_minutes() < 10, "{told:?} at {now}");
        db.close().await;
    })
    .await;
}

/// Killed and stopped at random: every event handled, every effect once. `EGRET_KILLS=200` makes it 200 times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_killed_every_effect_is_made_once() {
    let kills = std::env::var("EGRET_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4);
    store::testing::on_each_url(|url| async move {
        if url.starts_with("postgres") {
            Box::pin(story(url, kills)).await;
        }
    })
    .await;
}
