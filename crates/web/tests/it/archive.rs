//! The archive's pages: one's own, as text, and nothing from elsewhere.

use store::archive::{self, Facet, File, Item, NewActivity, Page, files};

use crate::reach::{ask, token, two};

const ADA: &str = "mastodon.example/ada";

fn item(n: i64, visibility: &str, content: &str) -> Item {
    let at = chrono::DateTime::from_timestamp(1_790_000_000 + n, 0).unwrap();
    let body = serde_json::json!({
        "content": content, "spoiler_text": if n == 2 { "careful" } else { "" }, "sensitive": true,
        "media_attachments": [{"type": "image", "url": "https://mastodon.example/m.gif", "description": "a <b>heron"}],
        "poll": {"options": [{"title": "<i>maybe", "votes_count": 3}]}, "account": {"acct": "ada"},
    });
    Item {
        uri: format!("https://mastodon.example/{n}"),
        url: Some(format!("javascript:alert({n})")),
        author: "ada@mastodon.example".into(),
        author_name: "<script>Ada".into(),
        created_at: at,
        version_at: at,
        visibility: visibility.into(),
        language: None,
        in_reply_to: (n > 1).then(|| (n - 1).to_string()),
        server_id: n.to_string(),
        digest: content.into(),
        body: body.to_string(),
        words: vec!["herons".into()],
        facets: vec![Facet {
            kind: 'v',
            value: visibility.into(),
        }],
        tags: vec!["birds".into()],
        files: vec![File {
            url: "https://mastodon.example/m.gif".into(),
            kind: "own",
            fallback: None,
        }],
        wants_context: false,
        poll_ends_at: None,
        activities: vec![NewActivity {
            kind: "post".into(),
            ..NewActivity::default()
        }],
        ..Item::default()
    }
}

/// Check 36: hostile HTML does no harm, warnings are folded, and direct messages are their owner's alone.
#[tokio::test]
async fn everybody_sees_their_own_as_text() {
    let hotel = two().await;
    let state = &hotel.house.state;
    let items = [
        item(
            1,
            "public",
            "<p onclick=x>plain <img src=https://evil.example/x.png></p><script>alert(1)</script>",
        ),
        item(2, "direct", "<p>secret words https://a.example/x</p>"),
    ];
    let now = chrono::DateTime::from_timestamp(1_790_001_000, 0).unwrap();
    let page = Page {
        login: ADA,
        server: "mastodon.example",
        items: &items,
        cursor: None,
        live: true,
        now,
    };
    archive::save(&state.store, &page).await.unwrap();
    let blobs = ::archive::Blobs::open(state.archive.clone()).unwrap();
    let gif = state.archive.join("a.gif");
    std::fs::write(&gif, "GIF89a").unwrap();
    let blob = blobs.keep_file(&gif, 100).await.unwrap().unwrap();
    files::mark_kept(&state.store, "https://mastodon.example/m.gif", &blob, now)
        .await
        .unwrap();
    let direct = archive::find(&state.store, "https://mastodon.example/2")
        .await
        .unwrap()
        .unwrap()
        .id;
    let paths = [
        "/archive".to_owned(),
        "/archive?q=herons".to_owned(),
        "/archive/numbers".to_owned(),
        "/archive/media".to_owned(),
        format!("/archive/statuses/{direct}"),
        format!("/archive/files/{}", blob.blob),
        "/api/v1/archive/statuses?q=herons+is:direct".to_owned(),
        format!("/api/v1/archive/statuses/{direct}"),
    ];
    let own = token(&hotel, "ada", &["view@mastodon.example/ada"]).await;
    for path in &paths {
        let (http_status, body) = ask(&hotel, "GET", path, &own, None).await;
        assert_eq!(http_status, 200, "{path}: {body}");
        if path.starts_with("/archive") {
            for bad in [
                "<script>",
                "onclick",
                "evil.example",
                "<b>heron",
                "<i>maybe",
                "href=\"javascript",
                "src=\"http",
            ] {
                assert!(!body.contains(bad), "{path} shows {bad}");
            }
        }
    }
    let (_, page) = ask(&hotel, "GET", &paths[4], &own, None).await;
    assert!(
        page.contains("<summary>careful</summary>") && page.contains("secret words"),
        "folded, not gone"
    );
    assert!(page.contains(&format!("/archive/files/{}", blob.blob)), "from here");
    assert!(page.contains("plain"), "the thread");
    // Who may do everything, the admin of the same server, the owner of another login there, and somebody elsewhere.
    for (name, scope) in [
        ("all", "admin"),
        ("boss", "admin@mastodon.example"),
        ("old", "view@mastodon.example/old"),
        ("else", "view@other.example/ada"),
    ] {
        let other = token(&hotel, name, &[scope]).await;
        for path in &paths {
            let (_, body) = ask(&hotel, "GET", path, &other, None).await;
            if path == "/archive" {
                assert_eq!(body.contains("one_person = true"), name == "all", "{name} is told why");
            }
            for secret in ["secret", "plain", "GIF89a", "<script>Ada"] {
                assert!(!body.contains(secret), "{name} sees {secret} at {path}: {body}");
            }
        }
    }
    let (http_status, _) = ask(&hotel, "GET", "/api/v1/archive/statuses?q=since:tuesday", &own, None).await;
    assert_eq!(http_status, 400);
}

/// A status that two logins keep is one row: what its server told one of them alone is not shown to the other.
#[tokio::test]
async fn what_one_did_with_a_status_is_not_told_to_the_other() {
    let hotel = two().await;
    let now = chrono::DateTime::from_timestamp(1_790_001_000, 0).unwrap();
    let body = serde_json::json!({
        "content": "<p>both have this</p>", "bookmarked": true, "account": {"acct": "bob"},
        "poll": {"options": [{"title": "yes", "votes_count": 3}], "own_votes": [0], "voted": true},
        "quote": {"state": "accepted", "quoted_status": {"visibility": "private", "content": "<p>a secret</p>"}},
    });
    let shared = Item {
        body: body.to_string(),
        ..item(9, "public", "both")
    };
    let mut page = Page {
        login: ADA,
        server: "mastodon.example",
        items: &[shared],
        cursor: None,
        live: true,
        now,
    };
    let own = token(&hotel, "ada", &["view@mastodon.example/ada"]).await;
    let find = archive::find(&hotel.house.state.store, "https://mastodon.example/9");
    archive::save(&hotel.house.state.store, &page).await.unwrap();
    let id = find.await.unwrap().unwrap().id;
    let (page_of, api_of) = (
        format!("/archive/statuses/{id}"),
        format!("/api/v1/archive/statuses/{id}"),
    );
    let personal = ["bookmarked", "own_votes", "a secret"];
    let (_, text) = ask(&hotel, "GET", &api_of, &own, None).await;
    assert!(personal.iter().all(|word| text.contains(word)), "{text}");
    page.login = "mastodon.example/old";
    archive::save(&hotel.house.state.store, &page).await.unwrap();
    for path in [&page_of, &api_of] {
        let (http_status, text) = ask(&hotel, "GET", path, &own, None).await;
        assert_eq!(http_status, 200);
        assert!(text.contains("both have this") && text.contains("yes"), "{text}");
        for word in personal {
            assert!(!text.contains(word), "{path} tells {word}: {text}");
        }
    }
}
