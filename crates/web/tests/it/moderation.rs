//! Cases, rules and numbers, for people and for programs.

use axum::{
    body::Body,
    http::{Method, Request},
};
use model::{Clock as _, SystemClock};
use moderation::Edit;
use serde_json::{Value, json};
use store::{
    cases::{self, Case, Line, State as Is},
    rule_hits::{self, Hit},
    rulesets,
};

use crate::house::{House, text};

const SERVER: &str = "home.example:3000";

const RULES: &str =
    "[[rules]]\nid = \"casino\"\nname = \"Casino <b>spam\"\nwhen = { keywords = [\"casino\"], in = [\"content\"] }\n";

fn case(n: u32, state: Is) -> Case {
    Case {
        id: format!("0198-{n}"),
        reference: format!("EG-{n}"),
        server: SERVER.into(),
        acct: format!("<i>eve{n}@bad.example"),
        state,
        score: 1.2,
        statuses: vec!["7".into()],
        ..store::testing::case("", &n.to_string(), SystemClock.now())
    }
}

async fn house() -> House {
    let house = House::empty().await;
    let (db, now) = (&house.state.store, SystemClock.now());
    for (n, state) in [(1, Is::Open), (2, Is::Ready)] {
        let one = case(n, state);
        let line = Line::new(Some(&one), "opened", "egret", json!({ "rules": one.rules }), now);
        assert!(cases::open(db, &one, &line).await.unwrap());
        let hit = Hit {
            id: format!("hit {n}"),
            server: SERVER.into(),
            account_id: one.account_id.clone(),
            acct: one.acct.clone(),
            domain: one.domain.clone(),
            status_id: "7".into(),
            digest: "d".into(),
            rule: "casino".into(),
            standing: "live".into(),
            weight: 1.0,
            ruleset: 1,
            evidence: json!({ "condition": "keyword casino", "field": "content", "original": "<script>cas", "matched": "casino" }),
            case_id: Some(one.id.clone()),
            at: now,
        };
        rule_hits::save(db, &[hit]).await.unwrap();
    }
    let edit = Edit {
        name: "spam.toml".into(),
        text: Some(RULES.into()),
        note: "first".into(),
        by: "ada".into(),
        after: 0,
    };
    moderation::edit(db, edit, now).await.unwrap();
    house
}

async fn send(house: &House, path: &str, form: &str) -> (u16, String) {
    let request = Request::post(path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_owned()))
        .unwrap();
    let response = house.ask(request).await;
    (response.status().as_u16(), text(response).await)
}

async fn call(house: &House, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = house.ask(request).await;
    let status = response.status().as_u16();
    (status, serde_json::from_str(&text(response).await).unwrap_or_default())
}

async fn asked(house: &House, id: &str) -> Option<String> {
    cases::load(&house.state.store, id).await.unwrap().unwrap().asked
}

#[tokio::test]
async fn the_queue_and_a_case_show_everything_and_escape_it() {
    let house = house().await;
    let (status, page) = house.get("/moderation").await;
    assert_eq!(status, 200);
    assert!(
        page.contains("EG-1") && page.contains("EG-2") && page.contains("&lt;i&gt;eve1"),
        "{page}"
    );
    assert!(!house.get("/moderation?state=open").await.1.contains("EG-2"));
    assert!(house.get("/moderation?search=eve2").await.1.contains("EG-2"));
    assert_eq!(house.get("/moderation?state=nonsense").await.0, 400);
    let (status, page) = house.get("/moderation/cases/EG-1").await;
    assert_eq!(status, 200);
    for part in [
        "&lt;script&gt;cas",
        "keyword casino",
        "What would be sent",
        "Ref: EG-1",
        "Similar accounts",
        "accesskey=\"a\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("<script>cas"));
    assert_eq!(house.get("/moderation/cases/EG-404").await.0, 404);
    for path in [
        "/moderation/rules",
        "/moderation/backtests",
        "/moderation/numbers",
        "/moderation/audit",
    ] {
        assert_eq!(house.get(path).await.0, 200, "{path}");
    }
    let (status, lines) = house.get("/moderation/audit.jsonl").await;
    assert_eq!((status, lines.lines().count()), (200, 3));
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[tokio::test]
async fn what_people_want_is_written_down_and_wakes_the_job() {
    let house = house().await;
    assert_eq!(
        send(&house, "/moderation/cases/0198-1", "what=escalate&note=look")
            .await
            .0,
        303
    );
    assert_eq!(asked(&house, "EG-1").await.as_deref(), Some("escalate"));
    assert_eq!(
        send(&house, "/moderation/cases", "what=approve&id=0198-1&id=0198-2")
            .await
            .0,
        303
    );
    assert_eq!(asked(&house, "EG-2").await.as_deref(), Some("approve"));
    assert_eq!(
        send(&house, "/moderation/cases", "what=nonsense&id=0198-1").await.0,
        400
    );
    let states = store::job_states::list(&house.state.store).await.unwrap();
    assert_eq!((&*states[0].job, &*states[0].scope), ("moderation.cases", SERVER));
    let (status, _) = call(
        &house,
        Method::POST,
        "/api/v1/moderation/cases/EG-1",
        &json!({ "ask": "dismiss" }),
    )
    .await;
    assert_eq!((status, asked(&house, "EG-1").await.as_deref()), (202, Some("dismiss")));
    let (status, whole) = call(&house, Method::GET, "/api/v1/moderation/cases/EG-1", &Value::Null).await;
    assert_eq!(status, 200);
    assert_eq!(whole["evidence"][0]["rule"], "casino");
    assert!(whole["report"]["comment"].as_str().unwrap().contains("Ref: EG-1"));
    assert!(whole["history"].as_array().unwrap().len() >= 3);
}

/// Checks 10, 19 and 20, at the page and the API alike.
#[tokio::test]
async fn rules_are_checked_alike_wherever_they_come_from() {
    let house = house().await;
    let put = async |text: &str, version: i64| {
        let body = json!({ "name": "spam.toml", "text": text, "version": version });
        call(&house, Method::PUT, "/api/v1/moderation/rules", &body).await
    };
    let bad = RULES.replace("keywords = [\"casino\"]", "regex = \"(?=x)\"");
    let (status, problem) = put(&bad, 1).await;
    assert_eq!(status, 422, "{problem}");
    assert!(problem.to_string().contains("spam.toml:"), "with the place: {problem}");
    let form = format!(
        "name=spam.toml&version=1&note=&text={}",
        bad.replace('"', "%22")
            .replace('=', "%3D")
            .replace('\n', "%0A")
            .replace('?', "%3F")
            .replace('[', "%5B")
    );
    assert_eq!(send(&house, "/moderation/rules", &form).await.0, 422);
    assert_eq!(put(&format!("{RULES}{RULES}"), 1).await.0, 422, "two of one id");
    assert_eq!(
        rulesets::stamp(&house.state.store).await.unwrap().0,
        1,
        "nothing changed"
    );
    assert_eq!(
        put(&RULES.replace("casino\"]", "poker\"]"), 0).await.0,
        409,
        "made from an older version"
    );
    assert_eq!(put(&RULES.replace("casino\"]", "poker\"]"), 1).await.0, 200);
    let (_, shown) = call(&house, Method::GET, "/api/v1/moderation/rules", &Value::Null).await;
    assert_eq!(
        (&shown["version"], &shown["rules"][0]["standing"]),
        (&json!(2), &json!("shadow"))
    );
    assert_eq!(shown["rules"][0]["hits"], 2);

    let live = async |why: &str| {
        let body = json!({ "standing": "live", "why": why });
        call(&house, Method::POST, "/api/v1/moderation/rules/casino/standing", &body)
            .await
            .0
    };
    assert_eq!(live("").await, 409);
    assert_eq!(live("we need it now").await, 200);
    let (status, _) = call(
        &house,
        Method::POST,
        "/api/v1/moderation/rules/versions/1",
        &Value::Null,
    )
    .await;
    assert_eq!(status, 200);
    let (_, shown) = call(&house, Method::GET, "/api/v1/moderation/rules", &Value::Null).await;
    assert_eq!(
        (&shown["version"], &shown["rules"][0]["standing"]),
        (&json!(3), &json!("shadow")),
        "another text"
    );
}

#[tokio::test]
async fn rules_can_be_tried_before_they_do_anything() {
    let house = house().await;
    let status = json!({ "id": "1", "visibility": "public", "content": "<p>The cas&#105;no</p>", "account": { "id": "7", "acct": "eve" } });
    let (code, verdict) = call(
        &house,
        Method::POST,
        "/api/v1/moderation/rules/test",
        &json!({ "subject": status }),
    )
    .await;
    assert_eq!(
        (code, &verdict["contributions"][0]["rule"]),
        (200, &json!("casino")),
        "{verdict}"
    );
    let (code, _) = call(
        &house,
        Method::POST,
        "/api/v1/moderation/rules/test",
        &json!({ "subject": [1] }),
    )
    .await;
    assert_eq!(code, 422);
    let (code, page) = send(
        &house,
        "/moderation/rules/test",
        &format!("subject={}", status.to_string().replace('&', "%26").replace('#', "%23")),
    )
    .await;
    assert_eq!(code, 200);
    assert!(page.contains("adds 1"), "{page}");
    let (code, asked) = call(
        &house,
        Method::POST,
        "/api/v1/moderation/backtests",
        &json!({ "days": 30 }),
    )
    .await;
    assert_eq!(code, 202);
    let id = asked["id"].as_str().unwrap();
    assert_eq!(house.get(&format!("/moderation/backtests/{id}")).await.0, 200);
    assert_eq!(rulesets::backtests_asked(&house.state.store, 9).await.unwrap().len(), 1);
    assert_eq!(send(&house, "/moderation/backtests", "days=7").await.0, 303);
}

/// What was found of a domain is taken for a blocklist with a severity, and can be thought of again.
#[tokio::test]
async fn a_domain_is_taken_for_a_blocklist() {
    let house = house().await;
    let now = SystemClock.now();
    let found = store::findings::DomainFinding {
        server: SERVER.into(),
        domain: "bad.example".into(),
        accounts: 3,
        confirmed: 2,
        state: "open".into(),
        by: None,
        severity: None,
        first_at: now,
        last_at: now,
    };
    store::findings::save_domain(&house.state.store, &found).await.unwrap();
    let page = house.get("/moderation/numbers").await.1;
    assert!(page.contains("Take to silence: bad.example"), "{page}");
    // Where it leads, the domain is looked for.
    assert!(page.contains("href=\"/blocklists?q=bad.example\""), "{page}");
    let about = format!("server={}&domain=bad.example", SERVER.replace(':', "%3A"));
    for bad in ["state=taken", "state=taken&severity=banish", "state=nonsense"] {
        assert_eq!(
            send(&house, "/moderation/domains", &format!("{about}&{bad}")).await.0,
            400,
            "{bad}"
        );
    }
    let taken = format!("{about}&state=taken&severity=suspend");
    assert_eq!(send(&house, "/moderation/domains", &taken).await.0, 303);
    let state = async || {
        let one = store::findings::domains(&house.state.store, None, 9)
            .await
            .unwrap()
            .remove(0);
        (one.state, one.severity)
    };
    assert_eq!(state().await, ("taken".to_owned(), Some("suspend".to_owned())));
    let woken = store::job_states::list(&house.state.store).await.unwrap();
    assert!(woken.iter().any(|one| one.job == "blocklists.lists"));
    assert!(house.get("/moderation/audit").await.1.contains("bad.example"));
    assert_eq!(
        send(&house, "/moderation/domains", &format!("{about}&state=open"))
            .await
            .0,
        303
    );
    assert_eq!(state().await, ("open".to_owned(), None));
}
