//! `registrations.pending`.

use fake_fediverse::Fault;
use job::{JobError, Mode};
use store::applicants::{self, State};

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn does_its_work() {
    let house = House::build().await;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    let fan = house.apply("fan", "x.gov@gmail.com");
    let other = house.apply("other", "a@state.gov.br");
    house.tick().await;
    assert!(house.fediverse.user("mayor").unwrap().approved);
    assert_eq!(house.state(&mayor).await, State::Approved);
    assert_eq!(house.state(&fan).await, State::Veto);
    assert_eq!(house.state(&other).await, State::Hold);
    for _ in 0..11 {
        house.tick().await;
    }
    assert!(house.fediverse.user("fan").is_none());
    assert_eq!(house.state(&fan).await, State::Rejected);
    assert_eq!((house.calls("approve"), house.calls("reject")), (vec![200], vec![200]));
    let history = applicants::events(&house.store, &house.server(), &mayor).await.unwrap();
    let told: Vec<&str> = history.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(told, ["judged", "ended"]);
    assert_eq!(history[1].detail["rule"], "government");
}

#[tokio::test(flavor = "multi_thread")]
async fn does_nothing_the_second_time() {
    let house = House::build().await;
    for n in 0..5 {
        house.apply(&format!("a{n}"), &format!("a{n}@nyc.gov"));
        house.apply(&format!("b{n}"), &format!("b{n}@elsewhere.example"));
    }
    house.tick().await;
    let writes = house.writes();
    house.fediverse.clear_log();
    let lines = applicants::events_since(&house.store, "", 1000).await.unwrap().len();
    house.tick().await;
    house.tick().await;
    assert_eq!((writes, house.writes()), (5, 0));
    assert_eq!(house.fediverse.log().0.len(), 2, "one request a run");
    assert_eq!(
        applicants::events_since(&house.store, "", 1000).await.unwrap().len(),
        lines
    );
}

/// Check 50, the part about the first start.
#[tokio::test(flavor = "multi_thread")]
async fn writes_nothing_when_observing() {
    let mut house = House::build().await;
    assert_eq!(
        registrations::Config::default().mode,
        Mode::Observe,
        "the first start observes"
    );
    house.config.mode = Mode::Observe;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    let fan = house.apply("fan", "fan@gmail.com");
    for _ in 0..15 {
        house.tick().await;
    }
    assert_eq!(house.writes(), 0);
    for (id, verdict) in [(&mayor, "approve"), (&fan, "reject")] {
        let row = house.one(id).await;
        assert_eq!((row.state, &*row.verdict), (State::Ready, verdict), "visible");
    }
    let effects = store::effects::list(&house.store, None, None, None, 10).await.unwrap();
    assert!(
        effects
            .iter()
            .all(|effect| effect.state == store::effects::State::Rehearsed)
    );
    assert_eq!(effects.len(), 2);
    house.fediverse.clear_log();
    house.tick().await;
    assert_eq!(house.fediverse.log().0.len(), 1, "rehearsed once");
    house.config.mode = Mode::Act;
    house.tick().await;
    assert_eq!(
        (house.calls("approve"), house.calls("reject")),
        (vec![200], vec![200]),
        "what was rehearsed is not done"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stops_between_pages() {
    let house = House::with(|scenario| scenario.applicants = 300).await;
    house.stop.cancel();
    assert!(matches!(house.run().await, Err(JobError::Stopped)));
    assert_eq!(house.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn survives_a_busy_server() {
    let house = House::build().await;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    house
        .fediverse
        .fault(None, "/api/v2/admin/accounts", Fault::Html(503), Some(1));
    house.later(1);
    assert!(matches!(house.run().await, Err(JobError::Transient(_))));
    // Nobody knows whether it happened, so the server is asked; it did not, and it is tried again after a while.
    house.fediverse.fault(None, "/approve", Fault::Html(504), Some(1));
    house.tick().await;
    assert_eq!(house.state(&mayor).await, State::Ready);
    for _ in 0..7 {
        house.tick().await;
    }
    assert_eq!(
        (house.state(&mayor).await, house.calls("approve")),
        (State::Approved, vec![504, 200])
    );
}

/// Check 46.
#[tokio::test(flavor = "multi_thread")]
async fn the_confirmation_of_the_address_opens_the_door_within_one_poll() {
    let house = House::build().await;
    let mayor = house.apply_unconfirmed("mayor", "mayor@nyc.gov");
    let fan = house.apply_unconfirmed("fan", "fan@gmail.com");
    for _ in 0..20 {
        house.tick().await;
    }
    assert_eq!(house.writes(), 0);
    assert_eq!(
        (house.state(&mayor).await, house.state(&fan).await),
        (State::Waiting, State::Waiting)
    );
    house.fediverse.confirm("mayor");
    house.tick().await;
    assert_eq!(house.state(&mayor).await, State::Approved);
    assert_eq!(house.calls("approve"), [200]);
}

/// Check 47.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_changes_between_verdict_and_call_lets_nobody_in() {
    let house = House::build().await;
    // Between two runs, after it was confirmed.
    let fan = house.apply("fan", "fan@gmail.com");
    house.tick().await;
    house.fediverse.change_email("fan", "fan@nyc.gov");
    house.tick().await;
    let row = house.one(&fan).await;
    assert_eq!((row.state, row.stopped.as_deref()), (State::Hold, Some("changed")));
    // Between the page and the call: the page is old by the time the account is asked for.
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    house.fediverse.fault(
        None,
        &format!("/admin/accounts/{mayor}"),
        Fault::Slow(std::time::Duration::from_millis(300)),
        Some(1),
    );
    house.later(1);
    let (run, ()) = tokio::join!(house.run(), async {
        while !house.fediverse.log().0.iter().any(|call| call.path.ends_with(&mayor)) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        house.fediverse.change_email("mayor", "mayor@evil.example");
    });
    run.unwrap();
    let row = house.one(&mayor).await;
    assert_eq!((row.state, row.stopped.as_deref()), (State::Hold, Some("changed")));
    for _ in 0..15 {
        house.tick().await;
    }
    assert_eq!(house.writes(), 0);
}

/// Check 48.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_seen_and_decided_once() {
    let house = House::with(|scenario| scenario.applicants = 450).await;
    house.tick().await;
    let pages: Vec<_> = house
        .fediverse
        .log()
        .0
        .into_iter()
        .filter(|call| call.path.ends_with("/v2/admin/accounts"))
        .collect();
    assert_eq!(pages.len(), 3);
    assert_eq!(
        pages
            .iter()
            .filter(|call| call.query.iter().any(|(key, _)| key == "max_id"))
            .count(),
        2
    );
    let counts = applicants::counts(&house.store).await.unwrap();
    assert_eq!(counts.iter().map(|(_, _, count)| count).sum::<i64>(), 450);
    let good = house.calls("approve");
    assert!(
        good.len() > 100 && good.iter().all(|http_status| *http_status == 200),
        "{good:?}"
    );
    for _ in 0..11 {
        house.tick().await;
    }
    assert_eq!(house.calls("approve").len(), good.len(), "once each");
    let bad = house.calls("reject");
    assert!(
        bad.len() > 50 && bad.iter().all(|http_status| *http_status == 200),
        "{bad:?}"
    );
}

/// A right that is missing is told apart from somebody who was faster.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_the_operators_business() {
    let house = House::build().await;
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    house.fediverse.fault(None, "/approve", Fault::Empty(403), None);
    house.later(1);
    assert!(matches!(house.run().await, Err(JobError::Permanent(_))));
    assert_eq!(house.state(&mayor).await, State::Ready);
    house.fediverse.heal(None);
    house.tick().await;
    assert_eq!(house.state(&mayor).await, State::Approved);
}

/// Check 50, the part about bursts.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_stops_and_is_told_once() {
    let mut house = House::build().await;
    house.config.approvals_per_hour = 3;
    for n in 0..8 {
        house.apply(&format!("a{n}"), &format!("a{n}@nyc.gov"));
    }
    for _ in 0..5 {
        house.tick().await;
    }
    house.later(120);
    house.tick().await;
    assert_eq!(house.calls("approve").len(), 3, "the rest waits for a person");
    let counts = applicants::counts(&house.store).await.unwrap();
    assert!(counts.contains(&(house.server(), State::Hold, 5)), "{counts:?}");
    assert_eq!(house.notices("burst").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ledger_holds_goes_on_by_itself() {
    let mut house = House::build().await;
    house.config.quota = 1;
    let ids = ["a", "b"].map(|name| house.apply(name, &format!("{name}@nyc.gov")));
    house.tick().await;
    assert_eq!(house.calls("approve").len(), 1);
    let states = [house.state(&ids[0]).await, house.state(&ids[1]).await];
    assert!(states.contains(&State::Ready) && states.contains(&State::Approved));
    house.fediverse.clear_log();
    house.tick().await;
    assert_eq!(house.writes(), 0);
    house.later(25 * 60);
    house.tick().await;
    assert_eq!(house.calls("approve").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_the_mail_gives_a_throw_away_domain_away() {
    let mut house = House::build().await;
    house.config.veto = std::time::Duration::ZERO;
    house.config.rules.push(registrations::Rule {
        mx: vec![registrations::Name::parse(".throwaway.example").unwrap()],
        ..registrations::Rule::new("throw away", registrations::Verdict::Reject)
    });
    let hidden = house.apply("hidden", "x@hidden7.example");
    let mayor = house.apply("mayor", "mayor@nyc.gov");
    let silent = house.apply("silent", "x@silent.gov");
    house.tick().await;
    assert_eq!(
        (house.state(&hidden).await, house.state(&mayor).await),
        (State::Rejected, State::Approved)
    );
    let row = house.one(&silent).await;
    assert_eq!(row.state, State::Hold, "nobody says who takes its mail");
    assert!(row.why.contains("throw away"), "{}", row.why);
}

/// One applicant whom the server stumbles over keeps nobody from the others.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_cannot_be_asked_for_is_passed() {
    let house = House::build().await;
    let fan = house.apply("fan", "fan@gmail.com");
    let other = house.apply("another", "another@gmail.com");
    house.tick().await;
    let path = format!("/api/v1/admin/accounts/{fan}");
    house.fediverse.fault(None, &path, Fault::Html(500), None);
    for _ in 0..11 {
        house.tick().await;
    }
    assert_eq!(
        (house.state(&fan).await, house.state(&other).await),
        (State::Veto, State::Rejected)
    );
    house.fediverse.heal(None);
    house.tick().await;
    assert_eq!(house.state(&fan).await, State::Rejected);
}
