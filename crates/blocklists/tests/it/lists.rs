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

/// `LIST`, packed.
const ZIPPED: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0xc9, 0xcf, 0x4d, 0xcc, 0xcc, 0xd3, 0x29, 0x4e,
    0x2d, 0x4b, 0x2d, 0xca, 0x2c, 0xa9, 0xe4, 0x4a, 0xd4, 0x2b, 0xce, 0x4f, 0xce, 0x4c, 0xcc, 0xd1, 0x29, 0x2e, 0x2d,
    0x2e, 0x48, 0xcd, 0x4b, 0xe1, 0x4a, 0x82, 0x0b, 0x64, 0xe6, 0xa4, 0xe6, 0x25, 0xa7, 0x72, 0x01, 0x00, 0x3c, 0x2b,
    0x77, 0x83, 0x32, 0x00, 0x00, 0x00,
];
const LIST: &str = "domain,severity\na.social,suspend\nb.social,silence\n";

/// What the publisher answers, and what it was asked.
#[derive(Default)]
struct Publisher {
    status: u16,
    body: Vec<u8>,
    kind: &'static str,
    signature: Option<String>,
    etag: Option<&'static str>,
    zipped: bool,
    moved: Option<String>,
    asked: Vec<(String, Option<String>, u16)>,
}

type Shared = Arc<Mutex<Publisher>>;

async fn answer(State(state): State<Shared>, headers: HeaderMap, uri: axum::http::Uri) -> Response {
    if state.lock().unwrap().status == 0 {
        std::future::pending::<()>().await;
    }
    let mut publisher = state.lock().unwrap();
    let matches = headers
        .get("if-none-match")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let response = if let Some(place) = publisher.moved.clone() {
        (StatusCode::FOUND, [("location", place)]).into_response()
    } else if uri.path().ends_with(".sig") {
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
        if publisher.zipped {
            response
                .headers_mut()
                .insert("content-encoding", "gzip".parse().unwrap());
        }
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

/// What the config names now is read, whatever was held of the place before.
#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_asked_anew() {
    let (mut house, publisher) = web_house().await;
    publisher.lock().unwrap().etag = Some("\"v1\"");
    house.pass().await;
    publisher.lock().unwrap().body = b"domain,severity\na.social,suspend\nc.social,silence\n".to_vec();
    let url = house.config.sources[0].url.as_mut().unwrap();
    url.set_path("/other.csv");
    house.pass_after(1).await;
    house.pass_after(1).await;
    let asked = publisher.lock().unwrap().asked.clone();
    assert_eq!(asked.iter().map(|it| it.2).collect::<Vec<_>>(), [200, 200, 304]);
    assert!(house.blocks().iter().any(|(domain, _)| domain == "c.social"));
}

/// Check 18. Empty, missing, all bad: the last good copy counts, nothing is written, and it is said once.
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
    assert_eq!(
        house.told().await,
        [("list_trouble".to_owned(), "web".to_owned())],
        "and it is said once"
    );
}

/// Check 18. A publisher that takes the request and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_answers_is_given_up() {
    let (mut house, publisher) = web_house().await;
    house.pass().await;
    house.fediverse.clear_log();
    house.impatient();
    publisher.lock().unwrap().status = 0;
    house.pass_after(1).await;
    assert!(source(&house).await.trouble.is_some());
    assert_eq!((house.methods(), house.blocks().len()), (vec![], 2));
}

/// Check 9. Without the owner's signature nothing is taken.
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
    house.fediverse.clear_log();
    {
        let mut publisher = publisher.lock().unwrap();
        publisher.body = b"domain,severity\na.social,silence\n".to_vec();
    }
    house.pass_after(1).await;
    assert_eq!(
        house.methods(),
        Vec::<String>::new(),
        "a list that was changed on its way"
    );
    assert_eq!(source(&house).await.body.as_deref(), Some(LIST));
}

/// Check 10. A page in HTML, JSON where a table was promised, a body that only says it is packed: errors, and no row of
/// them is read. What is packed, or moved elsewhere, is read as what it is.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_an_error_and_wrapping_is_none() {
    type Turn = fn(&mut Publisher);
    let garbage: [Turn; 3] = [
        |publisher| publisher.kind = "text/html; charset=utf-8",
        |publisher| publisher.body = b"[{\"domain\":\"a.social\",\"severity\":\"suspend\"}]".to_vec(),
        |publisher| publisher.zipped = true,
    ];
    let (mut house, publisher) = web_house().await;
    house.config.sources[0].format = blocklists::list::Format::Csv;
    for turn in garbage {
        turn(&mut publisher.lock().unwrap());
        house.pass().await;
        let found = source(&house).await;
        assert!(found.trouble.is_some() && found.body.is_none(), "{found:?}");
        let mut publisher = publisher.lock().unwrap();
        (publisher.kind, publisher.zipped, publisher.body) = ("text/csv", false, LIST.as_bytes().to_vec());
    }
    {
        let mut publisher = publisher.lock().unwrap();
        // `gzip -9` of the list.
        publisher.body = ZIPPED.to_vec();
        publisher.zipped = true;
    }
    house.pass().await;
    assert_eq!(source(&house).await.body.as_deref(), Some(LIST));

    // Elsewhere there is a web page; then the list.
    let (mut elsewhere, other) = web_house().await;
    let place = elsewhere.config.sources.remove(0).url.unwrap().to_string();
    publisher.lock().unwrap().moved = Some(place);
    other.lock().unwrap().kind = "text/html";
    house.pass_after(1).await;
    assert!(source(&house).await.trouble.is_some());
    other.lock().unwrap().kind = "text/csv";
    house.pass_after(1).await;
    assert_eq!((source(&house).await.trouble, house.blocks().len()), (None, 2));
}

/// Check 10. A body without end is read to its bound.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_larger_than_any_list_is_refused() {
    let (house, publisher) = web_house().await;
    publisher.lock().unwrap().body = vec![b'a'; (32 << 20) + 1];
    house.pass().await;
    assert!(source(&house).await.trouble.unwrap().contains("larger"));
}

/// A list of so many rows.
fn rows(count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|n| format!("d{n}.social,silence\n")).collect();
    format!("domain,severity\n{}", rows.concat())
}

/// Check 19. The hour without 370 of 2592 rows, at a hundredth of its size: what is new comes, nothing goes.
#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_loss_lifts_nothing() {
    let house = House::build(&rows(26)).await;
    house.pass().await;
    house.fediverse.clear_log();
    house.write("list", &format!("{}new.social,silence\n", rows(22)));
    let summary = house.pass_after(1).await;
    assert_eq!((house.methods(), summary.get("doubts")), (vec!["POST".to_owned()], 1));
    assert_eq!(house.told().await, [("list_held".to_owned(), "list".to_owned())]);
    house.write("list", &format!("{}new.social,silence\n", rows(27)));
    house.pass_after(1).await;
    assert_eq!(house.methods(), ["POST", "POST"]);
    let list = block_sources::load(&house.store, "list").await.unwrap().unwrap();
    assert!(list.held.is_none(), "the hold ends by itself");
}

/// Check 20. A list that halves is held until somebody agrees; then what it dropped goes, as far as it is ours and
/// nobody else wants it.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_halves_is_held_until_somebody_agrees() {
    let mut house = House::build(&rows(26)).await;
    house.policy().alone_removals = 5;
    let other = house.source("other");
    house.write("other", "domain,severity\nd25.social,silence\n");
    house.config.sources.push(other);
    house.fediverse.block_domain("d24.social", "silence", Some("by hand"));
    house.pass().await;
    house.write("list", &rows(12));
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
        "twelve at once is more than the policy lets pass alone"
    );
    house.agree("ada").await;
    house.pass_after(1).await;
    assert_eq!(house.methods(), vec!["DELETE"; 12]);
    let left: Vec<String> = house.blocks().into_iter().map(|(domain, _)| domain).collect();
    assert!(left.contains(&"d24.social".to_owned()) && left.contains(&"d25.social".to_owned()));
    assert_eq!(left.len(), 14);
}

/// Check 21. A list that grows tenfold counts as it was until somebody agrees.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_explodes_waits() {
    let house = House::build(&rows(3)).await;
    house.pass().await;
    house.fediverse.clear_log();
    house.write("list", &rows(60));
    for _ in 0..2 {
        house.pass_after(1).await;
    }
    assert_eq!(house.methods(), Vec::<String>::new());
    assert!(
        blocklists::gather::approve(&house.store, "list", house.clock_now())
            .await
            .unwrap()
    );
    house.pass_after(1).await;
    assert_eq!(house.blocks().len(), 60);
}

/// Check 22.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_list_is_called_stale_and_counts_on() {
    let house = House::build(LIST).await;
    house.pass().await;
    let summary = house.pass_after(24 * 40).await;
    assert_eq!((summary.get("doubts"), house.blocks().len()), (1, 2));
    house.pass_after(24 * 40).await;
    assert_eq!(
        house.told().await,
        [("list_stale".to_owned(), "list".to_owned())],
        "said once"
    );
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

/// One that blocks nobody by its own decision says so, and is no list in trouble.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_blocks_nobody_is_believed() {
    let mut house = House::build("domain,severity\nours.social,suspend\n").await;
    let mut source = house.source("own");
    (source.file, source.login) = (None, Some("home/me".into()));
    house.config.sources.push(source);
    house.pass().await;
    let own = block_sources::load(&house.store, "own").await.unwrap().unwrap();
    assert_eq!((own.trouble, own.good_at.is_some()), (None, true));
}

/// What moderators took from what moderation found is a list like any other, and what they take back leaves it at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_moderators_took_is_a_list() {
    use store::findings::{self, DomainFinding};

    let mut house = House::around(fake_fediverse::Scenario::small()).await;
    let mut source = house.source("found");
    (source.file, source.findings) = (None, true);
    house.config.sources.push(source);
    house.config.validate().unwrap();
    house.pass().await;
    let found = async || block_sources::load(&house.store, "found").await.unwrap().unwrap();
    assert_eq!(found().await.trouble, None, "nothing is an answer");
    let now = model::Clock::now(&house.clock);
    for (server, domain) in [
        ("one", "bad.social"),
        ("two", "bad.social"),
        ("one", "worse.social"),
        ("one", "open.social"),
    ] {
        let finding = DomainFinding {
            server: server.into(),
            domain: domain.into(),
            accounts: 3,
            confirmed: 2,
            state: "open".into(),
            by: None,
            severity: None,
            first_at: now,
            last_at: now,
        };
        findings::save_domain(&house.store, &finding).await.unwrap();
    }
    let take = async |server: &str, domain: &str, state: &str, severity: Option<&str>| {
        assert!(
            findings::set_domain(&house.store, server, domain, state, severity, "ada")
                .await
                .unwrap()
        );
    };
    take("one", "bad.social", "taken", Some("silence")).await;
    take("two", "bad.social", "taken", Some("silence")).await;
    take("one", "worse.social", "taken", Some("suspend")).await;
    house.pass_after(1).await;
    assert_eq!(
        house.fediverse.domain_blocks(),
        pairs(&[("bad.social", "silence"), ("worse.social", "suspend")])
    );
    take("one", "worse.social", "open", None).await;
    house.pass_after(2).await;
    house.pass_after(2).await;
    assert_eq!(found().await.held, None);
    assert_eq!(house.fediverse.domain_blocks(), pairs(&[("bad.social", "silence")]));
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

/// A text that carries its time is the same until something else in it changes, though clocks go on; and where the key
/// is another, so is the signature.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_changes_when_the_list_does() {
    let mut house = House::build(LIST).await;
    let key = house.file("key");
    house.config.outputs.push(blocklists::config::Output {
        name: "merged".into(),
        policy: "default".into(),
        format: blocklists::config::Form::Rapidblock,
        file: Some(house.file("out")),
        key_file: None,
    });
    let published = async |house: &House| {
        house.clock.advance(chrono::TimeDelta::hours(1));
        house.job("blocklists.lists", &house.cx()).await.unwrap();
        store::block_plans::output(&house.store, "merged")
            .await
            .unwrap()
            .unwrap()
    };
    let first = published(&house).await;
    assert_eq!(published(&house).await, first);
    house.write("list", &format!("{LIST}c.social,suspend\n"));
    let second = published(&house).await;
    assert!(second.body != first.body && second.made_at > first.made_at);
    assert_eq!(published(&house).await, second);
    std::fs::write(&key, "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").unwrap();
    house.config.outputs[0].key_file = Some(key);
    let signed = published(&house).await;
    assert_eq!((&signed.body, signed.signature.is_some()), (&second.body, true));
}

/// A marked list keeps everybody away from what it suspends; a suffix in it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_marked_list_is_kept_away_from() {
    let mut house = House::build("domain,severity\nbad.social,suspend\nloud.social,silence\nco.uk,suspend\n").await;
    house.config.sources[0].keep_away = true;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    assert_eq!(store::shunned::list(&house.store).await.unwrap(), ["bad.social"]);
    house.config.sources[0].keep_away = false;
    house.job("blocklists.lists", &house.cx()).await.unwrap();
    assert!(store::shunned::list(&house.store).await.unwrap().is_empty());
}
