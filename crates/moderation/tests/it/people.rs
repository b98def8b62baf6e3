//! What people say of cases, whom rules leave alone, and what others noticed.

use fake_fediverse::Event;
use store::{
    cases::{self, Asked, State},
    findings::{self, AccountFinding},
};

use crate::house::{CASINO, House};

impl House {
    async fn ask(&self, asked: Asked) {
        let case = self.case().await;
        assert!(
            cases::ask(&self.store, &case.id, asked, "ada", "because", self.clock_now())
                .await
                .unwrap()
        );
        self.tick().await;
    }
}

async fn reviewed() -> House {
    let mut house = House::with_rules(CASINO).await;
    house.config.review = true;
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    assert_eq!((house.case().await.state, house.filed().len()), (State::Open, 0));
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_approves() {
    let house = reviewed().await;
    house.ask(Asked::Approve).await;
    assert_eq!((house.case().await.state, house.filed().len()), (State::Reported, 1));
    let effect = &house.effects().await[0];
    assert_eq!(effect.reason["by"], "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_dismisses_and_the_rule_remembers() {
    let house = reviewed().await;
    house.ask(Asked::Dismiss).await;
    let case = house.case().await;
    assert_eq!(
        (case.state, case.verdict.as_deref(), case.ended_by.as_deref()),
        (State::Dismissed, Some("rejected"), Some("ada"))
    );
    house.spam("eve").await;
    assert_eq!(
        house.cases().await.len(),
        1,
        "the rule leaves this account alone for a while"
    );
    let lines = cases::lines(&house.store, &case.id).await.unwrap();
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(kinds, ["opened", "asked", "exempted", "ended"]);
    assert_eq!(lines[1].detail["note"], "because");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_escalates_and_exempts() {
    let house = reviewed().await;
    house.ask(Asked::Escalate).await;
    let case = house.case().await;
    assert_eq!((case.state, case.stopped.as_deref()), (State::Open, Some("escalated")));
    assert_eq!(house.notices("escalated").await.len(), 1);
    house.ask(Asked::Exempt).await;
    house.later(365 * 24 * 60);
    house.spam("eve").await;
    assert_eq!(
        (house.cases().await.len(), house.filed().len()),
        (1, 0),
        "for ever, and by all rules"
    );
    assert_eq!(house.hits("casino").await[1].standing, "immune");
}

/// Check 22.
#[tokio::test(flavor = "multi_thread")]
async fn staff_and_our_own_logins_are_left_alone() {
    let house = House::with_rules(&format!(
        "{CASINO}\n[exempt]\nstaff = true\ndomains = [\"friends.example\"]\n"
    ))
    .await;
    for name in ["admin", "mod"] {
        let id = house.fediverse.says(name, "<p>casino</p>");
        house.push(Event::StatusCreated, &id).await;
    }
    assert_eq!((house.cases().await.len(), house.writes()), (0, 0));
    let hits = house.hits("casino").await;
    assert_eq!(
        hits.iter().map(|hit| &*hit.standing).collect::<Vec<_>>(),
        ["exempt", "exempt"]
    );
    assert!(hits[0].evidence["spared"].as_str().unwrap().contains("own"), "{hits:?}");
    assert!(
        hits[1].evidence["spared"].as_str().unwrap().contains("staff"),
        "{hits:?}"
    );
    // A role's name lets nobody through.
    let id = house.fediverse.says("pretender", "<p>casino</p>");
    house.push(Event::StatusCreated, &id).await;
    assert_eq!(house.filed().len(), 1);
}

/// Check 22, the part about followed accounts.
#[tokio::test(flavor = "multi_thread")]
async fn whom_we_follow_is_left_alone_where_the_rules_say_so() {
    let house = House::with_rules(&format!("{CASINO}\n[exempt]\nfollowed = true\n")).await;
    let writer = house.fediverse.writer(0, 1, 1);
    house.fediverse.follow(&writer);
    for acct in [writer.acct.clone(), house.stranger("eve")] {
        let id = house.fediverse.says(&acct, "<p>casino</p>");
        house.push(Event::StatusCreated, &id).await;
    }
    let standings: Vec<String> = house.hits("casino").await.into_iter().map(|hit| hit.standing).collect();
    assert_eq!(
        (standings, house.filed().len()),
        (vec!["exempt".to_owned(), "live".to_owned()], 1)
    );
}

/// What metering noticed is for a person to look at.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_noticed_becomes_a_case_for_people() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    let finding = |id: &str| AccountFinding {
        id: id.into(),
        feature: "metering".into(),
        server: house.server(),
        account_id: String::new(),
        acct: "eve".into(),
        kind: "spike".into(),
        text: "followed 5,000 accounts in an hour".into(),
        at: house.clock_now(),
    };
    assert!(findings::tell_account(&house.store, &finding("1")).await.unwrap());
    assert!(
        !findings::tell_account(&house.store, &finding("2")).await.unwrap(),
        "told once"
    );
    house.tick().await;
    house.tick().await;
    let case = house.case().await;
    assert_eq!(
        (case.state, case.stopped.as_deref(), house.writes()),
        (State::Open, Some("finding"), 0)
    );
    assert!(case.why.contains("5,000"));
    house.ask(Asked::Approve).await;
    assert!(house.filed()[0].comment.contains(&case.reference));
}

/// Several bad accounts of one domain are worth a thought of a block.
#[tokio::test(flavor = "multi_thread")]
async fn a_domain_with_many_cases_is_suggested_once() {
    let house = House::with_rules(CASINO).await;
    for n in 0..3 {
        let acct = house.stranger(&format!("eve{n}"));
        house.spam(&acct).await;
    }
    for _ in 0..2 {
        house.run("moderation.tidy").await.unwrap();
    }
    let found = findings::domains(&house.store, Some("open"), 9).await.unwrap();
    assert_eq!((found.len(), found[0].accounts), (1, 3));
    assert_eq!(house.notices("domain").await.len(), 1);
}

/// What was seen and what was written is forgotten in its time; that something was decided stays.
#[tokio::test(flavor = "multi_thread")]
async fn words_are_forgotten_and_deeds_are_not() {
    let house = House::with_rules(CASINO).await;
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    house.later(31 * 24 * 60);
    house.run("moderation.tidy").await.unwrap();
    assert_eq!(store::seen::counts(&house.store).await.unwrap(), (0, 0));
    assert_eq!(house.hits("casino").await[0].evidence["matched"], "casino");
    house.later(60 * 24 * 60);
    house.run("moderation.tidy").await.unwrap();
    assert_eq!(house.hits("casino").await[0].evidence, serde_json::json!({}));
    assert_eq!(house.cases().await.len(), 1);
    assert!(!cases::lines_since(&house.store, "", 99).await.unwrap().is_empty());
}

/// A server that does not say whose a login is for a moment makes nobody of ours a stranger.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_logins_stay_our_own_while_nobody_says_so() {
    let house = House::with_rules(&format!("{CASINO}\n[exempt]\nstaff = false\n")).await;
    let inbox = house.job(moderation::INBOX);
    let says = async |text: &str| {
        let id = house.fediverse.says("admin", text);
        assert!(house.deliver(Event::StatusCreated, &id).await);
        Box::pin(inbox.run(&house.cx())).await.unwrap();
    };
    says("<p>casino</p>").await;
    house.later(11);
    house
        .fediverse
        .fault(None, "verify_credentials", fake_fediverse::Fault::Html(500), None);
    says("<p>casino again</p>").await;
    assert_eq!((house.cases().await.len(), house.writes()), (0, 0));
}
