//! A FIRES dataset: read once, then on from the newest change that we hold.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use blocklists::list::Format;
use serde_json::{Value, json};
use store::block_sources;

use crate::house::{House, pairs};

/// Changes on a page.
const PAGE: usize = 2;

/// Before all ids.
const GENESIS: &str = "00000000-0000-7000-8000-000000000000";

/// A dataset as the reference server keeps it: a log, and a snapshot made from it.
#[derive(Default)]
struct Dataset {
    log: Vec<Value>,
    asked: Vec<String>,
    /// It lost its cursors.
    forgets: bool,
}

type Shared = Arc<Mutex<Dataset>>;

impl Dataset {
    fn add(&mut self, kind: &str, domain: &str, policy: Option<&str>) {
        let id = format!("01900000-0000-7000-8000-{:012}", self.log.len() + 1);
        let mut change = json!({ "id": format!("/datasets/1/changes/{id}"), "type": kind, "published": "2026-01-01T00:00:00Z",
            "entityKind": "domain", "entityKey": domain, "comment": "said in confidence" });
        if let Some(policy) = policy {
            change["recommendedPolicy"] = policy.into();
        }
        self.log.push(change);
    }

    fn asked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.asked)
    }
}

fn id(change: &Value) -> String {
    change["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn answer(State(shared): State<Shared>, uri: Uri, Query(query): Query<HashMap<String, String>>) -> Response {
    let mut dataset = shared.lock().unwrap();
    dataset.asked.push(uri.to_string());
    let context = [
        "https://www.w3.org/ns/activitystreams",
        "https://fires.fedimod.org/context/fires.jsonld",
    ];
    let page = |since: &str| format!("/datasets/1/changes?since={since}");
    let body = match uri.path() {
        "/datasets/1" => json!({ "@context": context, "type": "Dataset", "name": "a list",
            "endpoints": { "changes": "/datasets/1/changes", "snapshot": "/datasets/1/snapshot" } }),
        "/datasets/1/snapshot" => {
            let mut newest: HashMap<&str, &Value> = HashMap::new();
            for change in &dataset.log {
                newest.insert(change["entityKey"].as_str().unwrap(), change);
            }
            let mut items: Vec<&Value> = newest.into_values().collect();
            items.sort_by_key(|change| std::cmp::Reverse(id(change)));
            json!({ "@context": context, "type": "Collection", "totalItems": items.len(),
                "changes": page(&id(items[0])), "orderedItems": items })
        }
        "/datasets/1/changes" => match query.get("since") {
            None => json!({ "@context": context, "type": "OrderedCollection", "totalItems": dataset.log.len(),
                "first": page(GENESIS), "next": page(GENESIS) }),
            Some(_) if dataset.forgets => return StatusCode::NOT_FOUND.into_response(),
            Some(since) => {
                let newer: Vec<&Value> = dataset.log.iter().filter(|change| id(change) > *since).collect();
                // As there: the link names the change behind the page, which would never be seen.
                let next = newer.get(PAGE).or(newer.last()).map(|change| page(&id(change)));
                let items: Vec<&Value> = newer.into_iter().take(PAGE).collect();
                json!({ "@context": context, "type": "OrderedCollectionPage", "next": next, "orderedItems": items })
            }
        },
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    Json(body).into_response()
}

/// A house with the list `other`, and a dataset read from this path.
async fn house(path: &str, format: Format) -> (House, Shared) {
    let mut house = House::build("domain,severity\nboth.social,suspend\n").await;
    let shared = Shared::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut source = house.source("dataset");
    (source.file, source.format) = (None, format);
    source.url = Some(format!("http://{address}{path}").parse().unwrap());
    house.config.sources.push(source);
    {
        let mut dataset = shared.lock().unwrap();
        for (domain, policy) in [
            ("alone.social", "drop"),
            ("both.social", "reject"),
            ("loud.social", "filter"),
        ] {
            dataset.add("Recommendation", domain, Some(policy));
        }
        dataset.add("Recommendation", "unsaid.social", None);
        dataset.add("Advisory", "perhaps.social", Some("drop"));
    }
    (house, shared)
}

const READ: [(&str, &str); 3] = [
    ("alone.social", "suspend"),
    ("both.social", "suspend"),
    ("loud.social", "silence"),
];

/// Check 42. A retraction counts where that dataset alone wanted the block, and at once; what is only information, or
/// recommends nothing, blocks nobody; a tombstone is a retraction that leaves nothing of what was said.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dataset_takes_back_is_lifted_unless_others_want_it() {
    let (house, dataset) = house("/datasets/1/snapshot", Format::Auto).await;
    house.pass().await;
    assert_eq!(house.blocks(), pairs(&READ));
    {
        let mut dataset = dataset.lock().unwrap();
        dataset.add("Retraction", "alone.social", None);
        dataset.add("Retraction", "both.social", None);
        dataset.add("Tombstone", "loud.social", None);
        dataset.add("Retraction", "never.social", None);
    }
    house.pass_after(1).await;
    assert_eq!(house.blocks(), pairs(&READ[1..2]), "the list still wants it");
    let entry = &store::block_entries::of_domain(&house.store, "both.social")
        .await
        .unwrap()[0];
    assert!(
        entry.reason["says"]
            .as_array()
            .unwrap()
            .iter()
            .all(|say| say["list"] == "list"),
        "and it is the list's now"
    );
    let stored = block_sources::load(&house.store, "dataset")
        .await
        .unwrap()
        .unwrap()
        .body
        .unwrap();
    let items: Value = serde_json::from_str(&stored).unwrap();
    let buried = items["orderedItems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["entityKey"] == "loud.social");
    assert_eq!(buried.unwrap().get("comment"), None, "{stored}");
}

/// However the address leads there, everything is read once, and then only what is newer than what we hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_on_from_where_it_was_left() {
    for (path, format, first) in [
        ("/datasets/1", Format::Auto, 3),
        ("/datasets/1", Format::Fires, 2),
        ("/datasets/1/snapshot", Format::Fires, 1),
        ("/datasets/1/changes", Format::Fires, 5),
    ] {
        let (house, dataset) = house(path, format).await;
        house.pass().await;
        assert_eq!(house.blocks(), pairs(&READ), "{path}");
        assert_eq!(dataset.lock().unwrap().asked().len(), first, "{path}");
        house.pass_after(1).await;
        let asked = dataset.lock().unwrap().asked();
        assert_eq!(asked.len(), 1, "{path}: {asked:?}");
        assert!(asked[0].ends_with("000000000005"), "{path}: {asked:?}");
        dataset
            .lock()
            .unwrap()
            .add("Recommendation", "new.social", Some("drop"));
        house.pass_after(1).await;
        let asked = dataset.lock().unwrap().asked();
        assert_eq!((asked.len(), house.blocks().len()), (2, 4), "{path}: {asked:?}");
    }
}

/// A cursor that is no longer known, and a week: from the beginning again.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_from_its_beginning_now_and_then() {
    let (house, dataset) = house("/datasets/1/snapshot", Format::Fires).await;
    house.pass().await;
    dataset.lock().unwrap().forgets = true;
    house.pass_after(1).await;
    assert!(dataset.lock().unwrap().asked().last().unwrap().ends_with("snapshot"));
    dataset.lock().unwrap().forgets = false;
    house.pass_after(24 * 8).await;
    assert_eq!(dataset.lock().unwrap().asked(), ["/datasets/1/snapshot"]);
    assert_eq!(house.blocks(), pairs(&READ));
}

/// What is signed is one text: a log of pages is not taken where a key is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_of_one_text() {
    let (mut house, _dataset) = house("/datasets/1/snapshot", Format::Fires).await;
    house.config.sources[1].sha256 = Some("0".repeat(64));
    house.pass().await;
    assert_eq!(house.blocks().len(), 1);
    let stored = block_sources::load(&house.store, "dataset").await.unwrap().unwrap();
    assert!(stored.body.is_none() && stored.trouble.is_some());
}
