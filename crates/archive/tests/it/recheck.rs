//! Edits, deletions, and what was taken back.

use chrono::TimeDelta;
use fake_fediverse::Fault;
use model::Clock;
use serde_json::{Value, json};
use store::archive;

use crate::house::House;

/// Check 33.
#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_kept() {
    let house = House::build().await;
    let picture = |n: u32| json!({"media_attachments": [{"id": n.to_string(), "type": "image", "url": null}]});
    let uri = house.fediverse.post("one", house.ago(100), picture(1));
    house.run("statuses").await;
    house.fediverse.edit_to(&uri, "two", house.ago(50), picture(2));
    house.fediverse.edit_to(&uri, "three", house.ago(20), picture(3));
    house.clock.advance(TimeDelta::days(31));
    let summary = house.run("recheck").await;
    assert_eq!(summary.get("edited"), 1, "{summary:?}");
    let kept = house.kept(&uri).await.unwrap();
    assert!(kept.body.contains("three"));
    let versions = archive::versions(&house.store, kept.id).await.unwrap();
    assert_eq!(versions.len(), 3);
    for (version, (word, picture)) in versions.iter().zip([("one", "1"), ("two", "2"), ("three", "3")]) {
        let body: Value = serde_json::from_str(&version.body).unwrap();
        assert_eq!(body["content"], format!("<p>{word}</p>"));
        assert_eq!(body["media_attachments"][0]["id"], picture, "the media of each");
    }
    assert!(versions.is_sorted_by(|a, b| a.version_at < b.version_at));
    assert!(house.search("one").await.is_empty() && house.search("three").await.len() == 1);
    house.clock.advance(TimeDelta::days(31));
    let summary = house.run("recheck").await;
    assert_eq!(
        (summary.get("edited"), summary.get("versions")),
        (0, 0),
        "met again unchanged"
    );
}

/// Check 34.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_or_taken_back_is_noticed() {
    let house = House::build().await;
    let uris = house.posts(30);
    let person = house.fediverse.writer(0, 1, 1);
    house.fediverse.bookmark(&person.posts[0]);
    house.run("statuses").await;
    house.run("bookmarks").await;
    house.fediverse.delete(&uris[3]);
    house.fediverse.unmark(&person.posts[0]);
    house.clock.advance(TimeDelta::days(31));
    house.fediverse.clear_log();
    let summary = house.run("recheck").await;
    assert_eq!((summary.get("gone"), summary.get("taken_back")), (1, 1), "{summary:?}");
    let kept = house.kept(&uris[3]).await.unwrap();
    assert!(
        kept.gone_at.is_some() && kept.body.contains("number 3"),
        "kept, with its tombstone"
    );
    assert_eq!(
        house.kinds(&person.posts[0]).await,
        (vec![], vec!["bookmark".to_owned()])
    );
    assert_eq!(house.search("is:gone").await.len(), 1);
    assert!(house.fediverse.log().home().len() <= 1 + 2 + 1, "20 a request");
    // And marked again: another interval.
    house.fediverse.bookmark(&person.posts[0]);
    house.run("bookmarks").await;
    assert_eq!(
        house.kinds(&person.posts[0]).await,
        (vec!["bookmark".to_owned()], vec!["bookmark".to_owned()])
    );
}

/// Check 36: a poll before and after its end.
#[tokio::test(flavor = "multi_thread")]
async fn polls_are_read_again_after_their_end() {
    let house = House::build().await;
    let ends = house.clock.now() + TimeDelta::hours(1);
    let poll = |expired: bool, votes: u32| {
        json!({"poll": {"id": "1", "expires_at": ends.to_rfc3339(), "expired": expired,
            "options": [{"title": "a", "votes_count": votes}]}})
    };
    let uri = house.fediverse.post("which?", house.ago(10), poll(false, 1));
    house.run("statuses").await;
    assert_eq!(house.run("polls").await.get("polls"), 0, "not yet");
    house.clock.advance(TimeDelta::hours(2));
    house.fediverse.edit_poll(&uri, poll(true, 41));
    assert_eq!(house.run("polls").await.get("polls"), 1);
    let kept = house.kept(&uri).await.unwrap();
    assert!(kept.body.contains("41"), "the result");
    assert!(
        archive::versions(&house.store, kept.id).await.unwrap().is_empty(),
        "no edit"
    );
    assert_eq!(house.run("polls").await.get("polls"), 0, "once");
}

/// A server whose clock is behind still calls a poll open that has ended for us: its result is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_ends_a_little_later_there_is_read_once_more() {
    let house = House::build().await;
    let ends = house.clock.now() + TimeDelta::hours(1);
    let poll = |expired: bool, votes: u32| {
        json!({"poll": {"id": "1", "expires_at": ends.to_rfc3339(), "expired": expired,
            "options": [{"title": "a", "votes_count": votes}]}})
    };
    let uri = house.fediverse.post("which?", house.ago(10), poll(false, 1));
    house.run("statuses").await;
    house.clock.advance(TimeDelta::hours(2));
    assert_eq!(house.run("polls").await.get("polls"), 0, "not there");
    house.fediverse.edit_poll(&uri, poll(true, 41));
    assert_eq!(house.run("polls").await.get("polls"), 1);
    assert!(house.kept(&uri).await.unwrap().body.contains("41"), "the result");
    let other = house.fediverse.post("for ever?", house.ago(10), poll(false, 1));
    house.run("statuses").await;
    house.clock.advance(TimeDelta::days(2));
    assert_eq!(
        house.run("polls").await.get("polls"),
        1,
        "one that never ends is left alone"
    );
    assert!(house.kept(&other).await.is_some());
    assert_eq!(house.run("polls").await.get("polls"), 0);
}

/// One status that a server stumbles over keeps no other from being looked at, and is not called deleted.
#[tokio::test(flavor = "multi_thread")]
async fn an_odd_status_is_passed_over() {
    let house = House::build().await;
    let uris = house.posts(3);
    house.run("statuses").await;
    house.fediverse.delete(&uris[0]);
    let odd = house.kept(&uris[1]).await.unwrap();
    house.clock.advance(TimeDelta::days(31));
    house
        .fediverse
        .fault(None, "/api/v1/statuses", Fault::Empty(500), Some(1));
    let alone = format!("/api/v1/statuses/{}", odd.server_id);
    house.fediverse.fault(None, &alone, Fault::Empty(500), None);
    let summary = house.run("recheck").await;
    let told = ["looked_at", "gone", "failed"].map(|name| summary.get(name));
    assert_eq!(told, [3, 1, 1], "{summary:?}");
    assert!(house.kept(&uris[0]).await.unwrap().gone_at.is_some());
    assert!(house.kept(&uris[1]).await.unwrap().gone_at.is_none());
}
