//! The process gone in the middle: whatever had been answered by then, the rows are the same in the end.

use std::time::Duration;

use fake_fediverse::Fault;
use serde_json::json;
use store::archive::files;

use crate::house::House;

const NOUNS: [&str; 6] = ["statuses", "bookmarks", "favourites", "context", "media", "lists"];

async fn furnished() -> House {
    let house = House::build().await;
    let uris = house.posts(42);
    let picture = house.fediverse.file("/system/a.gif", "image/gif", "GIF89a");
    let fields = json!({"media_attachments": [{"id": "1", "type": "image", "url": picture}]});
    house.fediverse.post("with a picture", house.ago(30), fields);
    let person = house.fediverse.writer(0, 3, 3);
    house.fediverse.chain(&person, 5);
    for uri in person.posts.iter().chain(&uris[..40]) {
        house.fediverse.bookmark(uri);
    }
    house.fediverse.favourite(&person.posts[0]);
    house
}

/// All that is kept, as far as two fediverses can have the same: they live at different ports.
async fn rows(house: &House) -> Vec<String> {
    let mut rows = Vec::new();
    for kept in house.all().await {
        let (open, ended) = house.kinds(&kept.uri).await;
        let text: serde_json::Value = serde_json::from_str(&kept.body).unwrap();
        let versions = store::archive::versions(&house.store, kept.id).await.unwrap().len();
        rows.push(format!("{} {open:?} {ended:?} {versions}", text["content"]));
    }
    rows.sort();
    rows.push(format!("{:?}", files::blobs(&house.store, "", 10).await.unwrap()));
    rows
}

/// Check 30: killed after each request in turn. What was asked and not yet answered is given up where it stands, as a
/// process does that is gone; the next one begins with what is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn killed_after_each_request_in_turn() {
    let whole = furnished().await;
    whole.fediverse.clear_log();
    for noun in NOUNS {
        whole.run(noun).await;
    }
    let expected = rows(&whole).await;
    let requests = u32::try_from(whole.fediverse.log().len()).unwrap();
    assert!(requests > 15 && expected.len() > 45, "{requests} {}", expected.len());
    drop(whole);
    for after in 0..requests {
        let house = furnished().await;
        house.fediverse.clear_log();
        house.fediverse.fault_after(None, "", Fault::Silent, after, None);
        let killed = async {
            while house.fediverse.log().len() <= after as usize {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let work = async {
            for noun in NOUNS {
                let _ = house.try_run(noun).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = killed => {}
        }
        house.fediverse.heal(None);
        for noun in NOUNS {
            house.run(noun).await;
        }
        assert_eq!(rows(&house).await, expected, "killed after {after} requests");
    }
}
