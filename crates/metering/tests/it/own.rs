//! What a token of ours shows.

use std::time::Duration;

use serde_json::json;
use store::{measures, metered_accounts, metered_followers, metered_statuses};

use crate::house::{House, at};

async fn house() -> House {
    let mut house = House::build().await;
    house.own = Some(0);
    let me = json!({"id": "1", "username": "u1", "acct": "u1", "url": format!("http://{}/@u1", house.host(0))});
    house.answer(0, "/api/v1/accounts/verify_credentials", me);
    for section in [
        &mut house.config.server.enabled,
        &mut house.config.posts.enabled,
        &mut house.config.followers.enabled,
        &mut house.config.sources.enabled,
    ] {
        *section = true;
    }
    house.config.server.every = Duration::from_secs(3600);
    house
}

/// The accounts of a server of ours are asked for with its token, forty at a time.
#[tokio::test(flavor = "multi_thread")]
async fn our_own_server_is_asked_with_its_token() {
    let house = house().await;
    house.track(0, 80).await;
    house.clear();
    assert_eq!(house.measure().await.get("measured"), 80);
    assert_eq!(house.asked(0).len(), 2, "no look at what it runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_counts_itself() {
    let house = house().await;
    house.answer(0, "/api/v2/instance", json!({"usage": {"users": {"active_month": 7}}}));
    house.answer(
        0,
        "/api/v1/instance",
        json!({"stats": {"user_count": 12, "status_count": "900", "domain_count": -1}}),
    );
    let week = json!([{"week": "1772323200", "statuses": "5", "logins": "3", "registrations": "x"}]);
    house.answer(0, "/api/v1/instance/activity", week);
    let days = json!([{"key": "new_users", "data": [{"date": "2026-03-01T00:00:00Z", "value": "4"}]}]);
    house.answer(0, "/api/v1/admin/measures", days);
    let summary = house.run("metering.server").await;
    assert_eq!(summary.get("numbers"), 6, "{summary:?}");
    house.run("metering.server").await;
    let known = measures::keys(&house.store).await.unwrap();
    let keys: Vec<&str> = known.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "active_month",
            "admin.new_users",
            "statuses",
            "users",
            "week.logins",
            "week.statuses"
        ]
    );
    let users = measures::range(&house.store, &house.host(0), "users", 0, i64::MAX)
        .await
        .unwrap();
    assert_eq!((users.len(), users[0].value), (1, 12));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_statuses_bring_is_written_down_as_it_changes() {
    let house = house().await;
    let status = |favourites: u32| {
        json!([
            {"id": "9", "created_at": "2026-03-01T01:00:00Z", "url": "http://x/9", "tags": [{"name": "Cats"}],
             "favourites_count": favourites, "reblogs_count": 1, "replies_count": 0},
            {"id": "8", "reblog": {"id": "1"}, "created_at": "2026-03-01T00:00:00Z"},
        ])
    };
    house.answer(0, "/api/v1/accounts/1/statuses", status(1));
    assert_eq!(house.run("metering.posts").await.get("changed"), 1);
    assert_eq!(house.run("metering.posts").await.get("changed"), 0);
    house.later(1);
    house.answer(0, "/api/v1/accounts/1/statuses", status(5));
    assert_eq!(house.run("metering.posts").await.get("changed"), 1);
    let login = format!("{}/me", house.host(0));
    let kept = metered_statuses::since(&house.store, &login, at("2026-01-01T00:00:00Z"), 10)
        .await
        .unwrap();
    assert_eq!((kept.len(), kept[0].favourites), (1, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_and_who_left_is_noticed() {
    let house = house().await;
    let list = |names: &[&str]| {
        names
            .iter()
            .map(|name| json!({"id": name, "acct": format!("{name}@a.example"), "uri": format!("https://a.example/{name}")}))
            .collect::<serde_json::Value>()
    };
    house.answer(0, "/api/v1/accounts/1/followers", list(&["a", "b"]));
    house.run("metering.followers").await;
    house.later(24);
    house.answer(0, "/api/v1/accounts/1/followers", list(&["b", "c"]));
    let summary = house.run("metering.followers").await;
    assert_eq!((summary.get("came"), summary.get("left")), (1, 1), "{summary:?}");
    let login = format!("{}/me", house.host(0));
    let since = at("2026-03-01T00:00:00Z");
    let names = |rows: Vec<metered_followers::Follower>| rows.into_iter().map(|row| row.account_id).collect::<Vec<_>>();
    assert_eq!(
        names(metered_followers::came(&house.store, &login, since, 9).await.unwrap()),
        ["c"]
    );
    assert_eq!(
        names(metered_followers::left(&house.store, &login, since, 9).await.unwrap()),
        ["a"]
    );
    // A server that shows nobody says nothing of who left.
    house.later(24);
    house.answer(0, "/api/v1/accounts/1/followers", json!([]));
    assert_eq!(house.run("metering.followers").await.get("left"), 0);
}

/// Whoever was not seen by a first walk that broke off did not come with the next one.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_before_all_were_seen_once() {
    let house = house().await;
    let follower = |name: &str| metered_followers::Follower {
        login: format!("{}/me", house.host(0)),
        account_id: name.to_owned(),
        acct: format!("{name}@a.example"),
        uri: format!("https://a.example/{name}"),
        seen: 1,
        came_at: None,
        left_at: None,
    };
    metered_followers::see(&house.store, &[follower("a")]).await.unwrap();
    let list = |names: &[&str]| -> serde_json::Value {
        let shown = names
            .iter()
            .map(|name| json!({"id": name, "acct": format!("{name}@a.example")}));
        shown.collect()
    };
    house.answer(0, "/api/v1/accounts/1/followers", list(&["a", "b"]));
    assert_eq!(house.run("metering.followers").await.get("came"), 0);
    house.later(24);
    house.answer(0, "/api/v1/accounts/1/followers", list(&["a", "b", "c"]));
    assert_eq!(house.run("metering.followers").await.get("came"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_we_follow_is_measured_and_who_was_removed_stays_removed() {
    let house = house().await;
    house.person(1, 5, |_| {});
    let other = house.host(1);
    let followed = json!([{"id": "77", "acct": format!("u5@{other}"), "uri": format!("http://{other}/users/u5"),
        "url": format!("http://{other}/@u5")}]);
    house.answer(0, "/api/v1/accounts/1/following", followed);
    assert_eq!(house.run("metering.sources").await.get("added"), 1);
    assert_eq!(house.run("metering.sources").await.get("added"), 0);
    assert_eq!(house.measure().await.get("measured"), 1);
    let found = metered_accounts::find(&house.store, &format!("u5@{other}"))
        .await
        .unwrap();
    assert_eq!(house.points(found[0].id).await[0].followers, Some(105));
    metered_accounts::remove(&house.store, found[0].id).await.unwrap();
    assert_eq!(house.run("metering.sources").await.get("added"), 0);
    assert_eq!(house.account(found[0].id).await.state, "removed");
}

/// An account that gains 5,000 in an hour is news, an event, and something for the moderators of each server of ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_spike_is_told_to_moderators() {
    let mut house = House::build().await;
    house.own = Some(0);
    house.config.accounts.every = Duration::from_secs(3600);
    let (ours, theirs) = (house.track(0, 1).await, house.track(1, 1).await);
    house.measure().await;
    for n in [0, 1] {
        house.person(n, 1, |account| account["following_count"] = serde_json::json!(5010));
    }
    house.later(1);
    house.measure().await;
    for id in [ours[0], theirs[0]] {
        assert_eq!(house.events(id).await, ["spike"]);
    }
    let found = store::findings::accounts_open(&house.store, &house.host(0), 10)
        .await
        .unwrap();
    let told: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|one| (one.acct.as_str(), one.account_id.as_str(), one.kind.as_str()))
        .collect();
    let far = format!("u1@{}", house.host(1));
    assert!(
        told.contains(&("u1", "1", "spike")) && told.contains(&(far.as_str(), "", "spike")),
        "{told:?}"
    );
    assert!(
        found[0].text.contains("from 10 to 5,010 following within 60 minutes"),
        "{}",
        found[0].text
    );
}
