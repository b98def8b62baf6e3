//! Who knows whom: strangers and acquaintances of those who are named.

use fake_fediverse::Event;
use serde_json::{Value, json};

use crate::house::House;

/// A stranger who writes of money.
const STRANGER: &str = r#"
[[rules]]
id = "stranger"
weight = 1.0
when = [{ is = "mentions_stranger" }, { keywords = ["money"] }]
"#;

impl House {
    /// Somebody writes this to these, and home tells of it.
    async fn writes_to(&self, acct: &str, text: &str, to: &[&str], hides: bool) {
        let id = self.fediverse.says(acct, &format!("<p>{text}</p>"));
        let mut body: Value = serde_json::from_str(&self.fediverse.webhook_body(Event::StatusCreated, &id)).unwrap();
        body["object"]["mentions"] = to
            .iter()
            .map(|to| json!({ "id": "1", "acct": to, "username": to, "url": "" }))
            .collect();
        body["object"]["account"]["hide_collections"] = hides.into();
        assert!(self.deliver_body("status.created", &body.to_string(), &id).await);
        self.inbox().await;
    }

    /// How often it was asked who follows somebody.
    fn asked_who_follows(&self) -> usize {
        let log = self.fediverse.log().0;
        log.iter().filter(|call| call.path.ends_with("/followers")).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_named_knows_is_a_stranger() {
    let house = House::with_rules(STRANGER).await;
    let eve = house.stranger("eve");
    house.writes_to(&eve, "good morning", &["me"], false).await;
    house.writes_to(&eve, "money for nobody", &[], false).await;
    assert_eq!(
        (house.filed().len(), house.asked_who_follows()),
        (0, 0),
        "no rule depends on it"
    );
    house.writes_to(&eve, "money for you", &["me"], false).await;
    assert_eq!((house.filed().len(), house.asked_who_follows()), (1, 1));
    let kept = store::seen::past(&house.store, chrono::DateTime::UNIX_EPOCH, None, 99)
        .await
        .unwrap();
    let told = kept
        .iter()
        .filter(|row| row.facts["mentions"][0]["knows_author"] == json!(false));
    assert_eq!(told.count(), 1, "it is kept, for trying rules");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_written_to_is_no_stranger() {
    let house = House::with_rules(STRANGER).await;
    let eve = house.stranger("eve");
    house.fediverse.joins(None, "ada");
    house.writes_to("ada", "hello there", &[&eve], false).await;
    house.writes_to(&eve, "money for you", &["Ada"], false).await;
    assert_eq!((house.filed().len(), house.asked_who_follows()), (0, 0));
    // Each of several: of one nobody knows more than that.
    house.writes_to(&eve, "money for you all", &["ada", "me"], false).await;
    assert_eq!((house.filed().len(), house.asked_who_follows()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_followed_is_no_stranger_and_who_hides_that_is_not_judged() {
    let house = House::with_rules(STRANGER).await;
    let known = house.fediverse.writer(0, 0, 0);
    house.fediverse.follow(&known);
    house.writes_to(&known.acct, "money for you", &["me"], false).await;
    assert_eq!((house.filed().len(), house.asked_who_follows()), (0, 1));
    let hidden = house.stranger("eve");
    house.writes_to(&hidden, "money for you", &["me"], true).await;
    assert_eq!(house.filed().len(), 0, "nobody knows, which is neither");
    // Of people of other servers nobody knows either.
    house
        .writes_to(&hidden, "money for you too", &["bob@far.example"], false)
        .await;
    assert_eq!(house.filed().len(), 0);
}
