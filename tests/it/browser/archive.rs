//! The archive in a real browser: what strangers wrote can do nothing there, neither in our pages nor in a site made of
//! them.

use archive::{Blobs, Format, Wish};
use chrono::{TimeDelta, Utc};
use fake_fediverse::{Fediverse, Scenario};
use model::{Clock as _, SystemClock};
use serde_json::json;

use super::{
    driver::Browser,
    stage::{Stage, sign_in_as},
};

/// One trick a line; each would call `pwned`, or ask evil.example for something.
const HOSTILE: &str = include_str!("../../../crates/archive/tests/hostile.txt");

/// A thread of tricks: each an answer to the first, in its text, warning, poll, alt text and tags.
fn write(fediverse: &Fediverse, tricks: &[&str]) {
    let now: chrono::DateTime<Utc> = SystemClock.now();
    let picture = fediverse.file("/system/a.gif", "image/gif", "GIF89a\u{1}\0\u{1}\0");
    let mut first = None;
    for (n, trick) in tricks.iter().enumerate() {
        let at = now - TimeDelta::minutes(i64::try_from(tricks.len() - n).unwrap());
        let fields = json!({
            "in_reply_to_id": first, "spoiler_text": if n % 7 == 3 { *trick } else { "" },
            "media_attachments": [{"id": n.to_string(), "type": "image", "url": picture, "description": trick}],
            "poll": {"id": "1", "options": [{"title": trick, "votes_count": 1}], "expired": true},
            "emojis": [{"shortcode": "blob", "url": picture}], "sensitive": false,
            "tags": [{"name": "hostile", "url": trick}],
        });
        let uri = fediverse.post(&format!("number {n} :blob: {trick}"), at, fields);
        first = first.or_else(|| fediverse.home_id(&uri));
    }
}

/// Check 36: in our pages, and in an export that is opened from a disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_strangers_wrote_can_do_nothing() {
    let tricks: Vec<&str> = HOSTILE.lines().filter(|line| !line.is_empty()).collect();
    let stage = Stage::after(Scenario::small(), |fediverse| write(fediverse, &tricks)).await;
    let (base, password) = (stage.base(), stage.fediverse.password_of("me"));
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    let (many, at) = (tricks.len(), site.clone());
    let config = stage.config.clone();
    let handle = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let Some(browser) = Browser::start(true) else { return };
        sign_in_as(&browser, &base, "me", &password);
        browser.wait(
            || {
                browser.go(&format!("{base}/archive?q=%22number+{}%22", many - 1));
                browser.has("article a[href^='/archive/statuses/']")
            },
            || format!("the last post: {}", browser.text()),
        );
        browser.press_at("article a[href^='/archive/statuses/']");
        browser.wait_for("number 0");
        for bad in [
            "main script",
            "main iframe",
            "main object",
            "main embed",
            "main form",
            "main style",
            "main link",
            "main input",
            "main svg",
            "main math",
            "main [style]",
            "main [onerror]",
            "main [onclick]",
            "main [onload]",
            "main a:not([href^='http']):not([href^='/'])",
            "main img:not([src^='/archive/files/'])",
        ] {
            assert!(!browser.has(bad), "{bad}");
        }
        for path in ["/archive", "/archive/media", "/archive/numbers"] {
            browser.go(&format!("{base}{path}"));
            assert!(browser.has("main h1"), "{path}");
        }

        handle.block_on(async {
            let db = store::Db::open(&config.store).await.unwrap();
            let blobs = Blobs::at(config.archive.folder(&db));
            let wish = Wish {
                folder: &at,
                format: Format::Site,
                login: None,
                private: false,
                copies: false,
            };
            archive::export(&db, &blobs, wish).await.unwrap();
            db.close().await;
        });
        let pages = format!("file://{}", site.display());
        browser.go(&format!("{pages}/index.html"));
        browser.fill("q", "\"number 12\" -nothing");
        browser.press("Search");
        browser.wait_for("1 found");
        browser.press_at(".found a");
        browser.wait_for("number 12");
        for bad in [
            "script",
            "iframe",
            "form",
            "style",
            "svg",
            "[onerror]",
            "[style]",
            "img:not([src^='media/'])",
        ] {
            assert!(!browser.has(&format!("article {bad}")), "{bad}");
        }
        // A page that tried anything would be told of: by an error of `pwned`, or by what forbids it.
        let mut complaints = browser.complaints();
        complaints.retain(|line| line.contains(&base) || line.contains("file:"));
        assert!(complaints.is_empty(), "{complaints:#?}");
        for (host, own) in [(&base, base.as_str()), (&pages, "file://")] {
            for url in browser.requests_of(host) {
                assert!(url.starts_with(own) || url.starts_with("data:"), "a page asked {url}");
            }
        }
    })
    .await
    .unwrap();
    assert!(stage.daemon.stop().await);
}
