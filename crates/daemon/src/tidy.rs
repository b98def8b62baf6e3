//! Forgets what is over, table by table, as `[keep]` says, and gives back the room.

use std::{future::Future, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{config::Keep, doors::Doors, logins::chain, runner::PEER};

/// How often.
const EVERY: Duration = Duration::from_secs(6 * 3600);

/// Tidies until the daemon ends, now for the first time.
pub(crate) async fn watch(doors: Doors, keep: Arc<ArcSwap<Keep>>, quit: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    while quit.run_until_cancelled(tick.tick()).await.is_some() {
        tidy(&doors, &keep.load_full()).await;
    }
}

/// Each table by itself: where one cannot be tidied the others still are.
async fn tidy(doors: &Doors, keep: &Keep) {
    let (db, now) = (&doors.store, doors.clock.now());
    let before = |keep: Duration| -> DateTime<Utc> {
        let keep = TimeDelta::from_std(keep).ok();
        // "For ever" may be more years than Postgres counts.
        keep.and_then(|keep| now.checked_sub_signed(keep))
            .map_or(DateTime::UNIX_EPOCH, |before| before.max(DateTime::UNIX_EPOCH))
    };
    let (runs, threads) = (before(keep.runs), before(keep.threads));
    // Logs before their runs: afterwards nobody knows how old they are.
    forget("logs of runs", store::run_logs::delete_older(db, before(keep.logs))).await;
    forget("runs", store::job_runs::delete_older(db, runs)).await;
    forget("logs without a run", store::run_logs::delete_orphans(db)).await;
    forget("threads", store::threads::delete_older(db, threads)).await;
    forget("walks", store::walks::delete_older(db, threads)).await;
    forget("what was heard of threads", store::heard::delete_older(db, threads)).await;
    forget("counts of replies", store::reply_counts::delete_older(db, threads)).await;
    let statuses = before(keep.statuses);
    forget("statuses", store::wanted::delete_older(db, statuses)).await;
    // Deliveries know their age by their notices.
    let notices = before(keep.notices);
    forget("notices", store::notices::delete_older(db, notices)).await;
    forget("deliveries", store::deliveries::delete_older(db, notices)).await;
    forget("effects", store::effects::delete_older(db, before(keep.effects))).await;
    let yesterday = now - TimeDelta::days(1);
    forget("processes", store::leases::delete_gone(db, PEER, yesterday)).await;
    if let Err(error) = web::tidy(db, &*doors.clock).await {
        warn!(error = %chain(&error), "cannot forget old sessions");
    }
    match store::vacuum(db).await {
        Ok(true) => info!("the database was written anew, without the room of what was deleted"),
        Ok(false) => {}
        Err(error) => warn!(error = %chain(&error), "cannot look after the database's file"),
    }
}

async fn forget(what: &str, deleted: impl Future<Output = Result<u64, store::Error>>) {
    match deleted.await {
        Ok(0) => {}
        Ok(rows) => debug!(rows, "forgot old {what}"),
        Err(error) => warn!(error = %chain(&error), "cannot forget old {what}"),
    }
}

#[cfg(test)]
mod tests {
    use job::{Board, Ledger};
    use model::FakeClock;
    use store::{
        job_runs::{self, JobRun, Outcome},
        leases,
        notices::{self, Notice, Severity},
        run_logs,
    };

    use super::*;

    fn run(id: &str, at: DateTime<Utc>) -> JobRun {
        JobRun {
            id: id.to_owned(),
            job: "replies.home".to_owned(),
            scope: String::new(),
            holder: "me".to_owned(),
            started_at: at,
            finished_at: None,
            outcome: Outcome::Running,
            counters: Default::default(),
            requests: Default::default(),
            error: None,
        }
    }

    #[tokio::test]
    async fn each_table_is_kept_for_as_long_as_it_says() {
        store::testing::on_each_engine(|store| async move {
            let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
            let clock = FakeClock::at(start);
            let shared = Arc::new(clock.clone());
            let doors = Doors {
                ledger: Ledger::new(store.clone(), shared.clone()),
                store: store.clone(),
                clock: shared,
                board: Board::default(),
                holder: "me".to_owned(),
            };
            for id in ["1", "2"] {
                let mut run = run(id, start);
                job_runs::start(&store, &run).await.unwrap();
                run.finished_at = Some(start);
                run.outcome = Outcome::Finished;
                job_runs::finish(&store, &run).await.unwrap();
                let line = run_logs::Line {
                    at: start,
                    level: "info".to_owned(),
                    text: "a word".to_owned(),
                };
                run_logs::save(&store, id, &[line]).await.unwrap();
            }
            let notice = Notice {
                id: "1".to_owned(),
                feature: "operations".to_owned(),
                kind: "test".to_owned(),
                about: String::new(),
                severity: Severity::Info,
                text: "a word".to_owned(),
                created_at: start,
                seen_at: None,
                delivered_at: None,
            };
            notices::insert(&store, &notice).await.unwrap();
            let name = format!("{PEER}gone");
            leases::take(&store, &name, "gone", Duration::from_millis(1), start)
                .await
                .unwrap();

            let days = |days: u64| Duration::from_secs(days * 24 * 3600);
            let keep = Keep {
                logs: days(2),
                runs: days(5),
                notices: days(9),
                ..Keep::default()
            };
            let left = async || {
                let newest = run_logs::load(&store, "2").await.unwrap().len();
                let runs = job_runs::load(&store, "1").await.unwrap().is_some();
                let notices = store::queues::all(&store).await.unwrap();
                let notices = notices.iter().find(|queue| queue.name == "notices").unwrap().waiting;
                (newest, runs, notices)
            };
            for (after, expected) in [
                (1, (1, true, 1)),
                (2, (0, true, 1)),
                (3, (0, false, 1)),
                (4, (0, false, 0)),
            ] {
                clock.advance(TimeDelta::days(after));
                tidy(&doors, &keep).await;
                assert_eq!(left().await, expected, "{after} more days later");
            }
            assert!(
                job_runs::load(&store, "2").await.unwrap().is_some(),
                "the schedule counts from it"
            );
        })
        .await;
    }
}
