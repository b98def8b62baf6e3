//! What a server pushes: seen, judged once, and kept without anybody's address.

use fake_fediverse::Event;
use store::{cases::State, seen, webhook_events};

use crate::house::{CASINO, House};

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_rules_find_is_reported_with_everything_a_moderator_needs() {
    let house = House::with_rules(CASINO).await;
    let eve = house.fediverse.joins(None, "eve");
    let id = house.fediverse.says("eve", "<p>Best <b>cas</b>ino in town</p>");
    house.push(Event::StatusCreated, &id).await;
    let case = house.case().await;
    assert_eq!(
        (case.state, &*case.account_id, &*case.acct),
        (State::Reported, &*eve, "eve")
    );
    let filed = house.filed();
    assert_eq!(filed.len(), 1);
    assert_eq!(
        (&*filed[0].target, &*filed[0].category, filed[0].forwarded),
        ("eve", "spam", false)
    );
    assert_eq!(filed[0].statuses, [id]);
    for part in [
        "“Casino spam”",
        "casino",
        &format!("https://egret.example/moderation/cases/{}", case.id),
        &format!("Ref: {}", case.reference),
    ] {
        assert!(filed[0].comment.contains(part), "{part} in {}", filed[0].comment);
    }
    assert_eq!(case.report_id.as_deref(), Some(&*filed[0].id));
    let hit = &house.hits("casino").await[0];
    assert_eq!(
        hit.evidence["original"], "cas</b>ino",
        "what was written, not what it was read as"
    );
    assert_eq!(hit.case_id.as_deref(), Some(&*case.id));
}

/// Check 5.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_judged_once_however_often_they_come() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    let id = house.fediverse.says("eve", "<p>casino</p>");
    let body = house.fediverse.webhook_body(Event::StatusCreated, &id);
    let mut judged = 0;
    for n in 0..17 {
        // Also after a day, and each time a process that has just started.
        assert_eq!(house.deliver_body("status.created", &body, "digest").await, n == 0);
        judged += house.inbox().await.get("judged");
        house.later(90);
    }
    assert_eq!((judged, house.filed().len()), (1, 1));
}

/// Check 6.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_judged_again_and_an_older_text_is_not() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    let id = house.fediverse.says("eve", "<p>good morning</p>");
    let old = house.fediverse.webhook_body(Event::StatusCreated, &id);
    house.push(Event::StatusCreated, &id).await;
    assert!(house.cases().await.is_empty());
    house.fediverse.rewrites(&id, "<p>good morning, casino</p>");
    house.push(Event::StatusUpdated, &id).await;
    assert_eq!(house.filed().len(), 1);
    let again = house.push(Event::StatusUpdated, &id).await;
    assert_eq!((again.get("judged"), again.get("known")), (0, 1), "nothing is new");
    assert!(house.deliver_body("status.created", &old, "late").await);
    assert_eq!(house.inbox().await.get("judged"), 0, "late, and of the time before");
    house.fediverse.rewrites(&id, "<p>good morning, casino casino</p>");
    let third = house.push(Event::StatusUpdated, &id).await;
    assert_eq!(third.get("judged"), 1);
    assert_eq!(house.filed().len(), 1, "more evidence, no second report");
    assert_eq!(house.hits("casino").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_profile_is_judged_again() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    house.push(Event::AccountCreated, "eve").await;
    assert!(house.cases().await.is_empty());
    house.fediverse.presents("eve", "<p>The c&#97;sino you dreamt of</p>");
    house.push(Event::AccountUpdated, "eve").await;
    let filed = house.filed();
    assert_eq!((filed.len(), filed[0].statuses.len()), (1, 0));
    let same = house.push(Event::AccountUpdated, "eve").await;
    assert_eq!((same.get("judged"), same.get("known")), (0, 1));
}

/// Check 7, the part about objects: what cannot be read is told, and costs nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_and_stops_nothing() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    for (n, body) in [
        "{}",
        r#"{"object":null}"#,
        r#"{"object":{"id":"7"}}"#,
        r#"{"object":{"id":"7","account":[1,2]}}"#,
        r#"{"object":"a text"}"#,
        "no JSON",
    ]
    .iter()
    .enumerate()
    {
        assert!(house.deliver_body("status.created", body, &n.to_string()).await);
    }
    let id = house.fediverse.says("eve", "<p>casino</p>");
    house.push(Event::StatusCreated, &id).await;
    assert_eq!(house.filed().len(), 1);
    let letters = webhook_events::letters(&house.store, 10).await.unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].why.contains("template"));
    assert_eq!(webhook_events::waiting(&house.store).await.unwrap(), []);
}

/// Check 9.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_somebody_is_judged_and_our_own_is_not() {
    let house = House::with_rules(CASINO).await;
    let stranger = house.stranger("mallory");
    let first = house.fediverse.says(&stranger, "<p>Hello</p>");
    let second = house.fediverse.says(&stranger, "<p>Come to my casino</p>");
    let uri = |id: &str| {
        let body = house.fediverse.webhook_body(Event::StatusCreated, id);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["object"]["uri"].as_str().unwrap().to_owned()
    };
    let report = house
        .fediverse
        .report("me", &stranger, "spam", &[&uri(&first), &uri(&second)]);
    house.push(Event::ReportCreated, &report).await;
    let hits = house.hits("casino").await;
    assert_eq!(
        (hits.len(), &*hits[0].status_id),
        (1, &*second),
        "all listed statuses were looked at"
    );
    let own = house.fediverse.report("admin", &stranger, "ours", &[&uri(&second)]);
    let summary = house.push(Event::ReportCreated, &own).await;
    assert_eq!((summary.get("judged"), summary.get("known")), (0, 0), "no feedback");
}

/// Check 18, the part that is not the engine's: private words are neither judged nor kept, boosts are not either, and an
/// unlisted status is.
#[tokio::test(flavor = "multi_thread")]
async fn private_words_leave_no_trace() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    let now = model::Clock::now(&model::SystemClock);
    for visibility in ["private", "direct"] {
        let id = house
            .fediverse
            .says_to("eve", "<p>our casino secret</p>", visibility, now);
        house.push(Event::StatusCreated, &id).await;
    }
    assert!(house.cases().await.is_empty());
    assert_eq!(seen::counts(&house.store).await.unwrap(), (1, 0));
    let id = house.fediverse.says_to("eve", "<p>casino for all</p>", "unlisted", now);
    house.push(Event::StatusCreated, &id).await;
    assert_eq!(house.filed().len(), 1);
}

/// What moderators see of somebody (addresses, where they came from) is not kept anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_kept() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.apply(&fake_fediverse::Applicant {
        reason: Some("casino".into()),
        ..fake_fediverse::Applicant::new("carol", "carol.secret@mail.example")
    });
    house.fediverse.presents("carol", "<p>casino</p>");
    house.push(Event::AccountCreated, "carol").await;
    assert_eq!(house.hits("casino").await.len(), 1);
    let seen = seen::all_accounts(&house.store, ("", ""), 10).await.unwrap();
    let mut kept = format!("{seen:?} {:?} {:?}", house.hits("casino").await, house.cases().await);
    kept += &format!("{:?}", house.effects().await);
    assert!(!kept.contains("mail.example") && !kept.contains("198.51.100"), "{kept}");
    let claimed = webhook_events::waiting(&house.store).await.unwrap();
    assert_eq!(claimed, [], "the note itself was emptied");
}

/// Check 21, from outside: each judgement names one version, also while rules change.
#[tokio::test(flavor = "multi_thread")]
async fn a_judgement_names_the_version_that_made_it() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    house
        .write(&CASINO.replace("\"casino\"]", "\"casino\", \"roulette\"]"))
        .await;
    let id = house.fediverse.says("eve", "<p>roulette</p>");
    house.push(Event::StatusCreated, &id).await;
    let versions: Vec<i64> = house.hits("casino").await.iter().map(|hit| hit.ruleset).collect();
    assert_eq!(versions, [1, 2]);
    assert_eq!(house.filed().len(), 1, "a rule edit makes no second report");
}
