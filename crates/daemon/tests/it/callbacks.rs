//! `on_start`, `on_done` and `on_fail`, over HTTP.

use std::collections::HashMap;

use fake_fediverse::Fault;

use crate::house::{House, Site, fediverse};

fn section(site: &Site) -> String {
    ["start", "done", "fail"]
        .map(|name| format!("on_{name} = \"{}/{name}?kept=1\"", site.url))
        .join("\n")
}

/// The paths in order, and the keys of each.
fn told(site: &Site) -> Vec<(String, HashMap<String, String>)> {
    let asked = site.asked();
    let keys = |url: &url::Url| url.query_pairs().into_owned().collect();
    asked.iter().map(|url| (url.path().to_owned(), keys(url))).collect()
}

/// Requirement S12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_tells_its_start_and_exactly_one_end() {
    let fediverse = fediverse().await;
    let site = Site::start("text/plain", "OK").await;
    let house = House::of(&fediverse, &section(&site));
    let ended = house.egret(&["once", "replies.home"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    fediverse.fault(None, "/api/v1/timelines/home", Fault::Html(503), None);
    let ended = house.egret(&["once", "replies.home"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");

    let told = told(&site);
    let paths: Vec<_> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["/start", "/done", "/start", "/fail"]);
    assert!(told.iter().all(|(_, keys)| keys["kept"] == "1"));
    let rid = |n: usize| told[n].1["rid"].as_str();
    assert!(rid(0).parse::<uuid::Uuid>().is_ok());
    assert!(rid(0) == rid(1) && rid(2) == rid(3) && rid(0) != rid(2));
    assert!(!told[0].1.contains_key("ping") && !told[0].1.contains_key("msg"));
    for n in [1, 3] {
        assert!(told[n].1["ping"].parse::<u64>().is_ok());
        assert!(told[n].1["msg"].starts_with("replies.home "), "{:?}", told[n].1);
    }
    assert!(told[3].1["msg"].contains("503"), "{:?}", told[3].1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_does_not_mind_that_nobody_listens() {
    let fediverse = fediverse().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let house = House::of(
        &fediverse,
        &format!("on_start = \"http://{free}/\"\non_done = \"http://{free}/\""),
    );
    let ended = house.egret(&["once", "replies.home"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("a callback failed"), "{ended:?}");
}
