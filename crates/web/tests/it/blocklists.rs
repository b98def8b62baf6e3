//! The Blocklists page: what waits, what fares how, what was done.

use axum::{body::Body, http::Request};
use chrono::{DateTime, Utc};
use serde_json::json;
use store::{
    block_entries::{self, Change},
    block_plans::{self, Output, Plan, State},
    block_sources::{self, Source},
    job_states,
};

use crate::house::House;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn post(path: &str, form: &str) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(form.to_owned()))
        .unwrap()
}

async fn house() -> House {
    let house = House::empty().await;
    let store = &house.state.store;
    let operation = json!({
        "domain": "bad.social", "kind": "create", "action": { "do": "create", "fields": { "severity": "suspend" } },
        "before": null, "says": [{ "list": "<i>tier0", "severity": "suspend" }], "rule": "the hardest of 1",
        "ties": { "follows": 12, "followers": 1, "accounts": 3 }, "cap": null,
        "hold": { "reason": "13 follows; without a human it may be 1", "human": true },
    });
    let plan = Plan {
        server: "home.social".into(),
        hash: "a".repeat(64),
        policy: "default".into(),
        state: State::Open,
        plan: json!({
            "server": "home.social", "policy": "default", "hash": "a".repeat(64), "counted_follows": true, "blocks": 7,
            "operations": [operation], "notes": [], "doubts": ["tier1 is stale"], "states": [],
        }),
        who: None,
        run: None,
        made_at: now(),
        changed_at: now(),
    };
    block_plans::save(store, &plan).await.unwrap();
    let source = Source {
        name: "tier0".into(),
        body: Some("a.social\n".into()),
        pending: None,
        sha256: "x".into(),
        row_count: 449,
        bad_count: 2,
        etag: None,
        modified: None,
        trouble: None,
        held: Some("it lost or weakened 370 of 2592 rows".into()),
        failures: 0,
        checked_at: now(),
        good_at: Some(now()),
        changed_at: Some(now()),
        cursor: None,
        whole_at: None,
    };
    block_sources::save(store, &source, Some(&[])).await.unwrap();
    let change = Change {
        id: "1".into(),
        run: "run-1".into(),
        server: "home.social".into(),
        domain: "worse.social".into(),
        action: "create".into(),
        before: None,
        after: None,
        reason: json!({ "rule": "the hardest of 2", "says": [{ "list": "tier0", "severity": "suspend" }] }),
        follows: None,
        who: "ada".into(),
        undone_by: None,
        changed_at: now(),
    };
    block_entries::record(store, &change, None).await.unwrap();
    house
}

#[tokio::test]
async fn what_waits_is_shown_with_its_reasons() {
    let house = house().await;
    let (status, page) = house.get("/blocklists").await;
    assert_eq!(status, 200);
    for part in [
        "bad.social",
        "13 follows",
        "&lt;i&gt;tier0",
        "tier1 is stale",
        "Approve",
        "Dismiss",
        "370 of 2592",
        "Believe it",
        "449",
        "ada",
        "Undo",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let found = house.get("/blocklists?q=worse.social").await.1;
    assert!(found.contains("the hardest of 2"), "{found}");
    assert!(
        house
            .get("/blocklists?q=nobody.social")
            .await
            .1
            .contains("Nothing is on record")
    );
}

#[tokio::test]
async fn a_wish_is_written_and_the_job_woken() {
    let house = house().await;
    let store = &house.state.store;
    let form = format!("server=home.social&hash={}", "a".repeat(64));
    assert_eq!(house.ask(post("/blocklists/approve", &form)).await.status(), 303);
    assert_eq!(
        block_plans::load(store, &"a".repeat(64)).await.unwrap().unwrap().state,
        State::Approved
    );
    let woken = job_states::list(store).await.unwrap();
    assert_eq!(
        (&*woken[0].job, &*woken[0].scope),
        ("blocklists.domain_blocks", "home.social")
    );
    assert_eq!(house.ask(post("/blocklists/dismiss", &form)).await.status(), 303);
    assert_eq!(
        house.ask(post("/blocklists/approve", &form)).await.status(),
        409,
        "decided already"
    );

    assert_eq!(house.ask(post("/blocklists/believe", "list=tier0")).await.status(), 303);
    assert_eq!(block_sources::load(store, "tier0").await.unwrap().unwrap().held, None);
    assert_eq!(
        house
            .ask(post("/blocklists/undo", "server=home.social&run=run-1"))
            .await
            .status(),
        303
    );
    assert_eq!(
        house
            .ask(post("/blocklists/undo", "server=home.social&run=other"))
            .await
            .status(),
        404
    );
    let wanted = block_plans::open(store).await.unwrap();
    assert_eq!((&*wanted[0].policy, wanted[0].state), ("undo run-1", State::Approved));
}

#[tokio::test]
async fn what_is_published_is_there_for_everybody() {
    let house = house().await;
    let output = Output {
        name: "merged.csv".into(),
        kind: "text/csv; charset=utf-8".into(),
        body: "#domain,#severity\n".into(),
        signature: Some("c2ln".into()),
        made_at: now(),
    };
    block_plans::publish(&house.state.store, &output).await.unwrap();
    assert_eq!(
        house.get("/lists/merged.csv").await,
        (200, "#domain,#severity\n".to_owned())
    );
    assert_eq!(house.get("/lists/merged.csv.sig").await, (200, "c2ln\n".to_owned()));
    assert_eq!(house.get("/lists/other.csv").await.0, 404);
}
