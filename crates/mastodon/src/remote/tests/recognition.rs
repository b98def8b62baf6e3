//! Which program, and which thing.

use super::*;

/// Check 21.
#[tokio::test]
async fn nodeinfo_with_its_oddities() {
    let schema = |version: &str| format!("http://nodeinfo.diaspora.software/ns/schema/{version}");
    let info = |name: &str| json!({"software": {"name": name, "version": "1.2"}, "protocols": ["activitypub"], "metadata": []});
    let rows = [
        // Several versions, the newest that is understood first.
        (
            json!([{"rel": schema("1.0"), "href": "{base}/old"}, {"rel": schema("2.2"), "href": "{base}/odd"},
                   {"rel": schema("2.0"), "href": "{base}/good"}, {"rel": schema("2.1"), "href": "{base}/best"}]),
            "mitra",
        ),
        (json!([{"rel": schema("2.2"), "href": "{base}/odd"}]), "peertube"),
        (json!([{"rel": schema("1.0"), "href": "/old"}]), "friendica"),
        (
            json!([{"rel": schema("2.0"), "href": "https://evil.example/nodeinfo"}]),
            "",
        ),
        (json!([]), ""),
        (json!({}), ""),
    ];
    for (links, expected) in rows {
        let origin = Origin::start(&[
            ("GET /.well-known/nodeinfo", json!({ "links": links })),
            ("GET /best", info("MITRA")),
            ("GET /good", info("mastodon")),
            ("GET /odd", info("PeerTube")),
            (
                "GET /old",
                json!({"software": {"name": "Friendica"}, "protocols": {"inbound": ["activitypub"], "outbound": []}}),
            ),
        ])
        .await;
        let software = detect(&origin.net, &origin.uri("/").url()).await.unwrap();
        assert_eq!(software.name, expected, "{links}");
        assert_eq!(software.api_host.as_str(), origin.base.trim_start_matches("http://"));
    }
}

/// Check 21: a split domain, told by host-meta.
#[tokio::test]
async fn a_split_domain() {
    let api = Origin::start(&[
        (
            "GET /.well-known/nodeinfo",
            json!({"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": "{base}/2.0"}]}),
        ),
        (
            "GET /2.0",
            json!({"software": {"name": "sharkey", "version": "2026.1"}, "protocols": ["activitypub"]}),
        ),
    ])
    .await;
    let meta = format!(
        "<XRD><Link rel=\"lrdd\" template=\"{}/.well-known/webfinger?resource={{uri}}\"/></XRD>",
        api.base
    );
    let front = Origin::start(&[("GET /.well-known/host-meta", json!(meta))]).await;
    let software = detect(&front.net, &front.uri("/").url()).await.unwrap();
    assert_eq!(
        (software.name.as_str(), software.flavour),
        ("sharkey", Flavour::Misskey)
    );
    assert_eq!(software.api_host.as_str(), api.base.trim_start_matches("http://"));
}

/// Check 20, for what a program's own links look like and is neither a plain Mastodon's nor in the other tables.
#[test]
fn every_shape_that_others_miss() {
    let foreign = |kind: &'static str, id: &str| Shape::Foreign {
        kind,
        id: id.to_owned(),
    };
    let status = |id: &str| Shape::Status { id: id.to_owned() };
    let rows = [
        ("https://a.example/w/9hRvMTnA", foreign("video", "9hRvMTnA")),
        ("https://a.example/ap/users/7/statuses/109", status("109")),
        (
            "https://a.example/@u/statuses/01HZX3V9K2M4N6P8Q0R2S4T6V8",
            status("01HZX3V9K2M4N6P8Q0R2S4T6V8"),
        ),
        ("https://a.example/notes/9abcdef0", foreign("note", "9abcdef0")),
        ("https://a.example/c/x/p/79/a-slug", foreign("post", "79")),
        ("https://a.example/post/77/78", foreign("comment", "78")),
        (
            "https://a.example/m/x/t/79/a-slug/comment/80",
            foreign("entry comment", "80"),
        ),
        (
            "https://a.example/display/735a20291062",
            foreign("display", "735a20291062"),
        ),
        ("https://a.example/?p=12", foreign("p", "12")),
        ("https://a.example/web/statuses/109", status("109")),
        ("https://a.example/web/@u/109", status("109")),
        ("https://a.example/deck/@u/109", status("109")),
        ("http://a.example/@u/109?foo#c", status("109")),
        ("https://A.EXAMPLE/@u/109", status("109")),
        (
            "https://bsky.brid.gy/convert/ap/at://did:plc:x/app.bsky.feed.post/3k",
            foreign("bridged", "at://did:plc:x/app.bsky.feed.post/3k"),
        ),
        (
            "https://fed.brid.gy/r/https://b.example/x",
            foreign("bridged", "https://b.example/x"),
        ),
    ];
    for (text, shape) in rows {
        assert_eq!(read(&Uri::parse(text).unwrap()), shape, "{text}");
    }
}
