//! What the guard lets through, with a resolver that answers as told.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;

/// Each name has a list of answers; the last one repeats.
#[derive(Default)]
struct Told {
    answers: Mutex<HashMap<&'static str, Vec<Vec<&'static str>>>>,
    asked: AtomicUsize,
}

impl Lookup for Told {
    fn lookup(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let found = match answers.get_mut(name.as_str()) {
            Some(list) if list.len() > 1 => list.remove(0),
            Some(list) => list[0].clone(),
            None => return Box::pin(async { Err(io::Error::other("no such name")) }),
        };
        Box::pin(async move { Ok(found.iter().map(|ip| ip.parse().unwrap()).collect()) })
    }
}

fn guard(allow: &[&str], names: &[(&'static str, &[&[&'static str]])]) -> (Guard, Arc<Told>) {
    let told = Arc::new(Told::default());
    for (name, answers) in names {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        told.answers.lock().unwrap().insert(name, answers);
    }
    let config = Config {
        allow: allow.iter().map(|net| net.parse().unwrap()).collect(),
        blocklist: vec!["bad.example".into(), "MÜNCHEN.example".into()],
        ..Config::default()
    };
    (Guard::new(&config, told.clone()).unwrap(), told)
}

async fn check(guard: &Guard, url: &str) -> Result<(String, Way), Error> {
    guard
        .check(&url.parse().unwrap())
        .await
        .map(|target| (target.url.into(), target.way))
}

/// Check 17.
#[tokio::test]
async fn only_https_to_names_on_the_webs_port() {
    let (guard, told) = guard(&[], &[]);
    let (url, way) = check(&guard, "https://a.example/x?y=1#z").await.unwrap();
    assert_eq!((url.as_str(), way), ("https://a.example/x?y=1", Way::Outer));
    // Upgraded, never spoken in plain.
    let (url, way) = check(&guard, "http://A.example:80/x").await.unwrap();
    assert_eq!((url.as_str(), way), ("https://a.example/x", Way::Outer));
    for url in [
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "https://user@a.example/",
        "https://user:secret@a.example/",
        "https://a.example:8443/",
        "http://a.example:8080/",
        "http://a.example:443/",
        "https://localhost/",
        "https://x.localhost/",
        "https://router/",
        "https://router./",
        "https://nas.local/",
        "https://db.internal/",
        "https://abc.onion/",
        "https://abc.i2p/",
        "https://ABC.Onion./",
        "https://nas.home.arpa/",
    ] {
        assert!(matches!(check(&guard, url).await, Err(Error::Refused { .. })), "{url}");
    }
    assert_eq!(told.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn bare_addresses_are_refused_in_every_spelling() {
    let (guard, _) = guard(&[], &[]);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "0",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "8.8.8.8",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00::1]",
        "[2606:4700::1111]",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}/");
            assert!(matches!(check(&guard, &url).await, Err(Error::Refused { .. })), "{url}");
        }
    }
}

#[tokio::test]
async fn what_is_allowed_may_use_any_port_name_and_plain_http() {
    let inside: &[&[&str]] = &[&["127.0.0.1", "127.0.0.2"]];
    let mixed: &[&[&str]] = &[&["127.0.0.1", "9.9.9.9"]];
    let (guard, _) = guard(
        &["127.0.0.0/8"],
        &[("fake", inside), ("in.example", inside), ("mixed.example", mixed)],
    );
    for url in [
        "http://127.0.0.1:3000/",
        "http://[::ffff:127.0.0.1]:3000/",
        "https://127.9.9.9/",
        "http://fake:3000/",
        "http://in.example/",
        "https://in.example:8443/",
    ] {
        assert_eq!(
            check(&guard, url).await.unwrap(),
            (url.replace("127.0.0.1]", "7f00:1]"), Way::Inner),
            "{url}"
        );
    }
    // One public address among them, or none at all, and it is a public host again.
    assert_eq!(
        check(&guard, "http://mixed.example/").await.unwrap(),
        ("https://mixed.example/".into(), Way::Outer)
    );
    assert_eq!(
        check(&guard, "http://none.example/").await.unwrap(),
        ("https://none.example/".into(), Way::Outer)
    );
    for url in [
        "http://mixed.example:8080/",
        "http://10.0.0.1:3000/",
        "http://other:3000/",
    ] {
        assert!(matches!(check(&guard, url).await, Err(Error::Refused { .. })), "{url}");
    }
}

#[tokio::test]
async fn one_bad_address_refuses_the_name() {
    let (guard, _) = guard(
        &["127.0.0.0/8"],
        &[
            ("public.example", &[&["9.9.9.9", "2606:4700::1111"]]),
            ("mixed.example", &[&["9.9.9.9", "10.0.0.1"]]),
            ("mapped.example", &[&["::ffff:192.168.0.1"]]),
            ("inside.example", &[&["127.0.0.1"]]),
            ("half.example", &[&["127.0.0.1", "9.9.9.9"]]),
            ("empty.example", &[&[]]),
        ],
    );
    for (name, outer, inner) in [
        ("public.example", true, false),
        ("mixed.example", false, false),
        ("mapped.example", false, false),
        ("inside.example", true, true),
        ("half.example", true, false),
        ("empty.example", false, false),
        ("missing.example", false, false),
    ] {
        assert_eq!(guard.resolve(name, Way::Outer).await.is_ok(), outer, "{name} outer");
        assert_eq!(guard.resolve(name, Way::Inner).await.is_ok(), inner, "{name} inner");
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_judged_when_it_is_connected_to() {
    let (guard, _) = guard(
        &["127.0.0.0/8"],
        &[
            ("rebinds.example", &[&["9.9.9.9"], &["10.0.0.1"]]),
            ("leaves.example", &[&["127.0.0.1"], &["9.9.9.9"]]),
        ],
    );
    assert!(guard.resolve("rebinds.example", Way::Outer).await.is_ok());
    let error = guard.resolve("rebinds.example", Way::Outer).await.unwrap_err();
    assert!(error.downcast_ref::<Forbidden>().is_some());
    // Plain http was fine while the name was inside; at connecting it no longer is.
    assert_eq!(check(&guard, "http://leaves.example/").await.unwrap().1, Way::Inner);
    assert!(guard.resolve("leaves.example", Way::Inner).await.is_err());
}

/// Check 12.
#[tokio::test]
async fn the_blocklist_holds_subdomains_in_any_spelling_and_nobody_is_asked_for_them() {
    let (guard, told) = guard(&["127.0.0.0/8"], &[]);
    for url in [
        "https://bad.example/",
        "http://x.bad.example/",
        "https://BAD.example./",
        "https://bad.example:8443/",
        "http://a.b.bad.example:3000/",
        "https://xn--mnchen-3ya.example/",
    ] {
        assert!(matches!(check(&guard, url).await, Err(Error::Blocked(_))), "{url}");
    }
    assert!(check(&guard, "https://notbad.example/").await.is_ok());
    assert_eq!(told.asked.load(Ordering::Relaxed), 0);
}

/// Checks 11 and 12, for hosts that have no name.
#[tokio::test]
async fn a_blocked_address_is_blocked_on_every_port_and_in_every_spelling() {
    let config = Config {
        allow: vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()],
        blocklist: vec![
            "203.0.113.7".into(),
            "198.51.100.0/24".into(),
            "2001:db8::7".into(),
            "[2001:db8::8]".into(),
        ],
        ..Config::default()
    };
    let guard = Guard::new(&config, Arc::new(SystemLookup)).unwrap();
    for url in [
        "https://203.0.113.7/",
        "http://203.0.113.7:8443/x",
        "http://0xcb.0.0x71.7/",
        "http://198.51.100.200:3000/",
        "http://[2001:db8::7]:8080/",
        "https://[2001:DB8:0:0::8]/",
        "http://[::ffff:203.0.113.7]/",
    ] {
        let answer = guard.check(&url.parse().unwrap()).await;
        assert!(matches!(answer, Err(Error::Blocked(_))), "{url}: {answer:?}");
    }
    for url in ["http://203.0.113.8/", "http://[2001:db8::9]/"] {
        assert!(guard.check(&url.parse().unwrap()).await.is_ok(), "{url}");
    }
}

/// Whoever blocks a range means those who live there, whatever they are called.
#[tokio::test]
async fn a_blocked_address_is_blocked_under_every_name() {
    let told = Told::default();
    for (name, ip) in [
        ("there.example", "198.41.0.7"),
        ("mapped.example", "::ffff:198.41.0.8"),
        ("elsewhere.example", "198.42.0.7"),
    ] {
        told.answers.lock().unwrap().insert(name, vec![vec![ip]]);
    }
    let config = Config {
        blocklist: vec!["198.41.0.0/24".into()],
        ..Config::default()
    };
    let guard = Guard::new(&config, Arc::new(told)).unwrap();
    for name in ["there.example", "mapped.example"] {
        let error = guard.resolve(name, Way::Outer).await.unwrap_err();
        assert!(
            matches!(error.downcast_ref(), Some(Forbidden::Blocked(_))),
            "{name}: {error}"
        );
    }
    assert!(guard.resolve("elsewhere.example", Way::Outer).await.is_ok());
}

#[test]
fn a_bad_blocklist_is_told() {
    let config = Config {
        blocklist: vec!["https://bad.example/".into()],
        ..Config::default()
    };
    assert!(matches!(
        Guard::new(&config, Arc::new(SystemLookup)),
        Err(Error::Config { key: "blocklist", .. })
    ));
}
