//! What rules do beyond a report, and its end.

use fake_fediverse::{Event, Fault};
use job::Mode;
use moderation::Allowed;
use store::{cases::State, effects, exemptions, reversals};

use crate::house::{CASINO, House};

const SILENCE: &str = r#"
[[rules]]
id = "casino"
name = "Casino spam"
action = "silence"
allow = ["silence"]
undo_after = "1h"
tell = "Advertising is not allowed here."
when = { keywords = ["casino"], in = ["content", "bio"] }
"#;

async fn house(rules: &str) -> House {
    let mut house = House::with_rules(rules).await;
    house.config.allow = vec![Allowed::Silence, Allowed::Warn, Allowed::Sensitive, Allowed::Suspend];
    house.fediverse.joins(None, "eve");
    house
}

/// Beyond a report nothing happens unless the config, the rule and the mode all say so.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_report_happens_unless_everybody_allows_it() {
    let mut one = house(SILENCE).await;
    one.config.allow.clear();
    one.spam("eve").await;
    assert_eq!(
        (one.filed().len(), one.fediverse.stands("eve")),
        (1, (false, false, false))
    );
    let one = house(&SILENCE.replace("allow = [\"silence\"]", "allow = []")).await;
    one.spam("eve").await;
    assert_eq!(one.fediverse.stands("eve"), (false, false, false));
    let mut one = house(SILENCE).await;
    one.config.mode = Mode::Observe;
    one.spam("eve").await;
    assert_eq!((one.writes(), one.fediverse.stands("eve")), (0, (false, false, false)));
}

/// Check 30.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_end_ends() {
    let mut house = house(SILENCE).await;
    house.spam("eve").await;
    assert_eq!((house.filed().len(), house.fediverse.stands("eve").0), (1, true));
    assert_eq!(house.case().await.state, State::Resolved);
    house.later(30);
    house.tick().await;
    assert!(house.fediverse.stands("eve").0, "too early");
    // Nothing ran when it was due. Observing takes nothing back, and forgets nothing.
    house.later(300);
    house.config.mode = Mode::Observe;
    house.tick().await;
    assert!(house.fediverse.stands("eve").0);
    assert_eq!(reversals::waiting(&house.store, 9).await.unwrap().len(), 1, "visibly");
    house.config.mode = Mode::Act;
    // The quota is used up, which holds nobody longer than it was meant to.
    house.config.quota = 1;
    house.fediverse.fault(None, "unsilence", Fault::Html(500), Some(1));
    house.tick().await;
    assert!(house.fediverse.stands("eve").0);
    assert_eq!(
        reversals::waiting(&house.store, 9).await.unwrap().len(),
        1,
        "it failed, and waits"
    );
    for _ in 0..10 {
        house.tick().await;
    }
    assert!(!house.fediverse.stands("eve").0);
    assert_eq!(reversals::waiting(&house.store, 9).await.unwrap().len(), 0);
    house.later(600);
    house.tick().await;
    let calls = house
        .fediverse
        .log()
        .0
        .iter()
        .filter(|call| call.path.ends_with("unsilence"))
        .count();
    assert_eq!(calls, 2, "once refused, once done");
}

/// Check 29.
#[tokio::test(flavor = "multi_thread")]
async fn reports_of_others_are_not_resolved_on_the_way() {
    let mut one = house(SILENCE).await;
    one.config.when_reported = moderation::WhenReported::File;
    one.fediverse.report("me", "eve", "I do not like this", &[]);
    one.spam("eve").await;
    assert!(!one.fediverse.stands("eve").0);
    assert!(one.filed().iter().all(|report| !report.resolved));
    assert!(one.case().await.why.contains("a person decides"));

    let mut one = house(&SILENCE.replace("undo_after", "may_resolve_reports = true\nundo_after")).await;
    one.config.when_reported = moderation::WhenReported::File;
    one.fediverse.report("me", "eve", "I do not like this", &[]);
    one.spam("eve").await;
    assert!(one.fediverse.stands("eve").0);
    assert!(one.filed().iter().all(|report| report.resolved));
}

/// Check 28.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_moderator_takes_back_stays_so() {
    let house = house(SILENCE).await;
    house.spam("eve").await;
    assert!(house.fediverse.stands("eve").0);
    house.later(10);
    house.fediverse.silence_account("eve", false);
    house.push(Event::AccountUpdated, "eve").await;
    let case = house.case().await;
    assert_eq!(case.verdict.as_deref(), Some("rejected"), "that was a false hit");
    house.later(10);
    house.spam("eve").await;
    assert!(
        !house.fediverse.stands("eve").0,
        "the same rule leaves this account alone"
    );
    assert_eq!(house.cases().await.len(), 1);
    assert_eq!(
        house.hits("casino").await[1].standing,
        "immune",
        "and what it saw is kept all the same"
    );
    house.later(31 * 24 * 60);
    house.spam("eve").await;
    assert!(house.fediverse.stands("eve").0, "not for ever");
}

/// Check 28, the part about reports.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_resolved_without_an_action_was_wrong_and_with_one_was_right() {
    let house = house(CASINO).await;
    house.fediverse.joins(None, "mallory");
    house.spam("eve").await;
    house.spam("mallory").await;
    let filed = house.filed();
    house.fediverse.resolve_report("mod", &filed[0].id);
    house.push(Event::ReportUpdated, &filed[0].id).await;
    house.fediverse.silence_account("mallory", true);
    house.fediverse.resolve_report("mod", &filed[1].id);
    // No webhook this time: it is asked for.
    house.later(7 * 60);
    house.tick().await;
    let cases = house.cases().await;
    assert_eq!(cases[0].verdict.as_deref(), Some("rejected"));
    assert_eq!(cases[1].verdict.as_deref(), Some("confirmed"));
    assert!(cases.iter().all(|case| case.state == State::Resolved));
    let spared = exemptions::list(&house.store, house.clock_now(), 9).await.unwrap();
    assert_eq!(
        spared
            .iter()
            .map(|one| (&*one.account_id, &*one.rule))
            .collect::<Vec<_>>(),
        [(&*cases[0].account_id, "casino")]
    );
    house.spam("eve").await;
    assert_eq!(house.filed().len(), 2);
}

/// An action is an effect like any other: told why, and never twice.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_tells_why_and_happens_once() {
    let house = house(SILENCE).await;
    house.spam("eve").await;
    house.spam("eve").await;
    house.tick().await;
    let all = effects::list(&house.store, None, Some(effects::State::Done), None, 100)
        .await
        .unwrap();
    let acted: Vec<_> = all.iter().filter(|effect| effect.kind == "account.silence").collect();
    assert_eq!(acted.len(), 1);
    assert!(
        acted[0].intent["text"]
            .as_str()
            .unwrap()
            .starts_with("Advertising is not allowed here.")
    );
    assert_eq!(acted[0].reason["rule"], "casino");
}

/// Every kind of action in a day of observing, pushed, polled and looked after: no request but reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_observing_writes_nothing() {
    let mut rules = String::new();
    for action in ["report", "warn", "sensitive", "silence", "suspend"] {
        rules += &SILENCE
            .replace("id = \"casino\"", &format!("id = \"{action}\""))
            .replace("Casino spam", action)
            .replace("\"silence\"", &format!("{action:?}"))
            .replace("\"casino\"]", &format!("\"casino\", \"{action}\"]"));
        if action == "report" {
            rules = rules.replace(
                "allow = [\"report\"]\nundo_after = \"1h\"\ntell = \"Advertising is not allowed here.\"\n",
                "",
            );
        }
    }
    let rules = rules.replacen(
        "id = \"warn\"\nname = \"warn\"\naction = \"warn\"\nallow = [\"warn\"]\nundo_after = \"1h\"",
        "id = \"warn\"\nname = \"warn\"\naction = \"warn\"\nallow = [\"warn\"]",
        1,
    );
    let mut house = house(&rules).await;
    house.config.mode = Mode::Observe;
    for hour in 0..24 {
        let name = format!("eve{hour}");
        house.fediverse.joins(None, &name);
        for word in ["warn", "sensitive", "silence", "suspend", "casino"] {
            let id = house.fediverse.says(&name, &format!("<p>{word} {hour}</p>"));
            assert!(house.deliver(Event::StatusCreated, &id).await);
        }
        house.inbox().await;
        if hour % 6 == 0 {
            house.run("moderation.accounts").await.unwrap();
        }
        for _ in 0..4 {
            house.later(14);
            house.tick().await;
        }
        if let Some(case) = house.cases().await.last() {
            let asked = store::cases::Asked::Approve;
            store::cases::ask(&house.store, &case.id, asked, "ada", "", house.clock_now())
                .await
                .unwrap();
        }
        house.run("moderation.tidy").await.unwrap();
    }
    assert!(house.cases().await.len() >= 24);
    assert!(!house.effects().await.is_empty());
    assert_eq!((house.writes(), house.filed().len()), (0, 0));
    assert!(
        house
            .effects()
            .await
            .iter()
            .all(|effect| effect.state == effects::State::Rehearsed)
    );
}

/// What a stop held is done soon after it, and lasts as long as it was meant to from then on.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_was_held_goes_on_soon_and_lasts_its_time() {
    let mut house = house(SILENCE).await;
    // The report is the last that may go today.
    house.config.quota = 1;
    house.spam("eve").await;
    assert_eq!((house.filed().len(), house.fediverse.stands("eve").0), (1, false));
    for _ in 0..5 {
        house.later(30);
        house.tick().await;
    }
    assert!(!house.fediverse.stands("eve").0);
    house.config.quota = 100;
    house.tick().await;
    assert!(house.fediverse.stands("eve").0, "not hours later");
    house.later(30);
    house.tick().await;
    assert!(house.fediverse.stands("eve").0, "the hour began when it was done");
    house.later(30);
    house.tick().await;
    assert!(!house.fediverse.stands("eve").0);
}

/// The end of an action is not lost with the first try of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_worked_the_second_time_ends_as_well() {
    let house = house(SILENCE).await;
    house.fediverse.fault(None, "/action", Fault::Html(500), Some(1));
    house.spam("eve").await;
    assert_eq!((house.filed().len(), house.fediverse.stands("eve").0), (1, false));
    // Nobody knows whether it happened, and then that it did not; its end has come meanwhile.
    house.later(70);
    house.tick().await;
    house.tick().await;
    assert!(house.fediverse.stands("eve").0);
    assert_eq!(reversals::waiting(&house.store, 9).await.unwrap().len(), 1);
    house.later(60);
    house.tick().await;
    assert!(!house.fediverse.stands("eve").0);
}
