//! Nothing is lost, whatever goes wrong: requests by chance, a host for long, and the process itself at any moment.

use std::{path::Path, time::Duration};

use chrono::TimeDelta;
use daemon::config::{self, Config, Layers};
use fake_fediverse::{Fault, Fediverse, Mix, Scenario};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use store::wanted::{self, State};

use crate::lives::{life, runtime};

const SEED: u64 = 20;
/// Times the process is killed.
const KILLS: u32 = 20;
/// Starts afterwards in which everything must have arrived; there are five hours between two.
const PATIENCE: u32 = 25;

/// How far ahead a start is: an hour each, and five where everything must have come back.
fn ahead(start: u32) -> TimeDelta {
    let hours = start.min(KILLS) + 5 * start.saturating_sub(KILLS);
    TimeDelta::minutes(61) * i32::try_from(hours).unwrap()
}

/// 10 % time-outs, 5 % errors, 5 % empty answers, 429s, a dead host, and the process killed at twenty random points.
#[test]
fn no_reply_is_lost() {
    let outside = runtime();
    let fediverse = outside.block_on(Fediverse::start(Scenario {
        threads: 5,
        replies: 60,
        ..Scenario::small()
    }));
    let posts = fediverse.writer(1, 8, 2);
    fediverse.follow(&posts);
    let everything: Vec<String> = fediverse
        .threads()
        .into_iter()
        .flat_map(|thread| thread.replies)
        .map(|(uri, _)| uri)
        .chain(posts.posts.clone())
        .collect();
    let missing = || everything.iter().filter(|uri| !fediverse.home_has(uri)).count();
    assert!(missing() > 40, "there is something to lose: {}", missing());
    let dead = 2;
    fediverse.fault(Some(dead), "", Fault::Silent, None);
    fediverse.mix(Some(Mix {
        seed: SEED,
        late: (0.10, Duration::from_millis(400)),
        down: 0.05,
        empty: 0.05,
        limited: 0.02,
    }));
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &fediverse);
    let mut dice = StdRng::seed_from_u64(SEED);
    for kill in 0..KILLS {
        let length = Duration::from_millis(dice.random_range(10..250));
        life(&config, ahead(kill), length, &|| false);
    }
    // The dead come back, the others go on as before.
    fediverse.heal(Some(dead));
    for start in KILLS..KILLS + PATIENCE {
        if missing() == 0 {
            break;
        }
        life(&config, ahead(start), Duration::from_secs(2), &|| missing() == 0);
    }
    let lost: Vec<&String> = everything.iter().filter(|uri| !fediverse.home_has(uri)).collect();
    assert!(lost.is_empty(), "lost: {lost:#?}");

    // And none of them is on record as something it is not.
    outside.block_on(async {
        let db = store::Db::open(&config.store).await.unwrap();
        for state in [State::Gone, State::Blocked, State::Failed] {
            let wrong = wanted::list(&db, state, 1000).await.unwrap();
            let wrong: Vec<_> = wrong.into_iter().filter(|row| !fediverse.home_has(&row.uri)).collect();
            assert!(wrong.is_empty(), "{state:?}: {wrong:#?}");
        }
        for row in wanted::list(&db, State::Done, 1000).await.unwrap() {
            assert!(fediverse.home_has(&row.uri), "counted as there, and is not: {row:?}");
        }
        db.close().await;
    });
}

fn config(folder: &Path, fediverse: &Fediverse) -> Config {
    std::fs::write(folder.join("token"), fediverse.token()).unwrap();
    let text = format!(
        "[web]\nlisten = \"127.0.0.1:0\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\ntimeout = \"200ms\"\n\
         [replies.wanted]\ntries = 50\n\
         [backfill]\nhold = \"0s\"\n[backfill.followings]\nenabled = true\n\
         [[servers]]\nurl = \"{}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n",
        fediverse.home()
    );
    let file = folder.join("egret.toml");
    std::fs::write(&file, text).unwrap();
    config::load(&Layers {
        file: Some(file),
        flags: vec![("store.url", format!("sqlite://{}/egret.db", folder.display()))],
        ..Layers::default()
    })
    .unwrap()
}
