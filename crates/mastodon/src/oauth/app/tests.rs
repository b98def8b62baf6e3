//! The whole way to a token and back, against the simulated server.

use std::sync::Arc;

use fake_fediverse::{Fediverse, Scenario};
use model::SystemClock;
use net::http::HeaderMap;

use super::*;

fn net() -> Net {
    let config = net::Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        ..net::Config::default()
    };
    Net::new(&config, Arc::new(SystemClock)).unwrap()
}

/// Signs in and agrees, and says where the browser is sent.
fn agree(fediverse: &Fediverse, url: &Url) -> Url {
    url.join(&fediverse.consent("me", url.as_str())).unwrap()
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn a_code_is_worth_a_token_only_to_who_asked() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let (net, base) = (net(), fediverse.home().parse::<Url>().unwrap());
    let app = register(&net, &base, "Egret", Redirect::OutOfBand, &["read"])
        .await
        .unwrap();
    let asked = app.ask(&["read"]);
    assert_eq!(query(&asked.url, "code_challenge_method").as_deref(), Some("S256"));
    let code = query(&agree(&fediverse, &asked.url), "code").unwrap();
    let thief = app.ask(&["read"]).verifier;
    let stolen = app.token(&net, &code, &thief, &["read"]).await;
    assert!(matches!(stolen, Err(Error::Code { .. })), "{stolen:?}");

    let asked = app.ask(&["read"]);
    let code = query(&agree(&fediverse, &asked.url), "code").unwrap();
    let granted = app.token(&net, &code, &asked.verifier, &["read"]).await.unwrap();
    assert_eq!(granted.scopes, ["read"]);
    let client = crate::Client::new(net.clone(), base, "home/me", granted.token.clone());
    client.verify_credentials().await.unwrap();
    app.revoke(&net, &granted.token).await.unwrap();
    assert!(matches!(
        client.verify_credentials().await,
        Err(crate::Error::Revoked { .. })
    ));
}

#[tokio::test]
async fn a_browser_comes_back_with_the_state_it_was_sent_with() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let (net, base) = (net(), fediverse.home().parse::<Url>().unwrap());
    let ours: Url = "https://egret.example/login/back".parse().unwrap();
    let redirect = Redirect::To(ours.clone());
    let app = register(&net, &base, "Egret", redirect, &["read:accounts", "admin:read"])
        .await
        .unwrap();
    let asked = app.ask(&["read:accounts"]);
    let back = agree(&fediverse, &asked.url);
    assert_eq!((back.origin(), back.path()), (ours.origin(), ours.path()));
    assert_eq!(query(&back, "state").as_deref(), Some(asked.state.expose_secret()));
    let code = query(&back, "code").unwrap();
    let granted = app
        .token(&net, &code, &asked.verifier, &["read:accounts"])
        .await
        .unwrap();
    assert_eq!(granted.scopes, ["read:accounts"]);
}

#[tokio::test]
async fn a_forgotten_registration_says_so() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let app = App {
        base: fediverse.home().parse().unwrap(),
        client_id: "gone".into(),
        client_secret: "gone".to_owned().into(),
        redirect: Redirect::OutOfBand,
    };
    let asked = app.ask(&["read"]);
    let answer = app.token(&net(), "x", &asked.verifier, &["read"]).await;
    assert!(matches!(answer, Err(Error::App { .. })), "{answer:?}");
}

#[test]
fn what_the_standard_calls_a_refusal_is_told_apart() {
    let response = |http_status, body: &str| Response {
        http_status,
        headers: HeaderMap::new(),
        url: "https://a.example/oauth/token".parse().unwrap(),
        body: body.to_owned().into(),
    };
    let refusal = |http_status, body| refusal("/oauth/token", &response(http_status, body), "read write");
    assert!(refusal(200, "{}").is_none());
    assert!(matches!(
        refusal(400, r#"{"error":"invalid_grant"}"#),
        Some(Error::Code { .. })
    ));
    assert!(matches!(
        refusal(401, r#"{"error":"invalid_client","error_description":"x"}"#),
        Some(Error::App { .. })
    ));
    let scope = refusal(400, r#"{"error":"invalid_scope"}"#).unwrap();
    assert_eq!(scope.to_string(), "a.example does not give the scopes \"read write\"");
    for (http_status, body) in [(422, "<html>"), (403, ""), (400, r#"{"error":5}"#)] {
        assert!(matches!(
            refusal(http_status, body),
            Some(Error::Server(crate::Error::Forbidden { .. }))
        ));
    }
}

#[test]
fn a_redirect_survives_being_stored_and_nothing_secret_prints() {
    for redirect in [
        Redirect::OutOfBand,
        Redirect::To("https://egret.example/login/back".parse().unwrap()),
    ] {
        assert_eq!(Redirect::parse(redirect.as_str()), Some(redirect));
    }
    assert_eq!(Redirect::parse("javascript:alert(1)"), None);
    let app = App {
        base: "https://a.example".parse().unwrap(),
        client_id: "id".into(),
        client_secret: "very-secret".to_owned().into(),
        redirect: Redirect::OutOfBand,
    };
    let asked = app.ask(&["read"]);
    let printed = format!("{app:?} {:?}", asked.state);
    assert!(!printed.contains("very-secret"));
    assert!(!printed.contains(&query(&asked.url, "state").unwrap()));
}
