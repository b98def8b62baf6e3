//! A daemon whose database goes away and comes back, and one that is told to end in the middle of its work.

use std::{sync::Arc, time::Duration};

use fake_fediverse::Fault;
use model::{Clock as _, SystemClock};

use crate::{
    house::{Running, fediverse, until},
    office::{self, house},
    wire::Wire,
};

/// Waits until a page says so.
async fn page_says(daemon: &Running, path: &str, http_status: u16) {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let says = daemon.status(path).await;
        if says == http_status {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{path} says {says}, and never {http_status}: {}",
            daemon.log()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// `away`: how the database goes, and for how long.
async fn outage(database: String, away: fn(&Wire), long: Duration) {
    let wire = Wire::to(&database).await;
    let fediverse = Arc::new(fediverse().await);
    let house = house(&fediverse, &wire.url);
    let daemon = Arc::new(house.run().await);
    page_says(&daemon, "/readyz", 200).await;

    let names: Vec<String> = (0..24).map(|nth| format!("mayor{nth}")).collect();
    for name in &names {
        office::sign_up(&fediverse, name);
    }
    // Each event is handed over until it is taken, before, during and after: as a server does.
    let mut deliveries = tokio::task::JoinSet::new();
    let (begin, _) = tokio::sync::broadcast::channel::<()>(1);
    for (nth, name) in names.iter().cloned().enumerate() {
        let (fediverse, daemon, mut begin) = (fediverse.clone(), daemon.clone(), begin.subscribe());
        deliveries.spawn(async move {
            if nth >= 8 {
                let _ = begin.recv().await;
            }
            let mut said = Vec::new();
            loop {
                let answer = office::deliver(&fediverse, &daemon, &name).await;
                said.push(answer);
                if answer == Some(202) {
                    return said;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    // In the middle of the work of the first ones.
    until("somebody is approved", || !office::approvals(&fediverse).is_empty()).await;
    away(&wire);
    page_says(&daemon, "/readyz", 503).await;
    assert_eq!(daemon.status("/livez").await, 200, "no reason to be started anew");
    begin.send(()).unwrap();
    tokio::time::sleep(long).await;
    let done = office::approvals(&fediverse);
    wire.mend();
    page_says(&daemon, "/readyz", 200).await;

    let mut refused = 0;
    while let Some(said) = deliveries.join_next().await {
        let said = said.unwrap();
        assert!(said.iter().all(|it| matches!(it, Some(202 | 503) | None)), "{said:?}");
        refused += said.len() - 1;
    }
    assert!(refused > 0, "events came while the database was away");
    assert!(done.values().all(|count| *count == 1), "{done:?}");
    office::everybody_is_approved_once(&fediverse, &names).await;
    let log = daemon.log();
    assert!(!log.contains("panicked"), "{log}");
    let daemon = Arc::into_inner(daemon).expect("nobody else has it");
    daemon.signal("TERM").await;
    assert_eq!(daemon.ended().await, Some(0));
}

/// The server is stopped and started: jobs wait, events are answered 503, and all goes on by itself. Longer than the
/// leases last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_stopped_for_a_while_loses_and_doubles_nothing() {
    store::testing::on_each_url(|url| async move {
        if url.starts_with("postgres") {
            Box::pin(outage(url, Wire::cut, Duration::from_secs(4))).await;
        }
    })
    .await;
}

/// The network is gone: nobody says that nothing gets through. Longer than an event waits for its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_for_a_while_loses_and_doubles_nothing() {
    store::testing::on_each_url(|url| async move {
        if url.starts_with("postgres") {
            Box::pin(outage(url, Wire::silence, Duration::from_secs(10))).await;
        }
    })
    .await;
}

/// TERM under load: what is under way is finished or saved within the drain's time, and the next start goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_in_the_middle_of_the_work_loses_and_doubles_nothing() {
    store::testing::on_each_url(|url| async move { Box::pin(drained(url)).await }).await;
}

async fn drained(database: String) {
    let fediverse = fediverse().await;
    let house = house(&fediverse, &database);
    let daemon = house.run().await;
    fediverse.fault(None, "/approve", Fault::Slow(Duration::from_millis(300)), None);
    let names: Vec<String> = (0..60).map(|nth| format!("mayor{nth}")).collect();
    for name in &names {
        office::sign_up(&fediverse, name);
        assert_eq!(office::deliver(&fediverse, &daemon, name).await, Some(202));
    }
    until("somebody is approved", || !office::approvals(&fediverse).is_empty()).await;
    daemon.signal("TERM").await;
    daemon.says("stopping: runs may take").await;
    let log = daemon.kept_log();
    assert_eq!(daemon.ended().await, Some(0));
    let said = log.lock().unwrap().clone();
    assert!(!said.contains("were cut off"), "within [run] drain: {said}");
    let before = office::approvals(&fediverse);
    assert!(before.len() < names.len(), "it ended in the middle of its work");

    // On record as ended, not as lost.
    let config = store::Config {
        url: Some(database.clone()),
        ..store::Config::default()
    };
    let db = store::Db::open(&config).await.unwrap();
    let runs = store::job_runs::list(&db, Some("registrations.pending"), None, 100)
        .await
        .unwrap();
    assert!(
        !runs.is_empty() && runs.iter().all(|run| run.finished_at.is_some()),
        "{runs:?}"
    );
    let leases = store::leases::list(&db, SystemClock.now()).await.unwrap();
    let kept: Vec<_> = leases
        .iter()
        .filter(|lease| !lease.name.starts_with("process/"))
        .collect();
    assert!(kept.is_empty(), "given back: {kept:?}");
    db.close().await;

    fediverse.heal(None);
    let next = house.run().await;
    office::everybody_is_approved_once(&fediverse, &names).await;
    next.signal("TERM").await;
    assert_eq!(next.ended().await, Some(0));
}
