//! What is never asked, what is asked once, and what is found although it is odd.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::TimeDelta;
use fake_fediverse::{Fault, Fediverse, Scenario, Software, Thread};
use model::{Clock, Uri};
use store::wanted::{self, State};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::house::{House, net_config, pool};

fn empty() -> Scenario {
    Scenario {
        threads: 0,
        replies: 0,
        ..Scenario::small()
    }
}

fn is_on(uri: &str, base: &str) -> bool {
    uri.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'))
}

/// Replies of a thread that can be had without anything from `base`: their ancestors are elsewhere too.
fn free_of(thread: &Thread, base: &str) -> Vec<String> {
    let parents: HashMap<_, _> = thread.replies.iter().map(|(uri, parent)| (uri, parent)).collect();
    let line = |uri| std::iter::successors(Some(uri), |uri| parents.get(uri).copied());
    let uris = thread.replies.iter().map(|(uri, _)| uri);
    uris.filter(|uri| line(*uri).all(|uri| !is_on(uri, base)))
        .cloned()
        .collect()
}

fn others_are_complete(fediverse: &Fediverse, base: &str) {
    let mut count = 0;
    for thread in fediverse.threads().iter().filter(|thread| !is_on(&thread.root, base)) {
        for uri in free_of(thread, base) {
            assert!(fediverse.home_has(&uri), "{uri} is missing");
            count += 1;
        }
    }
    assert!(count > 0, "the scenario tests nothing");
}

async fn rows(house: &House) -> Vec<wanted::Wanted> {
    let mut rows = Vec::new();
    for state in [State::Wanted, State::Done, State::Failed, State::Gone, State::Blocked] {
        rows.extend(wanted::list(&house.store, state, 10_000).await.unwrap());
    }
    rows
}

/// Nothing of `host` was ever tried. What it wrote may come along where only we, not home, have nothing to do with it.
async fn only_blocked_rows_on(house: &House, host: &str) {
    let there: Vec<_> = rows(house).await.into_iter().filter(|row| row.host == host).collect();
    assert!(there.iter().any(|row| row.state == State::Blocked), "{there:?}");
    let left_alone = |row: &wanted::Wanted| match row.state {
        State::Blocked => row.tries == 0,
        State::Done => row.tries == 0 && house.fediverse.home_has(&row.uri),
        State::Wanted | State::Failed | State::Gone => false,
    };
    assert!(there.iter().all(left_alone), "{there:?}");
}

fn host(base: &str) -> &str {
    base.strip_prefix("http://").unwrap()
}

/// Requests that list a conversation, to all origins.
fn listings(house: &House) -> usize {
    let origins = house.fediverse.log().origins(None);
    origins.path("context").len() + origins.path("replies").len()
}

/// Check 7.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_without_url_goes_by_its_uri() {
    let house = House::build(Scenario::small()).await;
    for thread in house.fediverse.threads() {
        house.fediverse.drop_url(&thread.root);
        for (uri, _) in thread.replies {
            house.fediverse.drop_url(&uri);
        }
    }
    let uris: HashSet<String> = house
        .fediverse
        .threads()
        .into_iter()
        .flat_map(|thread| thread.replies.into_iter().map(|(uri, _)| uri))
        .collect();
    let summary = house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
    let resolves = house.fediverse.log().resolves();
    assert!(!resolves.is_empty());
    assert!(resolves.iter().all(|asked| uris.contains(asked)), "{resolves:?}");
}

/// Checks 10 and 26.
/// Check 10.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_private_leaves_for_anywhere() {
    let scenario = Scenario {
        oddities: true,
        ..Scenario::small()
    };
    let house = House::build(scenario).await;
    let login = house.cx().login.unwrap();
    let page = login.client.home_timeline(None).await.unwrap();
    let private: Vec<_> = page
        .items
        .iter()
        .map(|status| status.original())
        .filter(|status| !status.visibility.is_open() || status.local_only)
        .collect();
    assert_eq!(private.len(), 3, "followers-only, direct and local-only");
    house.fediverse.clear_log();
    let summary = house.pass().await;
    assert_eq!(summary.get("skipped_private"), 3, "{summary:?}");
    assert_eq!(house.fediverse.missing(), 0, "the rest is looked after: {summary:?}");
    for status in private {
        let uri = status.identity().unwrap().to_string();
        let id = uri.rsplit('/').next().unwrap().to_owned();
        for request in house.fediverse.log().0 {
            let names = request
                .path
                .split('/')
                .any(|part| part == id || part == status.id.as_str())
                || request.query.iter().any(|(_, value)| value.contains(&id));
            assert!(!names, "{request:?} is about {uri}");
        }
    }
}

/// Check 11.
#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_home_suspends_is_left_alone() {
    let house = House::named(Scenario::small(), &net_config()).await;
    house.fediverse.suspend("origin1.test");
    let base = house.fediverse.origin(1);
    let summary = house.pass().await;
    let resolves = house.fediverse.log().resolves();
    assert!(!resolves.iter().any(|uri| is_on(uri, &base)), "{resolves:?}");
    only_blocked_rows_on(&house, host(&base)).await;
    others_are_complete(&house.fediverse, &base);
    assert!(summary.get("blocked") > 0, "{summary:?}");
    assert!(house.fediverse.log().origins(Some(1)).is_empty());
}

/// Check 12.
#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_the_operator_blocks_is_left_alone() {
    let config = net::Config {
        blocklist: vec!["origin1.test".to_owned()],
        ..net_config()
    };
    let house = House::named(Scenario::small(), &config).await;
    let base = house.fediverse.origin(1);
    house.pass().await;
    let log = house.fediverse.log();
    assert!(log.origins(Some(1)).is_empty(), "{:?}", log.origins(Some(1)));
    assert!(!log.resolves().iter().any(|uri| is_on(uri, &base)));
    only_blocked_rows_on(&house, host(&base)).await;
    others_are_complete(&house.fediverse, &base);
    let asked = house
        .net
        .send(net::Request::origin(base.parse().unwrap(), "application/json"))
        .await;
    assert!(matches!(asked, Err(net::Error::Blocked(_))), "{asked:?}");
}

/// Check 13.
#[tokio::test(flavor = "multi_thread")]
async fn robots_are_obeyed_at_origins_and_not_asked_at_home() {
    let house = House::build(Scenario::small()).await;
    house.fediverse.robots(Some(1), "User-agent: *\nDisallow: /\n");
    house.fediverse.robots(None, "User-agent: *\nDisallow: /\n");
    let base = house.fediverse.origin(1);
    house.pass().await;
    let log = house.fediverse.log();
    let there = log.origins(Some(1));
    assert!(there.0.iter().all(|request| request.path == "/robots.txt"), "{there:?}");
    assert_eq!(there.len(), 1, "and it is remembered");
    assert!(log.home().path("robots.txt").is_empty());
    assert!(
        log.resolves().iter().any(|uri| is_on(uri, &base)),
        "what home fetches is home's own business"
    );
    for thread in house.fediverse.threads() {
        let complete = thread.replies.iter().all(|(uri, _)| house.fediverse.home_has(uri));
        assert!(complete || is_on(&thread.root, &base), "{}", thread.root);
    }
}

/// Check 15.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_origin_rests_and_costs_the_others_nothing() {
    let config = net::Config {
        timeout: Duration::from_millis(400),
        attempts: 1,
        ..net_config()
    };
    let mut house = House::named(Scenario::small(), &config).await;
    house.fediverse.fault(Some(1), "", Fault::Silent, None);
    let base = house.fediverse.origin(1);
    house.pass().await;
    others_are_complete(&house.fediverse, &base);
    let row = store::hosts::load(&house.store, &[host(&base).to_owned()])
        .await
        .unwrap();
    let until = row[0].rests_until.expect("it rests");
    assert!(until > house.clock.now() && row[0].failures > 0, "{row:?}");
    assert!(house.fediverse.log().origins(Some(1)).len() <= 3);

    // A restart forgets what the pool knew.
    house.net = pool(&config);
    house.fediverse.clear_log();
    house.run("replies.home").await.unwrap();
    let there = house.fediverse.log().origins(Some(1));
    assert!(there.is_empty(), "{there:?}");

    house.fediverse.heal(Some(1));
    house.net = pool(&config);
    house.clock.advance(until - house.clock.now() + TimeDelta::minutes(1));
    house.pass().await;
    assert_eq!(house.fediverse.missing(), 0, "it is asked again when it has rested");
}

/// Check 22.
/// Requirement S2.
#[tokio::test(flavor = "multi_thread")]
async fn five_boosts_are_one_status() {
    let mut requests = Vec::new();
    for boosts in [0, 5] {
        let house = House::build(empty()).await;
        let thread = house.fediverse.thread(0, 12);
        for _ in 0..boosts {
            house.fediverse.boost(&thread.root);
        }
        let summary = house.run("replies.home").await.unwrap();
        assert_eq!(
            (summary.get("looked_at"), summary.get("visited")),
            (1, 1),
            "{summary:?}"
        );
        assert!(listings(&house) > 0);
        requests.push((listings(&house), house.fediverse.log().origins(None).len()));
    }
    assert_eq!(requests[0], requests[1]);
}

/// Check 23.
#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_nothing_is_believed_until_it_grows() {
    let house = House::build(empty()).await;
    let threads = [house.fediverse.thread(0, 0), house.fediverse.thread(1, 0)];
    for _ in 0..3 {
        house.run("replies.home").await.unwrap();
        house.later(10);
    }
    assert_eq!(listings(&house), 0, "{:?}", house.fediverse.log().origins(None));
    let replies = threads.map(|thread| house.fediverse.reply(&thread.root, 2));
    house.run("replies.home").await.unwrap();
    for reply in replies {
        assert!(house.fediverse.home_has(&reply), "{reply}");
    }
    let listed = listings(&house);
    assert!(listed > 0);
    house.later(1);
    house.run("replies.home").await.unwrap();
    assert_eq!(listings(&house), listed, "nothing changed");
}

/// Check 26.
/// Requirement S1.
#[tokio::test(flavor = "multi_thread")]
async fn finds_what_local_users_joined() {
    let house = House::build(empty()).await;
    let (_, mentionless) = house.fediverse.joined_thread(0, 9, 1);
    house.fediverse.drop_mentions(&mentionless);
    let (_, first) = house.fediverse.joined_thread(1, 9, 2);
    house.fediverse.drop_mentions(&first);
    house.fediverse.local_reply(&first, 2);
    assert!(house.fediverse.missing() > 0);
    let mut config = replies::Config::default();
    config.joined.enabled = true;
    house.run("replies.home").await.unwrap();
    assert!(house.fediverse.missing() > 0, "the home timeline does not lead there");
    let summary = house.run_with("replies.joined", &config).await.unwrap();
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
}

/// A home that answers by path and closes: what it says is written by hand.
async fn home_that_says(answer: fn(&str) -> (&'static str, &'static str)) -> net::Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut asked = [0; 8192];
            let length = socket.read(&mut asked).await.unwrap_or(0);
            let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
            let (body, link) = answer(asked.split(' ').nth(1).unwrap_or_default());
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{link}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    url
}

/// Some software lists remote accounts too, whatever it is asked for: a page of none but those is not the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_local_people_is_not_the_last() {
    let home = home_that_says(|path| {
        if path.contains("/admin/accounts") && !path.contains("max_id") {
            (
                r#"[{"id":"1","domain":"b.example","account":{"id":"1","acct":"x@b.example"}}]"#,
                "link: </api/v2/admin/accounts?max_id=1>; rel=\"next\"\r\n",
            )
        } else if path.contains("/admin/accounts") {
            (r#"[{"id":"7","domain":null,"account":{"id":"7","acct":"me"}}]"#, "")
        } else if path.contains("/accounts/7/statuses") {
            (r#"[{"id":"8","in_reply_to_id":"9","visibility":"public"}]"#, "")
        } else if path.contains("/statuses") {
            (r#"[{"id":"9","visibility":"private"}]"#, "")
        } else {
            ("[]", "")
        }
    })
    .await;
    let house = House::build(empty()).await;
    let mut cx = house.cx();
    let client = mastodon::Client::new(cx.net.clone(), home, "home/me", "token".to_owned().into());
    cx.login = cx.login.map(|login| job::Login { client, ..login });
    let mut config = replies::Config::default();
    config.joined.enabled = true;
    let jobs = replies::jobs(&config);
    let job = jobs.iter().find(|job| job.name() == "replies.joined").unwrap();
    let summary = job.run(&cx).await.unwrap();
    assert_eq!(summary.get("looked_at"), 1, "{summary:?}");
}

/// Check 26: the answer to oneself is young, what it continues is not.
#[tokio::test(flavor = "multi_thread")]
async fn follows_local_replies_to_themselves_up_to_what_they_answered() {
    let house = House::build(empty()).await;
    let thread = house.fediverse.thread(0, 9);
    let now = house.clock.now();
    let first = house
        .fediverse
        .local_reply_at(&thread.root, 1, now - TimeDelta::days(3));
    house.fediverse.local_reply_at(&first, 1, now);
    let mut config = replies::Config::default();
    config.joined.enabled = true;
    let summary = house.run_with("replies.joined", &config).await.unwrap();
    assert!(summary.get("visited") >= 1, "{summary:?}");
    assert_eq!(house.fediverse.missing(), 0, "{summary:?}");
}

/// A thread that does not stand in the home timeline.
fn hidden(house: &House) -> Thread {
    house.fediverse.joined_thread(0, 9, 1).0
}

/// Requirement S3.
#[tokio::test(flavor = "multi_thread")]
async fn finds_what_was_bookmarked_or_favourited() {
    for job in ["replies.bookmarks", "replies.favourites"] {
        let house = House::build(empty()).await;
        let thread = hidden(&house);
        match job {
            "replies.bookmarks" => house.fediverse.bookmark(&thread.root),
            _ => house.fediverse.favourite(&thread.root),
        }
        house.run("replies.home").await.unwrap();
        assert!(house.fediverse.missing() > 0);
        let summary = house.run(job).await.unwrap();
        assert_eq!(house.fediverse.missing(), 0, "{job}: {summary:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_what_stands_in_lists() {
    let scenario = Scenario {
        threads: 24,
        replies: 120,
        ..Scenario::small()
    };
    let house = House::build(scenario).await;
    let before = house.fediverse.missing();
    let summary = house.run("replies.lists").await.unwrap();
    assert!(summary.get("visited") > 0, "{summary:?}");
    assert!(house.fediverse.missing() < before, "{summary:?}");
    let log = house.fediverse.log().home();
    assert!(log.path("/api/v1/timelines/home").is_empty());
    assert!(!log.path("/api/v1/timelines/list/").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn fetches_one_thread_by_hand() {
    let kinds = [
        Software::Mastodon,
        Software::MastodonOld,
        Software::Akkoma,
        Software::Mitra,
    ];
    let scenario = Scenario {
        origins: kinds.to_vec(),
        ..empty()
    };
    let house = House::build(scenario).await;
    for origin in 0..kinds.len() {
        let thread = house.fediverse.thread(origin, 9);
        // By identity, and as people copy it from the address bar.
        let address = if origin % 2 == 0 { &thread.root } else { &thread.url };
        let report = replies::fetch(&house.cx(), &replies::Config::default(), &Uri::parse(address).unwrap())
            .await
            .unwrap();
        assert_eq!(report.uri, thread.root);
        assert_eq!(report.arrived, report.missing, "{report:?}");
        assert!(report.missing > 0 && report.trouble.is_none(), "{report:?}");
        assert_eq!(house.fediverse.missing(), 0, "{report:?}");
    }
}

/// Check 19.
#[tokio::test(flavor = "multi_thread")]
async fn any_address_reaches_home_as_it_is() {
    let rests = [
        "/?p=1&x=2",
        "/?p=7&y=a+b",
        "/note#frag",
        "/a+b",
        "/a%20b",
        "/%F0%9F%90%A6/%C3%BC?q=%26%3D%2B#%23",
        "/a;b,c/!$'()*~:@",
        "/100%25?a[]=1",
    ];
    for origin in 0..3 {
        let house = House::build(empty()).await;
        let thread = house.fediverse.thread(origin, 1);
        let uris = rests.map(|rest| {
            let reply = house.fediverse.reply(&thread.root, origin);
            house.fediverse.readdress(&reply, rest)
        });
        // Where no count can be asked for, a status without replies is looked into after an hour.
        house.later(60);
        let summary = house.run("replies.home").await.unwrap();
        let asked = house.fediverse.log().resolves();
        for uri in uris {
            assert!(asked.contains(&uri), "{uri} is not among {asked:?}");
            assert!(house.fediverse.home_has(&uri), "{uri}: {summary:?}");
        }
    }
}

/// Check 19. Spaces and letters beyond ASCII are no part of a URL: what a browser would make of them is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_escaped() {
    let house = House::build(empty()).await;
    let thread = house.fediverse.thread(2, 1);
    let uris = [("/🐦/ü", "/%F0%9F%90%A6/%C3%BC"), ("/a b?c d", "/a%20b?c%20d")].map(|(raw, escaped)| {
        let reply = house.fediverse.reply(&thread.root, 2);
        house.fediverse.readdress(&reply, raw);
        format!("{}{escaped}", house.fediverse.origin(2))
    });
    house.later(60);
    house.run("replies.home").await.unwrap();
    let asked = house.fediverse.log().resolves();
    assert!(uris.iter().all(|uri| asked.contains(uri)), "{asked:?}");
}
