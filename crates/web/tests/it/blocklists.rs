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
        place: None,
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
    // As the job leaves it: what the page explains by.
    let config = json!({
        "sources": [{ "name": "tier0", "file": "tier0.csv", "default_severity": "suspend" }],
        "policies": [{ "name": "default" }],
    });
    block_plans::save_config(store, &config, now()).await.unwrap();
    house.state.ledger.configure("blocklists", job::Mode::Act, None);
    house
}

async fn json_of(house: &House, path: &str) -> serde_json::Value {
    let (status, body) = house.get(path).await;
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn ask(path: &str) -> Request<Body> {
    let request = Request::post(path).header("sec-fetch-site", "same-origin");
    request.body(Body::empty()).unwrap()
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
    let told = house.get("/blocklists?q=x.a.social").await.1;
    assert!(told.contains("covered by a.social"), "{told}");
    let told = house.get("/blocklists?q=a.social").await.1;
    assert!(
        told.contains("Why a.social") && told.contains("tier0 suspend"),
        "{told}"
    );
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
    assert_eq!(house.ask(post("/blocklists/undo", "run=run-1")).await.status(), 303);
    assert!(house.get("/blocklists").await.1.contains("is being undone"));
    assert_eq!(house.ask(post("/blocklists/undo", "run=other")).await.status(), 404);
    let wanted = block_plans::open(store).await.unwrap();
    assert_eq!((&*wanted[0].policy, wanted[0].state), ("undo run-1", State::Approved));
}

/// What the page shows and does, as JSON.
#[tokio::test]
async fn the_api_shows_and_does_the_same() {
    let house = house().await;
    let base = "/api/v1/blocklists";
    let lists = json_of(&house, &format!("{base}/lists")).await;
    assert_eq!(
        (&lists["lists"][0]["rows"], &lists["lists"][0]["bad_rows"]),
        (&449.into(), &2.into())
    );
    assert!(lists["lists"][0]["held"].as_str().unwrap().contains("370"));
    let plans = json_of(&house, &format!("{base}/plans")).await;
    assert_eq!(plans["plans"][0]["plan"]["operations"][0]["domain"], "bad.social");
    let plan = json_of(&house, &format!("{base}/plans/aaaaaaaa")).await;
    assert_eq!(plan["state"], "open");
    let runs = json_of(&house, &format!("{base}/runs")).await;
    assert_eq!(
        (&runs["runs"][0]["id"], &runs["next"]),
        (&"run-1".into(), &serde_json::Value::Null)
    );
    let run = json_of(&house, &format!("{base}/runs/run-1")).await;
    assert_eq!(run["changes"][0]["domain"], "worse.social");
    let told = json_of(&house, &format!("{base}/domains/A.Social.")).await;
    assert_eq!(
        (&told["domain"], &told["policies"][0]["severity"]),
        (&"a.social".into(), &"suspend".into())
    );
    let told = json_of(&house, &format!("{base}/domains/worse.social")).await;
    assert_eq!(told["changes"][0]["who"], "ada");

    for (path, status) in [
        ("plans/bbbbbbbb/approve", 404),
        ("plans/aaaaaaaa/approve", 202),
        ("plans/aaaaaaaa/dismiss", 204),
        ("plans/aaaaaaaa/approve", 409),
        ("lists/tier0/approve", 202),
        ("lists/tier0/approve", 409),
        ("lists/none/approve", 404),
        ("runs/none/undo", 404),
        ("runs/run-1/undo", 202),
    ] {
        assert_eq!(
            house.ask(ask(&format!("{base}/{path}"))).await.status(),
            status,
            "{path}"
        );
    }
    house.state.ledger.configure("blocklists", job::Mode::Observe, None);
    assert_eq!(
        house.ask(ask(&format!("{base}/runs/run-1/undo"))).await.status(),
        409,
        "nothing is sent"
    );
    assert_eq!(house.get(&format!("{base}/domains/a..b")).await.0, 404);
}

#[tokio::test]
async fn long_lists_of_runs_and_domains_come_in_pages() {
    let house = house().await;
    let store = &house.state.store;
    for n in 0..7_i64 {
        let at = now() + chrono::TimeDelta::minutes(n);
        let change = Change {
            id: format!("c{n}"),
            run: format!("r{n}"),
            server: "home.social".into(),
            domain: format!("d{n}.social"),
            action: "create".into(),
            before: None,
            after: None,
            reason: json!({}),
            follows: None,
            who: "ada".into(),
            undone_by: None,
            changed_at: at,
        };
        let entry = block_entries::Entry {
            server: "home.social".into(),
            domain: format!("d{n}.social"),
            state: block_entries::State::Ours,
            block_id: None,
            written: None,
            before: None,
            reason: json!({}),
            change: None,
            capped_since: None,
            told_at: None,
            note: None,
            created_at: at,
            changed_at: at,
        };
        block_entries::record(store, &change, Some(&entry)).await.unwrap();
    }
    for (list, key, total) in [("runs", "id", 8), ("domains", "domain", 7)] {
        let (mut seen, mut before) = (Vec::new(), String::new());
        for _ in 0..5 {
            let page = json_of(&house, &format!("/api/v1/blocklists/{list}?limit=3&before={before}")).await;
            seen.extend(page[list].as_array().unwrap().iter().map(|it| it[key].to_string()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut before),
                None => break,
            }
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!((seen.len(), once.len()), (total, total), "{list}: {seen:?}");
    }
    let found = json_of(&house, "/api/v1/blocklists/domains?search=D3").await;
    assert_eq!(found["domains"].as_array().unwrap().len(), 1);
    assert_eq!(house.get("/api/v1/blocklists/runs?before=x").await.0, 400);
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
