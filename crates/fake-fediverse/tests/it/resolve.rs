//! How home comes to know what it lacks.

use fake_fediverse::{Builtin, Fault, Fediverse, Scenario, Software, Thread};

use crate::client::{Answer, get, quoted, uris};

async fn resolve(fediverse: &Fediverse, uri: &str) -> Answer {
    let url = format!(
        "{}/api/v2/search?q={}&resolve=true&type=statuses",
        fediverse.home(),
        quoted(uri)
    );
    get(&url, Some(&fediverse.token())).await
}

fn missing<'a>(fediverse: &Fediverse, thread: &'a Thread) -> Vec<&'a (String, String)> {
    thread
        .replies
        .iter()
        .filter(|(uri, _)| !fediverse.home_has(uri))
        .collect()
}

#[tokio::test]
async fn a_resolved_leaf_brings_its_ancestors() {
    let fediverse = Fediverse::start(Scenario {
        known: 0.0,
        ..Scenario::small()
    })
    .await;
    for thread in fediverse.threads() {
        for leaf in thread.leaves() {
            let answer = resolve(&fediverse, leaf).await.json();
            assert_eq!(uris(&answer["statuses"]), [leaf]);
        }
        assert!(missing(&fediverse, &thread).is_empty());
        let id = fediverse.home_id(&thread.root).unwrap();
        let context = format!("{}/api/v1/statuses/{id}/context", fediverse.home());
        let context = get(&context, Some(&fediverse.token())).await.json();
        let mut listed = uris(&context["descendants"]);
        let mut wanted: Vec<_> = thread.replies.iter().map(|(uri, _)| uri.clone()).collect();
        listed.sort();
        wanted.sort();
        assert_eq!(listed, wanted);
    }
    assert_eq!(
        fediverse.log().resolves().len(),
        fediverse.log().home().path("search").len()
    );
}

#[tokio::test]
async fn every_failure_is_an_empty_success() {
    let fediverse = Fediverse::start(Scenario {
        known: 0.0,
        ..Scenario::small()
    })
    .await;
    let threads = fediverse.threads();
    let all: Vec<_> = threads
        .iter()
        .flat_map(|thread| thread.replies.iter().map(|(uri, _)| uri))
        .collect();
    fediverse.delete(all[0]);
    fediverse.unresolvable(all[1]);
    for uri in [all[0], all[1], "https://nobody.example/@x/1"] {
        let answer = resolve(&fediverse, uri).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["statuses"].as_array().unwrap().len(), 0, "{uri}");
    }
    fediverse.resolvable(all[1]);
    assert_eq!(
        resolve(&fediverse, all[1]).await.json()["statuses"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    fediverse.fault(None, "/api/v2/search", Fault::ResolvesNothing, Some(1));
    assert_eq!(
        resolve(&fediverse, all[1]).await.json()["statuses"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    assert_eq!(
        resolve(&fediverse, all[1]).await.json()["statuses"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let origin = (0..3).find(|n| all[1].starts_with(&fediverse.origin(*n))).unwrap();
    fediverse.suspend_origin(origin);
    assert_eq!(
        resolve(&fediverse, all[1]).await.json()["statuses"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let strangers = format!("{}/api/v2/search?q=x&resolve=true", fediverse.home());
    assert_eq!(get(&strangers, None).await.status, 401);
}

#[tokio::test]
async fn an_address_for_people_costs_a_second_fetch() {
    let fediverse = Fediverse::start(Scenario::small()).await;
    let thread = fediverse
        .threads()
        .into_iter()
        .find(|thread| thread.root != thread.url)
        .unwrap();
    let before = fediverse.remote_fetches();
    resolve(&fediverse, &thread.root).await;
    assert_eq!(fediverse.remote_fetches(), before + 1, "even though it is known");
    let answer = resolve(&fediverse, &thread.url).await.json();
    assert_eq!(uris(&answer["statuses"]), [thread.root]);
    assert_eq!(fediverse.remote_fetches(), before + 3);
}

/// Reads a context, follows the refresh to its end, and gives the polls it took.
async fn refresh(fediverse: &Fediverse, thread: &Thread) -> Option<u32> {
    let token = fediverse.token();
    let id = fediverse.home_id(&thread.root).unwrap();
    let url = format!("{}/api/v1/statuses/{id}/context", fediverse.home());
    let answer = get(&url, Some(&token)).await;
    let header = answer.header("mastodon-async-refresh")?;
    assert!(header.contains("retry=3"), "{header}");
    let id = header.split('"').nth(1).unwrap();
    let url = format!("{}/api/v1_alpha/async_refreshes/{id}", fediverse.home());
    let narrow = fediverse.token_with(&["read:statuses"]);
    assert_eq!(get(&url, Some(&narrow)).await.status, 403, "wants the whole read");
    for polls in 1..5 {
        if get(&url, Some(&token)).await.json()["async_refresh"]["status"] == "finished" {
            return Some(polls);
        }
    }
    Some(99)
}

#[tokio::test]
async fn the_built_in_refresh_brings_all_or_five() {
    let base = Scenario {
        origins: vec![Software::Mastodon],
        known: 0.0,
        builtin: Builtin::Works,
        ..Scenario::small()
    };
    let fediverse = Fediverse::start(base.clone()).await;
    let thread = fediverse.thread(0, 40);
    assert_eq!(refresh(&fediverse, &thread).await, Some(2));
    assert!(missing(&fediverse, &thread).is_empty());
    assert_eq!(refresh(&fediverse, &thread).await, None, "not again for 15 minutes");

    let flawed = Fediverse::start(Scenario {
        builtin: Builtin::FiveItems,
        ..base.clone()
    })
    .await;
    let mut thread = flawed.thread(0, 0);
    for _ in 0..5 {
        flawed.self_reply(&thread.root);
    }
    for _ in 0..35 {
        let other = flawed.reply(&thread.root, 0);
        assert!(!flawed.home_has(&other));
    }
    thread = flawed.threads().into_iter().find(|t| t.root == thread.root).unwrap();
    refresh(&flawed, &thread).await;
    assert!(
        (30..=35).contains(&missing(&flawed, &thread).len()),
        "{}",
        missing(&flawed, &thread).len()
    );

    let stuck = Fediverse::start(Scenario {
        builtin: Builtin::Hangs,
        ..base
    })
    .await;
    let thread = stuck.thread(0, 10);
    assert_eq!(refresh(&stuck, &thread).await, Some(99));
}
