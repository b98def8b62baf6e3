//! What people ask, what is looked at again, and what is forgotten.

use chrono::TimeDelta;
use model::Clock as _;
use registrations::Record;
use store::applicants::{self, Asked, State};

use crate::house::House;

impl House {
    async fn ask(&self, id: &str, asked: Asked) {
        assert!(
            applicants::ask(&self.store, &self.server(), id, asked, "ada", self.clock.now())
                .await
                .unwrap()
        );
    }
}

/// Check 51, the part about the veto.
#[tokio::test(flavor = "multi_thread")]
async fn a_veto_stops_a_rejection() {
    let house = House::build().await;
    let (vetoed, not) = (house.apply("vetoed", "a@gmail.com"), house.apply("not", "b@gmail.com"));
    house.tick().await;
    house.later(5);
    house.ask(&vetoed, Asked::Hold).await;
    for _ in 0..15 {
        house.tick().await;
    }
    assert_eq!(
        (house.state(&vetoed).await, house.state(&not).await),
        (State::Hold, State::Rejected)
    );
    assert_eq!(house.calls("reject"), [200]);
    assert!(house.fediverse.user("vetoed").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_outweighs_the_rules_and_is_named() {
    let house = House::build().await;
    let ids = [
        house.apply("in", "a@elsewhere.example"),
        house.apply("out", "b@nyc.gov.example"),
        house.apply_unconfirmed("later", "c@elsewhere.example"),
    ];
    house.tick().await;
    house.ask(&ids[0], Asked::Approve).await;
    house.ask(&ids[1], Asked::Reject).await;
    house.ask(&ids[2], Asked::Approve).await;
    house.tick().await;
    assert_eq!(house.state(&ids[0]).await, State::Approved);
    assert_eq!(house.state(&ids[1]).await, State::Rejected);
    assert_eq!(
        house.state(&ids[2]).await,
        State::Waiting,
        "not before the address is confirmed"
    );
    house.fediverse.confirm("later");
    house.tick().await;
    for id in &ids {
        let row = house.one(id).await;
        assert_eq!((row.ended_by.as_deref(), row.asked), (Some("ada"), None));
    }
    let effects = store::effects::list(&house.store, None, None, None, 10).await.unwrap();
    assert!(effects.iter().all(|effect| effect.reason["by"] == "ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lets_in_whom_they_saw() {
    let house = House::build().await;
    let id = house.apply("x", "x@elsewhere.example");
    house.tick().await;
    house.ask(&id, Asked::Approve).await;
    house.fediverse.change_email("x", "x@evil.example");
    house.tick().await;
    let row = house.one(&id).await;
    assert_eq!(
        (row.state, row.stopped.as_deref(), row.asked),
        (State::Hold, Some("changed"), None)
    );
    assert_eq!(house.writes(), 0);
    house.ask(&id, Asked::Judge).await;
    house.tick().await;
    let row = house.one(&id).await;
    assert_eq!(
        (row.state, row.stopped),
        (State::Hold, None),
        "judged anew: no rule fits"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_approval_the_address_is_looked_at_again() {
    let house = House::build().await;
    let (good, bad) = (house.apply("good", "a@nyc.gov"), house.apply("bad", "b@nyc.gov"));
    house.tick().await;
    house.fediverse.change_email("good", "a2@council.gov.uk");
    house.later(61);
    house.run().await.unwrap();
    assert_eq!(house.one(&good).await.flag, None, "still within the rules");
    house.fediverse.change_email("bad", "b@evil.example");
    house.later(24 * 60);
    house.run().await.unwrap();
    let row = house.one(&bad).await;
    assert!(row.flag.as_deref().unwrap().contains("changed"), "{:?}", row.flag);
    assert_eq!((row.state, row.look_at), (State::Approved, None));
    assert_eq!(house.notices("changed").await.len(), 1);
    house.later(8 * 24 * 60);
    house.run().await.unwrap();
    house.run().await.unwrap();
    assert_eq!(
        (house.one(&good).await.looks, house.one(&good).await.look_at),
        (3, None),
        "after an hour, a day, a week"
    );
    assert_eq!(house.calls("approve").len(), 2);
}

/// Check 51, the part about the record.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_rejection_is_kept_and_expires() {
    for record in [Record::Clear, Record::Hashed] {
        let mut house = House::build().await;
        house.config.record = record;
        let id = house.apply("fan", "Fan+1@gmail.com");
        for _ in 0..13 {
            house.tick().await;
        }
        let row = house.one(&id).await;
        assert_eq!((row.state, row.email_hash.len()), (State::Rejected, 64));
        let clear = (record == Record::Clear).then(|| "fan+1@gmail.com".to_owned());
        assert_eq!(row.email, clear);
        // Whoever comes again is recognised, dots and tags or not.
        let again = house.apply("again", "f.an@gmail.com");
        house.tick().await;
        assert_eq!(house.one(&again).await.facts["rejected_before"], true);

        house.clock.advance(TimeDelta::days(89));
        house.job("registrations.digest").run(&house.cx()).await.unwrap();
        assert_eq!(house.one(&id).await.email_hash.len(), 64);
        house.clock.advance(TimeDelta::days(2));
        house.job("registrations.digest").run(&house.cx()).await.unwrap();
        let row = house.one(&id).await;
        assert_eq!((row.email, &*row.email_hash, &*row.username), (None, "", ""));
        assert_eq!(row.rule.as_deref(), Some("free mail"), "what was decided stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_says_who_waits() {
    let house = House::build().await;
    house.apply("mayor", "mayor@nyc.gov");
    house.apply("other", "a@elsewhere.example");
    house.tick().await;
    house.job("registrations.digest").run(&house.cx()).await.unwrap();
    let told = house.notices("digest").await;
    assert!(
        told[0].contains("1 let in") && told[0].contains("1 wait for a person"),
        "{told:?}"
    );
    house.clock.advance(TimeDelta::days(4));
    house.job("registrations.digest").run(&house.cx()).await.unwrap();
    let told = house.notices("digest").await;
    assert!(told[0].contains("since before"), "{told:?}");
}
