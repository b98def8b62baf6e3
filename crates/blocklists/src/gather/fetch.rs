//! Reading one list from where it is published.

use std::path::Path;

use chrono::{DateTime, Utc};
use job::JobContext;
use mastodon::AdminDomainBlock;
use net::{
    Request, Response,
    http::{HeaderValue, header},
};
use store::{block_entries::State, block_sources::Source as Stored};
use url::Url;

use super::fires;
use crate::{
    config::Source,
    list::{Format, decode, feed},
    signature::{sha256_hex, verify},
};

/// A larger list is nobody's.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// Domains that are taken from what moderation found, at most.
const MOST_FINDINGS: u32 = 10_000;

/// What came.
pub(super) enum Fetched {
    /// As before.
    Same,
    /// A text.
    Text {
        text: String,
        etag: Option<String>,
        modified: Option<String>,
        /// Of a log of changes: where the next ones will be.
        cursor: Option<String>,
        /// Of a log of changes: last read from its beginning.
        whole_at: Option<DateTime<Utc>>,
    },
}

/// Why nothing came, for people. A list that cannot be had is never fatal to anything else.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Net(#[from] net::Error),
    #[error(transparent)]
    Mastodon(#[from] mastodon::Error),
    #[error(transparent)]
    Signature(#[from] crate::signature::SignatureError),
    #[error(transparent)]
    List(#[from] crate::list::ListError),
    #[error("cannot read {path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("HTTP {0}")]
    Http(u16),
    #[error("{0}")]
    Other(String),
}

/// Reads a list. `held` is what we have of it.
pub(super) async fn fetch(
    cx: &JobContext,
    source: &Source,
    held: &Stored,
    now: DateTime<Utc>,
) -> Result<Fetched, FetchError> {
    if let Some(url) = &source.url {
        // What is signed or pinned is one text, whatever its format.
        let is_pinned = source.key.is_some() || source.sha256.is_some();
        let is_log = source.format == Format::Fires || (source.format == Format::Auto && held.cursor.is_some());
        if is_log && !is_pinned {
            return fires::dataset(cx, url, held, now).await;
        }
        let fetched = published(cx, source, url, held).await?;
        return match &fetched {
            Fetched::Text { text, .. } if leads_on(source.format, text) && is_pinned => Err(FetchError::Other(
                "it is spread over several pages, and a signature or checksum is of one text".to_owned(),
            )),
            Fetched::Text { text, .. } if leads_on(source.format, text) => fires::dataset(cx, url, held, now).await,
            _ => Ok(fetched),
        };
    }
    if let Some(path) = &source.file {
        return file(source, path).await;
    }
    if let Some(login) = &source.login {
        return of_login(cx, login).await.map(text);
    }
    if let Some(server) = &source.server {
        let url = Url::parse(&format!("https://{server}/api/v1/instance/domain_blocks"));
        let url = url.map_err(|_| FetchError::Other(format!("{server} is no domain")))?;
        return published(cx, source, &url, held).await;
    }
    if source.findings {
        return taken(cx).await.map(text);
    }
    Err(FetchError::Other("it has no url, file, login or server".to_owned()))
}

/// The domains that moderators took from what moderation found, as a table. Where two servers' moderators took one, the
/// harder of them counts.
async fn taken(cx: &JobContext) -> Result<String, FetchError> {
    let found = store::findings::domains(&cx.store, Some("taken"), MOST_FINDINGS).await;
    let found = found.map_err(|error| FetchError::Other(error.to_string()))?;
    let mut hardest: std::collections::BTreeMap<&str, (bool, Vec<&str>)> = std::collections::BTreeMap::new();
    for one in &found {
        let (suspend, by) = hardest.entry(&one.domain).or_default();
        *suspend |= one.severity.as_deref() == Some("suspend");
        by.extend(one.by.as_deref());
    }
    let mut table = "domain,severity,private_comment\n".to_owned();
    for (domain, (suspend, by)) in hardest {
        let severity = if suspend { "suspend" } else { "silence" };
        let by = by.join(", ").replace('"', "'");
        table += &format!("{domain},{severity},\"found by moderation, taken by {by}\"\n");
    }
    Ok(table)
}

/// Whether a text is a page of a log, or tells where one is.
fn leads_on(format: Format, text: &str) -> bool {
    matches!(format, Format::Auto | Format::Fires)
        && text.trim_start().starts_with('{')
        && feed(text).is_ok_and(|feed| feed.leads_on())
}

fn text(text: String) -> Fetched {
    Fetched::Text {
        text,
        etag: None,
        modified: None,
        cursor: None,
        whole_at: None,
    }
}

async fn published(cx: &JobContext, source: &Source, url: &Url, held: &Stored) -> Result<Fetched, FetchError> {
    let accept = "text/csv, application/json;q=0.9, text/plain;q=0.8, */*;q=0.1";
    let mut request = get(url, accept, MOST_BYTES);
    // A signature or a pinned text is checked on what comes, so it must come: a copy from before the key was set proves
    // nothing.
    if held.body.is_some() && source.key.is_none() && source.sha256.is_none() {
        for (name, value) in [
            (header::IF_NONE_MATCH, &held.etag),
            (header::IF_MODIFIED_SINCE, &held.modified),
        ] {
            if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
                request.headers.insert(name, value);
            }
        }
    }
    let response = cx.net.send(request).await?;
    if response.http_status == 304 {
        return Ok(Fetched::Same);
    }
    let response = success(response)?;
    let told = |name: header::HeaderName| {
        response
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    if told(header::CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html")) {
        return Err(crate::list::ListError::Html.into());
    }
    check(source, &response.body)?;
    if let Some(key) = &source.key {
        let place = match &source.signature_url {
            Some(place) => place.clone(),
            None => {
                let mut place = url.clone();
                place.set_path(&format!("{}.sig", url.path()));
                place
            }
        };
        let signature = cx.net.send(get(&place, "*/*", 4096)).await?;
        if signature.http_status != 200 {
            return Err(FetchError::Other(format!(
                "its signature cannot be had: HTTP {}",
                signature.http_status
            )));
        }
        verify(&response.body, &decode(&signature.body), key)?;
    }
    Ok(Fetched::Text {
        etag: told(header::ETAG),
        modified: told(header::LAST_MODIFIED),
        text: decode(&response.body).into_owned(),
        cursor: None,
        whole_at: None,
    })
}

/// The operator named the address, so robots.txt is not asked: it speaks to those who find their way themselves.
pub(super) fn get(url: &Url, accept: &'static str, max_body: usize) -> Request {
    let mut request = Request::origin(url.clone(), accept);
    request.robots = false;
    request.max_body = max_body;
    request
}

pub(super) fn success(response: Response) -> Result<Response, FetchError> {
    match response.http_status {
        200 => Ok(response),
        code => Err(FetchError::Http(code)),
    }
}

fn check(source: &Source, body: &[u8]) -> Result<(), FetchError> {
    match &source.sha256 {
        Some(pinned) if !pinned.eq_ignore_ascii_case(&sha256_hex(body)) => {
            Err(FetchError::Other("its SHA-256 is not the one in the config".to_owned()))
        }
        _ => Ok(()),
    }
}

async fn file(source: &Source, path: &Path) -> Result<Fetched, FetchError> {
    let failed = |source| FetchError::File {
        path: path.display().to_string(),
        source,
    };
    let size = tokio::fs::metadata(path).await.map_err(failed)?.len();
    if size > MOST_BYTES as u64 {
        return Err(FetchError::Other(format!("larger than {MOST_BYTES} bytes")));
    }
    let bytes = tokio::fs::read(path).await.map_err(failed)?;
    check(source, &bytes)?;
    if let Some(key) = &source.key {
        let mut place = path.as_os_str().to_owned();
        place.push(".sig");
        let place = Path::new(&place);
        let failed = |source| FetchError::File {
            path: place.display().to_string(),
            source,
        };
        let signature = tokio::fs::read_to_string(place).await.map_err(failed)?;
        verify(&bytes, &signature, key)?;
    }
    Ok(text(decode(&bytes).into_owned()))
}

/// What one of our servers blocks by its own decision. What we put there does not count: a list must not be on itself.
async fn of_login(cx: &JobContext, name: &str) -> Result<String, FetchError> {
    let login = cx
        .logins
        .iter()
        .chain(cx.login.as_ref())
        .find(|login| login.name == name || login.name.rsplit('/').next() == Some(name))
        .ok_or_else(|| FetchError::Other(format!("there is no login {name} that works")))?;
    let ours: std::collections::BTreeSet<String> = store::block_entries::list(&cx.store, &login.server)
        .await
        .map_err(|error| FetchError::Other(error.to_string()))?
        .into_iter()
        .filter(|entry| entry.state == State::Ours)
        .map(|entry| entry.domain)
        .collect();
    let blocks: Vec<AdminDomainBlock> = login.client.domain_blocks().await?;
    let blocks: Vec<AdminDomainBlock> = blocks
        .into_iter()
        .filter(|block| crate::config::domain(&block.domain).is_none_or(|domain| !ours.contains(&domain)))
        .map(|block| AdminDomainBlock {
            severity: Some(block.is()),
            ..block
        })
        .collect();
    serde_json::to_string(&blocks).map_err(|error| FetchError::Other(error.to_string()))
}
