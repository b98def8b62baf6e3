//! What a day costs other people's servers, as a part of what FediFetcher would ask of them for the same timeline. A
//! measurement: `cargo xtask bench` runs it.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use daemon::{
    config::{self, Layers},
    daemon::settings,
    doors::Doors,
    logins, registry,
    runner::Runner,
};
use fake_fediverse::{Fediverse, Scenario};
use model::{Clock, FakeClock, SystemClock};
use store::job_runs::Outcome;

/// Every ten minutes, as both are run by default.
const PASSES: i32 = 144;
const PACE: TimeDelta = TimeDelta::minutes(10);

/// The jobs, and at which passes they are due.
const JOBS: [(&str, i32); 4] = [
    ("replies.home", 1),
    ("backfill.mentioned", 3),
    ("replies.wanted", 1),
    ("backfill.contexts", 1),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: cargo xtask bench runs it"]
#[expect(clippy::print_stdout, reason = "this is how a measurement is told")]
async fn a_day() {
    let scenario = Scenario::medium();
    let hosts = scenario.origins.len();
    let fediverse = Fediverse::start(scenario).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    std::fs::write(folder.path().join("token"), fediverse.token()).unwrap();
    let text = format!(
        "[store]\nurl = \"sqlite://{path}/egret.db\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 1000000\ntoken_per_five_minutes = 1000000\n\
         paging_per_fifteen_minutes = 1000000\n\
         [replies]\nper_run = 100000\n[replies.home]\nlength = 1000\n\
         [backfill]\nhold = \"0s\"\n[backfill.mentioned]\nenabled = true\n\
         [[servers]]\nurl = \"{}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n",
        fediverse.home()
    );
    let file = folder.path().join("egret.toml");
    std::fs::write(&file, text).unwrap();
    let config = config::load(&Layers {
        file: Some(file),
        ..Layers::default()
    })
    .unwrap();
    let clock = FakeClock::at(SystemClock.now());
    let begun = clock.now();
    let doors = Doors::open(&config, Arc::new(clock.clone())).await.unwrap();
    let settings = settings(&config, &doors, registry::jobs).unwrap();
    logins::check(&settings.logins, &settings.jobs, &doors).await;
    let runner = Runner::new(doors.clone(), settings);
    let (mut accounts, mut posts) = (0, 0);
    let mut by_job: BTreeMap<&str, usize> = BTreeMap::new();
    let mut first = 0;
    for pass in 0..PASSES {
        for (job, _) in JOBS.iter().filter(|(_, every)| pass % every == 0) {
            let entries: Vec<_> = runner.settings().entries.clone();
            let entries: Vec<_> = entries.into_iter().filter(|entry| entry.job.name() == *job).collect();
            let before = fediverse.log().origins(None).0.len();
            for run in runner.run_now(&entries).await {
                assert_eq!(run.outcome, Outcome::Finished, "{run:?}");
                if *job == "backfill.mentioned" {
                    accounts += run.counters.get("accounts").copied().unwrap_or(0);
                    posts += run.counters.get("listed").copied().unwrap_or(0);
                }
            }
            *by_job.entry(*job).or_default() += fediverse.log().origins(None).0.len() - before;
        }
        if pass == 0 {
            first = fediverse.log().origins(None).0.len();
        }
        clock.advance(PACE);
    }
    assert_eq!(fediverse.missing(), 0, "a day that recovers nothing costs nothing");
    let asked = fediverse.log().origins(None).0.len();
    let server = fediverse.home().trim_start_matches("http://").to_owned();
    let roots: Vec<String> = fediverse.threads().into_iter().map(|thread| thread.root).collect();
    let threads = store::threads::load(&doors.store, &server, &roots).await.unwrap();
    let written: Vec<DateTime<Utc>> = threads.iter().map(|thread| thread.created_at).collect();
    let contexts = contexts(&written, begun);
    let simple = contexts + 3 * hosts as i64 + 2 * accounts + posts;
    println!(
        "{by_job:?}, {first} of it in the first pass; FediFetcher: {contexts} contexts, {accounts} accounts with {posts} posts"
    );
    println!("FIGURE neighbour asked {asked}");
    println!("FIGURE neighbour simple {simple}");
}

/// How often FediFetcher asks for a context: at each pass while a post is younger than a day, then hourly. (In the first
/// hour it would once a minute, if it ran as often.)
fn contexts(written: &[DateTime<Utc>], begun: DateTime<Utc>) -> i64 {
    let asks = |at: &DateTime<Utc>| {
        (0..PASSES)
            .filter(|pass| begun + PACE * *pass - *at <= TimeDelta::days(1) || pass % 6 == 0)
            .count()
    };
    written.iter().map(|at| i64::try_from(asks(at)).unwrap_or(0)).sum()
}
