//! Origins that no orderly server would be.

use axum::{Json, Router, extract::Request, response::IntoResponse};
use mastodon::remote::{self, Flavour, Listing, Software};
use model::{Host, Uri};
use serde_json::{Value, json};

/// A server that answers each path (with its query) from `answer`, which is given its own address.
async fn serve(answer: fn(&str, &str) -> Option<Value>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let own = base.clone();
    let app = Router::new().fallback(move |request: Request| async move {
        let path = request.uri().path_and_query().map_or("", |path| path.as_str());
        match answer(&own, path) {
            Some(value) => ([("content-type", "application/activity+json")], Json(value)).into_response(),
            None => axum::http::StatusCode::NOT_FOUND.into_response(),
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    base
}

async fn list(base: &str) -> Listing {
    let uri = Uri::parse(&format!("{base}/x/root")).unwrap();
    let software = Software {
        api_host: Host::of(&uri.url()).unwrap(),
        name: String::new(),
        version: String::new(),
        flavour: Flavour::Unknown,
    };
    remote::list_replies(&crate::net(), &software, &uri).await.unwrap()
}

#[tokio::test]
async fn a_page_that_is_its_own_next_ends_with_one_warning() {
    let base = serve(|base, path| match path {
        "/x/root" => Some(json!({"id": format!("{base}/x/root"), "replies": format!("{base}/x/replies")})),
        "/x/replies" => Some(json!({"first": {"items": format!("{base}/x/1"), "next": format!("{base}/x/page")}})),
        "/x/page" => Some(json!({"items": [format!("{base}/x/1"), "https://b.example/2"], "next": format!("{base}/x/page")})),
        // Answers the root: a circle.
        "/x/1" => Some(json!({"id": format!("{base}/x/1"), "to": "as:Public", "replies": {"items": [format!("{base}/x/root"), format!("{base}/x/1")]}})),
        _ => None,
    })
    .await;
    let listing = list(&base).await;
    assert_eq!(listing.replies.len(), 2);
    assert_eq!(listing.warnings.len(), 1, "{:?}", listing.warnings);
    assert_eq!(listing.source, "replies collection");
}

#[tokio::test]
async fn a_collection_at_another_host_is_not_followed() {
    let base = serve(|base, path| {
        (path == "/x/root")
            .then(|| json!({"id": format!("{base}/x/root"), "context": "https://b.example/c", "replies": "https://b.example/r"}))
    })
    .await;
    let listing = list(&base).await;
    assert!(listing.replies.is_empty() && listing.partial);
    assert_eq!(listing.requests, 1);
}

#[tokio::test]
async fn odd_nodeinfo_is_unknown() {
    let base = serve(|_, _| None).await;
    let unknown = remote::detect(&crate::net(), &base.parse().unwrap()).await.unwrap();
    assert_eq!((unknown.flavour, unknown.name.as_str()), (Flavour::Unknown, ""));
    let base = serve(|base, path| match path {
        "/.well-known/nodeinfo" => Some(
            json!({"links": [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.0", "href": format!("{base}/n")}]}),
        ),
        "/n" => Some(
            json!({"software": {"name": "Mastodon", "version": "4.6.0"}, "protocols": ["activitypub"], "metadata": []}),
        ),
        _ => None,
    })
    .await;
    let known = remote::detect(&crate::net(), &base.parse().unwrap()).await.unwrap();
    assert_eq!((known.flavour, known.name.as_str()), (Flavour::Mastodon, "mastodon"));
}
