//! What visitors see, and what they may not do.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::Value;
use store::job_states;
use tokio_util::sync::CancellationToken;

use crate::house::{House, text};

const PAGES: [&str; 22] = [
    "/",
    "/jobs",
    "/jobs/replies.home",
    "/runs/01900000-0000-7000-8000-000000000011",
    "/replies",
    "/replies/threads",
    "/replies/wanted?state=done",
    "/replies/wanted?state=gone",
    "/replies/origins",
    "/backfill",
    "/backfill/accounts?state=trouble",
    "/backfill/origins",
    "/archive",
    "/archive?q=spam",
    "/blocklists",
    "/effects",
    "/effects?feature=blocklists&state=held&server=",
    "/effects/01900000-0000-7000-8000-000000000101",
    "/settings",
    "/settings/modes/blocklists",
    "/settings/panic_stop",
    "/replies/threads?limit=2",
];

fn post(path: &str, head: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    request.body(Body::from("scope=mastodon.example%2Fada")).unwrap()
}

#[tokio::test]
async fn every_page_shows_what_is_there_and_escapes_it() {
    let house = House::furnished().await;
    for path in PAGES {
        let (http_status, page) = house.get(path).await;
        assert_eq!(http_status, 200, "{path}");
        assert!(page.starts_with("<!DOCTYPE html>"), "{path}");
        assert!(
            ![
                "<script>",
                "<b>odd",
                "<b>spam",
                "<i>bad",
                "<em>social",
                "style=",
                "javascript:"
            ]
            .iter()
            .any(|bad| page.contains(bad)),
            "{path}"
        );
    }
    let overview = house.get("/").await.1;
    for part in [
        "ab…yz",
        "revoked",
        "4.5.3",
        "0.57",
        "<b>44</b>",
        "1 for somebody",
        "Blocklists",
    ] {
        assert!(overview.contains(part), "{part}: {overview}");
    }
    let jobs = house.get("/jobs").await.1;
    for part in [
        "83 of 200 threads",
        "*/5 * * * * Europe/Berlin",
        "paused",
        "rests",
        "Run now",
        "Resume",
    ] {
        assert!(jobs.contains(part), "{part}");
    }
    assert!(house.get("/jobs/replies.home").await.1.contains("&lt;b&gt;odd.example"));
    let replies = house.get("/replies").await.1;
    for part in [
        "&lt;script&gt;",
        "<svg class=\"chart\"",
        "requests per reply",
        "tech.example",
        "given up",
    ] {
        assert!(replies.contains(part), "{part}");
    }
    let backfill = house.get("/backfill").await.1;
    for part in [
        "&lt;b&gt;needs a signed fetch",
        "@grace@social.example",
        "Being read",
        "2 failures in a row",
        "gts.example",
        "not asked yet",
        "rests",
    ] {
        assert!(backfill.contains(part), "{part}");
    }
    let trouble = house.get("/backfill/accounts?state=trouble").await.1;
    assert!(trouble.contains("odd@gts.example") && !trouble.contains("grace@"));
    let run = house.get(PAGES[3]).await.1;
    for part in ["200 threads to look at", "&lt;em&gt;social.example", "mastodon.example"] {
        assert!(run.contains(part), "{part}");
    }
    let settings = house.get("/settings").await.1;
    for part in [
        "EGRET__NET__CONCURRENCY",
        "replies.home.every",
        "Stop everything",
        "observe",
    ] {
        assert!(settings.contains(part), "{part}");
    }
    let effects = house.get("/effects").await.1;
    assert_eq!(effects.matches("domain_block.create").count(), 4);
    let held = "/effects?feature=blocklists&state=held&server=";
    assert_eq!(house.get(held).await.1.matches("domain_block.create").count(), 1);
}

/// Check 36: what was switched is what health shows.
#[tokio::test]
async fn what_is_switched_here_holds() {
    let house = House::furnished().await;
    let send = async |path: &str, body: &str| {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        let response = house.ask(request.body(Body::from(body.to_owned())).unwrap()).await;
        response.status().as_u16()
    };
    assert_eq!(send("/settings/panic_stop", "").await, 303);
    let (who, _) = store::effects::panic_stop(&house.state.store).await.unwrap().unwrap();
    assert_eq!(who, "local");
    assert!(house.get("/").await.1.contains("Panic stop."));
    assert!(house.get("/healthz").await.1.contains("\"panic_stop\":\"local\""));
    assert!(house.get("/settings/panic_stop").await.1.contains("Lift it"));
    assert_eq!(send("/settings/panic_stop/lift", "").await, 303);
    assert!(store::effects::panic_stop(&house.state.store).await.unwrap().is_none());

    assert_eq!(send("/settings/modes/blocklists", "mode=act").await, 303);
    assert!(
        house.get("/healthz").await.1.contains("\"blocklists\":\"act\""),
        "health tells what holds"
    );
    assert_eq!(send("/settings/modes/blocklists", "mode=").await, 303);
    assert!(house.get("/healthz").await.1.contains("\"blocklists\":\"observe\""));
    assert_eq!(send("/settings/modes/blocklists", "mode=maybe").await, 422);
    assert_eq!(send("/settings/modes/nobody", "mode=act").await, 404);

    let held = "/effects/01900000-0000-7000-8000-000000000101";
    assert_eq!(send(&format!("{held}/release"), "").await, 303);
    assert!(house.get(held).await.1.contains("released by local"));
    assert_eq!(send(&format!("{held}/hold"), "").await, 303);
    assert!(house.get(held).await.1.contains("held by local"));
    let done = "/effects/01900000-0000-7000-8000-000000000102/release";
    assert_eq!(send(done, "").await, 409, "what was sent does not wait");
}

#[tokio::test]
async fn an_empty_house_has_pages_too() {
    let house = House::empty().await;
    for path in ["/", "/jobs", "/replies", "/backfill", "/blocklists", "/effects"] {
        assert_eq!(house.get(path).await.0, 200, "{path}");
    }
    assert_eq!(house.get("/jobs/no.such").await.0, 404);
    assert_eq!(house.get("/nowhere").await.0, 404);
}

#[tokio::test]
async fn every_answer_is_sealed() {
    let house = House::furnished().await;
    for path in [
        "/",
        "/nowhere",
        "/api/v1/nowhere",
        "/assets/style.css",
        "/healthz",
        "/metrics",
    ] {
        let response = house.ask(Request::get(path).body(Body::empty()).unwrap()).await;
        let head = response.headers();
        assert!(
            head["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'"),
            "{path}"
        );
        assert_eq!(head["x-content-type-options"], "nosniff", "{path}");
        assert!(
            head.contains_key("x-request-id") && head.contains_key("cache-control"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn only_our_own_pages_change_something() {
    let house = House::furnished().await;
    let path = "/jobs/replies.home/run";
    for head in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://localhost"),
            ("host", "localhost"),
        ],
        &[("origin", "http://evil.example"), ("host", "localhost:8470")],
        &[("origin", "null"), ("host", "localhost:8470")],
    ] {
        assert_eq!(house.ask(post(path, head)).await.status(), 403, "{head:?}");
    }
    assert!(job_states::list(&house.state.store).await.unwrap().is_empty());

    for head in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("origin", "http://localhost:8470"), ("host", "localhost:8470")],
    ] {
        let response = house.ask(post(path, head)).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (303, &"/jobs".parse().unwrap())
        );
    }
    let nudged = tokio::time::timeout(std::time::Duration::from_secs(30), house.state.board.nudged());
    assert!(nudged.await.is_ok(), "the runner is told");
    house
        .ask(post("/jobs/replies.home/pause", &[("sec-fetch-site", "same-origin")]))
        .await;
    let states = job_states::list(&house.state.store).await.unwrap();
    assert!(states[0].paused && states[0].wake_at.is_some());
    let response = house
        .ask(post("/jobs/replies.home/run", &[("sec-fetch-site", "same-origin")]))
        .await;
    assert_eq!(response.status(), 409, "a pause is not overridden silently");
    assert!(text(response).await.contains("resume it first"));
    house
        .ask(post("/jobs/replies.home/resume", &[("sec-fetch-site", "same-origin")]))
        .await;
    assert!(!job_states::list(&house.state.store).await.unwrap()[0].paused);
    // `egret jobs pause replies.home` pauses it for whom it may be.
    let (store, now) = (&house.state.store, model::Clock::now(&model::SystemClock));
    job_states::set_paused(store, "replies.home", "", true, now)
        .await
        .unwrap();
    let response = house
        .ask(post("/jobs/replies.home/resume", &[("sec-fetch-site", "same-origin")]))
        .await;
    assert_eq!(response.status(), 409, "one scope goes on only when all may");
    assert!(text(response).await.contains("egret jobs resume replies.home"));
    let unknown = house
        .ask(post("/jobs/no.such/run", &[("sec-fetch-site", "same-origin")]))
        .await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(house.get(path).await.0, 405);
}

#[tokio::test]
async fn the_api_pages_and_names_its_problems() {
    let house = House::furnished().await;
    let json = async |path: &str| serde_json::from_str::<Value>(&house.get(path).await.1).unwrap();
    let jobs = json("/api/v1/jobs").await;
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 5);
    assert_eq!(jobs["jobs"][1]["progress"]["done"], 83);

    let first = json("/api/v1/job_runs?job=replies.home&limit=5").await;
    let next = first["next"].as_str().unwrap();
    let rest = json(&format!("/api/v1/job_runs?job=replies.home&limit=5&before={next}")).await;
    assert_eq!(
        (
            first["job_runs"].as_array().unwrap().len(),
            rest["job_runs"].as_array().unwrap().len()
        ),
        (5, 3)
    );
    assert!(rest["next"].is_null());

    for (path, http_status) in [
        ("/api/v1/job_runs?limit=0", 400),
        ("/api/v1/job_runs?limit=x", 400),
        ("/api/v1/no", 404),
    ] {
        let response = house.ask(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), http_status);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem: Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(
            (&problem["status"], &problem["request_id"]),
            (&http_status.into(), &id.into())
        );
    }
}

/// Check 36.
#[tokio::test]
async fn health_names_what_is_wrong() {
    let house = House::furnished().await;
    let (http_status, body) = house.get("/healthz").await;
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((http_status, &health["status"]), (200, &"degraded".into()));
    assert_eq!(health["logins"][0]["login"], "mastodon.example/old");
    assert_eq!(
        (&health["modes"]["blocklists"], &health["store"]),
        (&"observe".into(), &"ok".into())
    );
    let house = House::empty().await;
    assert!(house.get("/healthz").await.1.contains(r#""status":"ok""#));
    assert_eq!((house.get("/livez").await.0, house.get("/readyz").await.0), (200, 200));
    house.state.store.close().await;
    assert_eq!((house.get("/livez").await.0, house.get("/readyz").await.0), (200, 503));
    let (http_status, body) = house.get("/healthz").await;
    assert_eq!(http_status, 503);
    assert!(
        body.contains(r#""panic_stop":"unreadable""#) && body.contains(r#""store":"unreadable""#),
        "{body}"
    );
    assert_eq!(house.get("/").await.0, 503);
}

#[tokio::test]
async fn files_are_fetched_once() {
    let house = House::empty().await;
    for name in ["style.css", "refresh.js", "keys.js", "egret.svg"] {
        let path = format!("/assets/{name}");
        let first = house.ask(Request::get(&path).body(Body::empty()).unwrap()).await;
        let tag = first.headers()["etag"].clone();
        let again = Request::get(&path)
            .header("if-none-match", tag)
            .body(Body::empty())
            .unwrap();
        assert_eq!(house.ask(again).await.status(), 304);
    }
    assert_eq!(house.get("/assets/..%2Flib.rs").await.0, 404);
}

#[tokio::test]
async fn on_loopback_only_our_names_are_answered_and_the_door_closes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut house = House::empty().await;
    house.state.hosts.push("egret.example".to_owned());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(web::serve(listener, house.state.clone(), stop.clone()));
    for (host, expected) in [
        ("localhost:8470", "200"),
        ("127.0.0.1", "200"),
        ("[::1]:8470", "200"),
        ("egret.example", "200"),
        ("evil.example", "421"),
        ("localhost.evil.example", "421"),
        ("127.0.0.1.evil.example", "421"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{host}: {answer}");
    }
    stop.cancel();
    serving.await.unwrap().unwrap();
}

/// Serves the furnished house until it is ended by hand: for looking at the pages.
#[tokio::test]
#[ignore = "stays until it is ended"]
async fn a_house_to_look_at() {
    let house = House::furnished().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8479").await.unwrap();
    web::serve(listener, house.state.clone(), CancellationToken::new())
        .await
        .unwrap();
}
