//! Replies arrive at home, once.

use std::{
    future::Future,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use daemon::{
    config::{self, Config, Layers},
    daemon::Daemon,
};
use fake_fediverse::{Fediverse, Scenario};
use model::{Clock, SystemClock};
use store::job_runs::{self, JobRun, Outcome};

/// How long anything here may take at most.
const PATIENCE: Duration = Duration::from_secs(120);

/// The system's clock, set forward: the second start comes when the schedule says so, without anybody waiting for it.
#[derive(Debug)]
struct Ahead(TimeDelta);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_home_missed_arrives_and_the_next_start_repeats_nothing() {
    store::testing::on_each_url(story).await;
}

async fn story(database: String) {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let missing = fediverse.missing();
    assert!(missing > 20, "there is something to do: {missing}");
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &fediverse, &database);

    let daemon = Daemon::start(config.clone(), Arc::new(Ahead(TimeDelta::zero())))
        .await
        .unwrap();
    assert_eq!(get(&daemon, "/livez").await, 200);
    assert_eq!(get(&daemon, "/readyz").await, 200);
    until("everything is at home", || async { fediverse.missing() == 0 }).await;
    for thread in fediverse.threads() {
        for (uri, _) in &thread.replies {
            assert!(fediverse.home_has(uri), "{uri}");
        }
    }
    until("the run is on record", || async { !finished(&daemon).await.is_empty() }).await;
    let first = finished(&daemon).await.remove(0);
    assert_eq!(first.outcome, Outcome::Finished, "{:?}", first.error);
    assert!(first.requests.values().sum::<u64>() > 0, "{:?}", first.requests);
    assert!(first.counters.values().any(|count| *count > 0), "{:?}", first.counters);
    assert_eq!(fediverse.log().repeated_resolves(), Vec::<String>::new());
    until("the run is counted", || async {
        text(&daemon, "/metrics")
            .await
            .contains(r#"egret_job_runs_total{job="replies.home",outcome="finished"}"#)
    })
    .await;
    stop(daemon).await;

    fediverse.clear_log();
    let daemon = Daemon::start(config, Arc::new(Ahead(TimeDelta::minutes(11))))
        .await
        .unwrap();
    until("the schedule brings the second run", || async {
        finished(&daemon).await.len() == 2
    })
    .await;
    assert!(!fediverse.log().home().is_empty(), "it did look");
    assert_eq!(fediverse.log().resolves(), Vec::<String>::new());
    stop(daemon).await;
}

fn config(folder: &Path, fediverse: &Fediverse, database: &str) -> Config {
    std::fs::write(folder.join("token"), fediverse.token()).unwrap();
    let text = format!(
        "[web]\nlisten = \"127.0.0.1:0\"\n\
         [run]\ndrain = \"5s\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\norigin_per_minute = 6000\norigin_concurrency = 4\n\
         [[servers]]\nurl = \"{}\"\n[[servers.logins]]\nname = \"me\"\ntoken_file = \"token\"\n",
        fediverse.home()
    );
    let file = folder.join("egret.toml");
    std::fs::write(&file, text).unwrap();
    config::load(&Layers {
        file: Some(file),
        flags: vec![("store.url", database.to_owned())],
        ..Layers::default()
    })
    .unwrap()
}

/// Runs of the job that have ended, newest first.
async fn finished(daemon: &Daemon) -> Vec<JobRun> {
    let runs = job_runs::list(&daemon.doors().store, Some("replies.home"), None, 10)
        .await
        .unwrap();
    runs.into_iter().filter(|run| run.finished_at.is_some()).collect()
}

async fn stop(daemon: Daemon) {
    let begun = Instant::now();
    assert!(daemon.stop().await, "every run reached its next page");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

async fn get(daemon: &Daemon, path: &str) -> u16 {
    let url = format!("http://{}{path}", daemon.address());
    tokio::task::spawn_blocking(move || ureq::get(&url).call().map(|answer| answer.status().as_u16()))
        .await
        .unwrap()
        .unwrap()
}

async fn text(daemon: &Daemon, path: &str) -> String {
    let url = format!("http://{}{path}", daemon.address());
    tokio::task::spawn_blocking(move || ureq::get(&url).call()?.body_mut().read_to_string())
        .await
        .unwrap()
        .unwrap()
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
