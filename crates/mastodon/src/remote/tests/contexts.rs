//! Conversations of software with an API of its own.

use super::*;

#[tokio::test]
async fn misskey_through_the_notes_own_uris() {
    let origin = Origin::start(&[
        (
            "POST /api/notes/show \"r1\"",
            json!({"id": "r1", "replyId": "root", "repliesCount": 3}),
        ),
        (
            "POST /api/notes/conversation",
            json!([{"id": "root", "replyId": null, "visibility": "public"}]),
        ),
        (
            "POST /api/notes/children \"noteId\":\"r1\"",
            json!([
                {"id": "a", "replyId": "r1", "visibility": "public", "repliesCount": 1},
                {"id": "b", "replyId": "r1", "visibility": "home", "repliesCount": 0, "uri": "https://b.example/notes/9"},
                {"id": "q", "renoteId": "r1", "replyId": null, "visibility": "public"},
                {"id": "f", "replyId": "r1", "visibility": "followers", "repliesCount": 5},
                {"id": "l", "replyId": "r1", "visibility": "public", "localOnly": true}]),
        ),
        (
            "POST /api/notes/children \"noteId\":\"a\"",
            json!([{"id": "c", "replyId": "a", "visibility": "public", "repliesCount": 0}]),
        ),
    ])
    .await;
    for name in ["misskey", "sharkey", "iceshrimp"] {
        let software = origin.software(name, "2026.1.0");
        let (replies, source) = origin.replies(&software, "/notes/r1").await;
        assert_eq!(source, "notes", "{name}");
        assert_eq!(
            replies,
            [
                reply("/notes/a", "/notes/r1"),
                reply("/notes/c", "/notes/a"),
                reply("https://b.example/notes/9", "/notes/r1")
            ]
        );
    }
    let asked = origin.asked();
    assert!(
        !asked.iter().any(|question| question.contains("\"noteId\":\"b\"")),
        "nothing below it"
    );
}

#[tokio::test]
async fn iceshrimp_net_through_mastodons_api() {
    let origin = Origin::start(&[(
        "GET /api/v1/statuses/9abc/context",
        json!({"ancestors": [], "descendants": [
            {"id": "9abd", "uri": "{base}/notes/9abd", "in_reply_to_id": "9abc", "visibility": "public"}]}),
    )])
    .await;
    let software = origin.software("iceshrimp.net", "2025.1");
    let (replies, source) = origin.replies(&software, "/notes/9abc").await;
    assert_eq!(
        (replies, source),
        (vec![reply("/notes/9abd", "/notes/9abc")], "api context")
    );
}

/// Comments that carry the path down to them; the deleted one is left out and its answer is not.
fn comments(post: &str) -> Value {
    let view = |id: u64, path: &str, more: Value| {
        let mut comment = json!({"id": id, "ap_id": format!("{{base}}/comment/{id}"), "path": path});
        comment
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"comment": comment, "post": {"id": 7, "ap_id": post}})
    };
    json!([
        view(12, "0.12", json!({})),
        view(34, "0.12.34", json!({"deleted": true})),
        view(56, "0.12.34.56", json!({"removed": false})),
    ])
}

fn listed() -> Vec<(String, Option<String>)> {
    vec![reply("/comment/12", "/post/7"), reply("/comment/56", "/comment/34")]
}

#[tokio::test]
async fn lemmy_in_both_its_versions_and_piefed() {
    let view = json!({"comment_view": {"comment": {"id": 56, "post_id": 7}}});
    let origin = Origin::start(&[
        ("GET /api/v3/comment?id=56", view.clone()),
        ("GET /api/v4/comment?id=56", view.clone()),
        ("GET /api/alpha/comment?id=56", view),
        (
            "GET /api/v3/comment/list post_id=7",
            json!({"comments": comments("{base}/post/7")}),
        ),
        (
            "GET /api/v4/comment/list post_id=7",
            json!({"items": comments("{base}/post/7"), "next_page": "P2"}),
        ),
        (
            "GET /api/v4/comment/list post_id=7 page_cursor=P2",
            json!({"items": []}),
        ),
        (
            "GET /api/alpha/comment/list post_id=7",
            json!({"comments": comments("{base}/post/7"), "next_page": "2"}),
        ),
    ])
    .await;
    for (name, version) in [("lemmy", "0.19.13"), ("lemmy", "1.0.0-beta.1"), ("piefed", "1.6.0")] {
        let software = origin.software(name, version);
        let (replies, source) = origin.replies(&software, "/post/7").await;
        assert_eq!((replies, source), (listed(), "comments"), "{name} {version}");
        let (replies, _) = origin.replies(&software, "/c/x@b.example/p/7/a-slug").await;
        assert_eq!(replies, listed(), "{name} {version}");
        // Asked about a comment, all of its post are told, and it is not among its own replies.
        let (replies, _) = origin.replies(&software, "/comment/56").await;
        assert_eq!(replies, listed()[..1], "{name} {version}");
    }
}

#[tokio::test]
async fn peertube_with_nested_threads() {
    let origin = Origin::start(&[
        (
            "GET /api/v1/videos/9hRvMTnA/comment-threads?count=100&start=0",
            json!({"total": 2, "data": [
                {"id": 5, "threadId": 5, "url": "{base}/videos/watch/u/comments/5", "totalReplies": 2},
                {"id": 8, "threadId": 8, "url": "https://b.example/notes/8", "totalReplies": 0}]}),
        ),
        (
            "GET /api/v1/videos/9hRvMTnA/comment-threads/5",
            json!({"comment": {"id": 5, "url": "{base}/videos/watch/u/comments/5"}, "children": [
                {"comment": {"id": 6, "url": "{base}/videos/watch/u/comments/6", "isDeleted": true}, "children": [
                    {"comment": {"id": 7, "url": "https://c.example/7"}, "children": []}]}]}),
        ),
    ])
    .await;
    let software = origin.software("peertube", "7.0.0");
    for path in ["/w/9hRvMTnA", "/w/9hRvMTnA;threadId=5", "/videos/watch/9hRvMTnA"] {
        let (replies, source) = origin.replies(&software, path).await;
        assert_eq!(source, "comment threads");
        assert_eq!(
            replies,
            [
                reply("/videos/watch/u/comments/5", path),
                reply("https://b.example/notes/8", path),
                reply("https://c.example/7", "/videos/watch/u/comments/6"),
            ]
        );
    }
}

#[tokio::test]
async fn friendica_through_the_number_its_page_tells() {
    let origin = Origin::start(&[
        (
            "GET /display/735a-20",
            json!("<html><link href=\"{base}/display/feed-item/4711.atom\"></html>"),
        ),
        (
            "GET /api/v1/statuses/4711/context?limit=1000",
            json!({"ancestors": [], "descendants": [
                {"id": 4712, "uri": "{base}/objects/735a-21", "in_reply_to_id": 4711, "visibility": "public"}]}),
        ),
    ])
    .await;
    let software = origin.software("friendica", "2024.12");
    for path in ["/display/735a-20", "/objects/735a-20"] {
        let (replies, source) = origin.replies(&software, path).await;
        assert_eq!(
            (replies, source),
            (vec![reply("/objects/735a-21", path)], "api context")
        );
    }
}

/// WordPress, Mbin, Bridgy and whatever is not known: the note's own `replies`.
#[tokio::test]
async fn everything_else_through_activitypub() {
    const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
    for (name, path) in [
        ("wordpress", "/?p=7"),
        ("mbin", "/m/x/t/7/slug"),
        ("bridgy-fed", "/convert/ap/at://did:plc:x/app.bsky.feed.post/3k"),
        ("snac", "/u/p/1700000000.123"),
        ("", "/whatever/7"),
    ] {
        let note = json!({"id": format!("{{base}}{path}"), "type": "Note", "to": [PUBLIC],
            "replies": {"type": "Collection", "first": {"items": ["{base}/r/1"], "next": "{base}/page2"}}});
        let origin = Origin::start(&[
            (&format!("GET {path}"), note),
            (
                "GET /page2",
                json!({"type": "CollectionPage", "items": "https://b.example/2"}),
            ),
            (
                "GET /r/1",
                json!({"id": "{base}/r/1", "type": "Note", "to": PUBLIC, "inReplyTo": format!("{{base}}{path}")}),
            ),
        ])
        .await;
        let software = origin.software(name, "1");
        let (replies, source) = origin.replies(&software, path).await;
        assert_eq!(source, "replies collection", "{name}");
        assert_eq!(
            replies,
            [reply("/r/1", path), reply("https://b.example/2", path)],
            "{name}"
        );
    }
}

/// An API that is shut does not keep us from what is open.
#[tokio::test]
async fn a_shut_api_leaves_activitypub() {
    for (name, path) in [
        ("misskey", "/notes/9x"),
        ("lemmy", "/post/9"),
        ("peertube", "/videos/watch/9"),
        ("friendica", "/display/9"),
        ("hollo", "/@u/0190e2a4-7c1b-7c3e-9f0a-2b1c3d4e5f60"),
        ("pixelfed", "/p/u/9"),
    ] {
        let origin = Origin::start(&[(
            &format!("GET {path}"),
            json!({"id": format!("{{base}}{path}"), "type": "Note", "replies": {"items": ["https://b.example/1"]}}),
        )])
        .await;
        let software = origin.software(name, "1");
        let (replies, _) = origin.replies(&software, path).await;
        assert_eq!(replies, [reply("https://b.example/1", path)], "{name}");
    }
}

/// What was read before the origin failed is worth keeping, in the families that list page by page too.
#[tokio::test]
async fn what_came_before_a_failure_is_kept() {
    let page: Vec<Value> = (1..=50)
        .map(|id| json!({"comment": {"id": id, "ap_id": format!("{{base}}/comment/{id}"), "path": format!("0.{id}")}}))
        .collect();
    let lemmy = Origin::start(&[
        ("GET /api/v3/comment/list post_id=7", json!({"comments": page})),
        ("GET /api/v3/comment/list post_id=7 page=2", BUSY.clone()),
    ])
    .await;
    let misskey = Origin::start(&[
        ("POST /api/notes/show", json!({"id": "r1", "repliesCount": 1})),
        (
            "POST /api/notes/children \"noteId\":\"r1\"",
            json!([{"id": "a", "replyId": "r1", "visibility": "public", "repliesCount": 1}]),
        ),
        ("POST /api/notes/children \"noteId\":\"a\"", BUSY.clone()),
    ])
    .await;
    let peertube = Origin::start(&[
        (
            "GET /api/v1/videos/9/comment-threads start=0",
            json!({"total": 3, "data": [{"id": 5, "url": "{base}/5", "totalReplies": 1}, {"id": 8, "url": "{base}/8"}]}),
        ),
        ("GET /api/v1/videos/9/comment-threads/5", BUSY.clone()),
    ])
    .await;
    for (origin, name, path, count) in [
        (lemmy, "lemmy", "/post/7", 50),
        (misskey, "misskey", "/notes/r1", 1),
        (peertube, "peertube", "/w/9", 2),
    ] {
        let listing = list_replies(&origin.net, &origin.software(name, "0.19"), &origin.uri(path))
            .await
            .unwrap();
        assert_eq!(listing.replies.len(), count, "{name}");
        assert!(listing.partial && listing.cut.is_some(), "{name}: {listing:?}");
    }
}

/// One collection that is not there, is hidden or is too large does not hide what stands beside it.
#[tokio::test]
async fn one_bad_branch_hides_no_other() {
    const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
    let note = |path: &str, replies: Value| json!({"id": format!("{{base}}{path}"), "type": "Note", "to": [PUBLIC], "replies": replies});
    let huge = format!("{{\"items\": [\"{}\"]}}", "x".repeat(2 << 20));
    for bad in [json!("<html>"), json!(huge)] {
        let origin = Origin::start(&[
            (
                "GET /root",
                note("/root", json!({"items": ["{base}/a", "{base}/b", "{base}/c"]})),
            ),
            ("GET /a", note("/a", json!("{base}/bad"))),
            ("GET /b", note("/b", json!("{base}/missing"))),
            ("GET /c", note("/c", json!({"items": ["https://b.example/d"]}))),
            ("GET /bad", bad),
        ])
        .await;
        let listing = list_replies(&origin.net, &origin.software("", ""), &origin.uri("/root"))
            .await
            .unwrap();
        assert_eq!(listing.replies.len(), 4, "{listing:?}");
        assert_eq!((listing.cut, listing.walk), (None, None));
    }
}

/// A thread that is too large for one answer of the API is read through ActivityPub.
#[tokio::test]
async fn an_answer_beyond_all_bounds_leaves_activitypub() {
    let origin = Origin::start(&[
        (
            "GET /api/v1/statuses/7/context",
            json!({"ancestors": [], "descendants": [{"content": "x".repeat(9 << 20)}]}),
        ),
        (
            "GET /notice/7",
            json!({"id": "{base}/notice/7", "type": "Note", "replies": {"items": ["https://b.example/1"]}}),
        ),
    ])
    .await;
    let (replies, _) = origin.replies(&origin.software("pleroma", "2.9"), "/notice/7").await;
    assert_eq!(replies, [reply("https://b.example/1", "/notice/7")]);
}

/// The bounds of a listing fall between two pages of a collection: the rest of it is read when the walk goes on.
#[tokio::test]
async fn a_collection_that_was_left_in_the_middle_is_read_again() {
    const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
    let note = |path: &str, replies: Value| json!({"id": format!("{{base}}{path}"), "type": "Note", "to": [PUBLIC], "replies": replies});
    let page =
        |n: usize| json!({"items": [format!("https://b.example/{n}")], "next": format!("{{base}}/page/{:03}", n + 1)});
    let mut answers = vec![
        (
            "GET /root".to_owned(),
            note("/root", json!({"items": ["{base}/small", "{base}/large"]})),
        ),
        ("GET /small".to_owned(), note("/small", json!({"items": []}))),
        ("GET /large".to_owned(), note("/large", json!("{base}/page/000"))),
    ];
    answers.extend((0..597).map(|n| (format!("GET /page/{n:03}"), page(n))));
    answers.push(("GET /page/597".to_owned(), json!({"items": ["https://b.example/last"]})));
    let answers: Vec<(&str, Value)> = answers
        .iter()
        .map(|(of, answer)| (of.as_str(), answer.clone()))
        .collect();
    let origin = Origin::start(&answers).await;
    let (software, uri) = (origin.software("", ""), origin.uri("/root"));
    let first = list_replies(&origin.net, &software, &uri).await.unwrap();
    assert!(first.partial && first.replies.len() < 600, "{}", first.replies.len());
    let second = resume_replies(&origin.net, &software, (&uri, None), first.walk)
        .await
        .unwrap();
    assert_eq!((second.replies.len(), second.partial), (600, false));
    assert_eq!(second.walk, None);
}
