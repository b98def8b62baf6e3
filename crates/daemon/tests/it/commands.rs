//! Commands that look, note a wish or do one thing.

use crate::house::{House, fediverse, until};

/// Requirement S14.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_as_json() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    let ended = house.egret(&["once", "replies.home", "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = ended.json();
    assert_eq!(said["runs"][0]["job"], "replies.home");
    assert_eq!(said["runs"][0]["outcome"], "finished");
    assert_eq!(said["not_run"].as_array().unwrap().len(), 0);
    assert_eq!(fediverse.missing(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_thread_by_hand() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    let thread = fediverse.thread(0, 6);
    let ended = house.egret(&["replies", "fetch", &thread.root, "--json"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = ended.json();
    assert_eq!(said["uri"], thread.root.as_str());
    assert_eq!(said["arrived"], said["missing"]);
    assert!(thread.replies.iter().all(|(uri, _)| fediverse.home_has(uri)));
    assert!(fediverse.missing() > 0, "other threads are left alone");
    house
        .egret(&["replies", "fetch", "not an address"])
        .await
        .refused(&["not an address"]);
    house
        .egret(&["replies", "fetch", &thread.root, "--login", "nobody"])
        .await
        .refused(&["nobody"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_job_rests_until_it_is_resumed() {
    let fediverse = fediverse().await;
    let house = House::of(&fediverse, "");
    assert_eq!(house.egret(&["jobs", "pause", "replies.home"]).await.code, Some(0));
    let state = |ended: crate::house::Ended| ended.json()[0]["state"].as_str().unwrap().to_owned();
    assert_eq!(state(house.egret(&["jobs", "--json"]).await), "paused");
    house
        .egret(&["jobs", "run", "replies.home"])
        .await
        .refused(&["replies.home is paused", "resume it first"]);
    let once = house.egret(&["once", "replies.home", "--json"]).await;
    assert_eq!(once.code, Some(1), "{once:?}");
    assert!(once.json()["not_run"][0]["reason"].as_str().unwrap().contains("resume"));
    let daemon = house.run().await;
    until("the login is checked", || {
        !fediverse.log().home().path("/api/v2/search").is_empty()
    })
    .await;
    let rests = house.egret(&["jobs", "--json"]).await;
    assert!(rests.json()[0]["last_start"].is_null(), "{rests:?}");
    assert_eq!(state(rests), "paused");
    assert!(fediverse.log().origins(None).is_empty());
    assert_eq!(house.egret(&["jobs", "resume", "replies.home"]).await.code, Some(0));
    daemon.says("replies.home finished").await;
    house
        .egret(&["jobs", "pause", "replies.hom"])
        .await
        .refused(&["replies.hom"]);
    // Nor is what it does not run for paused: that would pause nothing, and say that it did.
    let scope = house.egret(&["jobs", "--json"]).await.json()[0]["scope"].clone();
    house
        .egret(&["jobs", "pause", "replies.home", "--scope", "elsewhere.example/me"])
        .await
        .refused(&["elsewhere.example/me", scope.as_str().unwrap()]);
}

#[tokio::test]
async fn all_writing_is_stopped_and_goes_on_again() {
    let house = House::with("");
    let stopped = async || {
        let listed = house.egret(&["effects", "list"]).await;
        listed.stdout.contains("The panic stop holds everything")
    };
    assert_eq!(house.egret(&["effects", "stop"]).await.code, Some(0));
    assert!(stopped().await);
    assert_eq!(
        house.egret(&["effects", "stop"]).await.code,
        Some(0),
        "it stands already"
    );
    assert_eq!(house.egret(&["effects", "resume"]).await.code, Some(0));
    assert!(!stopped().await);
    house
        .egret(&["effects", "list", "--state", "waiting"])
        .await
        .refused(&["waiting", "held"]);
    let ended = house.egret(&["effects", "release", "x"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("x does not wait"), "{ended:?}");
}

#[tokio::test]
async fn the_state_of_the_database() {
    let house = House::with("");
    let before = house.egret(&["migrate", "--check", "--json"]).await;
    assert_eq!(before.code, Some(1), "{before:?}");
    assert!(!before.json()["pending"].as_array().unwrap().is_empty());
    assert_eq!(house.egret(&["migrate"]).await.code, Some(0));
    let after = house.egret(&["migrate", "--check", "--json"]).await;
    assert_eq!(after.code, Some(0), "{after:?}");
    assert!(after.json()["pending"].as_array().unwrap().is_empty());
}
