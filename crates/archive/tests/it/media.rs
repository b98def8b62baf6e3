//! Files that statuses show.

use std::time::Duration;

use fake_fediverse::Fault;
use model::Clock;
use serde_json::{Value, json};
use store::archive::files;

use crate::house::House;

fn picture(url: &str) -> Value {
    json!({"media_attachments": [{"id": "1", "type": "image", "url": url, "description": "x"}]})
}

/// Check 38.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_kept_once_and_trouble_is_remembered() {
    let mut house = House::build().await;
    house.config.media.patience = Duration::from_millis(200);
    house.config.media.avatars = false;
    for n in 0..3 {
        let url = house
            .fediverse
            .file(&format!("/system/{n}.gif"), "image/gif", "GIF89a the same");
        house.fediverse.post("with a picture", house.ago(60 - n), picture(&url));
    }
    let html = house
        .fediverse
        .file("/system/html.jpg", "image/jpeg", "<html>sorry</html>");
    let hangs = house.fediverse.file("/system/hangs.gif", "image/gif", "GIF89a");
    let endless = house.fediverse.file("/system/endless.gif", "image/gif", "GIF89a");
    let missing = format!("{}/system/missing.gif", house.fediverse.home());
    house.fediverse.fault(None, "/system/hangs", Fault::Silent, None);
    house.fediverse.fault(None, "/system/endless", Fault::Endless, None);
    for (n, url) in [&html, &hangs, &endless, &missing].into_iter().enumerate() {
        house
            .fediverse
            .post("odd", house.ago(30 - i64::try_from(n).unwrap()), picture(url));
    }
    house.config.media.largest = 1;
    house.run("statuses").await;
    let summary = house.run("media").await;
    assert_eq!(
        (summary.get("kept"), summary.get("failed"), summary.get("refused")),
        (3, 3, 1),
        "{summary:?}"
    );
    let blobs = files::blobs(&house.store, "", 10).await.unwrap();
    assert_eq!(blobs.len(), 1, "three posts, one file");
    assert_eq!((blobs[0].kind.as_str(), blobs[0].bytes), ("image/gif", 15));
    let folder = house.config.folder(&house.store);
    assert_eq!(
        std::fs::read_dir(folder.join("parts")).unwrap().count(),
        0,
        "nothing half"
    );
    assert_eq!(house.run("media").await.get("failed"), 0, "not before its time");
    house.fediverse.heal(None);
    house.clock.advance(chrono::TimeDelta::hours(2));
    assert_eq!(house.run("media").await.get("kept"), 1, "the one that hung");
    let blobs = archive::Blobs::open(folder).unwrap();
    let found = archive::verify(&house.store, &blobs, house.clock.now()).await;
    assert_eq!(found.unwrap().sound, 2);
}

/// Check 38: a long file that breaks off goes on where it ended, and its rest alone is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_file_goes_on_where_it_broke_off() {
    let mut house = House::build().await;
    house.config.media.avatars = false;
    let text = format!("GIF89a{}", "heron ".repeat(200_000));
    let url = house.fediverse.file("/system/long.gif", "image/gif", &text);
    house.fediverse.post("long", house.ago(60), picture(&url));
    house.run("statuses").await;
    house.fediverse.fault(None, "/system/long", Fault::Truncated, None);
    assert_eq!(house.run("media").await.get("failed"), 1);
    let parts = house.config.folder(&house.store).join("parts");
    assert_eq!(
        std::fs::read_dir(&parts).unwrap().count(),
        2,
        "the half, and its version"
    );
    house.fediverse.heal(None);
    house.clock.advance(chrono::TimeDelta::hours(2));
    assert_eq!(house.run("media").await.get("kept"), 1);
    let blobs = files::blobs(&house.store, "", 10).await.unwrap();
    assert_eq!(blobs[0].bytes, i64::try_from(text.len()).unwrap());
    assert_eq!(std::fs::read_dir(&parts).unwrap().count(), 0);
    let blobs = archive::Blobs::open(house.config.folder(&house.store)).unwrap();
    let found = archive::verify(&house.store, &blobs, house.clock.now()).await.unwrap();
    assert_eq!((found.sound, found.damaged), (1, 0));
}
