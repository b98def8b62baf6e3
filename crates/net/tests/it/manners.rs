//! robots.txt, the blocklist, and names that lead inward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use model::{Host, SystemClock};
use net::{Bearer, Config, Error, Net, Request, http::Method};

use crate::server::{Home, Server, answer, config, get, pool};

/// Check 13.
#[tokio::test]
async fn robots_are_asked_once_and_obeyed() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/robots.txt" => answer(200, "User-agent: *\nDisallow: /api/v1/instance/domain_blocks\n"),
        _ => answer(200, ""),
    })
    .await;
    let net = pool(&Config {
        robots: true,
        ..config()
    });
    let asked = join_all((0..5).map(|i| net.send(get(server.url(&format!("/api/{i}")))))).await;
    assert!(asked.iter().all(Result::is_ok));
    let forbidden = net.send(get(server.url("/api/v1/instance/domain_blocks"))).await;
    assert!(matches!(forbidden, Err(Error::Robots(_))));
    assert_eq!(server.paths().iter().filter(|path| *path == "/robots.txt").count(), 1);
    assert_eq!(net.spent().into_values().sum::<u64>(), 6);
}

/// Check 13.
#[tokio::test]
async fn our_own_server_is_not_asked_for_robots() {
    let server = Server::start(|_, _| answer(403, "")).await;
    let net = pool(&Config {
        robots: true,
        ..config()
    });
    let bearer = Bearer {
        origin: server.url("/"),
        token: "t".to_owned().into(),
        login: "s/l".into(),
    };
    let request = Request {
        robots: true,
        ..Request::server(Method::GET, server.url("/api"), Some(bearer))
    };
    assert_eq!(net.send(request).await.unwrap().http_status, 403);
    assert_eq!(server.paths(), ["/api"]);
    assert!(matches!(net.send(get(server.url("/x"))).await, Err(Error::Robots(_))));
}

#[tokio::test]
async fn a_crawl_delay_is_kept_between_all_requests_to_the_host_and_to_no_other() {
    let site = |robots: &'static str| {
        Server::start(move |seen, _| match seen.path.as_str() {
            "/robots.txt" => answer(200, robots),
            _ => answer(200, ""),
        })
    };
    let slow = site("User-agent: *\nCrawl-delay: 0.3\n").await;
    let quick = site("User-agent: other\nCrawl-delay: 30\n").await;
    let net = pool(&Config {
        robots: true,
        origin_concurrency: 4,
        ..config()
    });
    let ask = |server: &Server| {
        let urls: Vec<_> = (0..4).map(|i| server.url(&format!("/{i}"))).collect();
        let net = &net;
        async move {
            let begin = Instant::now();
            for answer in join_all(urls.into_iter().map(|url| net.send(get(url)))).await {
                answer.unwrap();
            }
            begin.elapsed()
        }
    };
    let (slow, quick) = tokio::join!(ask(&slow), ask(&quick));
    // Four requests after the file are at least three gaps.
    assert!(slow >= Duration::from_millis(900), "{slow:?}");
    assert!(quick < slow, "{quick:?}, {slow:?}");
}

#[tokio::test]
async fn a_huge_robots_file_is_read_in_part() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/robots.txt" => answer(
            200,
            format!("User-agent: egret\nDisallow: /no\n{}", "# long\n".repeat(200_000)),
        ),
        _ => answer(200, ""),
    })
    .await;
    let net = pool(&Config {
        robots: true,
        ..config()
    });
    assert!(matches!(net.send(get(server.url("/no"))).await, Err(Error::Robots(_))));
    assert!(net.send(get(server.url("/yes"))).await.is_ok());
}

/// Check 12.
#[tokio::test]
async fn the_blocklist_is_kept_without_a_look_up_and_inward_names_are_refused() {
    let lookups = Arc::new(AtomicUsize::new(0));
    let config = Config {
        blocklist: vec!["bad.example".into()],
        ..config()
    };
    let net = Net::with_lookup(&config, Arc::new(SystemClock), Arc::new(Home(lookups.clone()))).unwrap();
    for url in [
        "https://x.BAD.example/",
        "https://BAD.example/",
        "http://bad.example:8443/",
    ] {
        assert!(matches!(
            net.send(get(url.parse().unwrap())).await,
            Err(Error::Blocked(_))
        ));
    }
    assert!(net.is_blocked(&Host::stored("x.bad.example")) && !net.is_blocked(&Host::stored("notbad.example")));
    assert_eq!(lookups.load(Ordering::SeqCst), 0, "no DNS lookup is made");
    let inward = net.send(get("https://inward.example/".parse().unwrap())).await;
    assert!(matches!(inward, Err(Error::Refused { .. })), "{inward:?}");
    assert_eq!(net.rests(&Host::stored("inward.example")), None);
}

#[test]
fn a_bad_authority_file_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let config = Config {
        extra_ca_file: Some(file.path().into()),
        ..Config::default()
    };
    assert!(matches!(
        Net::new(&config, Arc::new(SystemClock)),
        Err(Error::Config {
            key: "extra_ca_file",
            ..
        })
    ));
    let config = Config {
        extra_ca_file: Some("/nowhere/ca.pem".into()),
        ..Config::default()
    };
    assert!(matches!(
        Net::new(&config, Arc::new(SystemClock)),
        Err(Error::File {
            key: "extra_ca_file",
            ..
        })
    ));
}
