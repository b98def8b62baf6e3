//! Rules in versions, and how far each is trusted.

use chrono::TimeDelta;
use fake_fediverse::Event;
use moderation::{BookError, Edit};
use rules::State;
use store::{cases, rulesets};

use crate::house::{CASINO, House};

fn edit(text: &str, after: i64) -> Edit {
    Edit {
        name: "test.toml".into(),
        text: Some(text.into()),
        note: "a change".into(),
        by: "ada".into(),
        after,
    }
}

/// Checks 10 and 20, the part that is not the engine's.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_none_change_nothing() {
    let house = House::with_rules(CASINO).await;
    let now = house.clock_now();
    for bad in [
        CASINO.replace("keywords = [\"casino\"]", "regex = \"(\""),
        CASINO.replace("keywords = [\"casino\"]", "keywords = [\"\"]"),
        format!("{CASINO}{CASINO}"),
        "not toml".to_owned(),
    ] {
        let refused = moderation::edit(&house.store, edit(&bad, 1), now).await.unwrap_err();
        assert!(matches!(refused, BookError::Problems(_)), "{refused}");
    }
    let late = moderation::edit(&house.store, edit("", 0), now).await.unwrap_err();
    assert!(matches!(late, BookError::Changed));
    assert_eq!(rulesets::stamp(&house.store).await.unwrap().0, 1);
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    assert_eq!(house.filed().len(), 1, "the rules in place go on");
}

/// Check 19.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_rule_is_in_shadow_and_goes_live_only_when_it_was_tried() {
    let house = House::with_rules("").await;
    let now = house.clock_now();
    let text = CASINO.replace("weight", "state = \"live\"\nweight");
    moderation::edit(
        &house.store,
        edit(&text, rulesets::stamp(&house.store).await.unwrap().0),
        now,
    )
    .await
    .unwrap();
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    assert!(house.cases().await.is_empty(), "whatever a file says of itself");
    assert_eq!(house.hits("casino").await[0].standing, "shadow");
    let live = async |why: &str| {
        moderation::stand(&house.store, true, "casino", State::Live, "ada", why, house.clock_now()).await
    };
    assert!(matches!(live("").await, Err(BookError::Untried(_))));
    let overridden = live("we need it now").await.unwrap();
    assert_eq!(
        (overridden.why.as_str(), overridden.backtest),
        ("without a backtest: we need it now", None)
    );
    house.fediverse.joins(None, "mallory");
    house.spam("mallory").await;
    assert_eq!(house.filed().len(), 1);
    let lines = cases::lines_since(&house.store, "", 1000).await.unwrap();
    let told = lines.iter().find(|line| line.kind == "standing").unwrap();
    assert_eq!(
        (told.detail["override"].as_bool(), &*told.by),
        (Some(true), "ada"),
        "on the record"
    );

    // Another text is another rule.
    let version = rulesets::stamp(&house.store).await.unwrap().0;
    moderation::edit(
        &house.store,
        edit(&text.replace("casino\"]", "casino\", \"poker\"]"), version),
        now,
    )
    .await
    .unwrap();
    house.fediverse.joins(None, "carol");
    house.spam("carol").await;
    assert_eq!(house.filed().len(), 1, "in shadow again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_says_what_a_rule_would_have_done_and_lets_it_go_live() {
    let house = House::with_rules("").await;
    for n in 0..10 {
        house.fediverse.joins(None, &format!("eve{n}"));
        let text = if n % 2 == 0 {
            "<p>the casino of the day</p>"
        } else {
            "<p>good morning</p>"
        };
        let id = house.fediverse.says(&format!("eve{n}"), text);
        house.push(Event::StatusCreated, &id).await;
    }
    let version = rulesets::stamp(&house.store).await.unwrap().0;
    moderation::edit(&house.store, edit(CASINO, version), house.clock_now())
        .await
        .unwrap();
    let id = moderation::ask_backtest(
        &house.store,
        None,
        house.clock_now() - TimeDelta::days(7),
        "ada",
        house.clock_now(),
    )
    .await
    .unwrap();
    house.run(moderation::BACKTESTS).await.unwrap();
    let done = rulesets::backtest(&house.store, &id).await.unwrap().unwrap();
    assert_eq!(done.state, "done", "{done:?}");
    let replay: rules::Backtested = serde_json::from_value(done.result.unwrap()).unwrap();
    assert_eq!(
        (replay.statuses, replay.rules[0].hits, replay.rules[0].accounts),
        (10, 5, 5)
    );
    assert_eq!(replay.rules[0].samples.len(), 5);
    assert!(
        house.cases().await.is_empty() && house.writes() == 0,
        "it was only tried"
    );
    let standing = moderation::stand(&house.store, true, "casino", State::Live, "ada", "", house.clock_now())
        .await
        .unwrap();
    assert_eq!(standing.backtest, Some(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_taken_in_and_a_rollback_brings_back_what_was() {
    let mut house = House::with_rules("").await;
    let folder = tempfile::tempdir().unwrap();
    house.config.rules = Some(folder.path().to_owned());
    std::fs::write(folder.path().join("spam.toml"), CASINO).unwrap();
    house.fediverse.joins(None, "eve");
    house.spam("eve").await;
    let first = rulesets::newest(&house.store).await.unwrap().unwrap();
    assert_eq!((&*first.by, first.rules.contains("casino")), ("files", true));
    std::fs::write(folder.path().join("spam.toml"), "no [[ toml").unwrap();
    house.spam("eve").await;
    assert_eq!(
        rulesets::newest(&house.store).await.unwrap().unwrap().version,
        first.version
    );
    assert_eq!(house.notices("rules").await.len(), 1);
    assert_eq!(house.hits("casino").await.len(), 2, "the old ones go on");
    std::fs::write(folder.path().join("spam.toml"), CASINO.replace("casino\"]", "poker\"]")).unwrap();
    house.spam("eve").await;
    assert_eq!(house.hits("casino").await.len(), 2);
    let back = moderation::rollback(&house.store, first.version, "ada", house.clock_now())
        .await
        .unwrap();
    assert_eq!(back, first.version + 2);
    house.spam("eve").await;
    assert_eq!(
        house.hits("casino").await.len(),
        3,
        "until the folder changes the next time"
    );
}

/// Rules ask a subscribed list as it is now, and not as it was when they were made ready.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_read_anew_is_in_the_rules_at_once() {
    let rule = "[[rules]]\nid = \"listed\"\nweight = 1.0\nwhen = { domain_sets = [\"bad\"] }\n";
    let (store, _folder) = store::testing::sqlite().await;
    let list = async |domain: &str| {
        let now = model::Clock::now(&model::SystemClock);
        let source = store::block_sources::Source {
            name: "bad".into(),
            body: Some(format!("domain,severity\n{domain},suspend\n")),
            pending: None,
            sha256: domain.into(),
            row_count: 1,
            bad_count: 0,
            etag: None,
            modified: None,
            trouble: None,
            held: None,
            failures: 0,
            checked_at: now,
            good_at: Some(now),
            changed_at: Some(now),
            cursor: None,
            whole_at: None,
            place: None,
        };
        store::block_sources::save(&store, &source, None).await.unwrap();
    };
    list("one.example").await;
    let house = House::on(store.clone(), rule).await;
    let inbox = house.job(moderation::INBOX);
    for name in ["eve", "mallory"] {
        house.fediverse.joins(None, name);
    }
    let links = async |name: &str| {
        let html = "<p>see <a href=\"https://www.two.example/x\">this</a></p>";
        let id = house.fediverse.says(name, html);
        assert!(house.deliver(Event::StatusCreated, &id).await);
        Box::pin(inbox.run(&house.cx())).await.unwrap();
        house.filed().len()
    };
    assert_eq!(links("eve").await, 0);
    list("two.example").await;
    assert_eq!(links("mallory").await, 1);
}

/// A live rule with which people disagree goes back to shadow by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_wrong_too_often_goes_back_to_shadow() {
    let house = House::with_rules(CASINO).await;
    for n in 0..20 {
        let name = format!("eve{n}");
        house.fediverse.joins(None, &name);
        house.spam(&name).await;
        let report = house.filed().last().unwrap().id.clone();
        if n < 8 {
            house.fediverse.silence_account(&name, true);
        }
        house.fediverse.resolve_report("mod", &report);
        house.push(Event::ReportUpdated, &report).await;
        if n == 18 {
            house.run("moderation.tidy").await.unwrap();
            assert!(
                house.notices("demoted").await.is_empty(),
                "nineteen verdicts are too few"
            );
        }
    }
    house.run("moderation.tidy").await.unwrap();
    assert_eq!(house.notices("demoted").await.len(), 1);
    house.fediverse.joins(None, "late");
    house.spam("late").await;
    assert_eq!(
        (house.filed().len(), &*house.hits("casino").await[20].standing),
        (20, "shadow")
    );
}

/// By rules that cannot be used any more, an older Egret's say, nobody is judged: what comes meanwhile waits for good ones.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_rules_cannot_be_used_waits_for_them() {
    let house = House::with_rules(CASINO).await;
    let newest = rulesets::newest(&house.store).await.unwrap().unwrap();
    let odd = rulesets::StoredRuleset {
        version: newest.version + 1,
        digest: "odd".into(),
        rules: newest.rules.replace("keywords", "key_words"),
        ..newest.clone()
    };
    let line = cases::Line::new(None, "rules", "ada", serde_json::json!({}), house.clock_now());
    let saved = rulesets::save(&house.store, newest.version, &odd, &line).await.unwrap();
    assert_eq!(saved, Some(odd.version));
    house.fediverse.joins(None, "eve");
    let id = house.fediverse.says("eve", "<p>casino</p>");
    assert!(house.deliver(Event::StatusCreated, &id).await);
    for job in [moderation::INBOX, "moderation.accounts"] {
        let refused = house.run(job).await.unwrap_err();
        assert!(format!("{refused:?}").contains("cannot be used"), "{refused:?}");
    }
    assert_eq!(house.notices("rules").await.len(), 1);
    house.tick().await;
    house.write(CASINO).await;
    house.inbox().await;
    assert_eq!(house.filed().len(), 1);
}
