//! What other servers read of our actor.

use axum::{body::Body, http::Request};
use net::{ActorConfig, Net};

use crate::house::House;

#[tokio::test]
async fn the_actor_shows_its_key_and_webfinger_leads_to_it() {
    let house = House::empty().await;
    for path in [
        "/actor",
        "/actor/outbox",
        "/.well-known/webfinger?resource=acct:egret@egret.example",
    ] {
        assert_eq!(house.get(path).await.0, 404, "{path}: there is none yet");
    }
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.pem");
    std::fs::write(&key_file, fake_fediverse::KNOWN_KEY).unwrap();
    let config = net::Config {
        actor: ActorConfig {
            url: Some("https://egret.example".parse().unwrap()),
            key_file: Some(key_file),
            ..ActorConfig::default()
        },
        ..net::Config::default()
    };
    let net = Net::new(&config, std::sync::Arc::new(model::SystemClock)).unwrap();
    house.state.actor.set(net.identity().cloned());

    let (status, text) = house.get("/actor").await;
    let actor: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, actor["id"].as_str()),
        (200, Some("https://egret.example/actor"))
    );
    assert_eq!(actor["publicKey"]["owner"], actor["id"]);
    assert_eq!(actor["publicKey"]["id"], "https://egret.example/actor#main-key");
    assert!(
        actor["publicKey"]["publicKeyPem"]
            .as_str()
            .unwrap()
            .contains("BEGIN PUBLIC KEY")
    );
    assert!(!text.contains("PRIVATE"));
    for resource in [
        "acct:egret@egret.example",
        "ACCT:Egret@egret.example",
        "https://egret.example/actor",
    ] {
        let (status, text) = house.get(&format!("/.well-known/webfinger?resource={resource}")).await;
        assert_eq!(status, 200, "{resource}");
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(found["links"][0]["href"], actor["id"], "{resource}");
        assert_eq!(found["subject"], "acct:egret@egret.example");
    }
    for resource in ["acct:somebody@egret.example", "acct:egret@elsewhere.example", ""] {
        let (status, _) = house.get(&format!("/.well-known/webfinger?resource={resource}")).await;
        assert_eq!(status, 404, "{resource}");
    }
    let told = house
        .ask(
            Request::post("/actor/inbox")
                .body(Body::from("{\"type\":\"Delete\"}"))
                .unwrap(),
        )
        .await;
    assert_eq!(
        told.status(),
        202,
        "a server that tells it something need not tell it again"
    );
}
