//! The few files that pages need, inside the binary.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing,
};

use tower_http::compression::CompressionLayer;

use crate::{State, problem::Problem};

/// One file for browsers, three for those who change them.
const STYLE: &str = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/layout.css"),
    include_str!("assets/components.css")
);

struct Asset {
    name: &'static str,
    kind: &'static str,
    body: &'static str,
    tag: String,
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        ("style.css", "text/css; charset=utf-8", STYLE),
        (
            "refresh.js",
            "text/javascript; charset=utf-8",
            include_str!("assets/refresh.js"),
        ),
        (
            "keys.js",
            "text/javascript; charset=utf-8",
            include_str!("assets/keys.js"),
        ),
        ("egret.svg", "image/svg+xml", include_str!("assets/egret.svg")),
    ]
    .map(|(name, kind, body)| Asset {
        name,
        kind,
        body,
        tag: format!("\"{:016x}\"", fnv(body.as_bytes())),
    })
});

/// The files, which hold nothing secret: the pages for those who have not signed in yet need them too.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/assets/{name}", routing::get(get))
        .route_layer(CompressionLayer::new())
}

/// `GET /assets/{name}`.
async fn get(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return Problem::not_found("there is no such file").into_response();
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| {
            tags.split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == asset.tag)
        });
    // Asked for at each page, answered with 304: after an update nobody sees new pages in old clothes.
    let head = [
        (header::ETAG, asset.tag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_TYPE, asset.kind),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (head, asset.body).into_response()
    }
}

/// FNV-1a: tells versions of a file apart, nothing more.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
