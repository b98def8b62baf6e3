//! Runs, states and cursors.

use std::collections::BTreeMap;

use store::{
    Db, cursors,
    job_runs::{self, JobRun, Outcome},
    job_states,
    testing::on_each_engine,
};

use crate::{id, minute, start};

fn run(holder: &str, outcome: Outcome) -> JobRun {
    let running = outcome == Outcome::Running;
    JobRun {
        id: id(),
        job: "replies.home".to_owned(),
        scope: "home.example/me".to_owned(),
        holder: holder.to_owned(),
        started_at: start(),
        finished_at: (!running).then(|| minute(1)),
        outcome,
        counters: BTreeMap::new(),
        requests: BTreeMap::new(),
        error: None,
    }
}

async fn last(db: &Db) -> Option<JobRun> {
    job_runs::last(db, "replies.home", "home.example/me").await.unwrap()
}

#[tokio::test]
async fn a_run_is_recorded_from_start_to_end() {
    on_each_engine(async |db| {
        assert_eq!(last(&db).await, None);
        let mut one = run("a", Outcome::Running);
        job_runs::start(&db, &one).await.unwrap();
        assert_eq!(last(&db).await.as_ref(), Some(&one));
        one.finished_at = Some(minute(2));
        one.outcome = Outcome::TimedOut;
        one.counters.insert("replies".to_owned(), -3);
        one.requests.insert("home.example:3000".to_owned(), 40);
        one.error = Some("too long".to_owned());
        job_runs::finish(&db, &one).await.unwrap();
        assert_eq!(last(&db).await, Some(one));
    })
    .await;
}

#[tokio::test]
async fn an_error_page_with_a_nul_is_recorded() {
    on_each_engine(async |db| {
        let mut one = run("a", Outcome::Failed);
        one.error = Some("odd\0page".to_owned());
        job_runs::start(&db, &one).await.unwrap();
        assert_eq!(last(&db).await.unwrap().error.as_deref(), Some("odd\u{fffd}page"));
    })
    .await;
}

#[tokio::test]
async fn runs_of_dead_processes_are_lost() {
    on_each_engine(async |db| {
        let (dead, mine, ended) = (
            run("dead", Outcome::Running),
            run("me", Outcome::Running),
            run("dead", Outcome::Finished),
        );
        let mut elsewhere = run("dead", Outcome::Running);
        elsewhere.scope = "other.example/me".to_owned();
        for one in [&dead, &mine, &ended, &elsewhere] {
            job_runs::start(&db, one).await.unwrap();
        }
        let lose = || job_runs::mark_lost(&db, "replies.home", "home.example/me", "me", minute(9));
        assert_eq!(lose().await.unwrap(), 1);
        assert_eq!(lose().await.unwrap(), 0);
        let runs = job_runs::list(&db, None, None, 10).await.unwrap();
        let of = |id: &str| runs.iter().find(|one| one.id == id).unwrap();
        assert_eq!(of(&dead.id).outcome, Outcome::Lost);
        assert_eq!(of(&dead.id).finished_at, Some(minute(9)));
        assert_eq!(of(&mine.id), &mine);
        assert_eq!(of(&ended.id), &ended);
        assert_eq!(of(&elsewhere.id), &elsewhere);
    })
    .await;
}

#[tokio::test]
async fn failures_are_counted_back_to_the_last_good_run() {
    on_each_engine(async |db| {
        let count = async |most| {
            job_runs::failures_in_a_row(&db, "replies.home", "home.example/me", most)
                .await
                .unwrap()
        };
        assert_eq!(count(9).await, 0);
        for outcome in [
            Outcome::Failed,
            Outcome::Finished,
            Outcome::Failed,
            Outcome::Stopped,
            Outcome::Lost,
            Outcome::Panicked,
            Outcome::Running,
        ] {
            job_runs::start(&db, &run("a", outcome)).await.unwrap();
        }
        assert_eq!(count(9).await, 3);
        assert_eq!(count(2).await, 2);
        job_runs::start(&db, &run("a", Outcome::Finished)).await.unwrap();
        assert_eq!(count(9).await, 0);
    })
    .await;
}

#[tokio::test]
async fn runs_are_listed_by_page_and_job() {
    on_each_engine(async |db| {
        let mut ids = Vec::new();
        for n in 0..6 {
            let mut one = run("a", Outcome::Finished);
            if n % 2 == 1 {
                one.job = "replies.lists".to_owned();
            }
            job_runs::start(&db, &one).await.unwrap();
            ids.insert(0, one.id);
        }
        let page = async |job, before, limit| -> Vec<String> {
            let runs = job_runs::list(&db, job, before, limit).await.unwrap();
            runs.into_iter().map(|one| one.id).collect()
        };
        assert_eq!(page(None, None, 4).await, ids[..4]);
        assert_eq!(page(None, Some(&ids[3]), 4).await, ids[4..]);
        let lists = [&ids[0], &ids[2], &ids[4]].map(Clone::clone);
        assert_eq!(page(Some("replies.lists"), None, 9).await, lists);
        assert_eq!(page(Some("replies.lists"), Some(&ids[1]), 9).await, lists[1..]);
    })
    .await;
}

#[tokio::test]
async fn old_runs_go_but_the_newest_of_each_scope_stays() {
    on_each_engine(async |db| {
        for _ in 0..3 {
            job_runs::start(&db, &run("a", Outcome::Finished)).await.unwrap();
        }
        let newest = last(&db).await;
        assert_eq!(job_runs::delete_older(&db, start()).await.unwrap(), 0);
        assert_eq!(job_runs::delete_older(&db, minute(60)).await.unwrap(), 2);
        assert_eq!(last(&db).await, newest);
    })
    .await;
}

#[tokio::test]
async fn states_are_told_apart() {
    on_each_engine(async |db| {
        job_states::set_paused(&db, "a.b", "", true, start()).await.unwrap();
        job_states::wake(&db, "a.b", "s", start()).await.unwrap();
        job_states::wake(&db, "a.b", "s", minute(5)).await.unwrap();
        job_states::set_rests(&db, "a.c", "s", Some("token revoked"), start())
            .await
            .unwrap();
        let states = job_states::list(&db).await.unwrap();
        let brief: Vec<_> = states
            .iter()
            .map(|one| {
                (
                    one.job.as_str(),
                    one.scope.as_str(),
                    one.paused,
                    one.wake_at,
                    one.rests.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            brief,
            [
                ("a.b", "", true, None, None),
                ("a.b", "s", false, Some(minute(5)), None),
                ("a.c", "s", false, None, Some("token revoked")),
            ]
        );

        // A wish made after the run began is for the next one.
        let just_before = minute(5) - chrono::TimeDelta::seconds(9);
        job_states::woken(&db, "a.b", "s", just_before).await.unwrap();
        assert_eq!(job_states::list(&db).await.unwrap().len(), 3);
        job_states::woken(&db, "a.b", "s", minute(5)).await.unwrap();
        assert_eq!(job_states::list(&db).await.unwrap().len(), 2);
        // One that a clock made which was an hour ahead is not answered with run after run for an hour.
        job_states::wake(&db, "a.b", "s", minute(65)).await.unwrap();
        job_states::woken(&db, "a.b", "s", minute(5)).await.unwrap();
        assert_eq!(job_states::list(&db).await.unwrap().len(), 2);
        job_states::set_paused(&db, "a.b", "", false, minute(6)).await.unwrap();
        job_states::set_rests(&db, "a.c", "s", None, minute(6)).await.unwrap();
        assert_eq!(job_states::list(&db).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_pause_outlives_a_wish() {
    on_each_engine(async |db| {
        job_states::set_paused(&db, "a.b", "s", true, start()).await.unwrap();
        job_states::wake(&db, "a.b", "s", start()).await.unwrap();
        job_states::woken(&db, "a.b", "s", start()).await.unwrap();
        let states = job_states::list(&db).await.unwrap();
        assert!(states[0].paused && states[0].wake_at.is_none());
    })
    .await;
}

#[tokio::test]
async fn cursors_are_kept_by_job_and_scope() {
    on_each_engine(async |db| {
        assert_eq!(cursors::load(&db, "a.b", "s").await.unwrap(), None);
        cursors::save(&db, "a.b", "s", "1", start()).await.unwrap();
        cursors::save(&db, "a.b", "s", "2", minute(1)).await.unwrap();
        cursors::save(&db, "a.b", "t", "9", minute(1)).await.unwrap();
        assert_eq!(cursors::load(&db, "a.b", "s").await.unwrap().as_deref(), Some("2"));
        cursors::delete(&db, "a.b", "s").await.unwrap();
        assert_eq!(cursors::load(&db, "a.b", "s").await.unwrap(), None);
        assert_eq!(cursors::load(&db, "a.b", "t").await.unwrap().as_deref(), Some("9"));
    })
    .await;
}
