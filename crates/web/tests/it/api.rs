//! The API keeps what its description promises, and describes all there is.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::Value;

use crate::house::{House, text};

const METHODS: [Method; 5] = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];

async fn document(house: &House) -> Value {
    serde_json::from_str(&house.get("/api/openapi.json").await.1).unwrap()
}

/// Path to methods, as described.
fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .map(|(path, item)| (path.clone(), item.as_object().unwrap().keys().cloned().collect()))
        .collect()
}

/// What the router itself says it has under /api/: its `Debug` lists every path.
fn routed(house: &House) -> BTreeSet<String> {
    let debug = format!("{:?}", web::router(house.state.clone()));
    debug
        .split('"')
        .filter(|part| part.starts_with("/api/"))
        .map(str::to_owned)
        .collect()
}

async fn http_status(house: &House, method: &Method, path: &str) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json");
    house
        .ask(request.body(Body::from("{")).unwrap())
        .await
        .status()
        .as_u16()
}

#[tokio::test]
async fn every_route_is_described_and_every_description_answers() {
    let house = House::furnished().await;
    let described = described(&document(&house).await);
    assert_eq!(routed(&house), described.keys().cloned().collect());
    for (path, methods) in &described {
        let path = path.replace(['{', '}'], "");
        for method in METHODS {
            let answers = http_status(&house, &method, &path).await != 405;
            let says = methods.contains(&method.as_str().to_lowercase());
            assert_eq!(answers, says, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_description_is_whole() {
    let house = House::furnished().await;
    let document = document(&house).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    for key in ["title", "version", "description"] {
        assert!(document["info"][key].is_string(), "{key}");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let whose = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(!id.is_empty() && ids.insert(id.to_owned()), "{whose}: operationId");
            assert!(operation["tags"][0].is_string(), "{whose}: tag");
            assert!(operation["summary"].is_string(), "{whose}: summary");
            assert!(
                operation["description"].as_str().unwrap().contains("Needs the right"),
                "{whose}"
            );
            assert!(operation["security"][0].is_object(), "{whose}: security");
            let named: BTreeSet<&str> = path
                .split('{')
                .skip(1)
                .filter_map(|part| part.split('}').next())
                .collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let told: BTreeSet<&str> = parameters
                .iter()
                .filter(|parameter| parameter["in"] == "path")
                .inspect(|parameter| assert_eq!(parameter["required"], true, "{whose}"))
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            assert_eq!(named, told, "{whose}: parameters of the path");
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|code| code.starts_with('2')),
                "{whose}: what it answers"
            );
            for (code, response) in responses {
                assert!(response["description"].is_string(), "{whose} {code}: description");
            }
        }
    }
    for reference in references(&document) {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(to) if key == "$ref" => vec![to.clone()],
                other => references(other),
            })
            .collect(),
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn errors_are_problems_that_name_the_field() {
    let house = House::furnished().await;
    let long = "x".repeat(200_000);
    let post = |path: &str, kind: Option<&str>, body: &str| {
        let mut request = Request::post(path).header("sec-fetch-site", "same-origin");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let json = Some("application/json");
    for (request, http_status, field) in [
        (get("/api/v1/job_runs?limit=0"), 400, Some("limit")),
        (get("/api/v1/job_runs?limit=x"), 400, Some("limit")),
        (get("/api/v1/job_runs?nope=1"), 400, Some("nope")),
        (get("/api/v1/job_runs/none"), 404, None),
        (get("/api/v1/no"), 404, None),
        (get("/api/"), 404, None),
        (get("/api/v1/jobs/replies.home/run"), 405, None),
        (post("/api/v1/jobs", json, "{}"), 405, None),
        (post("/api/v1/jobs/replies.home/run", None, "{}"), 415, None),
        (
            post("/api/v1/jobs/replies.home/run", Some("text/plain"), "{}"),
            415,
            None,
        ),
        (post("/api/v1/jobs/replies.home/run", json, &long), 413, None),
        (post("/api/v1/jobs/replies.home/run", json, "{"), 400, None),
        (
            post("/api/v1/jobs/replies.home/run", json, r#"{"scope":3}"#),
            422,
            Some("scope"),
        ),
        (
            post("/api/v1/jobs/replies.home/run", json, r#"{"scop":""}"#),
            422,
            Some("scop"),
        ),
        (post("/api/v1/jobs/no.such/run", json, "{}"), 404, None),
    ] {
        let whose = format!("{} {}", request.method(), request.uri());
        let response = house.ask(request).await;
        assert_eq!(response.status(), http_status, "{whose}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json",
            "{whose}"
        );
        if http_status == 405 {
            assert!(response.headers().contains_key("allow"), "{whose}");
        }
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(problem["status"], http_status, "{whose}");
        assert_eq!(problem["request_id"], *id, "{whose}");
        assert!(
            problem["title"].is_string() && problem["type"] == "about:blank",
            "{whose}"
        );
        assert_eq!(problem["errors"][0]["field"].as_str(), field, "{whose}: {problem}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_link_to_the_next() {
    let house = House::furnished().await;
    let mut path = "/api/v1/job_runs?job=replies.home&limit=3".to_owned();
    let mut seen = Vec::new();
    for _ in 0..10 {
        let response = house.ask(Request::get(&path).body(Body::empty()).unwrap()).await;
        let link = response
            .headers()
            .get("link")
            .map(|link| link.to_str().unwrap().to_owned());
        let body: Value = serde_json::from_str(&text(response).await).unwrap();
        let runs = body["job_runs"].as_array().unwrap();
        seen.extend(runs.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        assert_eq!(link.is_some(), body["next"].is_string());
        let Some(link) = link else { break };
        let (next, rest) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
        assert_eq!(rest, "; rel=\"next\"");
        path = next.to_owned();
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    sorted.reverse();
    assert_eq!((seen.len(), &seen), (8, &sorted), "each once, newest first");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again_and_what_is_sent_is_small() {
    let house = House::furnished().await;
    let ask = async |header: &str, value: &str| {
        let request = Request::get("/api/v1/job_runs").header(header, value);
        house.ask(request.body(Body::empty()).unwrap()).await
    };
    let first = ask("accept", "application/json").await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let plain = text(first).await.len();
    for known in [
        tag.clone(),
        format!("\"x\", {tag}"),
        tag.trim_start_matches("W/").to_owned(),
        "*".to_owned(),
    ] {
        let again = ask("if-none-match", &known).await;
        assert_eq!(again.status(), 304, "{known}");
        assert_eq!(again.headers()["etag"], *tag);
        assert!(text(again).await.is_empty());
    }
    assert_eq!(ask("if-none-match", "\"other\"").await.status(), 200);
    let small = ask("accept-encoding", "br, gzip").await;
    assert_eq!(small.headers()["content-encoding"], "gzip");
    let body = axum::body::to_bytes(small.into_body(), 1 << 20).await.unwrap();
    assert!(body.len() < plain / 2, "{} of {plain}", body.len());
}

#[tokio::test]
async fn one_client_does_not_keep_the_others_waiting() {
    let house = House::empty().await;
    let app = web::router(house.state.clone());
    let mut last = 200;
    for _ in 0..400 {
        let request = Request::get("/api/openapi.json").body(Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(app.clone(), request).await.unwrap();
        last = response.status().as_u16();
        if last == 429 {
            assert!(
                response.headers()["retry-after"]
                    .to_str()
                    .unwrap()
                    .parse::<u64>()
                    .unwrap()
                    >= 1
            );
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            break;
        }
    }
    assert_eq!(last, 429);
    let page = Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(
        tower::ServiceExt::oneshot(app, page).await.unwrap().status(),
        200,
        "pages go on"
    );
}

#[tokio::test]
async fn everything_that_is_shown_is_there_as_json() {
    let house = House::furnished().await;
    let get = async |path: &str| -> Value { serde_json::from_str(&house.get(path).await.1).unwrap() };
    let run = "/api/v1/job_runs/01900000-0000-7000-8000-000000000011";
    assert_eq!(get(run).await["counters"]["arrived"], 69);
    assert_eq!(get(&format!("{run}/log")).await["lines"][1]["level"], "warn");
    assert_eq!(get("/api/v1/servers").await["servers"][0]["version"], "4.5.3");
    assert_eq!(get("/api/v1/logins").await["logins"][0]["token"], "ab…yz");
    let overview = get("/api/v1/overview").await;
    assert_eq!(
        (&overview["status"], &overview["features"][0]["waiting"]),
        (&"degraded".into(), &1.into())
    );
    assert_eq!(
        get("/api/v1/effects?state=held").await["effects"][0]["reason"]["agreed"],
        2
    );
    assert_eq!(get("/api/v1/settings").await["settings"][1]["value"], "32");
    assert_eq!(get("/api/v1/modes").await["modes"][0]["mode"], "observe");
    assert_eq!(get("/api/v1/panic_stop").await["active"], false);
    assert_eq!(
        get("/api/v1/replies/threads?limit=4").await["threads"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        get("/api/v1/replies/wanted?state=done").await["wanted"]
            .as_array()
            .unwrap()
            .len(),
        44
    );
    let replies = get("/api/v1/replies").await;
    assert_eq!(
        (&replies["recovered"], &replies["lost"], &replies["origins_resting"]),
        (&44.into(), &2.into(), &1.into())
    );
    assert!(replies["over_time"].as_array().unwrap().len() > 2 && replies["requests_per_reply"].is_number());
    let backfill = get("/api/v1/backfill").await;
    assert_eq!(
        (
            &backfill["done"],
            &backfill["waiting"],
            &backfill["reading"],
            &backfill["trouble"]
        ),
        (&2.into(), &1.into(), &1.into(), &1.into())
    );
    let first = get("/api/v1/backfill/accounts?limit=3").await;
    let next = first["next"].as_str().unwrap();
    let rest = get(&format!("/api/v1/backfill/accounts?limit=3&before={next}")).await;
    let count = |page: &Value| page["accounts"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&rest), &rest["next"]), (3, 3, &Value::Null));
    assert_eq!(
        get("/api/v1/backfill/accounts?state=left_alone").await["accounts"][0]["acct"],
        "shy@social.example"
    );
    let trouble = get("/api/v1/backfill/accounts?state=trouble").await;
    assert_eq!(trouble["accounts"][0]["trouble"], "<b>needs a signed fetch");
    let origins = get("/api/v1/backfill/origins").await;
    assert_eq!(
        (&origins["origins"][0]["domain"], &origins["origins"][0]["trouble"]),
        (&"gts.example".into(), &1.into())
    );
    assert_eq!(get("/api/v1/me").await["name"], "local");
    assert_eq!(get("/api/v1/replies/origins").await["origins"][0]["failures"], 1);
    let next = get("/api/v1/replies/threads?limit=4").await["next"]
        .as_str()
        .unwrap()
        .to_owned();
    let next = next.replace('+', "%2B");
    assert_eq!(
        get(&format!("/api/v1/replies/threads?limit=4&before={next}")).await["threads"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        get("/api/v1/replies/threads?before=x").await["errors"][0]["field"],
        "before"
    );
}

#[tokio::test]
async fn what_the_pages_do_programs_can_do() {
    let house = House::furnished().await;
    let send = async |method: Method, path: &str, body: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json");
        house
            .ask(request.body(Body::from(body.to_owned())).unwrap())
            .await
            .status()
            .as_u16()
    };
    assert_eq!(send(Method::PUT, "/api/v1/panic_stop", "").await, 204);
    assert!(
        house
            .get("/api/v1/panic_stop")
            .await
            .1
            .contains(r#""active":true,"set_by":"local""#)
    );
    assert_eq!(send(Method::DELETE, "/api/v1/panic_stop", "").await, 204);
    assert_eq!(
        send(Method::PUT, "/api/v1/modes/blocklists", r#"{"mode":"act"}"#).await,
        204
    );
    assert!(
        house
            .get("/api/v1/modes")
            .await
            .1
            .contains(r#""mode":"act","config":"observe","switched_by":"local""#)
    );
    assert_eq!(send(Method::DELETE, "/api/v1/modes/blocklists", "").await, 204);
    assert_eq!(
        send(Method::PUT, "/api/v1/modes/blocklists", r#"{"mode":"perhaps"}"#).await,
        422
    );
    let scope = r#"{"scope":"mastodon.example/ada"}"#;
    for (action, expected) in [("run", 202), ("pause", 204), ("resume", 204)] {
        assert_eq!(
            send(Method::POST, &format!("/api/v1/jobs/replies.home/{action}"), scope).await,
            expected
        );
    }
    let effect = "/api/v1/effects/01900000-0000-7000-8000-0000000001";
    assert_eq!(send(Method::POST, &format!("{effect}01/hold"), "").await, 204);
    assert_eq!(send(Method::POST, &format!("{effect}01/release"), "").await, 204);
    assert_eq!(send(Method::POST, &format!("{effect}02/release"), "").await, 409);
    assert_eq!(send(Method::POST, &format!("{effect}99/release"), "").await, 404);
}
