//! The origins as strangers see them.

use std::collections::BTreeSet;

use fake_fediverse::{Fediverse, Scenario, Software, Thread};
use serde_json::Value;

use crate::client::{activity, get, page, uris};

async fn thread_on(software: Software, replies: usize) -> (Fediverse, Thread) {
    let scenario = Scenario {
        threads: 1,
        replies: 0,
        known: 0.0,
        origins: vec![software, Software::Mastodon, Software::Akkoma],
        ..Scenario::small()
    };
    let fediverse = Fediverse::start(scenario).await;
    let thread = fediverse.thread(0, replies);
    (fediverse, thread)
}

fn wanted(thread: &Thread) -> BTreeSet<String> {
    thread.replies.iter().map(|(uri, _)| uri.clone()).collect()
}

fn address(item: &Value) -> String {
    item.as_str().or_else(|| item["id"].as_str()).unwrap().to_owned()
}

#[tokio::test]
async fn mastodons_conversation_collection_has_everything() {
    let (_fediverse, thread) = thread_on(Software::Mastodon, 150).await;
    let note = activity(&thread.root).await.json();
    let collection = activity(note["context"].as_str().unwrap()).await.json();
    let mut page = collection["first"].clone();
    let mut found = BTreeSet::new();
    let mut requests = 2;
    loop {
        found.extend(page["items"].as_array().unwrap().iter().map(address));
        let Some(next) = page["next"].as_str() else { break };
        page = activity(next).await.json();
        requests += 1;
    }
    found.remove(&thread.root);
    assert_eq!(found, wanted(&thread));
    assert_eq!(requests, 2 + 2, "151 statuses, 60 on a page");
}

#[tokio::test]
async fn old_mastodons_have_only_replies() {
    let (fediverse, thread) = thread_on(Software::MastodonOld, 0).await;
    for _ in 0..7 {
        fediverse.self_reply(&thread.root);
    }
    for _ in 0..70 {
        fediverse.reply(&thread.root, 1);
    }
    let note = activity(&thread.root).await.json();
    assert!(note.get("context").is_none());
    let first = &note["replies"]["first"];
    assert_eq!(first["items"].as_array().unwrap().len(), 5, "self-replies only");
    let rest = activity(first["next"].as_str().unwrap()).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    assert!(rest["items"][0].is_object(), "local ones in full");
    let others = activity(rest["next"].as_str().unwrap()).await.json();
    assert_eq!(others["items"].as_array().unwrap().len(), 60);
    assert!(others["items"][0].is_string(), "remote ones by address");
    let last = activity(others["next"].as_str().unwrap()).await.json();
    assert_eq!(last["items"].as_array().unwrap().len(), 10);
    assert!(last.get("next").is_none());
}

#[tokio::test]
async fn a_strangers_context_is_cut_at_sixty() {
    let (fediverse, thread) = thread_on(Software::MastodonOld, 150).await;
    let id = thread.url.rsplit('/').next().unwrap();
    let answer = get(&format!("{}/api/v1/statuses/{id}/context", fediverse.origin(0)), None)
        .await
        .json();
    assert_eq!(answer["descendants"].as_array().unwrap().len(), 60);
    let batch = get(&format!("{}/api/v1/statuses?id[]={id}", fediverse.origin(0)), None)
        .await
        .json();
    assert_eq!(uris(&batch), [thread.root]);
}

#[tokio::test]
async fn akkoma_leads_from_object_to_notice_and_gives_all_flat() {
    let (fediverse, thread) = thread_on(Software::Akkoma, 100).await;
    let moved = page(&thread.root).await;
    assert_eq!(moved.status, 302);
    let to = moved.header("location").unwrap();
    assert!(to.starts_with("/notice/"), "{to}");
    let id = to.rsplit('/').next().unwrap();
    let context = get(&format!("{}/api/v1/statuses/{id}/context", fediverse.origin(0)), None)
        .await
        .json();
    assert_eq!(
        uris(&context["descendants"]).into_iter().collect::<BTreeSet<_>>(),
        wanted(&thread)
    );
    let middle = context["descendants"][50]["id"].as_str().unwrap();
    let context = get(
        &format!("{}/api/v1/statuses/{middle}/context", fediverse.origin(0)),
        None,
    )
    .await
    .json();
    assert_eq!(
        context["ancestors"].as_array().unwrap().len(),
        51,
        "older, not ancestors"
    );
}

#[tokio::test]
async fn mitra_is_its_uri() {
    let (fediverse, thread) = thread_on(Software::Mitra, 30).await;
    assert_eq!(thread.root, thread.url);
    let id = thread.root.rsplit('/').next().unwrap();
    let context = get(&format!("{}/api/v1/statuses/{id}/context", fediverse.origin(0)), None)
        .await
        .json();
    assert_eq!(
        uris(&context["descendants"]).into_iter().collect::<BTreeSet<_>>(),
        wanted(&thread)
    );
    assert_eq!(
        get(&format!("{}/api/v1/statuses/999/context", fediverse.origin(0)), None)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn gotosocial_shows_nothing() {
    let (fediverse, thread) = thread_on(Software::GoToSocial, 3).await;
    assert_eq!(activity(&thread.root).await.status, 401);
    let id = thread.root.rsplit('/').next().unwrap();
    assert_eq!(id.len(), 26);
    assert_eq!(
        get(&format!("{}/api/v1/statuses/{id}/context", fediverse.origin(0)), None)
            .await
            .status,
        401
    );
    assert_eq!(
        get(&format!("{}/api/v1/instance", fediverse.origin(0)), None)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn others_have_numbered_pages_of_replies() {
    let (fediverse, thread) = thread_on(Software::Other, 0).await;
    for _ in 0..41 {
        fediverse.reply(&thread.root, 1);
    }
    let note = activity(&thread.root).await.json();
    let mut next = activity(note["replies"].as_str().unwrap()).await.json()["first"]
        .as_str()
        .map(str::to_owned);
    let mut found = 0;
    while let Some(at) = next {
        let page = activity(&at).await.json();
        found += page["orderedItems"].as_array().map_or(1, Vec::len);
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(found, 41, "the last one stands alone, without a list around it");
    assert_eq!(
        get(&format!("{}/api/v1/statuses/1", fediverse.origin(0)), None)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn nodeinfo_names_the_software() {
    let kinds = [
        (Software::Mastodon, "mastodon", "4.5"),
        (Software::MastodonOld, "mastodon", "4.3"),
        (Software::Akkoma, "akkoma", "3."),
        (Software::Mitra, "mitra", "5."),
        (Software::GoToSocial, "gotosocial", "0."),
        (Software::Other, "cherrypost", "1."),
    ];
    let origins = kinds.iter().map(|kind| kind.0).collect();
    let fediverse = Fediverse::start(Scenario {
        origins,
        ..Scenario::small()
    })
    .await;
    for (n, (_, name, version)) in kinds.iter().enumerate() {
        let links = get(&format!("{}/.well-known/nodeinfo", fediverse.origin(n)), None)
            .await
            .json();
        let info = get(links["links"][0]["href"].as_str().unwrap(), None).await.json();
        assert_eq!(info["software"]["name"], *name);
        assert!(info["software"]["version"].as_str().unwrap().starts_with(version));
    }
}

#[tokio::test]
async fn the_deleted_are_gone() {
    for software in [Software::Mastodon, Software::Akkoma, Software::Mitra] {
        let (fediverse, thread) = thread_on(software, 0).await;
        fediverse.delete(&thread.root);
        assert_eq!(activity(&thread.root).await.status, 410, "{software:?}");
        let id = thread.url.rsplit('/').next().unwrap();
        assert_eq!(
            get(&format!("{}/api/v1/statuses/{id}", fediverse.origin(0)), None)
                .await
                .status,
            404
        );
    }
}
