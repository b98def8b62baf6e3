//! Whose turn it is, and what servers say about it.

use std::time::{Duration, Instant};

use axum::response::Response;
use futures::future::{join_all, select_all};
use net::{Bearer, Config, Error, Request, http::Method};
use tokio_util::sync::CancellationToken;

use crate::server::{Server, answer, config, get, pool, raw, with};

/// Unix time, asked of the system by way of the clock.
fn now() -> chrono::DateTime<chrono::Utc> {
    model::Clock::now(&model::SystemClock)
}

fn refusal(format: usize) -> Response {
    let later = now() + chrono::TimeDelta::milliseconds(2000);
    let (name, value) = match format {
        0 => ("x-ratelimit-reset", later.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
        1 => ("x-ratelimit-reset", later.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
        2 => ("x-ratelimit-reset", later.timestamp().to_string()),
        3 => ("x-ratelimit-reset", "2".into()),
        4 => ("x-ratelimit-reset", "2001-01-01T00:00:00Z".into()),
        5 => ("retry-after", later.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        _ => ("retry-after", "1".into()),
    };
    with(
        429,
        &[
            ("x-ratelimit-limit", "300"),
            ("x-ratelimit-remaining", "0"),
            (name, &value),
        ],
    )
}

/// Check 14.
#[tokio::test]
async fn a_refusal_is_waited_out_in_every_spelling_while_others_go_on() {
    let net = pool(&config());
    let ask = async |format: usize| {
        let server = Server::start(move |_, n| if n == 0 { refusal(format) } else { answer(200, "") }).await;
        let begin = Instant::now();
        assert_eq!(
            net.send(get(server.url("/"))).await.unwrap().http_status,
            200,
            "{format}"
        );
        let waited = begin.elapsed();
        assert!(
            (Duration::from_millis(950)..Duration::from_secs(5)).contains(&waited),
            "{format}: {waited:?}"
        );
    };
    let free = async {
        let server = Server::start(|_, _| answer(200, "")).await;
        let begin = Instant::now();
        for _ in 0..5 {
            net.send(get(server.url("/"))).await.unwrap();
        }
        assert!(begin.elapsed() < Duration::from_millis(900));
    };
    tokio::join!(join_all((0..7).map(ask)), free);
}

/// Check 14: without any word the wait is our own; here it is as long as the longest.
#[tokio::test]
async fn lemmys_way_to_refuse_is_a_refusal_and_other_bad_requests_are_not() {
    let body = r#"{"error":"rate_limit_error"}"#;
    let lemmy = Server::start(move |_, n| if n == 0 { answer(400, body) } else { answer(200, "") }).await;
    let strict = Server::start(|_, _| answer(400, r#"{"error":"couldnt_find_post"}"#)).await;
    let net = pool(&Config {
        longest_wait: Duration::from_millis(1200),
        ..config()
    });
    let begin = Instant::now();
    assert_eq!(net.send(get(lemmy.url("/"))).await.unwrap().http_status, 200);
    assert!(begin.elapsed() >= Duration::from_millis(1200), "{:?}", begin.elapsed());
    assert_eq!(net.send(get(strict.url("/"))).await.unwrap().http_status, 400);
    assert_eq!((lemmy.paths().len(), strict.paths().len()), (2, 1));
}

#[tokio::test]
async fn a_refusal_that_a_cache_kept_is_not_waited_out_twice() {
    let kept = || with(429, &[("retry-after", "60"), ("age", "59")]);
    let server = Server::start(move |_, n| if n == 0 { kept() } else { answer(200, "") }).await;
    let begin = Instant::now();
    assert_eq!(
        pool(&config()).send(get(server.url("/"))).await.unwrap().http_status,
        200
    );
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

/// Home's refusal of a page is about pages; its refusal of anything else is about everything.
#[tokio::test]
async fn a_refusal_by_one_bucket_is_not_obeyed_for_another() {
    let refused = |minutes| {
        let reset = (now() + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
        let head = [
            ("x-ratelimit-limit", "300"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", reset.as_str()),
        ];
        with(429, &head)
    };
    let server = Server::start(move |seen, _| match seen.path.as_str() {
        path if path.contains("max_id") => refused(12),
        "/spent" => refused(4),
        _ => answer(200, ""),
    })
    .await;
    // One attempt each, so that a refusal comes back and what it taught is seen at the next.
    let net = pool(&Config {
        attempts: 1,
        ..config()
    });
    let bearer = Bearer {
        origin: server.url("/"),
        token: "t".to_owned().into(),
        login: "s/l".into(),
    };
    let send = async |path: &str, paging| {
        let request = Request {
            paging,
            ..Request::server(Method::GET, server.url(path), Some(bearer.clone()))
        };
        net.send(request).await.unwrap().http_status
    };
    let waits = async |path: &str, paging| {
        tokio::time::timeout(Duration::from_millis(300), send(path, paging))
            .await
            .is_err()
    };
    assert_eq!(send("/home?max_id=1", true).await, 429);
    assert!(waits("/home?max_id=1", true).await, "for its bucket");
    assert_eq!(send("/home", false).await, 200);
    assert_eq!(send("/context", false).await, 200);
    assert!(waits("/home?max_id=1", true).await, "still");
    assert_eq!(server.paths().iter().filter(|path| path.contains("max_id")).count(), 1);
    assert_eq!(send("/spent", false).await, 429);
    assert!(waits("/home", false).await, "the token's own bucket is everybody's");
}

#[tokio::test]
async fn no_wait_is_longer_than_the_longest() {
    let server = Server::start(|_, _| with(429, &[("retry-after", "86400")])).await;
    let net = pool(&Config {
        longest_wait: Duration::from_millis(100),
        ..config()
    });
    let begin = Instant::now();
    assert_eq!(net.send(get(server.url("/"))).await.unwrap().http_status, 429);
    assert_eq!(server.paths().len(), 3);
    assert!((Duration::from_millis(200)..Duration::from_secs(2)).contains(&begin.elapsed()));
}

#[tokio::test]
async fn a_bucket_of_hours_and_the_paging_bucket_stall_nobody_else() {
    let far = |minutes| (now() + chrono::TimeDelta::minutes(minutes)).to_rfc3339();
    let server = Server::start(move |seen, _| {
        let (status, limit, left, minutes) = match seen.path.as_str() {
            "/api/v1/reports" => (429, "400", "0", 14),
            "/api/v1/statuses" => (200, "300", "0", 70),
            path if path.contains("max_id") => (200, "300", "0", 12),
            _ => (200, "300", "250", 3),
        };
        let reset = far(minutes);
        with(
            status,
            &[
                ("x-ratelimit-limit", limit),
                ("x-ratelimit-remaining", left),
                ("x-ratelimit-reset", &reset),
            ],
        )
    })
    .await;
    let net = pool(&config());
    let bearer = Bearer {
        origin: server.url("/"),
        token: "t".to_owned().into(),
        login: "s/l".into(),
    };
    let send = async |method, path: &str, paging| {
        let request = Request {
            paging,
            ..Request::server(method, server.url(path), Some(bearer.clone()))
        };
        net.send(request).await.unwrap().http_status
    };
    let begin = Instant::now();
    assert_eq!(send(Method::POST, "/api/v1/reports", false).await, 429);
    assert_eq!(send(Method::POST, "/api/v1/statuses", false).await, 200);
    assert_eq!(send(Method::GET, "/home?max_id=1", true).await, 200);
    for _ in 0..100 {
        assert_eq!(send(Method::GET, "/home", false).await, 200);
    }
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    // The next page, and only that, waits.
    let page = tokio::time::timeout(Duration::from_millis(200), send(Method::GET, "/home?max_id=0", true)).await;
    assert!(page.is_err());
    assert_eq!(send(Method::GET, "/home", false).await, 200);
}

#[tokio::test]
async fn a_long_run_lets_others_in() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let net = pool(&Config {
        origin_per_minute: 60_000,
        ..config()
    });
    let long = net.for_run("archive", CancellationToken::new());
    let short = net.for_run("replies", CancellationToken::new());
    let many = join_all((0..200).map(|i| long.send(get(server.url(&format!("/archive/{i}"))))));
    let one = async {
        // Once the first of the many is under way.
        while server.paths().is_empty() {
            tokio::task::yield_now().await;
        }
        let before = server.paths().len();
        short.send(get(server.url("/replies"))).await.unwrap();
        before
    };
    let (_, before) = tokio::join!(many, one);
    let at = server.paths().iter().position(|path| path == "/replies").unwrap();
    assert!(at <= before + 2, "served after {at}, queued after {before}");
    assert_eq!(long.spent().into_values().sum::<u64>(), 200);
    assert_eq!(short.spent().into_values().sum::<u64>(), 1);
}

#[tokio::test]
async fn stopping_ends_the_wait_and_gives_the_place_up() {
    let (url, _) = raw(|n| (n > 0).then(|| b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let net = pool(&Config {
        timeout: Duration::from_millis(400),
        ..config()
    });
    let stop = CancellationToken::new();
    let run = net.for_run("job", stop.clone());
    let ask = async {
        // Behind the one in flight.
        let first = net.send(get(url.clone()));
        let second = run.send(get(url.clone()));
        let stopping = async {
            tokio::task::yield_now().await;
            stop.cancel();
        };
        tokio::join!(first, second, stopping)
    };
    let (first, second, ()) = ask.await;
    assert!(matches!(first, Err(Error::Timeout { .. })), "{first:?}");
    assert!(matches!(second, Err(Error::Stopped)), "{second:?}");
    assert_eq!(net.send(get(url.clone())).await.unwrap().http_status, 200);
    assert!(matches!(run.send(get(url)).await, Err(Error::Stopped)));
}

/// Check 15.
/// Requirement S9.
#[tokio::test]
async fn one_silent_host_does_not_slow_twenty_others() {
    let net = pool(&Config {
        timeout: Duration::from_secs(5),
        ..Config {
            origin_per_minute: 30,
            ..config()
        }
    });
    let (silent, _) = raw(|_| None).await;
    let mut servers = Vec::new();
    for _ in 0..20 {
        servers.push(Server::start(|_, _| answer(200, "")).await);
    }
    let begin = Instant::now();
    let good = join_all(
        servers
            .iter()
            .flat_map(|server| (0..5).map(|_| net.send(get(server.url("/"))))),
    );
    let silent = net.send(get(silent));
    futures::pin_mut!(good, silent);
    match futures::future::select(good, silent).await {
        futures::future::Either::Left((good, _)) => assert!(good.iter().all(Result::is_ok)),
        futures::future::Either::Right(_) => panic!("the silent host was first"),
    }
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

/// Check 18.
#[tokio::test]
async fn spellings_of_a_host_share_one_budget() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let net = pool(&Config {
        origin_per_minute: 1,
        ..config()
    });
    let ask = |name| Box::pin(net.send(get(server.named(name, "/"))));
    let asking = vec![
        ask("münchen.example"),
        ask("XN--mnchen-3ya.EXAMPLE"),
        ask("xn--mnchen-3ya.example."),
    ];
    let (first, _, rest) = select_all(asking).await;
    first.unwrap();
    let rest = tokio::time::timeout(Duration::from_millis(300), select_all(rest)).await;
    assert!(rest.is_err(), "one a minute");
    assert_eq!(server.paths().len(), 1);
    assert_eq!(net.spent().len(), 1);
}

/// Long quiet is obeyed by asking something else meanwhile: neither whoever met the refusal nor whoever comes later
/// waits for it.
#[tokio::test]
async fn an_origin_that_wants_minutes_of_quiet_is_left_alone_and_holds_nobody_up() {
    let refusals: [(u16, &[(&str, &str)]); 3] = [
        (429, &[("retry-after", "300")]),
        (503, &[("retry-after", "300")]),
        (
            200,
            &[
                ("x-ratelimit-limit", "300"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-reset", "200"),
            ],
        ),
    ];
    let net = pool(&config());
    for (status, headers) in refusals {
        let server = Server::start(move |_, _| with(status, headers)).await;
        let ask = tokio::time::timeout(Duration::from_secs(30), net.send(get(server.url("/"))));
        assert_eq!(ask.await.expect("no wait").unwrap().http_status, status);
        for _ in 0..3 {
            let ask = tokio::time::timeout(Duration::from_secs(30), net.send(get(server.url("/"))));
            let told = ask.await.expect("no wait");
            assert!(
                matches!(&told, Err(Error::Resting { wait, .. }) if wait.as_secs() > 100),
                "{status}: {told:?}"
            );
        }
        assert_eq!(server.paths().len(), 1, "{status}");
    }
}
