//! What home sends by webhook.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use fake_fediverse::{Applicant, Event, Fediverse, Scenario, signature};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::client::{get, post, quoted};

const SECRET: &str = "5f1c0de5f1c0de5f1c0de5f1c0de5f1c0de5f1c0";

#[derive(Default)]
struct Inbox {
    got: Mutex<Vec<(HeaderMap, Bytes)>>,
    /// What to answer, first to last; then 200.
    answers: Mutex<Vec<u16>>,
}

/// A listener for webhooks, and its address.
async fn listen(answers: &[u16]) -> (Arc<Inbox>, String) {
    let inbox = Arc::new(Inbox::default());
    inbox.answers.lock().unwrap().extend(answers);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/one", listener.local_addr().unwrap());
    let kept = Arc::clone(&inbox);
    let app = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        let kept = Arc::clone(&kept);
        async move {
            kept.got.lock().unwrap().push((headers, body));
            let mut answers = kept.answers.lock().unwrap();
            let answer = if answers.is_empty() { 200 } else { answers.remove(0) };
            StatusCode::from_u16(answer).unwrap()
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    (inbox, url)
}

async fn until(inbox: &Inbox, count: usize) -> Vec<(HeaderMap, Value)> {
    for _ in 0..1000 {
        let got = inbox.got.lock().unwrap().clone();
        if got.len() >= count {
            return got
                .into_iter()
                .map(|(headers, body)| {
                    assert_eq!(
                        headers["x-hub-signature"].to_str().unwrap(),
                        signature(SECRET, &body),
                        "over the bytes that came"
                    );
                    (headers, serde_json::from_slice(&body).unwrap())
                })
                .collect();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} of {count} came", inbox.got.lock().unwrap().len());
}

/// Waits until a delivery is over, and tells what was answered.
async fn outcome(fediverse: &Fediverse, place: usize) -> Vec<u16> {
    for _ in 0..1000 {
        if let Some(delivery) = fediverse.deliveries().get(place).filter(|delivery| delivery.over) {
            return delivery.answers.clone();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never over: {:?}", fediverse.deliveries());
}

async fn start() -> Fediverse {
    let fediverse = Fediverse::start(Scenario::small()).await;
    fediverse.turn(|knobs| knobs.webhook_retry = Duration::from_millis(1));
    fediverse
}

#[tokio::test]
async fn what_happens_is_told_and_signed() {
    let fediverse = start().await;
    let (inbox, url) = listen(&[]).await;
    fediverse.webhook(
        &url,
        SECRET,
        &[
            Event::AccountCreated,
            Event::AccountApproved,
            Event::AccountUpdated,
            Event::ReportCreated,
            Event::StatusCreated,
        ],
    );
    let (api, token) = (format!("{}/api/v1", fediverse.home()), fediverse.admin_token());
    let id = fediverse.apply(&Applicant {
        confirmed: false,
        ..Applicant::new("nora", "nora@nyc.gov")
    });
    let told = until(&inbox, 1).await;
    let (headers, body) = &told[0];
    assert_eq!(
        (&body["event"], &body["object"]["email"], &body["object"]["id"]),
        (&"account.created".into(), &"nora@nyc.gov".into(), &id.clone().into())
    );
    assert!(body["created_at"].is_string());
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["digest"].to_str().unwrap().starts_with("SHA-256="));
    assert!(headers["user-agent"].to_str().unwrap().starts_with("Mastodon/"));
    post(&format!("{api}/admin/accounts/{id}/approve"), Some(&token), &[]).await;
    fediverse.confirm("nora");
    post(
        &format!("{api}/admin/accounts/{id}/action"),
        Some(&token),
        &[("type", "silence")],
    )
    .await;
    fediverse.report("me", "nora", "spam", &[]);
    let root = fediverse.threads()[0].root.clone();
    fediverse.local_reply(&root, 0);
    let events: std::collections::BTreeSet<_> = until(&inbox, 5)
        .await
        .into_iter()
        .map(|(_, body)| body["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        events.into_iter().collect::<Vec<_>>(),
        [
            "account.approved",
            "account.created",
            "account.updated",
            "report.created",
            "status.created"
        ],
        "approved is told once, when confirmed too"
    );
}

#[tokio::test]
async fn some_refusals_are_final_and_others_are_tried_again() {
    for (answers, outcome_wanted) in [
        (vec![200], vec![200]),
        (vec![202], vec![202]),
        (vec![503, 503, 200], vec![503, 503, 200]),
        (vec![500, 429, 401, 408, 200], vec![500, 429, 401, 408, 200]),
        (vec![400], vec![400]),
        (vec![404], vec![404]),
        (vec![501], vec![501]),
    ] {
        let fediverse = start().await;
        let (_inbox, url) = listen(&answers).await;
        fediverse.webhook(&url, SECRET, &[Event::AccountUpdated]);
        let places = fediverse.fire(Event::AccountUpdated, "tove");
        assert_eq!(outcome(&fediverse, places[0]).await, outcome_wanted, "{answers:?}");
    }
}

#[tokio::test]
async fn duplicates_are_the_same_bytes() {
    let fediverse = start().await;
    let (inbox, url) = listen(&[]).await;
    fediverse.webhook(&url, SECRET, &[Event::ReportCreated]);
    let report = fediverse.report("me", "tove", "spam", &[]);
    until(&inbox, 1).await;
    fediverse.deliver_again(0);
    until(&inbox, 2).await;
    let got = inbox.got.lock().unwrap().clone();
    assert_eq!(got[0].1, got[1].1);
    let body: Value = serde_json::from_str(&fediverse.webhook_body(Event::ReportCreated, &report)).unwrap();
    assert_eq!(body["object"]["id"], report);
    assert!(
        fediverse
            .fire(Event::StatusUpdated, &fediverse.threads()[0].root)
            .is_empty(),
        "nobody wants these"
    );
}

#[tokio::test]
async fn webhooks_are_set_up_from_outside_too() {
    let fediverse = start().await;
    let (inbox, url) = listen(&[]).await;
    let control = format!("{}/__fake", fediverse.home());
    let hook = format!(
        "{control}/webhook?url={}&secret={SECRET}&events=account.created,account.approved",
        quoted(&url)
    );
    assert_eq!(get(&hook, None).await.status, 200);
    let new = format!("{control}/applicant?name=nora&email={}", quoted("nora@nyc.gov"));
    let id = get(&new, None).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(until(&inbox, 1).await[0].1["object"]["confirmed"], false);
    assert_eq!(get(&new, None).await.status, 404, "taken");
    assert_eq!(
        get(&format!("{control}/email?name=nora&email=other"), None)
            .await
            .status,
        200
    );
    assert_eq!(get(&format!("{control}/confirm?name=nora"), None).await.status, 200);
    let fired = get(&format!("{control}/fire?event=account.approved&subject={id}"), None).await;
    assert_eq!(fired.status, 200);
    let told = until(&inbox, 2).await;
    assert_eq!(
        (&told[1].1["object"]["confirmed"], &told[1].1["object"]["email"]),
        (&true.into(), &"other".into())
    );
    assert_eq!(
        get(&format!("{control}/fire?event=made.up&subject={id}"), None)
            .await
            .status,
        404
    );
    let all = get(&format!("{control}/deliveries"), None).await.json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(get(&format!("{control}/writes"), None).await.text, "[]");
}
