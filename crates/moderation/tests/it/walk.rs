//! Accounts that nobody told of: found by walking through the server's lists, from where the last run stopped.

use std::time::Duration;

use store::seen;

use crate::house::{CASINO, House};

/// Check 35.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_on_where_it_was_and_skips_nobody() {
    let house = House::with_rules(CASINO).await;
    // Two who join in one moment may get one id, as chance has it.
    let ids: std::collections::HashSet<String> = (0..550)
        .map(|n| house.fediverse.joins(Some(0), &format!("remote{n}")))
        .collect();
    let asked = |house: &House| {
        let log = house.fediverse.log().0;
        log.into_iter()
            .filter(|call| call.path == "/api/v2/admin/accounts" && call.query.iter().any(|(_, v)| v == "remote"))
            .count()
    };
    // The process dies after the second page of remote accounts.
    let dies = async {
        while asked(&house) < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        () = dies => {}
        _ = house.run("moderation.accounts") => panic!("it was to die"),
    }
    let before = asked(&house);
    house.later(1);
    house.run("moderation.accounts").await.unwrap();
    assert!(asked(&house) - before <= 3, "what was read is not read again");
    let known = seen::all_accounts(&house.store, ("", ""), 5000).await.unwrap();
    let remote = known.iter().filter(|row| row.acct.starts_with("remote")).count();
    assert_eq!(remote, ids.len(), "nobody is skipped");
    house.fediverse.clear_log();
    house.later(1);
    house.run("moderation.accounts").await.unwrap();
    let log = house.fediverse.log().0;
    let with_cursor = log
        .iter()
        .filter(|call| call.query.iter().any(|(key, _)| key == "max_id"))
        .count();
    assert!(with_cursor <= 4, "the paging budget is kept: {with_cursor}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_wrote_lately_is_looked_at_and_only_once() {
    let house = House::with_rules(CASINO).await;
    let acct = house.stranger("eve");
    let id = house.fediverse.says(&acct, "<p>casino</p>");
    house.run("moderation.accounts").await.unwrap();
    let filed = house.filed();
    let eve = house.case().await.account_id;
    assert_eq!((filed.len(), &filed[0].statuses), (1, &vec![id]));
    house.fediverse.clear_log();
    house.later(5);
    house.run("moderation.accounts").await.unwrap();
    let asked = house
        .fediverse
        .log()
        .0
        .iter()
        .filter(|call| call.path == format!("/api/v1/accounts/{eve}/statuses"))
        .count();
    assert_eq!(asked, 0, "nobody wrote anything since");
}

/// Webhooks tell of local statuses alone: the stream brings those of others, and the timeline what it missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_brings_what_others_write_and_what_was_missed() {
    let mut house = House::with_rules(CASINO).await;
    house.config.stream.enabled = true;
    let acct = house.stranger("eve");
    house.fediverse.says(&acct, "<p>hello</p>");
    let listen = async |filed: usize, says: Option<&str>| {
        let told = async {
            while house.fediverse.open_streams() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if let Some(says) = says {
                // Not before the timeline was read, or it would be found there.
                tokio::time::sleep(Duration::from_millis(100)).await;
                house.fediverse.says(&acct, says);
            }
            while house.filed().len() < filed {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = told => {}
            ended = house.run("moderation.stream") => panic!("{ended:?}"),
            () = tokio::time::sleep(Duration::from_secs(20)) => panic!("nothing came"),
        }
        house.fediverse.cut_streams();
    };
    listen(1, Some("<p>casino one</p>")).await;
    // While nobody listens.
    let other = house.stranger("mallory");
    house.fediverse.says(&other, "<p>casino two</p>");
    listen(2, None).await;
}

/// One account that the server stumbles over keeps nobody from the others.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_looked_at_is_passed() {
    let house = House::with_rules(CASINO).await;
    for name in ["eve", "mallory"] {
        let acct = house.stranger(name);
        house.fediverse.says(&acct, "<p>casino</p>");
    }
    house
        .fediverse
        .fault(None, "/statuses", fake_fediverse::Fault::Html(500), Some(1));
    let summary = house.run("moderation.accounts").await.unwrap();
    assert_eq!(summary.get("unread"), 1);
    house.later(1);
    house.run("moderation.accounts").await.unwrap();
    assert_eq!(house.filed().len(), 2, "it is looked at the next time");
}

/// Whoever wrote something while nobody could be looked at any more is looked at later, whatever else changed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_forgotten_when_there_are_too_many_to_look_at() {
    let mut house = House::with_rules(CASINO).await;
    let acct = house.stranger("eve");
    house.fediverse.says(&acct, "<p>hello</p>");
    house.run("moderation.accounts").await.unwrap();
    house.later(61);
    house.fediverse.says(&acct, "<p>casino</p>");
    house.config.accounts.looks = 0;
    // Another version of the rules: everybody is judged, and their counts are written down.
    house.write(&format!("{CASINO}\n# later\n")).await;
    house.run("moderation.accounts").await.unwrap();
    assert!(house.filed().is_empty());
    house.config.accounts.looks = 40;
    house.later(1);
    house.run("moderation.accounts").await.unwrap();
    assert_eq!(house.filed().len(), 1);
}
