//! What the ledger promises: recorded before it is sent, sent once, and not at all where somebody said no.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta};
use job::{Effects, JobError, Ledger, Mode, Sent, Settled, Wish};
use mastodon::Permit;
use model::{Clock as _, FakeClock, Host};
use serde_json::{Value, json};
use store::{
    Db,
    effects::{self, Effect, State},
    leases, notices,
};
use tokio::sync::Notify;

struct Story {
    db: Db,
    clock: FakeClock,
    ledger: Ledger,
    effects: Effects,
    sends: Arc<AtomicUsize>,
    _folder: tempfile::TempDir,
}

impl Story {
    async fn begin(mode: Mode, quota: Option<u32>) -> Self {
        let (db, folder) = store::testing::sqlite().await;
        let clock = FakeClock::at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let ledger = Ledger::new(db.clone(), Arc::new(clock.clone()));
        ledger.configure("blocklists", mode, quota);
        Self {
            effects: ledger.of("blocklists"),
            sends: Arc::default(),
            _folder: folder,
            db,
            clock,
            ledger,
        }
    }

    async fn make(&self, key: &str) -> Result<Sent, JobError> {
        self.make_with(key, Ok(json!({"id": "7"}))).await
    }

    async fn make_with(&self, key: &str, answer: Result<Value, mastodon::Error>) -> Result<Sent, JobError> {
        let (sends, db) = (self.sends.clone(), self.db.clone());
        self.effects
            .carry_out(wish(key), async move |permit: Permit| {
                sends.fetch_add(1, Ordering::SeqCst);
                let recorded = effects::load(&db, permit.effect()).await.unwrap().unwrap();
                assert_eq!(recorded.state, State::Intended, "recorded before it is sent");
                answer
            })
            .await
    }

    fn sends(&self) -> usize {
        self.sends.load(Ordering::SeqCst)
    }

    async fn rows(&self) -> Vec<Effect> {
        effects::list(&self.db, None, None, None, 100).await.unwrap()
    }

    async fn states(&self) -> Vec<State> {
        self.rows().await.into_iter().map(|effect| effect.state).collect()
    }
}

fn wish(key: &str) -> Wish {
    Wish {
        kind: "domain_block.create",
        server: "home.example".to_owned(),
        key: key.to_owned(),
        intent: json!({"domain": key}),
        reason: json!({"list": "one"}),
    }
}

fn no_answer() -> mastodon::Error {
    mastodon::Error::Net(net::Error::Timeout {
        host: Host::stored("home.example"),
        after: Duration::from_secs(30),
    })
}

#[tokio::test]
async fn observing_never_calls_send() {
    let story = Story::begin(Mode::Observe, None).await;
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Rehearsed);
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Rehearsed);
    assert_eq!((story.sends(), story.states().await), (0, vec![State::Rehearsed]));

    let nobody = story.ledger.of("moderation");
    let sent = nobody.carry_out(wish("a.example"), async |_| {
        unreachable!("not configured means observe")
    });
    assert_eq!(sent.await.unwrap(), Sent::Rehearsed);

    story.ledger.configure("blocklists", Mode::Act, None);
    assert!(
        matches!(story.make("a.example").await.unwrap(), Sent::Done(_)),
        "a rehearsal is nothing done"
    );
    story.ledger.configure("blocklists", Mode::Observe, None);
    assert_eq!(
        story.make("b.example").await.unwrap(),
        Sent::Rehearsed,
        "holds from the next effect on"
    );
    assert_eq!(story.sends(), 1);
}

#[tokio::test]
async fn the_same_wish_is_sent_once() {
    let story = Story::begin(Mode::Act, None).await;
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Done(json!({"id": "7"})));
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Known);
    let rows = story.rows().await;
    assert_eq!((story.sends(), rows.len()), (1, 1));
    assert_eq!(
        (rows[0].state, &rows[0].result),
        (State::Done, &Some(json!({"id": "7"})))
    );
}

#[tokio::test]
async fn wishes_at_the_same_time_are_sent_once() {
    let story = Story::begin(Mode::Act, None).await;
    let other = Ledger::new(story.db.clone(), Arc::new(story.clock.clone()));
    other.configure("blocklists", Mode::Act, None);
    let (inside, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = tokio::spawn({
        let (effects, inside, go) = (story.effects.clone(), inside.clone(), go.clone());
        async move {
            effects
                .carry_out(wish("a.example"), async move |_| {
                    inside.notify_one();
                    go.notified().await;
                    Ok(json!(1))
                })
                .await
        }
    });
    inside.notified().await;
    assert_eq!(
        story.make("a.example").await.unwrap(),
        Sent::Known,
        "another job of this process"
    );
    let elsewhere = other.of("blocklists");
    let sent = elsewhere.carry_out(wish("a.example"), async |_| unreachable!("is on its way"));
    assert_eq!(sent.await.unwrap(), Sent::Known, "another process");
    assert!(story.effects.pending().await.unwrap().is_empty(), "it is being sent");
    go.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), Sent::Done(json!(1)));
    assert_eq!(story.sends(), 0);
}

#[tokio::test]
async fn the_panic_stop_holds_everything_and_lets_go() {
    let story = Story::begin(Mode::Act, None).await;
    effects::set_panic_stop(&story.db, Some("ada"), model::Clock::now(&story.clock))
        .await
        .unwrap();
    assert_eq!(
        story.make("a.example").await.unwrap(),
        Sent::Held("panic stop by ada".to_owned())
    );
    assert_eq!(
        story.make("a.example").await.unwrap(),
        Sent::Held("panic stop by ada".to_owned())
    );
    let id = story.effects.held().await.unwrap()[0].id.clone();
    assert!(story.ledger.release(&id, "grace").await.unwrap());
    assert!(
        matches!(story.make("a.example").await.unwrap(), Sent::Held(_)),
        "a release is for the quota"
    );
    assert!(matches!(
        story.effects.resume(&id, async |_| unreachable!("held")).await.unwrap(),
        Sent::Held(_)
    ));
    assert_eq!((story.sends(), story.states().await), (0, vec![State::Held]));

    effects::set_panic_stop(&story.db, None, model::Clock::now(&story.clock))
        .await
        .unwrap();
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Done(_)));
    assert_eq!((story.sends(), story.states().await), (1, vec![State::Done]));
}

#[tokio::test]
async fn an_unreadable_store_sends_nothing() {
    let story = Story::begin(Mode::Act, None).await;
    story.db.close().await;
    assert!(matches!(story.make("a.example").await, Err(JobError::Transient(_))));
    assert_eq!(story.sends(), 0);
}

#[tokio::test]
async fn past_the_quota_effects_wait_for_the_next_day_or_for_somebody() {
    let story = Story::begin(Mode::Act, Some(1)).await;
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Done(_)));
    assert_eq!(
        story.make("b.example").await.unwrap(),
        Sent::Held("quota of 1 a day used up".to_owned())
    );
    assert!(matches!(story.make("c.example").await.unwrap(), Sent::Held(_)));
    assert!(matches!(story.make("d.example").await.unwrap(), Sent::Held(_)));
    assert_eq!(story.sends(), 1);

    let held = story.effects.held().await.unwrap();
    let id = |key: &str| held.iter().find(|effect| effect.key == key).unwrap().id.clone();
    assert!(story.ledger.release(&id("b.example"), "grace").await.unwrap());
    assert!(
        matches!(story.make("b.example").await.unwrap(), Sent::Done(_)),
        "made again"
    );
    assert!(story.ledger.release(&id("c.example"), "grace").await.unwrap());
    let resumed = story
        .effects
        .resume(&id("c.example"), async |_| Ok(json!("c")))
        .await
        .unwrap();
    assert_eq!(resumed, Sent::Done(json!("c")), "by its id");
    assert!(
        !story.ledger.release(&id("c.example"), "grace").await.unwrap(),
        "is done"
    );
    assert!(
        matches!(story.make("d.example").await.unwrap(), Sent::Held(_)),
        "not released"
    );

    story.clock.advance(TimeDelta::hours(25));
    assert!(matches!(story.make("d.example").await.unwrap(), Sent::Done(_)));
}

#[tokio::test]
async fn past_the_quota_effects_wait_visibly_and_one_notice_goes_out_a_day() {
    let story = Story::begin(Mode::Act, Some(1)).await;
    story.make("a.example").await.unwrap();
    assert!(notices::list(&story.db, false, None, 10).await.unwrap().is_empty());
    for key in ["b.example", "c.example", "d.example", "b.example"] {
        assert!(matches!(story.make(key).await.unwrap(), Sent::Held(_)));
    }
    let held = effects::list(&story.db, None, Some(State::Held), None, 10)
        .await
        .unwrap();
    assert_eq!(held.len(), 3, "visibly");
    assert!(held[0].note.as_deref().unwrap().contains("quota of 1"));
    let told = notices::list(&story.db, false, None, 10).await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0].feature.as_str(), told[0].kind.as_str()),
        ("blocklists", "quota")
    );
    effects::set_panic_stop(&story.db, Some("ada"), story.clock.now())
        .await
        .unwrap();
    story.make("e.example").await.unwrap();
    effects::set_panic_stop(&story.db, None, story.clock.now())
        .await
        .unwrap();

    story.clock.advance(TimeDelta::hours(25));
    story.make("b.example").await.unwrap();
    story.make("c.example").await.unwrap();
    assert_eq!(
        notices::list(&story.db, false, None, 10).await.unwrap().len(),
        2,
        "the next day"
    );
}

#[tokio::test]
async fn a_quota_of_one_lets_one_of_many_through() {
    let story = Story::begin(Mode::Act, Some(1)).await;
    let (a, b, c) = tokio::join!(
        story.make("a.example"),
        story.make("b.example"),
        story.make("c.example")
    );
    let done = [a, b, c]
        .into_iter()
        .filter(|sent| matches!(sent, Ok(Sent::Done(_))))
        .count();
    assert_eq!((done, story.sends()), (1, 1));
}

#[tokio::test]
async fn a_crash_between_leaves_it_to_the_server_to_say() {
    let story = Story::begin(Mode::Act, None).await;
    let send = story
        .effects
        .carry_out(wish("a.example"), async |_| std::future::pending().await);
    let crashed = tokio::time::timeout(Duration::from_millis(200), send).await;
    assert!(crashed.is_err(), "dropped while it was sending");
    assert_eq!(
        story.make("a.example").await.unwrap(),
        Sent::Known,
        "never blindly sent again"
    );
    assert!(
        story.effects.pending().await.unwrap().is_empty(),
        "another process might still be at it"
    );

    story.clock.advance(TimeDelta::minutes(6));
    let pending = story.effects.pending().await.unwrap();
    assert_eq!(pending.len(), 1);
    let other = story.ledger.of("moderation");
    assert!(
        !other.settle(&pending[0].id, Settled::Done(json!(1))).await.unwrap(),
        "not its effect"
    );
    let settled = Settled::Failed("home.example does not have it".to_owned());
    assert!(story.effects.settle(&pending[0].id, settled.clone()).await.unwrap());
    assert!(
        !story.effects.settle(&pending[0].id, settled).await.unwrap(),
        "settled already"
    );
    assert!(
        matches!(story.make("a.example").await.unwrap(), Sent::Done(_)),
        "now it may be sent"
    );
    assert_eq!(story.sends(), 1);
}

#[tokio::test]
async fn no_answer_is_no_refusal() {
    let story = Story::begin(Mode::Act, None).await;
    assert!(matches!(
        story.make_with("a.example", Err(no_answer())).await,
        Err(JobError::Transient(_))
    ));
    assert_eq!(story.states().await, [State::Intended]);
    story.clock.advance(TimeDelta::minutes(6));
    let pending = story.effects.pending().await.unwrap();
    assert!(pending[0].note.as_deref().unwrap().contains("did not answer"));
    assert!(
        story
            .effects
            .settle(&pending[0].id, Settled::Done(json!(1)))
            .await
            .unwrap()
    );
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Known);

    let refused = mastodon::Error::Forbidden {
        host: Host::stored("home.example"),
        what: "blocking b.example".to_owned(),
    };
    assert!(matches!(
        story.make_with("b.example", Err(refused)).await,
        Err(JobError::Permanent(_))
    ));
    assert_eq!(story.rows().await[0].state, State::Failed);
    assert!(matches!(story.make("b.example").await.unwrap(), Sent::Done(_)));
}

#[tokio::test]
async fn a_mode_switched_while_running_holds_from_the_next_effect_on() {
    let story = Story::begin(Mode::Observe, None).await;
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Rehearsed);
    assert!(story.ledger.switch("blocklists", Some(Mode::Act), "ada").await.unwrap());
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Done(_)));
    let now = story.ledger.modes_now().await.unwrap();
    assert_eq!((now[0].mode, now[0].config), (Mode::Act, Mode::Observe));
    assert_eq!(now[0].switched.as_ref().unwrap().0, "ada");
    story
        .ledger
        .switch("blocklists", Some(Mode::Observe), "ada")
        .await
        .unwrap();
    assert_eq!(story.make("b.example").await.unwrap(), Sent::Rehearsed);
    story.ledger.switch("blocklists", None, "ada").await.unwrap();
    assert!(story.ledger.modes_now().await.unwrap()[0].switched.is_none());
    assert!(
        !story.ledger.switch("replies", Some(Mode::Act), "ada").await.unwrap(),
        "it writes nothing"
    );
    // Where the switch cannot be read, what may not go out does not.
    let story = Story::begin(Mode::Act, None).await;
    story
        .ledger
        .switch("blocklists", Some(Mode::Observe), "ada")
        .await
        .unwrap();
    story.db.close().await;
    assert!(story.make("a.example").await.is_err());
    assert_eq!(story.sends(), 0);
}

#[tokio::test]
async fn what_somebody_holds_waits_for_somebody() {
    let story = Story::begin(Mode::Act, Some(0)).await;
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Held(_)));
    let id = story.rows().await[0].id.clone();
    assert!(story.ledger.release(&id, "ada").await.unwrap());
    assert!(story.ledger.hold(&id, "bob").await.unwrap());
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Held(_)));
    story.ledger.configure("blocklists", Mode::Act, None);
    assert_eq!(story.make("a.example").await.unwrap(), Sent::Known);
    let resumed = story
        .effects
        .resume(&id, async |_| unreachable!("nobody released it"))
        .await
        .unwrap();
    assert_eq!(resumed, Sent::Held("held by bob".to_owned()));
    assert_eq!(story.sends(), 0);
    assert!(story.ledger.release(&id, "ada").await.unwrap());
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Done(_)));
    assert!(!story.ledger.hold(&id, "bob").await.unwrap(), "what is done is done");
}

/// What the ledger shows is what was sent: a wish that waited for days may say something else by now.
#[tokio::test]
async fn a_wish_that_waited_is_recorded_as_it_is_sent() {
    let story = Story::begin(Mode::Act, Some(0)).await;
    let make = async |severity: &str| {
        let wish = Wish {
            intent: json!({ "severity": severity }),
            reason: json!({ "list": severity }),
            ..wish("a.example")
        };
        let sent = story.effects.carry_out(wish, async |_| Ok(json!({"id": "7"}))).await;
        sent.unwrap()
    };
    let intent = async || {
        let row = story.rows().await.remove(0);
        assert_eq!(row.intent["severity"], row.reason["list"]);
        row.intent["severity"].as_str().unwrap().to_owned()
    };
    assert!(matches!(make("noop").await, Sent::Held(_)));
    assert!(matches!(make("silence").await, Sent::Held(_)));
    assert_eq!(intent().await, "silence");
    let id = story.rows().await[0].id.clone();
    assert!(story.ledger.release(&id, "ada").await.unwrap());
    assert!(matches!(make("suspend").await, Sent::Done(_)), "released");
    assert_eq!(intent().await, "suspend");

    let story = Story::begin(Mode::Act, Some(0)).await;
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Held(_)));
    story.ledger.configure("blocklists", Mode::Act, None);
    assert!(matches!(story.make("a.example").await.unwrap(), Sent::Done(_)));
    assert_eq!(story.rows().await.len(), 1);
}

/// A run whose lease went to another process makes no more effects, not even one that it had planned: the other one does.
#[tokio::test]
async fn a_lease_that_was_lost_ends_a_run_before_its_next_effect() {
    let mut story = Story::begin(Mode::Act, None).await;
    let lasts = Duration::from_secs(60);
    let take = async |holder: &str| {
        let now = story.clock.now();
        leases::take(&story.db, "blocklists.domain_blocks/home", holder, lasts, now)
            .await
            .unwrap()
    };
    let first = take("first").await.unwrap();
    let effects = story.ledger.of("blocklists");
    let of_first = effects.clone().fenced(first);
    assert!(take("second").await.is_none(), "it stands");
    // The first one is stopped for longer than its lease, and the second one takes over.
    story.clock.advance(TimeDelta::seconds(61));
    let of_second = effects.fenced(take("second").await.unwrap());
    story.effects = of_first;
    for _ in 0..2 {
        assert!(matches!(story.make("a.example").await, Err(JobError::Stopped)));
    }
    assert_eq!(
        (story.sends(), story.rows().await.len()),
        (0, 0),
        "nothing sent, nothing recorded"
    );
    story.effects = of_second;
    assert!(matches!(story.make("a.example").await, Ok(Sent::Done(_))));
    assert_eq!(story.states().await, [State::Done]);
}
