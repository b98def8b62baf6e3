//! The queue, its people and its rules.

use axum::{body::Body, http::Request};
use model::{Clock as _, SystemClock};
use serde_json::json;
use store::applicants::{self, Decision, Event, Seen, State as Is};

use crate::house::{House, text};

const SERVER: &str = "home.example:3000";

async fn house() -> House {
    let house = House::empty().await;
    let (db, now) = (&house.state.store, SystemClock.now());
    let seen = |id: &str, name: &str, email: &str| Seen {
        account_id: id.into(),
        username: name.into(),
        email: email.into(),
        email_hash: format!("hash {id}"),
        domain: "nyc.gov".into(),
        network: String::new(),
        reason_hash: String::new(),
        facts: json!({"email": email, "username": name, "confirmed": true, "invite_request": "<script>alert(1)</script>"}),
        signed_up_at: now,
    };
    let people = [
        seen("1", "mayor", "mayor@nyc.gov"),
        seen("2", "<b>fan", "fan@gmail.com"),
        seen("3", "other", "o@nyc.gov"),
    ];
    applicants::see(db, SERVER, &people, now).await.unwrap();
    let decision = |id: &str, state: Is, seen: &Seen| Decision {
        account_id: id.into(),
        state,
        verdict: "hold".into(),
        rule: Some("government".into()),
        why: "no rule fits".into(),
        ruleset: "abc".into(),
        stopped: None,
        act_at: None,
        ended_by: state.is_end().then(|| "egret".to_owned()),
        look: (None, 0),
        flag: None,
        answers: None,
        seen: None,
        event: Some(Event {
            kind: "judged",
            by: "egret".into(),
            detail: json!({"verdict": "hold", "why": "no rule fits"}),
            inputs: Some(seen.facts.clone()),
        }),
        mail: None,
        forget: false,
    };
    let rows = [
        decision("1", Is::Hold, &people[0]),
        decision("2", Is::Veto, &people[1]),
        decision("3", Is::Approved, &people[2]),
    ];
    applicants::decide(db, SERVER, &rows, now).await.unwrap();
    house
}

async fn send(house: &House, path: &str, body: &str) -> (u16, String) {
    let request = Request::post(path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = house.ask(request).await;
    (response.status().as_u16(), text(response).await)
}

async fn asked(house: &House, id: &str) -> Option<String> {
    applicants::load(&house.state.store, SERVER, &[id.to_owned()])
        .await
        .unwrap()
        .pop()
        .unwrap()
        .asked
}

#[tokio::test]
async fn the_queue_shows_who_waits_and_why() {
    let house = house().await;
    let (status, page) = house.get("/registrations").await;
    assert_eq!(status, 200);
    assert!(
        page.contains("mayor@nyc.gov") && page.contains("no rule fits") && page.contains("&lt;b&gt;fan"),
        "{page}"
    );
    assert!(!page.contains("o@nyc.gov"), "who is through is asked for");
    assert!(house.get("/registrations?state=approved").await.1.contains("o@nyc.gov"));
    assert!(
        !house
            .get("/registrations?search=gmail")
            .await
            .1
            .contains("mayor@nyc.gov")
    );
    assert_eq!(house.get("/registrations?state=nonsense").await.0, 400);
    assert_eq!(house.get("/registrations?before=nonsense").await.0, 400);
    let (status, page) = house.get("/registrations/people/home.example%3A3000/1").await;
    assert_eq!(status, 200);
    assert!(
        page.contains("&lt;script&gt;") && !page.contains("<script>alert") && page.contains("judged"),
        "{page}"
    );
    assert_eq!(house.get("/registrations/people/home.example/404").await.0, 404);
}

#[tokio::test]
async fn a_button_writes_a_wish_and_wakes_the_job() {
    let house = house().await;
    let (status, _) = send(
        &house,
        "/registrations/ask",
        "server=home.example%3A3000&id=2&what=hold",
    )
    .await;
    assert_eq!((status, asked(&house, "2").await.as_deref()), (303, Some("hold")));
    assert_eq!(
        store::job_states::list(&house.state.store).await.unwrap()[0].scope,
        SERVER
    );
    assert_eq!(
        send(
            &house,
            "/registrations/ask",
            "server=home.example%3A3000&id=3&what=reject"
        )
        .await
        .0,
        409
    );
    assert_eq!(
        send(
            &house,
            "/registrations/ask",
            "server=home.example%3A3000&id=1&what=nonsense"
        )
        .await
        .0,
        400
    );
    let elsewhere = Request::post("/registrations/ask")
        .body(Body::from("server=x&id=1&what=approve"))
        .unwrap();
    assert_eq!(
        house.ask(elsewhere).await.status().as_u16(),
        403,
        "not from one of our pages"
    );
    assert!(
        store::effects::list(&house.state.store, None, None, None, 1)
            .await
            .unwrap()
            .is_empty(),
        "a page sends nothing"
    );
}

#[tokio::test]
async fn programs_see_and_ask_the_same() {
    let house = house().await;
    let (status, body) = house.get("/api/v1/registrations?limit=1").await;
    let page: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, page["registrations"].as_array().unwrap().len()), (200, 1));
    let next = page["next"].as_str().unwrap();
    let (_, body) = house.get(&format!("/api/v1/registrations?limit=1&before={next}")).await;
    let second: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_ne!(
        second["registrations"][0]["account_id"],
        page["registrations"][0]["account_id"]
    );
    assert_eq!(second["next"], serde_json::Value::Null);
    let (_, body) = house.get("/api/v1/registrations/home.example%3A3000/1").await;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&body).unwrap()["history"][0]["kind"],
        "judged"
    );
    let request = Request::post("/api/v1/registrations/home.example%3A3000/1")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"ask":"approve"}"#))
        .unwrap();
    assert_eq!(house.ask(request).await.status().as_u16(), 202);
    assert_eq!(asked(&house, "1").await.as_deref(), Some("approve"));
    let (_, body) = house.get("/api/v1/registrations/audit").await;
    let audit: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(audit["events"].as_array().unwrap().len(), 4);
    assert!(!body.contains("nyc.gov"), "the audit names nobody");
}

#[tokio::test]
async fn rules_are_tried_compared_and_put_in_place() {
    let house = house().await;
    let rules = "rules=%5B%5Brules%5D%5D%0Aname+%3D+%22government%22%0Averdict+%3D+%22approve%22%0Adomains+%3D+%5B%22.gov%22%5D";
    let (status, page) = send(&house, "/registrations/rules/replay", rules).await;
    assert_eq!(status, 200);
    assert!(page.contains("2 otherwise") && page.contains("within gov"), "{page}");
    assert!(
        applicants::rules(&house.state.store).await.unwrap().is_empty(),
        "compared, not put in place"
    );
    assert_eq!(send(&house, "/registrations/rules", rules).await.0, 303);
    let (_, page) = house.get("/registrations/rules").await;
    assert!(page.contains("government") && page.contains("Delete"), "{page}");
    let (_, page) = send(&house, "/registrations/rules/try", "email=a%40nyc.gov").await;
    assert!(page.contains("approve"), "{page}");
    assert_eq!(send(&house, "/registrations/rules", "rules=nonsense").await.0, 422);
    let file = rules.replace(
        "domains+%3D+%5B%22.gov%22%5D",
        "domain_lists+%3D+%5B%22%2Fetc%2Fpasswd%22%5D",
    );
    assert_eq!(send(&house, "/registrations/rules", &file).await.0, 422);
    let both = format!(
        "rules={}%0A{}",
        rules.replace("rules=", "").replace("government", "other"),
        file.replace("rules=", "")
    );
    assert_eq!(send(&house, "/registrations/rules", &both).await.0, 422);
    let stored = applicants::rules(&house.state.store).await.unwrap();
    assert_eq!(stored.len(), 1, "all of them or none");
    assert_eq!(
        send(&house, "/registrations/rules/delete", "name=government").await.0,
        303
    );
    assert!(applicants::rules(&house.state.store).await.unwrap().is_empty());
}

#[tokio::test]
async fn programs_count_by_rule_and_replay_history() {
    let house = house().await;
    let rule = applicants::StoredRule {
        name: "government".into(),
        rule: json!({"name": "government", "verdict": "hold", "domains": [".gov"]}),
        changed_by: "ada".into(),
        changed_at: SystemClock.now(),
    };
    assert!(applicants::save_rule(&house.state.store, &rule).await.unwrap());
    let (status, body) = house.get("/api/v1/registrations/rules").await;
    let rules: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        rules["rules"][0]["counts"],
        json!({"hold": 1, "veto": 1, "approved": 1})
    );
    let replay = |rules: serde_json::Value| {
        Request::post("/api/v1/registrations/rules/replay")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .body(Body::from(json!({"rules": rules}).to_string()))
            .unwrap()
    };
    let good = json!([{"name": "government", "verdict": "approve", "domains": [".gov"]}]);
    let response = house.ask(replay(good)).await;
    assert_eq!(response.status().as_u16(), 200);
    let said: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(
        (&said["judged"], &said["same"], &said["changed"]),
        (&json!(3), &json!(1), &json!(2))
    );
    let bad = json!([{"name": "all", "verdict": "approve"}]);
    assert_eq!(house.ask(replay(bad)).await.status().as_u16(), 422);
    let stands = applicants::rules(&house.state.store).await.unwrap();
    assert_eq!(stands, [rule], "nothing is put in place");
}
