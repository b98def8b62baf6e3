//! Archives of other programs.

use archive::{Blobs, Into, lama, mastodon_archive};
use model::Clock;
use serde_json::{Value, json};
use store::lama::{Lama, Row};

use crate::house::{House, LOGIN};

fn status(n: u32, fields: Value) -> Value {
    let mut status = json!({
        "id": n.to_string(), "uri": format!("https://old.example/{n}"), "url": null, "visibility": "public",
        "created_at": format!("2019-01-{:02} 10:00:00+00:00", n), "content": format!("<p>old {n}</p>"),
        "account": {"acct": "me"}, "media_attachments": [], "reblog": null,
    });
    for (name, value) in fields.as_object().unwrap() {
        status[name] = value.clone();
    }
    status
}

/// Check 39, mastodon-archive: counts equal, twice changes nothing.
#[tokio::test]
async fn mastodon_archive_s_json_with_its_files() {
    let house = House::build().await;
    let folder = tempfile::tempdir().unwrap();
    let media = json!({"media_attachments": [{"id": "1", "type": "image", "url": "https://old.example/system/a.gif"}]});
    let boost = status(
        9,
        json!({"reblog": status(3, json!({"account": {"acct": "bob@b.example"}}))}),
    );
    let all = json!({
        "account": {"acct": "me"},
        "statuses": [status(1, media), status(2, json!({})), boost],
        "favourites": [status(3, json!({"account": {"acct": "bob@b.example"}}))],
        "mentions": [{"id": "5", "type": "mention", "created_at": "2019-02-01T00:00:00+00:00", "status": status(4, json!({}))},
                     {"id": "6", "type": "follow", "created_at": "2019-02-01T00:00:00+00:00"}],
        "replies": [status(5, json!({}))],
    });
    let file = folder.path().join("old.example.user.me.json");
    std::fs::write(&file, all.to_string()).unwrap();
    let files = folder.path().join("old.example.user.me/system");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("a.gif"), "GIF89a").unwrap();
    let blobs = Blobs::open(house.config.folder(&house.store)).unwrap();
    let into = Into {
        db: &house.store,
        blobs: &blobs,
        login: LOGIN,
        now: house.clock.now(),
    };
    let found = mastodon_archive(into, &file).await.unwrap();
    assert_eq!(
        (found.read, found.without_status, found.saved.new, found.files),
        (7, 1, 5, 1),
        "{found:?}"
    );
    assert_eq!(house.kinds("https://old.example/3").await.0, ["boost", "favourite"]);
    let again = mastodon_archive(into, &file).await.unwrap();
    assert_eq!(
        (
            again.saved.new,
            again.saved.activities,
            again.saved.edited,
            again.saved.versions
        ),
        (0, 0, 0, 0)
    );
    // Taken back since: an old archive does not know, and begins nothing again.
    let third = house.kept("https://old.example/3").await.unwrap().id;
    store::archive::recheck::end(&house.store, LOGIN, "favourite", &[third], house.clock.now())
        .await
        .unwrap();
    let late = Into {
        now: house.clock.now() + chrono::TimeDelta::days(1),
        ..into
    };
    assert_eq!(mastodon_archive(late, &file).await.unwrap().saved.activities, 0);
    assert_eq!(
        house.kinds("https://old.example/3").await,
        (vec!["boost".to_owned()], vec!["favourite".to_owned()])
    );
    assert_eq!(house.search("old from:bob@b.example").await.len(), 1);
    let other = folder.path().join("other.json");
    std::fs::write(&other, "{}").unwrap();
    assert!(mastodon_archive(into, &other).await.is_err());
}

/// Check 39, LAMA.
#[tokio::test]
async fn lama_s_database_with_its_files() {
    let house = House::build().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("data/media/x")).unwrap();
    std::fs::write(folder.path().join("data/media/x/a.gif"), "GIF89a").unwrap();
    std::fs::write(folder.path().join("secret.gif"), "GIF89a secret").unwrap();
    let media = |n: u32| json!({"media_attachments": [{"id": "1", "type": "image", "url": format!("https://old.example/m{n}.gif")}]});
    let row = |id, kind: &str, json: Value, attachments: &str| Row {
        id,
        activity_type: kind.into(),
        json: format!("{json}{}", " ".repeat(usize::try_from(id).unwrap())),
        attachments: attachments.into(),
    };
    let rows = [
        row(1, "post", status(1, media(1)), r#"[["data/media/x/a.gif", "alt"]]"#),
        row(2, "favourite", status(2, media(2)), r#"[["../secret.gif", ""]]"#),
        row(3, "post.parent#3", status(3, media(3)), r#"[[["HTTP 404"], ""]]"#),
    ];
    Lama::sample(&folder.path().join("data/app.db"), "me@old.example", &rows)
        .await
        .unwrap();
    // As LAMA lays them out: one that is in the database, and one that a crash kept from it.
    for (path, status) in [
        ("posts/2019/01/me@old.example_1.json", status(1, media(1))),
        (
            "bookmarks/2019/01/bob@b.example_7.json",
            status(7, json!({"account": {"acct": "bob@b.example"}})),
        ),
    ] {
        let path = folder.path().join("data/json/me_oldexample").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, status.to_string()).unwrap();
    }
    let blobs = Blobs::open(house.config.folder(&house.store)).unwrap();
    let into = Into {
        db: &house.store,
        blobs: &blobs,
        login: LOGIN,
        now: house.clock.now(),
    };
    let found = lama(into, folder.path(), "@me@old.example").await.unwrap();
    assert_eq!(
        (found.saved.new, found.files, found.files_missing),
        (4, 1, 1),
        "{found:?}"
    );
    assert_eq!(found.read, 4, "each once: {found:?}");
    assert_eq!(house.kinds("https://old.example/3").await.0, ["parent"]);
    assert_eq!(house.kinds("https://old.example/7").await.0, ["bookmark"]);
    let again = lama(into, folder.path(), "me@old.example").await.unwrap();
    assert_eq!((again.saved.new, again.saved.activities), (0, 0));
    assert!(
        lama(into, &folder.path().join("data/media"), "me@old.example")
            .await
            .is_err()
    );
}

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

fn outbox() -> (Value, Value) {
    let note = |n: u32, fields: Value| {
        let mut note = json!({
            "id": format!("https://old.example/users/me/statuses/{n}"), "type": "Note", "summary": null,
            "published": format!("2018-05-0{n}T10:00:00Z"), "to": [PUBLIC], "cc": [], "inReplyTo": null,
            "content": format!("<p>note {n}</p>"), "attachment": [], "tag": [], "sensitive": false,
        });
        for (name, value) in fields.as_object().unwrap() {
            note[name] = value.clone();
        }
        json!({ "type": "Create", "published": note["published"], "object": note })
    };
    let reply = json!({ "inReplyTo": "https://old.example/users/me/statuses/1", "to": ["https://b.example/users/x"],
        "summary": "careful", "attachment": [{ "mediaType": "image/gif", "name": "a heron",
            "url": "/media_attachments/files/000/1/original/a.gif" }] });
    let boost = json!({ "type": "Announce", "published": "2018-05-07T10:00:00Z", "object": "https://b.example/9" });
    let own_boost = json!({ "type": "Announce", "object": "https://old.example/users/me/statuses/1" });
    let outbox = json!({ "type": "OrderedCollection", "totalItems": 4, "orderedItems":
        [note(1, json!({})), note(2, reply), boost, own_boost] });
    let actor = json!({ "id": "https://old.example/users/me", "preferredUsername": "Me", "name": "Me" });
    (actor, outbox)
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    let (actor, outbox) = outbox();
    vec![
        ("actor.json", actor.to_string().into()),
        ("media_attachments/files/000/1/original/a.gif", b"GIF89a old".to_vec()),
        ("../../etc/evil", b"x".to_vec()),
        ("outbox.json", outbox.to_string().into()),
    ]
}

fn zip_file(path: &std::path::Path, files: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn tar_gz(path: &std::path::Path, files: &[(&str, Vec<u8>)]) {
    use std::io::Write as _;
    let file = std::fs::File::create(path).unwrap();
    let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    for (name, bytes) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[156] = b'0';
        out.write_all(&header).unwrap();
        out.write_all(bytes).unwrap();
        out.write_all(&vec![0; bytes.len().next_multiple_of(512) - bytes.len()])
            .unwrap();
    }
    out.write_all(&[0; 1024]).unwrap();
    out.finish().unwrap();
}

/// Check 39: Mastodon's own, of today and of 2018 (without likes and bookmarks).
#[tokio::test(flavor = "multi_thread")]
async fn mastodon_s_own_archives() {
    for kind in ["zip", "tar.gz"] {
        let house = House::build().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(kind);
        let mut all = files();
        if kind == "zip" {
            let marks = json!({ "orderedItems": ["https://old.example/users/me/statuses/2", "https://b.example/7"] });
            all.push(("likes.json", marks.to_string().into()));
            all.push(("bookmarks.json", marks.to_string().into()));
            zip_file(&path, &all);
        } else {
            tar_gz(&path, &all);
        }
        let blobs = Blobs::open(house.config.folder(&house.store)).unwrap();
        let into = Into {
            db: &house.store,
            blobs: &blobs,
            login: LOGIN,
            now: house.clock.now(),
        };
        let found = archive::mastodon_zip(into, &path).await.unwrap();
        assert_eq!(
            (found.saved.new, found.files, found.files_missing),
            (2, 1, 0),
            "{kind} {found:?}"
        );
        let second = "https://old.example/users/me/statuses/2";
        let reply = house.kept(second).await.unwrap();
        assert_eq!(
            (reply.visibility.as_str(), reply.author.as_str()),
            ("direct", "me@old.example")
        );
        let expected: &[&str] = if kind == "zip" {
            &["bookmark", "favourite", "post"]
        } else {
            &["post"]
        };
        assert_eq!(house.kinds(second).await.0, expected, "{kind}");
        assert_eq!(
            house.kinds("https://old.example/users/me/statuses/1").await.0,
            ["boost", "post"]
        );
        let waiting = store::archive::wanted::waiting(&house.store, LOGIN).await.unwrap();
        assert_eq!(
            waiting,
            if kind == "zip" { 3 } else { 1 },
            "what has an address alone is asked for"
        );
        let due = store::archive::wanted::due(&house.store, LOGIN, &["boost"], house.clock.now(), 9)
            .await
            .unwrap();
        assert_eq!(
            due[0].at.unwrap().to_rfc3339(),
            "2018-05-07T10:00:00+00:00",
            "a boost has its time"
        );
        let thread = store::archive::thread(&house.store, reply.id, 10).await.unwrap();
        assert_eq!(thread.len(), 2, "replies are joined by uri");
        assert_eq!(house.search("careful heron is:direct has:image").await.len(), 1);
        let again = archive::mastodon_zip(into, &path).await.unwrap();
        assert_eq!(
            (again.saved.new, again.saved.activities, again.saved.edited, again.files),
            (0, 0, 0, 1),
            "{kind}"
        );
        store::archive::recheck::end(&house.store, LOGIN, "bookmark", &[reply.id], house.clock.now())
            .await
            .unwrap();
        let late = Into {
            now: house.clock.now() + chrono::TimeDelta::days(1),
            ..into
        };
        let again = archive::mastodon_zip(late, &path).await.unwrap();
        assert_eq!(again.saved.activities, 0, "{kind}: what was taken back stays so");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_and_what_is_no_archive_are_refused() {
    let house = House::build().await;
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(house.config.folder(&house.store)).unwrap();
    let into = Into {
        db: &house.store,
        blobs: &blobs,
        login: LOGIN,
        now: house.clock.now(),
    };
    let (actor, _) = outbox();
    let bomb = format!("{{\"orderedItems\": [\"{}\"]}}", "a".repeat(40 << 20));
    let files = [
        ("actor.json", actor.to_string().into_bytes()),
        ("outbox.json", bomb.into_bytes()),
    ];
    let path = folder.path().join("bomb");
    for make in [zip_file, tar_gz] {
        make(&path, &files);
        assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
        let error = archive::mastodon_zip(into, &path).await.unwrap_err();
        assert!(format!("{error:#}").contains("far more"), "{error:#}");
    }
    zip_file(&path, &[("readme", b"x".to_vec())]);
    assert!(archive::mastodon_zip(into, &path).await.is_err());
    std::fs::write(&path, "PK and nothing").unwrap();
    assert!(archive::mastodon_zip(into, &path).await.is_err());
    let mut odd = [0_u8; 512];
    odd[124..136].fill(0xff);
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut out, &odd).unwrap();
    std::fs::write(&path, out.finish().unwrap()).unwrap();
    let error = archive::mastodon_zip(into, &path).await.unwrap_err();
    assert!(format!("{error:#}").contains("broken header"), "{error:#}");
    std::fs::write(&path, "neither").unwrap();
    assert!(archive::mastodon_zip(into, &path).await.is_err());
    assert!(house.all().await.is_empty());
}
