//! Messages to people: what arrives, how often, and what never shows.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::Method, http::StatusCode, http::Uri};
use job::{Login, Mode, News};
use operations::{
    apply::send,
    config::{Channel, Kind, Level},
    plan::message::Message,
};
use serde_json::Value;
use store::{deliveries, notices::Severity};

use crate::house::House;

type Heard = Arc<Mutex<Vec<(Method, String, HeaderMap, Value)>>>;

/// A server that hears everything and answers what it is told to.
struct Ear {
    url: String,
    heard: Heard,
    answers: Arc<Mutex<StatusCode>>,
}

impl Ear {
    async fn open() -> Self {
        let (heard, answers): (Heard, _) = (Arc::default(), Arc::new(Mutex::new(StatusCode::OK)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hear = async |State((heard, answers)): State<(Heard, Arc<Mutex<StatusCode>>)>,
                          method: Method,
                          uri: Uri,
                          headers: HeaderMap,
                          body: Bytes| {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            heard.lock().unwrap().push((method, uri.to_string(), headers, body));
            let answer = *answers.lock().unwrap();
            (answer, "{\"id\": \"7\", \"uri\": \"x\"}")
        };
        let router = Router::new()
            .fallback(hear)
            .with_state((heard.clone(), answers.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, heard, answers }
    }

    fn heard(&self) -> Vec<(Method, String, HeaderMap, Value)> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

fn channel(house: &House, kind: &str, url: &str) -> Channel {
    let text = format!("{{\"name\": \"{kind}\", \"kind\": \"{kind}\", \"severity\": \"info\"}}");
    let mut channel: Channel = serde_json::from_str(&text).unwrap();
    channel.url_file = Some(house.file(&format!("{kind}.url"), &format!("{url}/hush/path\n")));
    channel.secret_file = Some(house.file(&format!("{kind}.secret"), "very secret\n"));
    channel
}

fn message() -> Message {
    Message {
        id: "m1".into(),
        title: "Egret: a <test>".into(),
        lines: vec!["@everybody look at <b> & @me".into()],
        severity: Severity::Error,
    }
}

#[tokio::test]
async fn each_kind_is_dressed_as_its_reader_wants_it() {
    let (house, ear) = (House::empty().await, Ear::open().await);
    let mut cx = house.cx();
    let send = async |channel: &Channel, cx: &job::JobContext| {
        send::send(cx, channel, &message()).await.unwrap();
        let mut heard = ear.heard();
        assert_eq!(heard.len(), 1);
        heard.remove(0)
    };
    let (_, path, _, body) = send(&channel(&house, "slack", &ear.url), &cx).await;
    assert_eq!(path, "/hush/path");
    assert!(body["text"].as_str().unwrap().contains("&lt;b&gt; &amp;"), "{body}");

    let (.., body) = send(&channel(&house, "discord", &ear.url), &cx).await;
    assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));

    let (_, path, headers, body) = send(&channel(&house, "ntfy", &ear.url), &cx).await;
    assert_eq!(
        (path.as_str(), &body["topic"], &body["priority"]),
        ("/hush/", &"path".into(), &5.into())
    );
    assert_eq!(headers["authorization"], "Bearer very secret");

    let mut matrix = channel(&house, "matrix", &ear.url);
    matrix.to = vec!["!room:matrix.example".into()];
    let (method, path, headers, _) = send(&matrix, &cx).await;
    assert_eq!(method, Method::PUT);
    assert!(
        path.ends_with("/rooms/!room:matrix.example/send/m.room.message/m1"),
        "{path}"
    );
    assert_eq!(headers["authorization"], "Bearer very secret");

    let (_, _, headers, body) = send(&channel(&house, "webhook", &ear.url), &cx).await;
    let time = headers["x-egret-timestamp"].to_str().unwrap().parse().unwrap();
    let signed = send::signature(b"very secret", time, &body.to_string()).unwrap();
    assert_eq!(headers["x-egret-signature"], signed.as_str());

    // A direct message mentions nobody but those it is for, and is sent once however often it is tried.
    let base: net::Url = ear.url.parse().unwrap();
    let client = mastodon::Client::new(cx.net.clone(), base, "home/bot", "token".to_owned().into());
    cx.logins = vec![Login {
        name: "home/bot".into(),
        server: client.host().to_string(),
        client,
    }];
    let mut direct = channel(&house, "mastodon", &ear.url);
    direct.login = "bot".into();
    direct.to = vec!["@me@mastodon.example".into()];
    let (_, path, headers, body) = send(&direct, &cx).await;
    assert_eq!(
        (path.as_str(), &body["visibility"]),
        ("/api/v1/statuses", &"direct".into())
    );
    assert_eq!(headers["idempotency-key"], "m1");
    let status = body["status"].as_str().unwrap();
    assert_eq!(
        status.matches('@').count() - status.matches("@\u{200b}").count(),
        2,
        "{status}"
    );
    send::send(&cx, &direct, &message()).await.unwrap();
    assert!(ear.heard().is_empty());
    house.ledger.configure("operations", Mode::Observe, None);
    let other = Message {
        id: "m2".into(),
        ..message()
    };
    assert!(send::send(&cx, &direct, &other).await.unwrap_err().contains("observe"));
    assert!(ear.heard().is_empty());
}

#[tokio::test]
async fn errors_hold_no_secret() {
    let (house, ear) = (House::empty().await, Ear::open().await);
    let cx = house.cx();
    *ear.answers.lock().unwrap() = StatusCode::FORBIDDEN;
    for (kind, url) in [
        ("slack", ear.url.as_str()),
        ("webhook", "http://127.0.0.1:1"),
        ("discord", "http://10.0.0.1"),
        ("ntfy", "ftp://files.example"),
    ] {
        let channel = channel(&house, kind, url);
        let said = send::send(&cx, &channel, &message()).await.unwrap_err();
        assert!(!said.contains("hush") && !said.contains("secret"), "{kind}: {said}");
        assert!(!format!("{channel:?}").contains("very secret"));
    }
    let mut nowhere = channel(&house, "slack", "not an address with a secret");
    assert!(
        !send::send(&cx, &nowhere, &message())
            .await
            .unwrap_err()
            .contains("with a secret")
    );
    nowhere.url_file = Some("/nonexistent".into());
    assert!(send::send(&cx, &nowhere, &message()).await.is_err());
}

async fn tell(house: &House, kind: &'static str, about: &str, severity: Severity) {
    let news = News {
        feature: "blocklists",
        kind,
        about,
        severity,
        text: about,
    };
    job::tell(&house.store, &house.clock, news).await;
}

const JOB: &str = "operations.notify";

#[tokio::test]
async fn notices_are_gathered_bounded_tried_again_and_told_once() {
    let (mut house, ear) = (House::empty().await, Ear::open().await);
    let mut slack = channel(&house, "slack", &ear.url);
    slack.severity = Level::Warning;
    assert_eq!(slack.kind, Kind::Slack);
    house.config.notify.channels = vec![slack];
    house.config.notify.per_hour = 2;
    house.job(JOB).await.unwrap();
    for n in 0..20 {
        tell(&house, "quota", &format!("thing {n}"), Severity::Warning).await;
    }
    tell(&house, "hello", "nothing that matters", Severity::Info).await;
    house.job(JOB).await.unwrap();
    assert!(ear.heard().is_empty(), "still gathered");
    house.clock.advance(chrono::TimeDelta::minutes(2));
    *ear.answers.lock().unwrap() = StatusCode::BAD_GATEWAY;
    assert_eq!(house.job(JOB).await.unwrap().get("failed"), 1);
    ear.heard();
    *ear.answers.lock().unwrap() = StatusCode::OK;
    assert_eq!(house.job(JOB).await.unwrap().get("waiting"), 20, "not at once");
    house.clock.advance(chrono::TimeDelta::minutes(2));
    assert_eq!(house.job(JOB).await.unwrap().get("notices"), 20);
    let heard = ear.heard();
    assert_eq!(heard.len(), 1, "many in one");
    let text = heard[0].3["text"].as_str().unwrap();
    assert!(text.contains("thing 19") && !text.contains("matters"), "{text}");
    // A second message, and a third that waits for room in the hour.
    for (n, sent) in [(1, 1), (2, 0)] {
        tell(&house, "plan_waits", &format!("plan {n}"), Severity::Error).await;
        house.clock.advance(chrono::TimeDelta::minutes(2));
        assert_eq!(house.job(JOB).await.unwrap().get("sent"), sent, "message {n}");
    }
    house.later(1);
    assert_eq!(house.job(JOB).await.unwrap().get("sent"), 1);
    ear.heard();
    house.later(1);
    house.job(JOB).await.unwrap();
    assert!(ear.heard().is_empty(), "told once");
    let fares = deliveries::channels(&house.store).await.unwrap();
    assert_eq!((fares[0].failures, &fares[0].error), (0, &None));
}

#[tokio::test]
async fn the_week_is_told_to_those_who_asked() {
    let (mut house, ear) = (House::empty().await, Ear::open().await);
    let mut slack = channel(&house, "slack", &ear.url);
    slack.digest = true;
    let other = channel(&house, "discord", &ear.url);
    house.config.notify.channels = vec![slack, other];
    tell(&house, "quota", "a", Severity::Warning).await;
    assert_eq!(house.job("operations.digest").await.unwrap().get("sent"), 1);
    let text = ear.heard()[0].3["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("blocklists: 1 notices (warning)") && text.contains("the database takes"),
        "{text}"
    );
}
