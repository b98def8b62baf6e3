//! What is kept, written for other programs and people.

use std::{io::Read as _, path::Path};

use archive::{Blobs, Format, Into, Wish, Written};
use model::Clock;
use serde_json::{Value, json};

use crate::house::{House, LOGIN};

fn wish(folder: &Path, format: Format) -> Wish<'_> {
    Wish {
        folder,
        format,
        login: Some(LOGIN),
        private: false,
        copies: false,
    }
}

/// A life with something of everything.
async fn lived() -> House {
    let house = House::build().await;
    let picture = house.fediverse.file("/system/a.gif", "image/gif", "GIF89a a heron");
    let emoji = house.fediverse.file("/system/e.gif", "image/gif", "GIF89a blob");
    let fields = json!({
        "spoiler_text": "careful <b>", "language": "de",
        "media_attachments": [{"id": "1", "type": "image", "url": picture, "description": "a heron\"><script>"}],
        "emojis": [{"shortcode": "blob", "url": emoji}],
        "tags": [{"name": "Birds", "url": "https://home.example/tags/birds"}],
    });
    let text = "<script>alert(1)</script>Grüße :blob: <img src=x onerror=alert(1)> <a href=\"javascript:x\">l</a>";
    house.fediverse.post(text, house.ago(100), fields);
    house
        .fediverse
        .post("only for friends", house.ago(90), json!({"visibility": "private"}));
    house
        .fediverse
        .post("psst", house.ago(80), json!({"visibility": "direct"}));
    house.posts(3);
    let person = house.fediverse.writer(0, 2, 2);
    house.fediverse.boost_it(&person.posts[0], house.ago(5));
    house.fediverse.bookmark(&person.posts[1]);
    house.fediverse.favourite(&person.posts[1]);
    house.fediverse.followed_by(&person);
    for noun in ["statuses", "bookmarks", "favourites", "lists", "media"] {
        house.run(noun).await;
    }
    house
}

async fn export(house: &House, wish: Wish<'_>) -> anyhow::Result<Written> {
    let blobs = Blobs::open(house.config.folder(&house.store)).unwrap();
    archive::export(&house.store, &blobs, wish).await
}

/// Own statuses and who may see them.
async fn visible(house: &House) -> Vec<(String, String)> {
    let all = house.all().await.into_iter();
    let mut own: Vec<_> = all
        .filter(|kept| kept.author.starts_with("me@"))
        .map(|kept| (kept.uri, kept.visibility))
        .collect();
    own.sort();
    own
}

fn entry(zip: &mut zip::ZipArchive<std::fs::File>, name: &str) -> Value {
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
}

/// Check 39: a ZIP such as Mastodon's, with as many items as there are, and read back by our own import.
#[tokio::test(flavor = "multi_thread")]
async fn a_zip_as_mastodon_makes_them() {
    let house = lived().await;
    let folder = tempfile::tempdir().unwrap();
    let written = export(&house, wish(folder.path(), Format::Mastodon)).await.unwrap();
    let path = &written.files[0];
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let outbox = entry(&mut zip, "outbox.json");
    let items = outbox["orderedItems"].as_array().unwrap();
    assert_eq!((items.len(), outbox["totalItems"].as_u64()), (7, Some(7)));
    assert_eq!(items.iter().filter(|item| item["type"] == "Announce").count(), 1);
    let written = items.iter().find(|item| item["object"]["summary"].is_string()).unwrap();
    let note = &written["object"];
    assert_eq!(note["summary"], "careful <b>");
    assert_eq!(note["contentMap"]["de"], note["content"]);
    let file = note["attachment"][0]["url"]
        .as_str()
        .unwrap()
        .trim_start_matches('/')
        .to_owned();
    let mut bytes = Vec::new();
    zip.by_name(&file).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"GIF89a a heron");
    let actor = entry(&mut zip, "actor.json");
    assert_eq!(
        (actor["type"].as_str(), actor["outbox"].as_str()),
        (Some("Person"), Some("outbox.json"))
    );
    assert_eq!(
        entry(&mut zip, "likes.json")["orderedItems"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        entry(&mut zip, "bookmarks.json")["orderedItems"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let other = House::build().await;
    let blobs = Blobs::open(other.config.folder(&other.store)).unwrap();
    let into = Into {
        db: &other.store,
        blobs: &blobs,
        login: LOGIN,
        now: other.clock.now(),
    };
    let found = archive::mastodon_zip(into, path).await.unwrap();
    assert_eq!((found.saved.new, found.files, found.wanted), (6, 1, 3), "{found:?}");
    assert_eq!(visible(&other).await, visible(&house).await);
    assert!(
        export(&house, wish(folder.path(), Format::Mastodon)).await.is_err(),
        "nothing is overwritten"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_needs_no_server_and_does_no_harm() {
    let house = lived().await;
    let folder = tempfile::tempdir().unwrap();
    let written = export(&house, wish(folder.path(), Format::Site)).await.unwrap();
    assert_eq!(written.statuses, 6, "without the two that are not for everybody");
    let mut all = String::new();
    for file in &written.files {
        let text = std::fs::read_to_string(file).unwrap();
        if file.extension().is_some_and(|end| end == "html") {
            assert!(
                text.starts_with("<!DOCTYPE html>") && text.contains("Content-Security-Policy"),
                "{file:?}"
            );
            assert!(text.trim_end().ends_with("</html>"));
            all += &text;
        } else if file.parent().is_some_and(|parent| parent.ends_with("words")) {
            assert!(text.starts_with("words([\n") && text.ends_with("]);\n") && !text.contains('<'));
            all += &text;
        }
    }
    for bad in [
        "<script>alert",
        "onerror=alert(1)>",
        "javascript:",
        "only for friends",
        "psst",
        "<b>\"",
        "src=\"http",
    ] {
        assert!(!all.contains(bad), "{bad}");
    }
    assert!(all.contains("<summary>careful &lt;b&gt;</summary>") && all.contains("class=\"emoji\""));
    assert!(all.contains("alt=\"a heron&quot;&gt;&lt;script&gt;\""));
    for source in all.split("src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(folder.path().join(source).is_file(), "{source}");
    }
    let open = folder.path().join("open");
    let everything = Wish {
        private: true,
        ..wish(&open, Format::Site)
    };
    assert_eq!(export(&house, everything).await.unwrap().statuses, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_that_mastodon_imports() {
    let house = lived().await;
    let folder = tempfile::tempdir().unwrap();
    export(&house, wish(folder.path(), Format::Lists)).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("following_accounts.csv").starts_with("Account address,Show boosts,Notify on new posts,Languages\n"));
    assert!(read("muted_accounts.csv").starts_with("Account address,Hide notifications\n"));
    assert!(read("followers.csv").lines().count() > 1);
    assert!(read("bookmarks.csv").starts_with("http"));
    for name in ["blocked_accounts.csv", "blocked_domains.csv", "lists.csv"] {
        assert!(!read(name).contains("address"), "{name} has no heading");
    }
}

/// Check 38: a tree of readable names, as links or copies.
#[tokio::test(flavor = "multi_thread")]
async fn files_under_readable_names() {
    let house = lived().await;
    for copies in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let tree = Wish {
            copies,
            ..wish(folder.path(), Format::Tree)
        };
        assert_eq!(export(&house, tree).await.unwrap().media, 1);
        let month = house.ago(100).format("%Y/%m").to_string();
        let posts = folder.path().join("home_me/posts").join(month);
        let author = std::fs::read_dir(posts).unwrap().next().unwrap().unwrap();
        assert!(author.file_name().to_str().unwrap().starts_with("me@"));
        let file = std::fs::read_dir(author.path()).unwrap().next().unwrap().unwrap();
        assert!(file.file_name().to_str().unwrap().ends_with("_01.gif"));
        assert_eq!(file.path().symlink_metadata().unwrap().is_symlink(), !copies);
        assert_eq!(std::fs::read(file.path()).unwrap(), b"GIF89a a heron");
        export(&house, tree).await.expect("brought up to date");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_for_programs_tables_and_people() {
    let house = lived().await;
    for (format, file, count) in [(Format::Jsonl, "statuses.jsonl", 8), (Format::Csv, "statuses.csv", 0)] {
        let folder = tempfile::tempdir().unwrap();
        let written = export(&house, wish(folder.path(), format)).await.unwrap();
        assert_eq!(written.statuses, 8);
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(count == 0 || text.lines().count() == count);
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(
        !export(&house, wish(folder.path(), Format::Markdown))
            .await
            .unwrap()
            .files
            .is_empty()
    );
}

/// `save_json`: a file for each status, as LAMA lays them out.
#[tokio::test(flavor = "multi_thread")]
async fn each_status_as_a_file() {
    let mut house = House::build().await;
    house.config.save_json = true;
    let uris = house.posts(3);
    house.run("statuses").await;
    let kept = house.kept(&uris[0]).await.unwrap();
    let month = kept.created_at.format("%Y/%m").to_string();
    let name = format!("{}_{}.json", kept.author.replace(':', "%3A"), kept.server_id);
    let path = house
        .config
        .folder(&house.store)
        .join("json/home_me/posts")
        .join(month)
        .join(name);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        kept.body,
        "the server's own bytes"
    );
    house.fediverse.edit_to(&uris[0], "changed", house.ago(1), json!({}));
    house.clock.advance(chrono::TimeDelta::days(31));
    house.run("recheck").await;
    assert!(std::fs::read_to_string(&path).unwrap().contains("changed"));
}
