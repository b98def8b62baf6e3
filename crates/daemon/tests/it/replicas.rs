//! Two daemons on one Postgres, where `TEST_DATABASE_URL` names one: killed, stopped, gone on, with clocks that are wrong,
//! and nothing done twice.

use std::{collections::BTreeMap, time::Duration};

use fake_fediverse::{Applicant, Event, Fediverse};
use rand::Rng as _;

use crate::house::{House, Running, fediverse, server, until};

const SECRET: &str = "a secret of sixteen and more";

/// The same database in two folders: two machines.
fn house(fediverse: &Fediverse, database: &str) -> House {
    let house = House::with("");
    let server = server(&fediverse.home(), &["mod"]);
    house.config(&format!(
        "timeout = \"1s\"\ntoken_per_five_minutes = 1000000\npaging_per_fifteen_minutes = 1000000\nserver_concurrency = 8\n\
         [store]\nurl = \"{database}\"\nconnections = 8\n\
         {server}\n[registrations]\nmode = \"act\"\nquota = 100000\n\
         [registrations.pending]\nenabled = true\nevery = \"1s\"\n\
         [[registrations.rules]]\nname = \"government\"\nverdict = \"approve\"\ndomains = [\".gov\"]\n"
    ));
    let text = std::fs::read_to_string(house.path().join("egret.toml")).unwrap();
    let text = text.replace("drain = \"5s\"", "drain = \"5s\"\nlease = \"2s\"");
    let text = text.replacen(
        "[[servers.logins]]",
        "webhook_secret_files = [\"hook.secret\"]\n[[servers.logins]]",
        1,
    );
    house.write("egret.toml", &text);
    house.write("mod.token", &fediverse.admin_token());
    house.write("hook.secret", SECRET);
    house
}

/// Hands an event to whoever takes it, as Mastodon would until somebody does.
async fn push(fediverse: &Fediverse, daemons: &[Option<Running>], name: &str, rng: &mut impl rand::Rng) {
    let body = fediverse.webhook_body(Event::AccountCreated, name);
    let signature = fake_fediverse::signature(SECRET, body.as_bytes());
    let host = fediverse.home().trim_start_matches("http://").to_owned();
    for _ in 0..100 {
        let place = rng.random_range(0..daemons.len());
        let Some(daemon) = &daemons[place] else { continue };
        let url = format!("http://{}/webhooks/mastodon/{host}", daemon.address);
        let (body, signature) = (body.clone(), signature.clone());
        let sent = tokio::task::spawn_blocking(move || {
            let agent: ureq::Agent = ureq::Agent::config_builder()
                .timeout_global(Some(Duration::from_secs(1)))
                .build()
                .into();
            agent
                .post(&url)
                .header("content-type", "application/json")
                .header("x-hub-signature", &signature)
                .send(body)
                .is_ok()
        });
        if sent.await.unwrap() {
            return;
        }
    }
    panic!("nobody takes the event of {name}");
}

/// How often each account was approved.
fn approvals(fediverse: &Fediverse) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in fediverse.log().home().path("/approve").0 {
        if call.method == "POST" && call.http_status == 200 {
            *counts.entry(call.path).or_default() += 1;
        }
    }
    counts
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
    let approved = || {
        names
            .iter()
            .all(|name| fediverse.user(name).is_some_and(|user| user.approved))
    };
    let mut waited = Duration::ZERO;
    while !approved() && waited < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        waited += Duration::from_millis(200);
    }
    until("everybody is approved", approved).await;
    let counts = approvals(&fediverse);
    assert_eq!(counts.len(), names.len(), "{counts:?}");
    let twice: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
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
        let house = House::with(&format!("[store]\nurl = \"{url}\"\n")).ahead(-900);
        let daemon = house.run().await;
        daemon.says("the database's is followed (it is 15m behind").await;
        let check = house.egret(&["check", "--json"]).await.json();
        let clock = check["clock"].as_str().unwrap_or_default();
        assert!(clock.starts_with("it is 15m behind the database's"), "{check}");
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
