//! One report per case, whatever the server says.

use fake_fediverse::{Event, Fault};
use job::Mode;
use store::{
    cases::{self, Asked, State},
    effects,
};

use crate::house::{CASINO, House};

/// Check 23.
#[tokio::test(flavor = "multi_thread")]
async fn only_accounts_of_other_servers_are_told_of_to_their_servers() {
    let mut house = House::with_rules(CASINO).await;
    house.config.forward = true;
    house.fediverse.joins(None, "eve");
    let stranger = house.stranger("eve");
    house.spam("eve").await;
    house.spam(&stranger).await;
    let filed = house.filed();
    assert_eq!(
        filed
            .iter()
            .map(|one| (&*one.target, one.forwarded))
            .collect::<Vec<_>>(),
        [("eve", false), (&*stranger, true)]
    );
    assert_eq!(house.cases().await.len(), 2, "one name at two servers is two accounts");
}

/// Check 24.
#[tokio::test(flavor = "multi_thread")]
async fn more_of_the_same_goes_into_the_open_case() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    for _ in 0..5 {
        house.spam("eve").await;
        house.tick().await;
    }
    assert_eq!((house.filed().len(), house.cases().await.len()), (1, 1));
    let case = house.case().await;
    let evidence = store::rule_hits::of_case(&house.store, &case.id, 100).await.unwrap();
    assert_eq!(evidence.len(), 5, "all of it is in the case");
}

/// Check 24, the part about others.
#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_else_reported_a_person_decides() {
    let mut house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    house.fediverse.report("me", "eve", "I do not like this", &[]);
    house.spam("eve").await;
    let case = house.case().await;
    assert_eq!((case.state, case.stopped.as_deref()), (State::Open, Some("reported")));
    assert_eq!(house.filed().len(), 1, "theirs");
    assert!(
        cases::ask(&house.store, &case.id, Asked::Approve, "ada", "", house.clock_now())
            .await
            .unwrap()
    );
    house.tick().await;
    assert_eq!((house.case().await.state, house.filed().len()), (State::Reported, 2));

    house.config.when_reported = moderation::WhenReported::File;
    house.fediverse.joins(None, "mallory");
    house.fediverse.report("me", "mallory", "nor this", &[]);
    house.spam("mallory").await;
    assert_eq!(house.filed().len(), 4);
}

/// Check 25.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_gone_ends_its_case() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    let id = house.fediverse.says("eve", "<p>casino</p>");
    assert!(house.deliver(Event::StatusCreated, &id).await);
    house.fediverse.suspend_account("eve", true);
    house.inbox().await;
    assert_eq!((house.case().await.state, house.writes()), (State::Gone, 0));
    house.tick().await;
    assert_eq!(house.writes(), 0, "no second try");
    assert!(house.effects().await.is_empty());
}

/// Check 26.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_filed() {
    let house = House::with_rules(&CASINO.replace("weight = 1.0", "weight = 0.2\nmost = 5")).await;
    house.fediverse.joins(None, "eve");
    let mut ids = Vec::new();
    for n in 0..5 {
        let id = house.fediverse.says("eve", &format!("<p>casino number {n}</p>"));
        assert!(house.deliver(Event::StatusCreated, &id).await);
        ids.push(id);
    }
    house.fediverse.deletes(&ids[1]);
    house.inbox().await;
    let filed = house.filed();
    assert_eq!((filed.len(), filed[0].statuses.len()), (1, 4));
    assert!(!filed[0].statuses.contains(&ids[1]));

    house.fediverse.joins(None, "mallory");
    let id = house.fediverse.says("mallory", "<p>casino</p>");
    house.write(CASINO).await;
    assert!(house.deliver(Event::StatusCreated, &id).await);
    house.fediverse.deletes(&id);
    house.inbox().await;
    assert_eq!(house.filed().len(), 1, "nothing is left of it");
    assert_eq!(house.cases().await[1].state, State::Gone);
}

/// Check 31.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_rehearsed_was_never_reported() {
    let mut house = House::with_rules(CASINO).await;
    house.config.mode = Mode::Observe;
    house.config.allow = vec![moderation::Allowed::Silence];
    let mut names = Vec::new();
    for n in 0..9 {
        let name = format!("eve{n}");
        house.fediverse.joins(None, &name);
        if n % 3 == 0 {
            house.config.mode = if n == 3 { Mode::Act } else { Mode::Observe };
        }
        house.spam(&name).await;
        names.push(name);
    }
    let reported: Vec<String> = house.filed().into_iter().map(|one| one.target).collect();
    assert_eq!(reported, names[3..6], "only while it acted");
    let rehearsed = effects::list(&house.store, None, Some(effects::State::Rehearsed), None, 100)
        .await
        .unwrap();
    assert_eq!(rehearsed.len(), 6);
    house.config.mode = Mode::Act;
    house.tick().await;
    house.tick().await;
    let mut reported: Vec<String> = house.filed().into_iter().map(|one| one.target).collect();
    reported.sort();
    assert_eq!(reported, names, "each once");
}

/// Check 32: of a thousand that are on their way nothing is sent after the stop but what was being sent; what is held goes
/// on when it is lifted.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_stop_in_the_midst_of_a_thousand_holds_the_rest() {
    const ALL: usize = 1_000;
    let house = House::with_rules(CASINO).await;
    for n in 0..ALL {
        house.fediverse.joins(None, &format!("eve{n}"));
        let id = house.fediverse.says(&format!("eve{n}"), "<p>casino</p>");
        assert!(house.deliver(Event::StatusCreated, &id).await);
    }
    let stopped = async {
        while house.filed().len() < 20 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        effects::set_panic_stop(&house.store, Some("ada"), house.clock_now())
            .await
            .unwrap();
        house.filed().len()
    };
    let (at_the_stop, _) = tokio::join!(stopped, house.inbox());
    let filed = house.filed().len();
    assert!(
        filed <= at_the_stop + 1 && filed < ALL / 2,
        "{at_the_stop}, then {filed}"
    );
    assert_eq!(house.writes(), filed, "nothing else was written either");
    let held = effects::list(&house.store, None, Some(effects::State::Held), None, 2_000)
        .await
        .unwrap();
    assert_eq!(held.len() + filed, ALL, "none is lost");
    house.tick().await;
    assert_eq!(house.filed().len(), filed);
    effects::set_panic_stop(&house.store, None, house.clock_now())
        .await
        .unwrap();
    house.tick().await;
    let resumed = house.filed().len();
    assert!(
        resumed > filed && resumed <= filed + 100,
        "a run's worth of them: {resumed}"
    );
}

/// Check 32, the part about the feature: a panic stop holds what waits, and it goes on afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_stop_holds_reports_and_they_go_on_after_it() {
    let house = House::with_rules(CASINO).await;
    effects::set_panic_stop(&house.store, Some("ada"), house.clock_now())
        .await
        .unwrap();
    for n in 0..20 {
        house.fediverse.joins(None, &format!("eve{n}"));
        house.spam(&format!("eve{n}")).await;
    }
    assert_eq!(house.writes(), 0);
    let held = effects::list(&house.store, None, Some(effects::State::Held), None, 100)
        .await
        .unwrap();
    assert_eq!(held.len(), 20);
    assert!(
        house
            .cases()
            .await
            .iter()
            .all(|case| case.why.contains("panic stop by ada"))
    );
    effects::set_panic_stop(&house.store, None, house.clock_now())
        .await
        .unwrap();
    house.tick().await;
    assert_eq!(house.filed().len(), 20);
}

/// Check 33.
#[tokio::test(flavor = "multi_thread")]
async fn a_quota_files_so_many_and_tells_once() {
    let mut house = House::with_rules(CASINO).await;
    house.config.quota = 10;
    for n in 0..50 {
        house.fediverse.joins(None, &format!("eve{n}"));
        house.spam(&format!("eve{n}")).await;
    }
    assert_eq!(house.filed().len(), 10);
    let cases = house.cases().await;
    let waiting = cases
        .iter()
        .filter(|case| case.state == State::Ready && case.why.contains("quota"));
    assert_eq!(waiting.count(), 40);
    assert_eq!(house.notices("quota").await.len(), 1);
    house.later(25 * 60);
    house.tick().await;
    assert_eq!(house.filed().len(), 20);
}

/// A flood of hits stops by itself: a person looks at the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_stops_by_itself() {
    let mut house = House::with_rules(CASINO).await;
    house.config.reports_per_hour = 3;
    for n in 0..8 {
        house.fediverse.joins(None, &format!("eve{n}"));
        house.spam(&format!("eve{n}")).await;
    }
    assert_eq!(house.filed().len(), 3);
    let cases = house.cases().await;
    assert_eq!(
        cases
            .iter()
            .filter(|case| case.stopped.as_deref() == Some("burst"))
            .count(),
        5
    );
    assert_eq!(house.notices("burst").await.len(), 1);
}

/// Check 34, the part about answers: what nobody knows is asked, and never sent blindly again.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_asked_for() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    house
        .fediverse
        .fault(None, "/api/v1/reports", Fault::Html(503), Some(1));
    house.spam("eve").await;
    assert_eq!(house.filed().len(), 0);
    house.tick().await;
    assert_eq!(
        house.filed().len(),
        0,
        "it may have arrived: nobody sends it again before it was asked for"
    );
    house.later(6);
    house.tick().await;
    house.tick().await;
    assert_eq!((house.filed().len(), house.case().await.state), (1, State::Reported));
}

/// A server that refuses a report says no, and a person hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_the_server_refuses_is_for_a_person() {
    let house = House::with_rules(&CASINO.replace(
        "category = \"spam\"",
        "category = \"violation\"\nserver_rules = [\"404404\"]",
    ))
    .await;
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    let case = house.case().await;
    assert_eq!((case.state, case.stopped.as_deref()), (State::Open, Some("refused")));
    house.tick().await;
    assert_eq!(house.filed().len(), 0);
}

/// What waits for the quota does not ask the server again and again, each before it waits on; what somebody lets pass goes.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_costs_no_requests() {
    let mut house = House::with_rules(CASINO).await;
    house.config.quota = 1;
    for n in 0..30 {
        house.fediverse.joins(None, &format!("eve{n}"));
        house.spam(&format!("eve{n}")).await;
    }
    assert_eq!(house.filed().len(), 1);
    house.fediverse.clear_log();
    house.later(2);
    house.tick().await;
    let asked = house.fediverse.log().0.len();
    assert!(asked < 15, "{asked} requests for 29 who wait");
    let held = effects::list(&house.store, None, Some(effects::State::Held), None, 100)
        .await
        .unwrap();
    assert_eq!(held.len(), 29);
    // The newest: the one that is tried first is another.
    let cx = house.cx();
    let ledger = job::Ledger::new(house.store.clone(), std::sync::Arc::clone(&cx.clock));
    assert!(ledger.release(&held[0].id, "ada").await.unwrap());
    house.later(2);
    house.tick().await;
    assert_eq!(house.filed().len(), 2);
}
