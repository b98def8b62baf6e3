//! Accounts' posts.

use super::*;

#[tokio::test]
async fn mastodon_pinned_first_and_paged() {
    let status = |id: usize, more: Value| {
        let mut status = json!({"id": id.to_string(), "uri": format!("{{base}}/{id}"), "visibility": "public"});
        status
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        status
    };
    let mut page: Vec<Value> = (0..40).map(|n| status(200 - n, json!({}))).collect();
    page[1]["visibility"] = json!("private");
    page[2]["reblog"] = status(1, json!({}));
    let origin = Origin::start(&[
        ("GET /api/v1/accounts/lookup acct=u", json!({"id": "77", "acct": "u"})),
        (
            "GET /api/v1/accounts/77/statuses pinned=true",
            json!([status(3, json!({}))]),
        ),
        ("GET /api/v1/accounts/77/statuses exclude_reblogs=true", json!(page)),
        (
            "GET /api/v1/accounts/77/statuses exclude_reblogs=true max_id=161",
            json!([status(160, json!({}))]),
        ),
    ])
    .await;
    let (posts, pages) = origin.posts(&origin.software("mastodon", "4.5.0"), "/@u", "u").await;
    assert_eq!((posts.len(), pages), (40, 2));
    assert_eq!(posts[..3], ["*/3", "/200", "/197"]);
    assert_eq!(posts[39], "/160");
    assert_eq!(origin.asked().len(), 4, "{:?}", origin.asked());
}

#[tokio::test]
async fn misskey_without_renotes() {
    let origin = Origin::start(&[
        (
            "POST /api/users/show \"host\":null \"username\":\"u\"",
            json!({"id": "9u", "pinnedNotes": [{"id": "p", "visibility": "public", "text": "x"}]}),
        ),
        (
            "POST /api/users/notes \"userId\":\"9u\"",
            json!([
                {"id": "a", "visibility": "public", "text": "x", "repliesCount": 2, "createdAt": "2026-08-01T00:00:00.000Z"},
                {"id": "b", "visibility": "public", "text": null, "renoteId": "z"},
                {"id": "c", "visibility": "home", "text": "quote", "renoteId": "z"},
                {"id": "d", "visibility": "followers", "text": "x"}]),
        ),
    ])
    .await;
    let (posts, pages) = origin
        .posts(&origin.software("misskey", "2026.1"), "/users/9u", "u")
        .await;
    assert_eq!(
        (posts, pages),
        (vec!["*/notes/p".into(), "/notes/a".into(), "/notes/c".into()], 1)
    );
}

#[tokio::test]
async fn lemmy_posts_and_comments_of_people_and_communities() {
    let post = json!({"post": {"id": 1, "ap_id": "{base}/post/1", "published": "2026-08-01T00:00:00Z"}, "counts": {"comments": 3}});
    let comment = json!({"post": {"id": 1, "ap_id": "{base}/post/1"},
        "comment": {"id": 2, "ap_id": "{base}/comment/2", "published": "2026-08-02T00:00:00Z"}, "counts": {"child_count": 0}});
    let origin = Origin::start(&[
        (
            "GET /api/v3/user username=u page=1",
            json!({"posts": [post], "comments": [comment]}),
        ),
        ("GET /api/v3/post/list community_name=x", json!({"posts": [post]})),
        (
            "GET /api/v4/person/content username=u",
            json!({"items": [comment, post]}),
        ),
        (
            "GET /api/alpha/user username=u include_content=true",
            json!({"posts": [post], "comments": [comment]}),
        ),
    ])
    .await;
    let expected = ["/comment/2", "/post/1"];
    for (name, version) in [("lemmy", "0.19.13"), ("lemmy", "1.0.0"), ("piefed", "1.6")] {
        let (mut posts, _) = origin.posts(&origin.software(name, version), "/u/u", "u").await;
        posts.sort();
        assert_eq!(posts, expected, "{name} {version}");
    }
    let (posts, _) = origin.posts(&origin.software("lemmy", "0.19.13"), "/c/x", "x").await;
    assert_eq!(posts, ["/post/1"]);
}

#[tokio::test]
async fn peertube_of_accounts_and_channels() {
    let origin = Origin::start(&[
        (
            "GET /api/v1/accounts/u/videos start=0",
            json!({"total": 2, "data": [{"uuid": "1", "url": "{base}/videos/watch/1", "publishedAt": "2026-08-02T00:00:00Z"}]}),
        ),
        ("GET /api/v1/accounts/u/videos start=1", json!({"total": 2, "data": [{"uuid": "2"}]})),
        ("GET /api/v1/video-channels/u/videos", json!({"total": 1, "data": [{"uuid": "3"}]})),
    ])
    .await;
    let software = origin.software("peertube", "7.0.0");
    let (posts, pages) = origin.posts(&software, "/accounts/u", "u").await;
    assert_eq!(
        (posts, pages),
        (vec!["/videos/watch/1".into(), "/videos/watch/2".into()], 2)
    );
    let (posts, _) = origin.posts(&software, "/video-channels/u", "u").await;
    assert_eq!(posts, ["/videos/watch/3"]);
}

#[tokio::test]
async fn the_outbox_of_everything_else() {
    const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
    let note = |n: u32| json!({"id": format!("{{base}}/n/{n}"), "type": "Note", "to": [PUBLIC], "published": "2026-08-01T00:00:00Z"});
    let origin = Origin::start(&[
        (
            "GET /actors/u",
            json!({"id": "{base}/actors/u", "type": "Person", "outbox": "{base}/outbox", "featured": "{base}/pins"}),
        ),
        (
            "GET /pins",
            json!({"id": "{base}/pins", "orderedItems": [note(9), "{base}/n/8"]}),
        ),
        (
            "GET /outbox",
            json!({"id": "{base}/outbox", "totalItems": 5, "first": "{base}/outbox?page=1"}),
        ),
        (
            "GET /outbox?page=1",
            json!({"orderedItems": [
                {"type": "Create", "to": [PUBLIC], "object": note(1)},
                {"type": "Announce", "to": [PUBLIC], "object": "https://b.example/1"},
                {"type": "Create", "object": {"id": "{base}/n/3", "to": ["{base}/followers"]}},
                {"type": "Create", "to": PUBLIC, "object": "{base}/n/2", "published": "2026-08-01T00:00:00Z"},
                {"type": "Create", "to": PUBLIC, "object": "https://b.example/stolen"}],
                "next": "{base}/outbox?page=2"}),
        ),
        (
            "GET /outbox?page=2",
            json!({"orderedItems": [note(4)], "next": "{base}/outbox?page=2"}),
        ),
        // Only a count, as Pixelfed shows to strangers.
        (
            "GET /actors/shy",
            json!({"id": "{base}/actors/shy", "outbox": "{base}/shy/outbox"}),
        ),
        ("GET /shy/outbox", json!({"id": "{base}/shy/outbox", "totalItems": 5})),
    ])
    .await;
    for name in ["wordpress", "snac", "takahe", "hollo", "friendica", "bridgy-fed", ""] {
        let (posts, pages) = origin.posts(&origin.software(name, "1"), "/actors/u", "u").await;
        assert_eq!(posts, ["*/n/9", "*/n/8", "/n/1", "/n/2", "/n/4"], "{name}");
        assert_eq!(pages, 2, "{name}");
    }
    let (posts, _) = origin
        .posts(&origin.software("pixelfed", "1"), "/actors/shy", "u")
        .await;
    assert!(posts.is_empty());
}

#[tokio::test]
async fn what_wants_a_signature_is_not_asked() {
    let origin = Origin::start(&[]).await;
    let profile = Profile {
        uri: origin.uri("/@u"),
        username: "u".into(),
    };
    let answer = list_posts(&origin.net, &origin.software("gotosocial", "0.20"), &profile, None).await;
    assert!(matches!(answer, Err(crate::Error::NoToken { .. })), "{answer:?}");
    assert!(origin.asked().is_empty());
}
