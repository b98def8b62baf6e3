//! Bodies, deadlines and second attempts.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes};
use net::{Config, Error, Request, Until, http::Method};

use crate::server::{Server, answer, config, get, pool, raw, with};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn says_who_asks_and_reads_the_answer() {
    let server = Server::start(|_, _| answer(200, "{}")).await;
    let net = pool(&config());
    let response = net.send(get(server.url("/api?x=1&y=%20#z"))).await.unwrap();
    assert_eq!((response.http_status, &response.body[..]), (200, &b"{}"[..]));
    let seen = server.log.lock().unwrap()[0].clone();
    assert_eq!(seen.path, "/api?x=1&y=%20");
    assert_eq!(seen.headers["accept"], "application/json");
    let agent = seen.headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("Egret/") && !agent.contains('{'), "{agent}");
}

#[tokio::test]
async fn a_silent_host_costs_its_deadline_and_then_rests() {
    let (url, count) = raw(|_| None).await;
    let net = pool(&Config {
        timeout: Duration::from_millis(150),
        ..config()
    });
    for _ in 0..3 {
        let begin = Instant::now();
        assert!(matches!(net.send(get(url.clone())).await, Err(Error::Timeout { .. })));
        assert!(begin.elapsed() < Duration::from_secs(2));
    }
    assert!(matches!(net.send(get(url.clone())).await, Err(Error::Resting { .. })));
    assert_eq!(count.load(Ordering::SeqCst), 3);
    let host = model::Host::of(&url).unwrap();
    assert!(net.rests(&host).is_some_and(|rest| rest > Duration::from_secs(50)));
}

#[tokio::test]
async fn bodies_stop_at_their_bound() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/endless" => {
            let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096]));
            answer(200, Body::from_stream(futures::stream::repeat_with(chunk)))
        }
        // A zstd frame of 800 blocks, each 128 KiB of one repeated byte, in 3 KiB.
        "/bomb" => {
            let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
            for _ in 0..800 {
                frame.extend([0x02, 0x00, 0x10, 0x00]);
            }
            let mut bomb = answer(200, frame);
            bomb.headers_mut().insert("content-encoding", "zstd".parse().unwrap());
            bomb
        }
        _ => answer(200, vec![b'x'; 100_000]),
    })
    .await;
    let net = pool(&config());
    for path in ["/endless", "/bomb", "/exact"] {
        let request = Request {
            max_body: 99_999,
            ..get(server.url(path))
        };
        let result = net.send(request).await;
        assert!(
            matches!(result, Err(Error::TooLarge { limit: 99_999, .. })),
            "{path}: {result:?}"
        );
    }
    let request = Request {
        max_body: 100_000,
        ..get(server.url("/exact"))
    };
    assert_eq!(net.send(request).await.unwrap().body.len(), 100_000);
    assert_eq!(server.paths().len(), 4, "a bound is not tried twice");
}

#[tokio::test]
async fn a_truncated_body_is_asked_for_again_and_then_an_error() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok".to_vec();
    let (url, count) = raw(move |_| Some(cut.clone())).await;
    let net = pool(&config());
    assert!(matches!(net.send(get(url)).await, Err(Error::Unreachable { .. })));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_connection_closed_silently_is_replaced() {
    let (url, count) = raw(|n| (n > 0).then(|| OK.to_vec()).or(Some(Vec::new()))).await;
    let net = pool(&config());
    assert_eq!(net.send(get(url.clone())).await.unwrap().http_status, 200);
    // The kept connection is closed by now.
    assert_eq!(net.send(get(url)).await.unwrap().http_status, 200);
    assert!(count.load(Ordering::SeqCst) >= 3);
    assert_eq!(net.spent().values().sum::<u64>(), 3);
}

#[tokio::test]
async fn a_write_is_sent_once() {
    let (url, count) = raw(|_| Some(Vec::new())).await;
    let net = pool(&config());
    let post = Request::server(Method::POST, url, None);
    assert!(matches!(net.send(post).await, Err(Error::Unreachable { .. })));
    assert_eq!(count.load(Ordering::SeqCst), 1);

    let server = Server::start(|_, _| answer(503, "")).await;
    let post = Request::server(Method::POST, server.url("/"), None);
    assert_eq!(net.send(post).await.unwrap().http_status, 503);
    assert_eq!(server.paths().len(), 1);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    let server = Server::start(|_, n| with(if n < 2 { 502 } else { 200 }, &[])).await;
    let run = pool(&config()).for_run("job", Default::default());
    assert_eq!(run.send(get(server.url("/"))).await.unwrap().http_status, 200);
    assert_eq!(run.spent().into_values().collect::<Vec<_>>(), [3]);
    let broken = Server::start(|_, _| answer(500, "")).await;
    assert_eq!(run.send(get(broken.url("/"))).await.unwrap().http_status, 500);
    assert_eq!(broken.paths().len(), 1);
}

/// Whoever may speak no longer opens no stream either.
#[tokio::test]
async fn nothing_goes_out_once_the_time_is_over() {
    let server = Server::start(|_, _| answer(200, "")).await;
    let over = Until::new(Instant::now() - Duration::from_secs(2), Duration::from_secs(1));
    let net = pool(&config()).until(over);
    assert!(matches!(net.send(get(server.url("/"))).await, Err(Error::Stopped)));
    assert!(matches!(net.open(get(server.url("/"))).await, Err(Error::Stopped)));
    assert!(server.paths().is_empty());
}
