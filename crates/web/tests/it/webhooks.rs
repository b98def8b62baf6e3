//! What servers push: signed, stored before it is answered, once however often it comes.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use store::webhook_events;

use crate::house::House;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef01234567";
const OLD: &str = "fedcba9876543210fedcba9876543210fedcba98";
pub(crate) const BODY: &str = r#"{"event":"account.created","created_at":"2026-08-01T13:49:58.223Z","object":{"id":"108","email":"jane@nyc.gov"}}"#;

async fn house() -> House {
    let house = House::empty().await;
    wants(&house);
    house
}

/// From now on this house knows a server and wants its sign-ups.
pub(crate) fn wants(house: &House) {
    let secrets = [SECRET, OLD].map(|text| text.to_owned().into());
    house.state.webhooks.set(
        BTreeMap::from([
            ("home.example:3000".to_owned(), secrets.into()),
            ("bare.example".to_owned(), Vec::new()),
        ]),
        &[
            ("account.created", "registrations.pending"),
            ("status.updated", "moderation.inbox"),
            ("report.created", "moderation.inbox"),
            ("report.created", "registrations.pending"),
        ],
    );
}

pub(crate) fn signed(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .unwrap()
        .chain_update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256={hex}")
}

pub(crate) async fn post(house: &House, server: &str, signature: Option<&str>, body: impl Into<Body>) -> StatusCode {
    let mut request = Request::post(format!("/webhooks/mastodon/{server}")).header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("x-hub-signature", signature);
    }
    house.ask(request.body(body.into()).unwrap()).await.status()
}

async fn stored(house: &House) -> usize {
    let now = model::Clock::now(&model::SystemClock);
    let mut stored = 0;
    for job in ["registrations.pending", "moderation.inbox"] {
        let claimed = webhook_events::claim(&house.state.store, "home.example:3000", job, "test", 100, now, now).await;
        stored += claimed.unwrap().len();
    }
    stored
}

/// Check 49, and checks 2 and 4 of moderation: 403, since 401 would be repeated for days. What is not signed is never
/// parsed: a bomb of brackets is refused like anything else.
#[tokio::test]
async fn nothing_is_read_that_is_not_signed() {
    let house = house().await;
    let good = signed(SECRET, BODY);
    for (server, signature) in [
        ("home.example:3000", None),
        ("home.example:3000", Some(signed("another secret of some length", BODY))),
        ("home.example:3000", Some(signed(SECRET, &BODY.replace("108", "109")))),
        ("home.example:3000", Some(good.replace("sha256=", "sha1="))),
        (
            "home.example:3000",
            Some("sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709".to_owned()),
        ),
        ("home.example:3000", Some(good.to_uppercase())),
        (
            "home.example:3000",
            Some(good.replace(|c: char| c.is_ascii_digit(), "A")),
        ),
        (
            "home.example:3000",
            Some(format!("sha256={}", good["sha256=".len()..].to_uppercase())),
        ),
        ("home.example:3000", Some(good[..good.len() - 2].to_owned())),
        ("other.example", Some(good.clone())),
        ("home.example", Some(good.clone())),
    ] {
        let got = post(&house, server, signature.as_deref(), BODY).await;
        assert_eq!(got, StatusCode::FORBIDDEN, "{server} {signature:?}");
    }
    let bomb = "[".repeat(900_000);
    let got = post(&house, "home.example:3000", Some(&good), bomb).await;
    assert_eq!(got, StatusCode::FORBIDDEN);
    assert_eq!(stored(&house).await, 0);
    let letters = webhook_events::letters(&house.state.store, 10).await.unwrap();
    assert_eq!(letters, [], "what strangers send leaves nothing behind");
    let request = Request::post("/webhooks/mastodon/home.example:3000").body(Body::from(BODY));
    let answer = house.ask(request.unwrap()).await;
    assert!(answer.headers().contains_key("x-request-id"));
    let told = crate::house::text(answer).await;
    assert_eq!(told, "the signature is not one of this server's\n", "in plain words");
}

/// Check 3 of moderation.
#[tokio::test]
async fn without_a_secret_nothing_is_taken() {
    let house = house().await;
    for signature in [None, Some(signed("", BODY)), Some(signed(SECRET, BODY))] {
        let got = post(&house, "bare.example", signature.as_deref(), BODY).await;
        assert_eq!(got, StatusCode::SERVICE_UNAVAILABLE, "{signature:?}");
    }
}

/// One note, two jobs: each has it, and a redelivery gives it to neither again.
#[tokio::test]
async fn a_note_that_several_want_is_for_each() {
    let house = house().await;
    let report = BODY.replace("account.created", "report.created");
    for _ in 0..17 {
        let got = post(
            &house,
            "home.example:3000",
            Some(&signed(SECRET, &report)),
            report.clone(),
        )
        .await;
        assert_eq!(got, StatusCode::ACCEPTED);
    }
    assert_eq!(stored(&house).await, 2);
}

/// Check 49.
#[tokio::test]
async fn a_note_is_stored_once_and_wakes_its_job() {
    let house = house().await;
    for _ in 0..5 {
        let got = post(&house, "home.example:3000", Some(&signed(SECRET, BODY)), BODY).await;
        assert_eq!(got, StatusCode::ACCEPTED);
    }
    let states = store::job_states::list(&house.state.store).await.unwrap();
    assert_eq!(
        (states.len(), &*states[0].job, &*states[0].scope),
        (1, "registrations.pending", "home.example:3000")
    );
    assert!(states[0].wake_at.is_some());
    tokio::time::timeout(std::time::Duration::from_secs(30), house.state.board.nudged())
        .await
        .unwrap();
    assert_eq!(stored(&house).await, 1);
    let other = BODY.replace("108", "7");
    let rotated = post(&house, "home.example:3000", Some(&signed(OLD, &other)), other).await;
    assert_eq!(
        rotated,
        StatusCode::ACCEPTED,
        "one secret may take the place of another"
    );
    assert_eq!(stored(&house).await, 2);
}

/// Check 37: whatever name somebody calls, the metrics name none.
#[tokio::test]
async fn ten_thousand_names_are_one_series() {
    let house = house().await;
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let app = web::router(house.state.clone());
    for n in 0..10_000 {
        let request = Request::post(format!("/webhooks/mastodon/{n}.example"))
            .body(Body::empty())
            .unwrap();
        let answer = tower::ServiceExt::oneshot(app.clone(), request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let text = handle.render();
    let told: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("egret_webhooks_total"))
        .collect();
    assert_eq!(told, ["egret_webhooks_total{outcome=\"refused\"} 10000"]);
}

/// Check 36, and check 49 of the blocklists and registrations: what cannot be stored is asked for again, and taken then.
#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503() {
    let (before, after) = (house().await, house().await);
    before.state.store.close().await;
    let signature = signed(SECRET, BODY);
    let got = post(&before, "home.example:3000", Some(&signature), BODY).await;
    assert_eq!(got, StatusCode::SERVICE_UNAVAILABLE);
    let got = post(&after, "home.example:3000", Some(&signature), BODY).await;
    assert_eq!((got, stored(&after).await), (StatusCode::ACCEPTED, 1));
}

#[tokio::test]
async fn what_nobody_wants_is_not_kept_and_what_is_no_note_is_refused() {
    let house = house().await;
    let status = BODY.replace("account.created", "status.created");
    assert_eq!(
        post(&house, "home.example:3000", Some(&signed(SECRET, &status)), status).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(stored(&house).await, 0, "a private status, say");
    for body in [
        "",
        "[]",
        "Somebody signed up!",
        r#"{"event":"account.created"}"#,
        r#"{"event":"account.created","object":null}"#,
        r#"{"event":"account.created","object":{}}"#,
        r#"{"event":7,"object":{}}"#,
    ] {
        let got = post(&house, "home.example:3000", Some(&signed(SECRET, body)), body).await;
        assert_eq!(got, StatusCode::ACCEPTED, "{body}");
    }
    let bytes = [
        b"{\"event\":\"account.created\",\"object\":{\"id\":\"",
        &[0xff, 0xfe][..],
        b"\"}}",
    ]
    .concat();
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())
        .unwrap()
        .chain_update(&bytes);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let got = post(&house, "home.example:3000", Some(&format!("sha256={hex}")), bytes).await;
    assert_eq!(got, StatusCode::ACCEPTED);
    assert_eq!(stored(&house).await, 0);
    let letters = webhook_events::letters(&house.state.store, 10).await.unwrap();
    let why: std::collections::BTreeSet<_> = letters.iter().map(|one| (&*one.event, &*one.why)).collect();
    assert_eq!(why.len(), letters.len(), "each reason once: {letters:?}");
    assert!(
        why.iter()
            .any(|(event, why)| *event == "account.created" && why.contains("object"))
    );
    assert!(
        why.iter()
            .any(|(event, why)| event.is_empty() && why.contains("template"))
    );
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 64, ..Default::default() })]

    /// Whatever stands in a body that is signed: an answer that is not repeated, and never a 500.
    #[test]
    fn any_signed_body_is_answered(
        body in proptest::prop_oneof![
            proptest::prelude::any::<String>(),
            "\\{\"event\":\"(account.created|status.updated|report.created|x)\",\"object\":[\\[\\{\"a-z0-9:,\\]\\}]{0,40}\\}",
            proptest::sample::select(vec![
                "{\"event\":\"status.updated\",\"object\":{\"id\":1e400}}".to_owned(),
                "{\"event\":\"status.updated\",\"object\":{\"id\":[[[]]]}}".to_owned(),
                format!("{{\"event\":\"status.updated\",\"object\":{{\"id\":\"{}\"}}}}", "7".repeat(5000)),
                format!("{}1{}", "{\"event\":".repeat(5000), "}".repeat(5000)),
                "{\"event\":\"status.updated\",\"event\":\"x\",\"object\":{\"id\":\"\\u0000\"}}".to_owned(),
            ]),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let house = house().await;
            let got = post(&house, "home.example:3000", Some(&signed(SECRET, &body)), body.clone()).await;
            assert_eq!(got, StatusCode::ACCEPTED, "{body:?}");
        });
    }
}

/// Check 8 of moderation.
#[tokio::test]
async fn a_note_may_be_larger_than_a_form_and_not_without_end() {
    let house = house().await;
    let large = BODY.replace("jane@nyc.gov", &"x".repeat(500_000));
    assert_eq!(
        post(
            &house,
            "home.example:3000",
            Some(&signed(SECRET, &large)),
            large.clone()
        )
        .await,
        StatusCode::ACCEPTED
    );
    let endless = "x".repeat(3 << 20);
    assert_eq!(
        post(&house, "home.example:3000", None, endless).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let form = Request::post("/registrations/ask")
        .body(Body::from("x".repeat(500_000)))
        .unwrap();
    assert_ne!(
        house.ask(form).await.status(),
        StatusCode::OK,
        "pages take no more than before"
    );
}
