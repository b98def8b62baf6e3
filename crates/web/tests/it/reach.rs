//! A right reaches no further than the server that gave it: two servers in one daemon, and people of each.

use axum::{
    body::Body,
    http::{Request, header},
};
use model::{Clock as _, SystemClock};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use store::{
    block_plans::{self, Plan},
    notices::{self, Notice, Severity},
};
use web::{Config, SignIn, tokens};

use crate::{
    guests::{Hotel, net, server},
    house::text,
};

/// The server that all of the furnished house's data is of.
const FULL: &str = "mastodon.example";

/// Pages and documents that show what there is.
const SHOWN: [&str; 28] = [
    "/",
    "/jobs",
    "/replies",
    "/replies/threads",
    "/replies/wanted?state=done",
    "/backfill",
    "/backfill/accounts",
    "/backfill/origins",
    "/archive",
    "/registrations",
    "/blocklists",
    "/effects",
    "/api/v1/overview",
    "/api/v1/jobs",
    "/api/v1/job_runs",
    "/api/v1/servers",
    "/api/v1/logins",
    "/api/v1/replies/threads",
    "/api/v1/replies/wanted?state=done",
    "/api/v1/backfill/accounts",
    "/api/v1/archive/statuses",
    "/api/v1/effects",
    "/api/v1/notices",
    "/api/v1/registrations",
    "/api/v1/blocklists/plans",
    "/api/v1/blocklists/runs",
    "/api/v1/blocklists/domains",
    "/healthz",
];

/// One run, one effect: of the full server.
const HIDDEN: [&str; 9] = [
    "/jobs/replies.home",
    "/runs/01900000-0000-7000-8000-000000000011",
    "/api/v1/job_runs/01900000-0000-7000-8000-000000000011",
    "/api/v1/job_runs/01900000-0000-7000-8000-000000000011/log",
    "/effects/01900000-0000-7000-8000-000000000101",
    "/api/v1/effects/01900000-0000-7000-8000-000000000101",
    "/api/v1/blocklists/plans/0123456789abcdef",
    "/registrations/people/mastodon.example/1",
    "/api/v1/registrations/mastodon.example/1",
];

/// What only the full server's people may read.
const SECRETS: [&str; 10] = [
    "ab…yz",
    "ada@mastodon.example",
    "mastodon.example/ada",
    "q1…7x",
    "bad1.example",
    "grace/statuses",
    "@lin/",
    "odd@gts.example",
    "quota of",
    "policy of the full one",
];

/// A hotel with two servers: the one where people sign in, and the full one.
pub(crate) async fn two() -> Hotel {
    let mut hotel = Hotel::open().await;
    let here = server(&hotel.fediverse);
    let full = web::signin::Server {
        host: FULL.to_owned(),
        url: format!("https://{FULL}/").parse().unwrap(),
        logins: vec!["ada".to_owned(), "old".to_owned()],
    };
    let config = Config::default();
    let clock = std::sync::Arc::new(hotel.clock.clone());
    hotel.house.state.sign_in = SignIn::new(&config, config.listen, net(), vec![here, full], clock).unwrap();
    hotel
}

pub(crate) async fn token(hotel: &Hotel, name: &str, scopes: &[&str]) -> String {
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let made = tokens::create(&hotel.house.state.store, name, &scopes, hotel.clock.now(), None).await;
    made.unwrap().token.expose_secret().to_owned()
}

pub(crate) async fn ask(hotel: &Hotel, method: &str, path: &str, token: &str, json: Option<&str>) -> (u16, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = match json {
        Some(json) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json.to_owned())),
        None => request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(
                "scope=mastodon.example%2Fada&server=mastodon.example&hash=x&run=x&id=1&what=approve",
            )),
    };
    let response = hotel.house.ask(request.unwrap()).await;
    (response.status().as_u16(), text(response).await)
}

#[tokio::test]
async fn nobody_sees_what_is_of_another_server() {
    let hotel = two().await;
    let notice = notice("registrations", "burst", FULL);
    notices::insert(&hotel.house.state.store, &notice).await.unwrap();
    let plan = Plan {
        server: FULL.to_owned(),
        hash: "0123456789abcdef".to_owned(),
        policy: "policy of the full one".to_owned(),
        state: block_plans::State::Open,
        plan: serde_json::json!({}),
        who: None,
        run: None,
        made_at: SystemClock.now(),
        changed_at: SystemClock.now(),
    };
    block_plans::save(&hotel.house.state.store, &plan).await.unwrap();
    let own = format!("admin@{}", hotel.host());
    let other = token(&hotel, "other", &[&own]).await;
    for path in SHOWN {
        let (http_status, body) = ask(&hotel, "GET", path, &other, None).await;
        assert_eq!(http_status, 200, "{path}: {body}");
        for secret in SECRETS {
            assert!(!body.contains(secret), "{path} shows {secret}: {body}");
        }
        assert!(!body.contains("250 people"), "{path} shows a notice");
    }
    for path in HIDDEN {
        let (http_status, body) = ask(&hotel, "GET", path, &other, None).await;
        assert!(matches!(http_status, 403 | 404), "{path}: {http_status} {body}");
    }
    // The same with the right one: otherwise nothing would be shown to anybody.
    let full = token(&hotel, "full", &["admin@mastodon.example"]).await;
    let mut seen = String::new();
    for path in SHOWN {
        seen.push_str(&ask(&hotel, "GET", path, &full, None).await.1);
    }
    for secret in SECRETS {
        assert!(seen.contains(secret), "{secret} is shown to nobody");
    }
    assert!(seen.contains("250 people"));
    for path in &HIDDEN[..7] {
        assert_eq!(ask(&hotel, "GET", path, &full, None).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn nobody_does_anything_at_another_server() {
    let hotel = two().await;
    let own = format!("admin@{}", hotel.host());
    let other = token(&hotel, "other", &[&own]).await;
    let held = "/effects/01900000-0000-7000-8000-000000000101";
    for path in [
        "/jobs/replies.home/run",
        "/jobs/replies.home/pause",
        "/blocklists/approve",
        "/blocklists/dismiss",
        "/blocklists/undo",
        "/blocklists/believe",
        "/registrations/ask",
        "/registrations/rules",
        "/registrations/rules/delete",
        "/settings/panic_stop",
        "/settings/modes/blocklists",
        &format!("{held}/release"),
        &format!("{held}/hold"),
    ] {
        let (http_status, body) = ask(&hotel, "POST", path, &other, None).await;
        assert!(matches!(http_status, 403 | 404), "{path}: {http_status} {body}");
    }
    let scope = Some(r#"{"scope":"mastodon.example/ada"}"#);
    for (method, path, json) in [
        ("POST", "/api/v1/jobs/replies.home/run", scope),
        ("POST", "/api/v1/jobs/wanted.drain/run", Some(r#"{"scope":""}"#)),
        ("POST", &format!("/api/v1{held}/release"), None),
        (
            "POST",
            "/api/v1/registrations/mastodon.example/1",
            Some(r#"{"ask":"approve"}"#),
        ),
        ("PUT", "/api/v1/modes/blocklists", Some(r#"{"mode":"act"}"#)),
        ("PUT", "/api/v1/panic_stop", None),
        ("GET", "/api/v1/settings", None),
        ("GET", "/settings", None),
    ] {
        let (http_status, body) = ask(&hotel, method, path, &other, json).await;
        assert!(matches!(http_status, 403 | 404), "{path}: {http_status} {body}");
    }
    let state = &hotel.house.state;
    assert!(store::job_states::list(&state.store).await.unwrap().is_empty());
    assert!(store::effects::panic_stop(&state.store).await.unwrap().is_none());

    let full = token(&hotel, "full", &["admin@mastodon.example"]).await;
    let run = ask(&hotel, "POST", "/api/v1/jobs/replies.home/run", &full, scope).await;
    assert_eq!(run.0, 202, "{}", run.1);
    assert_eq!(
        ask(&hotel, "POST", &format!("/api/v1{held}/hold"), &full, None).await.0,
        204
    );
    let stop = ask(&hotel, "PUT", "/api/v1/panic_stop", &full, None).await;
    assert_eq!(stop.0, 403, "it stops the other server too");
    assert!(stop.1.contains("for all servers"), "{}", stop.1);
    let both = token(&hotel, "both", &["admin@mastodon.example", &own]).await;
    assert_eq!(ask(&hotel, "PUT", "/api/v1/panic_stop", &both, None).await.0, 204);
}

#[tokio::test]
async fn a_role_counts_at_its_own_server() {
    let hotel = two().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    let overview = admin.get("/").await;
    assert_eq!(overview.http_status, 200);
    for secret in SECRETS {
        assert!(!overview.body.contains(secret), "{secret}");
    }
    assert!(
        !overview.body.contains("href=\"/settings\""),
        "no door that is locked for them"
    );
    let me: Value = serde_json::from_str(&admin.get("/api/v1/me").await.body).unwrap();
    let rights = me["rights"].as_array().unwrap();
    assert!(
        !rights.is_empty() && rights.iter().all(|right| right["at"] == hotel.host()),
        "{me}"
    );
    assert_eq!(admin.get("/settings").await.http_status, 403);
    assert_eq!(admin.get("/jobs/replies.home").await.http_status, 404);

    // Where it is the only server, the daemon is theirs.
    let hotel = Hotel::open().await;
    let mut admin = hotel.browser();
    admin.sign_in("admin").await;
    assert!(admin.get("/").await.body.contains("href=\"/settings\""));
    assert_eq!(admin.get("/settings").await.http_status, 200);
    let mut moderator = hotel.browser();
    moderator.sign_in("mod").await;
    assert_eq!(moderator.get("/settings").await.http_status, 403);
    assert_eq!(moderator.get("/registrations").await.http_status, 200);
    assert_eq!(moderator.get("/blocklists").await.http_status, 403);
}

#[tokio::test]
async fn whoever_has_a_login_sees_what_is_theirs() {
    let hotel = two().await;
    let own = token(&hotel, "own", &["view@mastodon.example/old"]).await;
    let json =
        async |path: &str| -> Value { serde_json::from_str(&ask(&hotel, "GET", path, &own, None).await.1).unwrap() };
    let logins = json("/api/v1/logins").await;
    assert_eq!(logins["logins"].as_array().unwrap().len(), 1);
    assert_eq!(logins["logins"][0]["login"], "mastodon.example/old");
    let jobs = json("/api/v1/jobs").await;
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(jobs["jobs"][0]["scope"], "mastodon.example/old");
    assert_eq!(json("/api/v1/job_runs").await["job_runs"].as_array().unwrap().len(), 0);
    assert_eq!(json("/api/v1/me").await["rights"][0]["at"], "mastodon.example/old");
    assert_eq!(json("/api/v1/effects").await["effects"].as_array().unwrap().len(), 0);
    let run = Some(r#"{"scope":"mastodon.example/old"}"#);
    let run = ask(&hotel, "POST", "/api/v1/jobs/replies.home/run", &own, run).await;
    assert_eq!(run.0, 403);
}

fn notice(feature: &str, kind: &str, about: &str) -> Notice {
    Notice {
        id: uuid::Uuid::now_v7().to_string(),
        feature: feature.to_owned(),
        kind: kind.to_owned(),
        about: about.to_owned(),
        severity: Severity::Warning,
        text: format!("<i>250 people</i> {kind} {about}"),
        created_at: SystemClock.now(),
        seen_at: None,
        delivered_at: None,
    }
}

#[tokio::test]
async fn what_somebody_should_hear_of_is_shown_until_somebody_did() {
    let hotel = Hotel::open().await;
    let db = &hotel.house.state.store;
    let all = [
        notice("blocklists", "quota", ""),
        notice("registrations", "burst", FULL),
        notice("logins", "token", "mastodon.example/old"),
        notice("logins", "token", "mastodon.example/gone"),
        notice("replies", "rest", "replies.home mastodon.example/old"),
    ];
    for one in &all {
        assert!(notices::insert(db, one).await.unwrap());
    }
    let admin = token(&hotel, "admin", &["admin"]).await;
    let page = ask(&hotel, "GET", "/", &admin, None).await.1;
    assert!(page.contains("&lt;i&gt;250 people&lt;/i&gt; quota") && page.contains("burst mastodon.example"));
    assert!(page.contains("token mastodon.example/gone"));
    // What goes on is told as it is, once.
    assert!(!page.contains("250 people&lt;/i&gt; token mastodon.example/old") && page.contains("revoked: ask"));
    assert!(!page.contains("250 people&lt;/i&gt; rest"));
    let list = async |token: &str, query: &str| -> Vec<String> {
        let (http_status, body) = ask(&hotel, "GET", &format!("/api/v1/notices{query}"), token, None).await;
        assert_eq!(http_status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let ids = body["notices"].as_array().unwrap().iter();
        ids.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let ids: Vec<String> = all.iter().rev().map(|one| one.id.clone()).collect();
    assert_eq!(list(&admin, "").await, ids);

    let moderator = token(&hotel, "moderator", &["registrations@mastodon.example"]).await;
    assert_eq!(
        list(&moderator, "").await,
        [&*ids[0], &*ids[1], &*ids[2], &*ids[3]],
        "all but the blocklists'"
    );
    let see = async |token: &str, id: &str| {
        ask(&hotel, "POST", &format!("/api/v1/notices/{id}/seen"), token, None)
            .await
            .0
    };
    assert_eq!(
        see(&moderator, &ids[1]).await,
        403,
        "a login is the administrators' to look after"
    );
    assert_eq!(see(&moderator, &ids[4]).await, 404);
    assert_eq!(see(&moderator, &ids[3]).await, 204);
    assert_eq!(see(&moderator, &ids[3]).await, 204, "seen is seen");
    assert_eq!(see(&admin, "none").await, 404);
    let form = ask(&hotel, "POST", &format!("/notices/{}/seen", ids[4]), &admin, None).await;
    assert_eq!(form.0, 303);
    let page = ask(&hotel, "GET", "/", &admin, None).await.1;
    assert!(
        !page.contains("quota ") && !page.contains("burst mastodon.example"),
        "{page}"
    );
    assert_eq!(list(&admin, "?unseen=true").await.len(), 3);
    assert_eq!(list(&admin, "").await.len(), 5);
}
