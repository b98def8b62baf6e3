//! Where answers may lead.

use net::{Bearer, Error, Request, Url, http::Method};

use crate::server::{Server, answer, config, get, pool, with};

fn bearer(origin: Url) -> Bearer {
    Bearer {
        origin,
        token: "hush".to_owned().into(),
        login: "server/login".into(),
    }
}

/// Check 16.
#[tokio::test]
async fn every_kind_is_followed_to_the_final_url() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/relative/1" => with(301, &[("location", "2?x=1")]),
        "/relative/2?x=1" => with(302, &[("location", "/three")]),
        "/three" => with(303, &[("location", "/four")]),
        "/four" => with(307, &[("location", "/five")]),
        "/five" => with(308, &[("location", "/end")]),
        "/end" => answer(200, "done"),
        _ => answer(404, ""),
    })
    .await;
    let net = pool(&config());
    let response = net.send(get(server.url("/relative/1"))).await.unwrap();
    assert_eq!((response.http_status, response.url), (200, server.url("/end")));
    assert_eq!(net.spent().into_values().sum::<u64>(), 6);
}

/// Check 16.
#[tokio::test]
async fn loops_long_ways_and_ways_inward_end() {
    let server = Server::start(|seen, n| match seen.path.as_str() {
        "/loop" => with(302, &[("location", "/pool")]),
        "/pool" => with(302, &[("location", "/loop")]),
        "/private" => with(302, &[("location", "http://10.0.0.1/")]),
        "/metadata" => with(302, &[("location", "http://169.254.169.254/latest")]),
        "/inward" => with(302, &[("location", "https://inward.example/")]),
        "/file" => with(302, &[("location", "file:///etc/passwd")]),
        "/blocked" => with(302, &[("location", "https://x.bad.example/")]),
        _ => with(302, &[("location", &format!("/far/{n}"))]),
    })
    .await;
    let net = pool(&net::Config {
        blocklist: vec!["bad.example".into()],
        ..config()
    });
    for path in ["/loop", "/private", "/metadata", "/file", "/blocked", "/far"] {
        let result = net.send(get(server.url(path))).await;
        assert!(matches!(result, Err(Error::Redirect { .. })), "{path}: {result:?}");
    }
    assert!(matches!(
        net.send(get(server.url("/inward"))).await,
        Err(Error::Refused { .. })
    ));
    assert_eq!(server.paths().iter().filter(|path| path.starts_with("/far")).count(), 6);
}

#[tokio::test]
async fn the_token_stays_with_its_origin() {
    let other = Server::start(|_, _| answer(200, "")).await;
    let elsewhere = other.url("/there").to_string();
    let server = Server::start(move |seen, _| match seen.path.as_str() {
        "/out" => with(302, &[("location", &elsewhere)]),
        "/in" => with(302, &[("location", "/here")]),
        _ => answer(200, ""),
    })
    .await;
    let net = pool(&config());
    for path in ["/out", "/in"] {
        let request = Request::server(Method::GET, server.url(path), Some(bearer(server.url("/"))));
        assert_eq!(net.send(request).await.unwrap().http_status, 200);
    }
    assert!(!other.log.lock().unwrap()[0].headers.contains_key("authorization"));
    for seen in server.log.lock().unwrap().iter() {
        assert_eq!(seen.headers["authorization"], "Bearer hush");
    }
    let astray = Request::server(Method::GET, other.url("/"), Some(bearer(server.url("/"))));
    let error = net.send(astray).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }));
    assert!(!format!("{error:?} {error}").contains("hush"));
    // To a public host a token never goes in plain, and its http origin is not the https one.
    let origin: Url = "http://inward.example/".parse().unwrap();
    let plain = Request::server(Method::GET, origin.clone(), Some(bearer(origin)));
    assert!(matches!(net.send(plain).await, Err(Error::Refused { .. })));
}

#[tokio::test]
async fn a_write_is_not_turned_into_something_else() {
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/moved" => with(301, &[("location", "/end")]),
        "/kept" => with(308, &[("location", "/end")]),
        "/see" => with(303, &[("location", "/end")]),
        _ => answer(200, ""),
    })
    .await;
    let net = pool(&config());
    let post = |path| Request::server(Method::POST, server.url(path), None);
    assert!(matches!(net.send(post("/moved")).await, Err(Error::Redirect { .. })));
    assert!(net.send(post("/kept")).await.is_ok() && net.send(post("/see")).await.is_ok());
    let log = server.log.lock().unwrap();
    let ends: Vec<_> = log
        .iter()
        .filter(|seen| seen.path == "/end")
        .map(|seen| seen.method.as_str())
        .collect();
    assert_eq!(ends, ["POST", "GET"]);
}
