//! `blocklists.lists`: what is fetched, and what is made of it.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use blocklists::signature::SigningKey;
use store::block_sources;

use crate::house::{House, pairs};

const LIST: &str = "domain,severity\na.social,suspend\nb.social,silence\n";

/// What the publisher answers, and what it was asked.
#[derive(Default)]
struct Publisher {
    status: u16,
    body: Vec<u8>,
    kind: &'static str,
    signature: Option<String>,
    etag: Option<&'static str>,
    asked: Vec<(String, Option<String>, u16)>,
}

type Shared = Arc<Mutex<Publisher>>;

async fn answer(State(state): State<Shared>, headers: HeaderMap, uri: axum::http::Uri) -> Response {
    let mut publisher = state.lock().unwrap();
    let matches = headers
        .get("if-none-match")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let response = if uri.path().ends_with(".sig") {
        match &publisher.signature {
            Some(signature) => signature.clone().into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    } else if publisher.status == 200 && publisher.etag.is_some() && matches.as_deref() == publisher.etag {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = publisher.body.clone().into_response();
        *response.status_mut() = StatusCode::from_u16(publisher.status).unwrap();
        response
            .headers_mut()
            .insert("content-type", publisher.kind.parse().unwrap());
        if let Some(etag) = publisher.etag {
            response.headers_mut().insert("etag", etag.parse().unwrap());
        }
        response
    };
    publisher
        .asked
        .push((uri.path().to_owned(), matches, response.status().as_u16()));
    response
}

async fn publish(house: &mut House, body: &str) -> Shared {
    let shared = Shared::default();
    {
        let mut publisher = shared.lock().unwrap();
        (publisher.status, publisher.kind) = (200, "text/csv");
        publisher.body = body.as_bytes().to_vec();
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut source = house.source("web");
    source.file = None;
    source.url = Some(format!("http://{address}/list.csv").parse().unwrap());
    house.config.sources.push(source);
    shared
}

async fn web_house() -> (House, Shared) {
    let mut house = House::around(fake_fediverse::Scenario::small()).await;
    let shared = publish(&mut house, LIST).await;
    (house, shared)
}

async fn source(house: &House) -> block_sources::Source {
    block_sources::load(&house.store, "web").await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_list_is_not_sent_again() {
    let (house, publisher) = web_house().await;
    publisher.lock().unwrap().etag = Some("\"v1\"");
    house.pass().await;
    house.pass_after(1).await;
    let asked = publisher.lock().unwrap().asked.clone();
    assert_eq!(asked.iter().map(|it| it.2).collect::<Vec<_>>(), [200, 304]);
    assert_eq!(asked[1].1.as_deref(), Some("\"v1\""));
    assert_eq!(house.blocks().len(), 2);
}

/// Check 18: empty, missing, all bad: the last good copy counts, nothing is written, and it is said once.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_good_copy_outlives_every_trouble() {
    let (house, publisher) = web_house().await;
    house.pass().await;
    house.fediverse.clear_log();
    for (status, body) in [
        (404, ""),
        (200, ""),
        (200, "domain,severity\n"),
        (200, "domain,severity\na..b,suspend\n"),
        (503, "x"),
        (200, "<html>moved</html>"),
        (200, "domain,severity,public_comment\na.social,suspend,\"open\n"),
    ] {
        {
            let mut publisher = publisher.lock().unwrap();
            (publisher.status, publisher.body) = (status, body.as_bytes().to_vec());
        }
        house.pass_after(30).await;
        let source = source(&house).await;
        assert!(source.trouble.is_some(), "{status} {body}");
        assert_eq!(source.body.as_deref(), Some(LIST));
    }
    assert_eq!((house.methods(), house.blocks().len()), (vec![], 2));
    assert_eq!(source(&house).await.failures, 7);
}

/// Check 9: signatures. Check 10: a page in HTML, a body in gzip that is none, JSON where a table was promised.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owners_list_is_taken() {
    let key = SigningKey::read("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    let (mut house, publisher) = web_house().await;
    house.config.sources[0].key = Some(key.public());
    house.pass().await;
    assert!(house.blocks().is_empty(), "no signature, no list");
    publisher.lock().unwrap().signature = Some(key.sign(b"another list"));
    house.pass().await;
    assert!(house.blocks().is_empty(), "a wrong one, no list");
    assert!(source(&house).await.trouble.unwrap().contains("signature"));
    publisher.lock().unwrap().signature = Some(key.sign(LIST.as_bytes()));
    house.pass().await;
    assert_eq!(house.blocks().len(), 2);

    let (house, publisher) = web_house().await;
    publisher.lock().unwrap().kind = "text/html; charset=utf-8";
    house.pass().await;
    assert!(house.blocks().is_empty());
}

/// Check 10: a body without end is read to its bound.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_larger_than_any_list_is_refused() {
    let (house, publisher) = web_house().await;
    publisher.lock().unwrap().body = vec![b'a'; (32 << 20) + 1];
    house.pass().await;
    assert!(source(&house).await.trouble.unwrap().contains("larger"));
}

/// Check 19, end to end: 370 of 2592 rows vanish for an hour.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_loss_lifts_nothing() {
    let rows = |range: std::ops::Range<usize>| {
        let rows: Vec<String> = range.map(|n| format!("d{n}.social,silence\n")).collect();
        format!("domain,severity\n{}", rows.concat())
    };
    let mut house = House::build(&rows(0..259)).await;
    house.config.sources[0].leave_copies = 1;
    house.config.sources[0].leave_after = std::time::Duration::ZERO;
    house.pass().await;
    house.fediverse.clear_log();
    house.write("list", &rows(0..222));
    let summary = house.pass_after(1).await;
    assert_eq!((house.methods(), summary.get("doubts")), (vec![], 1));
    house.write("list", &rows(0..262));
    house.pass_after(1).await;
    assert_eq!(house.methods(), ["POST", "POST", "POST"]);
    assert!(
        block_sources::load(&house.store, "list")
            .await
            .unwrap()
            .unwrap()
            .held
            .is_none()
    );

    // Check 20: this time it is meant.
    house.write("list", &rows(0..130));
    house.fediverse.clear_log();
    for _ in 0..3 {
        house.pass_after(30).await;
    }
    assert_eq!(house.methods(), Vec::<String>::new());
    assert!(
        blocklists::gather::approve(&house.store, "list", house.clock_now())
            .await
            .unwrap()
    );
    house.pass_after(1).await;
    assert_eq!(
        house.methods(),
        Vec::<String>::new(),
        "132 at once is more than the policy lets pass alone"
    );
    let plan = store::block_plans::open(&house.store).await.unwrap().pop().unwrap();
    let agreed = store::block_plans::State::Approved;
    store::block_plans::advance(
        &house.store,
        &plan.server,
        &plan.hash,
        agreed,
        Some("ada"),
        None,
        house.clock_now(),
    )
    .await
    .unwrap();
    house.pass_after(1).await;
    assert_eq!(house.blocks().len(), 130);
}

/// Check 22.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_list_is_called_stale_and_counts_on() {
    let house = House::build(LIST).await;
    house.pass().await;
    let summary = house.pass_after(24 * 40).await;
    assert_eq!((summary.get("doubts"), house.blocks().len()), (1, 2));
}

/// A server's own blocks as a list: what we put there is not among them.
#[tokio::test(flavor = "multi_thread")]
async fn a_servers_own_decisions_are_a_list() {
    let mut house = House::build("domain,severity\nours.social,suspend\n").await;
    house.pass().await;
    house.fediverse.block_domain("theirs.social", "silence", None);
    let mut source = house.source("own");
    source.file = None;
    source.login = Some("home/me".into());
    house.config.sources.push(source);
    house.pass_after(1).await;
    let own = block_sources::load(&house.store, "own").await.unwrap().unwrap();
    let body = own.body.unwrap();
    assert!(
        body.contains("theirs.social") && !body.contains("ours.social"),
        "{body}"
    );
}

/// What we publish is there, whole, and signed.
#[tokio::test(flavor = "multi_thread")]
async fn the_merged_list_is_published() {
    let mut house = House::build(LIST).await;
    let (file, key) = (house.file("out"), house.file("key"));
    std::fs::write(&key, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").unwrap();
    house.config.outputs.push(blocklists::config::Output {
        name: "merged.csv".into(),
        policy: "default".into(),
        format: blocklists::config::Form::Csv,
        file: Some(file.clone()),
        key_file: Some(key),
    });
    house.pass().await;
    let output = store::block_plans::output(&house.store, "merged.csv")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), output.body);
    assert!(output.body.contains("a.social,suspend"));
    let key = SigningKey::read("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    blocklists::signature::verify(output.body.as_bytes(), &output.signature.unwrap(), &key.public()).unwrap();
    assert_eq!(
        house.blocks(),
        pairs(&[("a.social", "suspend"), ("b.social", "silence")])
    );
}
