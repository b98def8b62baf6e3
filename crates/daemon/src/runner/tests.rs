//! Runs of made-up jobs, on a store of their own and with a clock that stands still.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta};
use job::{Board, Job, JobContext, JobError, Ledger, Schedule, Scope, Section, Summary};
use model::{Clock as _, FakeClock};
use net::Net;
use store::{
    job_runs::{self, Outcome},
    leases, notices,
};

use super::*;

#[derive(Clone, Copy)]
enum Does {
    Work,
    Panic,
    Fail,
    Refuse,
    Hang,
    WaitForStop,
}

struct Made {
    does: Does,
    section: Section,
    runs: Arc<AtomicUsize>,
}

#[async_trait]
impl Job for Made {
    fn name(&self) -> &'static str {
        "replies.made"
    }
    fn scope(&self) -> Scope {
        Scope::Daemon
    }
    fn section(&self) -> &Section {
        &self.section
    }
    async fn run(&self, cx: &JobContext) -> Result<Summary, JobError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        match self.does {
            Does::Work => {
                let mut summary = Summary::default();
                summary.add("found", 3);
                Ok(summary)
            }
            Does::Panic => panic!("a bug"),
            Does::Fail => Err(JobError::Transient(anyhow::anyhow!("busy"))),
            Does::Refuse => Err(JobError::Permanent(anyhow::anyhow!("no leave"))),
            Does::Hang => std::future::pending().await,
            Does::WaitForStop => {
                cx.stop.cancelled().await;
                Err(JobError::Stopped)
            }
        }
    }
}

struct House {
    runner: Runner,
    clock: FakeClock,
    runs: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

async fn house(does: Does) -> House {
    let (store, folder) = store::testing::sqlite().await;
    let clock = FakeClock::at(DateTime::from_timestamp(1_780_000_000, 0).unwrap());
    let runs = Arc::new(AtomicUsize::new(0));
    let job = Made {
        does,
        runs: runs.clone(),
        section: Section {
            enabled: true,
            schedule: Schedule::Every(Duration::from_secs(600)),
            jitter: Duration::ZERO,
            timeout: Duration::from_millis(200),
            logins: Vec::new(),
            on_start: None,
            on_done: None,
            on_fail: None,
        },
    };
    let shared: Arc<dyn model::Clock> = Arc::new(clock.clone());
    let doors = Doors {
        ledger: Ledger::new(store.clone(), shared.clone()),
        store,
        board: Board::default(),
        holder: "this".into(),
        clock: shared.clone(),
    };
    let net = Net::new(&net::Config::default(), shared).unwrap();
    let runner = Runner::new(doors, Settings::new(net, vec![Arc::new(job)], Vec::new()));
    House {
        runner,
        clock,
        runs,
        _folder: folder,
    }
}

impl House {
    async fn run(&self) -> Option<JobRun> {
        let entry = self.runner.settings().entries[0].clone();
        let settings = self.runner.settings();
        self.runner.start(&settings, &entry, false)?.await.unwrap()
    }

    async fn last(&self) -> JobRun {
        job_runs::last(&self.runner.0.doors.store, "replies.made", "")
            .await
            .unwrap()
            .unwrap()
    }
}

#[tokio::test]
async fn a_run_is_recorded_and_not_repeated_before_it_is_due() {
    let house = house(Does::Work).await;
    assert_eq!(house.run().await.unwrap().outcome, Outcome::Finished);
    assert_eq!(house.last().await.counters["found"], 3);
    assert!(house.run().await.is_none(), "early activations do no harm");
    house.clock.advance(TimeDelta::minutes(10));
    assert!(house.run().await.is_some());
    assert_eq!(house.runs.load(Ordering::SeqCst), 2);
}

/// Replicas tell by the ids which run of a job was the last, and only their common clock is the same for all.
#[tokio::test]
async fn a_run_is_numbered_by_the_clock_that_all_go_by() {
    let house = house(Does::Work).await;
    let id: uuid::Uuid = house.run().await.unwrap().id.parse().unwrap();
    let (seconds, _) = id.get_timestamp().unwrap().to_unix();
    assert_eq!(seconds, house.clock.now().timestamp().unsigned_abs());
    assert!(house.runner.new_id(house.clock.now()) > id.to_string());
}

#[tokio::test]
async fn a_panic_is_a_row_and_the_next_run_comes_sooner() {
    let house = house(Does::Panic).await;
    assert_eq!(house.run().await.unwrap().outcome, Outcome::Panicked);
    house.clock.advance(TimeDelta::seconds(61));
    assert!(house.run().await.is_some());
}

#[tokio::test]
async fn a_failure_is_tried_again_after_a_minute() {
    let house = house(Does::Fail).await;
    assert_eq!(house.run().await.unwrap().error.as_deref(), Some("busy"));
    assert!(house.run().await.is_none());
    house.clock.advance(TimeDelta::seconds(61));
    assert!(house.run().await.is_some());
}

#[tokio::test]
async fn a_permanent_error_lets_the_job_rest_until_the_reload() {
    let house = house(Does::Refuse).await;
    assert_eq!(house.run().await.unwrap().outcome, Outcome::Refused);
    house.clock.advance(TimeDelta::hours(1));
    house.runner.look(None).await;
    let live = house.runner.0.doors.board.list().remove(0);
    assert_eq!(live.rests.as_deref(), Some("no leave"));
    let told = notices::list(&house.runner.0.doors.store, true, None, 10)
        .await
        .unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&*told[0].feature, &*told[0].kind), ("replies", "rest"));
    assert!(told[0].text.contains("replies.made") && told[0].text.contains("no leave"));
    assert_eq!(house.runs.load(Ordering::SeqCst), 1);
    house.runner.begin().await;
    assert!(
        job_states::list(&house.runner.0.doors.store)
            .await
            .unwrap()
            .iter()
            .all(|state| state.rests.is_none())
    );
}

#[tokio::test]
async fn a_wish_waits_for_the_end_of_a_pause() {
    for scope_of_wish in ["", "other"] {
        let house = house(Does::Work).await;
        let (store, clock) = (&house.runner.0.doors.store, &house.clock);
        job_states::set_paused(store, "replies.made", "", true, clock.now())
            .await
            .unwrap();
        job_states::wake(store, "replies.made", "", clock.now()).await.unwrap();
        job_states::wake(store, "replies.made", scope_of_wish, clock.now())
            .await
            .unwrap();
        house.runner.look(None).await;
        house.runner.look(Some("replies.made")).await;
        assert!(!house.runner.is_busy(&house.runner.settings().entries[0]));
        assert!(house.runner.0.doors.board.list()[0].paused);
        job_states::set_paused(store, "replies.made", "", false, clock.now())
            .await
            .unwrap();
        house.runner.look(None).await;
        assert!(house.runner.is_busy(&house.runner.settings().entries[0]));
        assert!(house.runner.drain(Duration::from_secs(5)).await);
        assert_eq!(house.runs.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_run_that_reaches_no_page_is_cut_off_at_the_drain() {
    let house = house(Does::Hang).await;
    let settings = house.runner.settings();
    let run = house.runner.start(&settings, &settings.entries[0], true).unwrap();
    assert!(
        house.runner.start(&settings, &settings.entries[0], true).is_none(),
        "one at a time"
    );
    while house.runs.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!house.runner.drain(Duration::from_millis(10)).await);
    assert_eq!(run.await.unwrap().unwrap().outcome, Outcome::Stopped);
}

#[tokio::test]
async fn a_run_cut_off_by_the_end_of_its_process_goes_on_at_once_but_not_for_ever() {
    let house = house(Does::Work).await;
    let doors = &house.runner.0.doors;
    let entry = house.runner.settings().entries[0].clone();
    let dead = |n: usize, outcome| JobRun {
        id: house.runner.new_id(doors.clock.now()),
        job: "replies.made".into(),
        scope: String::new(),
        holder: format!("dead {n}"),
        started_at: doors.clock.now(),
        finished_at: None,
        outcome,
        counters: Default::default(),
        requests: Default::default(),
        error: None,
    };
    job_runs::start(&doors.store, &dead(1, Outcome::Running)).await.unwrap();
    let ttl = Duration::from_secs(60);
    let lease = store::leases::take(&doors.store, &entry.lease(), "dead 1", ttl, doors.clock.now())
        .await
        .unwrap()
        .unwrap();
    assert!(!house.runner.remember(&entry).await.unwrap().cut_off, "it may be alive");
    store::leases::release(&doors.store, &lease).await.unwrap();
    house.runner.remember(&entry).await.unwrap();
    assert_eq!(house.run().await.unwrap().outcome, Outcome::Finished);

    for (outcome, goes_on) in [(Outcome::Stopped, true), (Outcome::Lost, true), (Outcome::Lost, false)] {
        job_runs::start(&doors.store, &dead(2, outcome)).await.unwrap();
        let past = house.runner.remember(&entry).await.unwrap();
        assert_eq!(past.cut_off, goes_on, "{outcome:?}");
    }
}

/// On Postgres nobody can tell a dead owner from a silent one before the lease ran out, and then at once.
#[tokio::test]
async fn what_a_dead_process_left_is_taken_up_as_soon_as_its_lease_runs_out() {
    let house = house(Does::Work).await;
    let doors = &house.runner.0.doors;
    let entry = house.runner.settings().entries[0].clone();
    let ttl = Duration::from_secs(60);
    let dead = JobRun {
        id: house.runner.new_id(doors.clock.now()),
        job: "replies.made".into(),
        scope: String::new(),
        holder: "dead".into(),
        started_at: doors.clock.now(),
        finished_at: None,
        outcome: Outcome::Running,
        counters: Default::default(),
        requests: Default::default(),
        error: None,
    };
    job_runs::start(&doors.store, &dead).await.unwrap();
    let take = async || {
        leases::take(&doors.store, &entry.lease(), "dead", ttl, doors.clock.now())
            .await
            .unwrap()
            .unwrap()
    };
    take().await;
    let due = async || house.runner.due(&entry, doors.clock.now()).await.unwrap();
    let at = |seconds| Due::At(dead.started_at + TimeDelta::seconds(seconds));
    assert_eq!(due().await, at(60));
    assert_eq!(
        house.runner.wait("replies.made"),
        Some(ttl),
        "not its next due time in ten minutes"
    );
    house.clock.advance(TimeDelta::seconds(40));
    take().await;
    assert_eq!(due().await, at(60), "not asked again before");
    house.clock.advance(TimeDelta::seconds(20));
    assert_eq!(due().await, at(100), "it was alive, and renewed its lease");
    house.clock.advance(TimeDelta::seconds(41));
    assert_eq!(due().await, Due::Now);
    assert_eq!(house.run().await.unwrap().outcome, Outcome::Finished);
    assert_eq!(due().await, Due::At(doors.clock.now() + TimeDelta::minutes(10)));
}

#[tokio::test]
async fn a_run_past_its_time_is_told_to_end() {
    let house = house(Does::WaitForStop).await;
    let run = house.run().await.unwrap();
    assert_eq!(run.outcome, Outcome::TimedOut);
    assert!(run.error.unwrap().contains("200ms"));
}

#[tokio::test]
async fn a_lease_held_elsewhere_is_respected() {
    let house = house(Does::Work).await;
    let doors = &house.runner.0.doors;
    let entry = house.runner.settings().entries[0].clone();
    let ttl = Duration::from_secs(60);
    store::leases::take(&doors.store, &entry.lease(), "another", ttl, doors.clock.now())
        .await
        .unwrap()
        .unwrap();
    assert!(house.run().await.is_none());
    house.clock.advance(TimeDelta::seconds(61));
    assert!(house.run().await.is_some(), "a dead owner's lease is taken over");
}

/// A machine whose clock was two hours ahead when the job last ran: nothing waits for that time to come again.
#[tokio::test]
async fn a_clock_that_is_put_back_silences_nothing() {
    let house = house(Does::Work).await;
    assert!(house.run().await.is_some());
    house.runner.look(None).await;
    let entry = house.runner.settings().entries[0].clone();
    assert!(entry.is_quiet(house.clock.now()));
    house.clock.advance(TimeDelta::hours(-2));
    house.runner.look(None).await;
    assert!(house.runner.is_busy(&entry));
    assert!(house.runner.drain(Duration::from_secs(60)).await);
    assert_eq!(house.runs.load(Ordering::SeqCst), 2);
}

/// What a run looked at before somebody wished for another is not looked at by it again.
#[tokio::test]
async fn a_wish_made_during_a_run_outlives_it() {
    let house = house(Does::Work).await;
    let (store, entry) = (&house.runner.0.doors.store, house.runner.settings().entries[0].clone());
    assert!(house.run().await.is_some());
    let busy = || house.runner.0.busy.lock().unwrap();
    busy().insert(entry.key());
    job_states::wake(store, "replies.made", "", house.clock.now())
        .await
        .unwrap();
    house.runner.look(None).await;
    busy().remove(&entry.key());
    house.runner.look(None).await;
    assert!(house.runner.is_busy(&entry));
    assert!(house.runner.drain(Duration::from_secs(60)).await);
    assert_eq!(house.runs.load(Ordering::SeqCst), 2);
    assert_eq!(job_states::list(store).await.unwrap(), []);
}

/// A wish for all scopes starts those that are idle now, and the one that runs afterwards.
#[tokio::test]
async fn a_wish_for_all_scopes_reaches_the_one_that_runs() {
    let house = house(Does::Work).await;
    let store = &house.runner.0.doors.store;
    let settings = house.runner.settings();
    let entries = ["a", "b"].map(|scope| Entry::new(&settings.jobs[0], scope, Vec::new()));
    house.runner.replace(Settings {
        net: settings.net.clone(),
        jobs: settings.jobs.clone(),
        logins: Vec::new(),
        entries: entries.to_vec(),
        lease: settings.lease,
    });
    let busy = || house.runner.0.busy.lock().unwrap();
    busy().insert(entries[0].key());
    job_states::wake(store, "replies.made", "", house.clock.now())
        .await
        .unwrap();
    house.runner.look(None).await;
    assert!(house.runner.is_busy(&entries[1]));
    let states = job_states::list(store).await.unwrap();
    let woken = |scope: &str| {
        states
            .iter()
            .any(|state| state.scope == scope && state.wake_at.is_some())
    };
    assert!(woken("a") && !woken(""));
    busy().remove(&entries[0].key());
    assert!(house.runner.drain(Duration::from_secs(60)).await);
    assert_eq!(house.runs.load(Ordering::SeqCst), 1);
}
