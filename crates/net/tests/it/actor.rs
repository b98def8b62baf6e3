//! An actor of our own signs, and who checks signatures believes it.

use fake_fediverse::{Fediverse, KNOWN_KEY, KnownActor, Scenario, Signatures, Software};
use net::{ActorConfig, Config, Error, Net, Request};

use crate::server::{config, pool};

const AP: &str = "application/activity+json";

fn signing(actor: &KnownActor, folder: &tempfile::TempDir) -> Config {
    let key_file = folder.path().join("key.pem");
    std::fs::write(&key_file, KNOWN_KEY).unwrap();
    Config {
        actor: ActorConfig {
            url: Some(actor.url.parse().unwrap()),
            key_file: Some(key_file),
            ..ActorConfig::default()
        },
        robots: false,
        ..config()
    }
}

async fn fediverse() -> Fediverse {
    let fediverse = Fediverse::start(Scenario {
        threads: 3,
        replies: 6,
        origins: vec![Software::GoToSocial, Software::Mastodon, Software::Mastodon],
        ..Scenario::small()
    })
    .await;
    fediverse.wants_signatures(1, Signatures::Cavage);
    fediverse.wants_signatures(2, Signatures::Rfc9421);
    fediverse
}

/// The root of the thread at an origin.
fn root(fediverse: &Fediverse, origin: usize) -> String {
    let threads = fediverse.threads();
    threads.into_iter().find(|thread| thread.origin == origin).unwrap().root
}

async fn ask(net: &Net, uri: &str, signed: bool) -> u16 {
    let mut request = Request::origin(uri.parse().unwrap(), AP);
    request.signed = signed;
    net.send(request).await.unwrap().http_status
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_is_answered_and_who_does_not_is_not() {
    let (fediverse, actor, folder) = (
        fediverse().await,
        KnownActor::start().await,
        tempfile::tempdir().unwrap(),
    );
    let net = pool(&signing(&actor, &folder));
    for origin in 0..3 {
        let root = root(&fediverse, origin);
        assert_eq!(ask(&net, &root, false).await, 401, "{origin}");
        fediverse.clear_log();
        assert_eq!(ask(&net, &root, true).await, 200, "{origin}");
        // The way that most take comes first; what one takes is known afterwards.
        assert_eq!(fediverse.log().0.len(), if origin == 2 { 2 } else { 1 }, "{origin}");
        assert_eq!(ask(&net, &root, true).await, 200);
        assert_eq!(fediverse.log().0.len(), if origin == 2 { 3 } else { 2 }, "{origin}");
    }
}

/// The key is the one that the actor's own server shows, and the signature covers the address.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_sign_for_somebody() {
    let (fediverse, folder) = (fediverse().await, tempfile::tempdir().unwrap());
    let gone = KnownActor::start().await;
    let net = pool(&signing(&gone, &folder));
    drop(gone);
    assert_eq!(ask(&net, &root(&fediverse, 0), true).await, 401, "nobody shows the key");
}

#[tokio::test]
async fn the_key_is_read_and_never_shown() {
    let (actor, folder) = (KnownActor::start().await, tempfile::tempdir().unwrap());
    let good = signing(&actor, &folder);
    let net = pool(&good);
    let identity = net.identity().unwrap();
    assert_eq!(identity.key_id, format!("{}/actor#main-key", actor.url));
    assert!(
        identity
            .public_key_pem
            .starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA")
    );
    let secret = KNOWN_KEY.lines().nth(3).unwrap();
    assert!(!format!("{net:?} {identity:?} {good:?}").contains(secret));

    let key_file = folder.path().join("key.pem");
    std::fs::write(&key_file, KNOWN_KEY.replace('a', "b")).unwrap();
    let error = Net::new(&good, std::sync::Arc::new(model::SystemClock)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Config {
                key: "actor.key_file",
                ..
            }
        ),
        "{error}"
    );
    assert!(!error.to_string().contains(&secret[..20]));
    std::fs::remove_file(&key_file).unwrap();
    let error = Net::new(&good, std::sync::Arc::new(model::SystemClock)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::File {
                key: "actor.key_file",
                ..
            }
        ),
        "{error}"
    );
}
