//! Kept files, as what their bytes are: they can do nothing but be seen or heard.

use std::io::{self, SeekFrom};

use axum::{
    body::Body,
    extract::{Path, State as Extract},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use store::archive::files;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::{State, api::archive::logins, problem::Problem, rights::Visitor};

/// Bytes of a file sent at once.
const PIECE: u64 = 64 << 10;

/// A file, for those whose statuses show it; a part of it for who goes to and fro in a video.
pub(super) async fn get(
    Extract(state): Extract<State>,
    visitor: Visitor,
    Path(blob): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let absent = || Problem::not_found("no such file is kept for you");
    let logins = logins(&state, &visitor).await?;
    let found = files::blob(&state.store, &blob, Some(&logins))
        .await?
        .ok_or_else(absent)?;
    let blobs = ::archive::Blobs::at(state.archive.clone());
    let path = blobs.path(&found.blob).ok_or_else(absent)?;
    let mut file = tokio::fs::File::open(path).await.map_err(|_| absent())?;
    let len = file.metadata().await.map_err(|_| absent())?.len();
    let range = asked.get(header::RANGE).and_then(|range| range.to_str().ok());
    let part = range.and_then(|range| part(range, len));
    let (from, to) = part.unwrap_or((0, len));
    if from > 0 {
        file.seek(SeekFrom::Start(from)).await.map_err(|_| absent())?;
    }
    let body = Body::from_stream(stream::try_unfold((file, to - from), async |(mut file, left)| {
        let mut piece = vec![0; usize::try_from(left.min(PIECE)).unwrap_or(0)];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, io::Error>((read > 0).then_some((piece, (file, left - read as u64))))
    }));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&found.kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=31536000, immutable"),
    );
    if part.is_some() {
        if let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{}/{len}", to - 1)) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Where a part that was asked for begins and ends. Several at once, and what is no part of it, get the whole.
fn part(range: &str, len: u64) -> Option<(u64, u64)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from, to) {
        ("", last) => (len.saturating_sub(last.parse().ok()?), len),
        (from, "") => (from.parse().ok()?, len),
        (from, to) => (from.parse().ok()?, to.parse::<u64>().ok()?.checked_add(1)?.min(len)),
    };
    (from < to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (range, expected) in [
            ("bytes=0-", Some((0, 10))),
            ("bytes=2-3", Some((2, 4))),
            ("bytes=-4", Some((6, 10))),
            ("bytes=5-99", Some((5, 10))),
            ("bytes=10-", None),
            ("bytes=4-2", None),
            ("bytes=1-2,4-5", None),
            ("bytes=-0", None),
            ("bytes=0-18446744073709551615", None),
            ("lines=0-", None),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
    }
}
