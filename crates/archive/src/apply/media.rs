//! Fetches the files that statuses show.

use std::time::Duration;

use chrono::TimeDelta;
use futures::{StreamExt as _, stream};
use job::{JobContext, JobError, Summary};
use net::{Request, Url};
use store::archive::files::{self, Blob, Wanted};

use crate::{
    Blobs, Config,
    blobs::{Cut, Half, Kind, Part},
};

/// Redirects that a file may take; each is looked at by the guard.
const HOPS: usize = 5;

/// How one try ended.
enum Miss {
    /// Worth another try later.
    Later(String),
    /// Not.
    Never(String),
    Run(JobError),
}

/// How files are fetched.
#[derive(Clone, Copy)]
struct Fetch<'a> {
    cx: &'a JobContext,
    blobs: &'a Blobs,
    largest: u64,
    patience: Duration,
}

/// Fetches what is due, a few at a time: one slow server keeps nobody waiting, and what a server is asked at once is
/// the network's to bound.
pub(crate) async fn media(cx: &JobContext, config: &Config) -> Result<Summary, JobError> {
    let settings = &config.media;
    let kinds: Vec<&str> = [
        (settings.own, "own"),
        (settings.others, "other"),
        (settings.avatars, "avatar"),
        (settings.emoji, "emoji"),
        (settings.cards, "card"),
    ]
    .into_iter()
    .filter_map(|(on, kind)| on.then_some(kind))
    .collect();
    let mut summary = Summary::default();
    let due = files::due(&cx.store, &kinds, cx.clock.now(), settings.per_run).await?;
    if due.is_empty() {
        return Ok(summary);
    }
    let blobs = Blobs::open(config.folder(&cx.store)).map_err(|error| JobError::Permanent(error.into()))?;
    cx.progress.begin("files", u64::try_from(due.len()).ok());
    let fetch = Fetch {
        cx,
        blobs: &blobs,
        largest: settings.largest << 20,
        patience: settings.patience,
    };
    let fetched = stream::iter(due).map(|file| async move {
        let ended = fetch.file(&file).await;
        (file, ended)
    });
    let mut fetched = std::pin::pin!(fetched.buffer_unordered(settings.at_once));
    while let Some((file, ended)) = fetched.next().await {
        match ended {
            Ok(blob) => {
                summary.add("kept", 1);
                summary.add("bytes", blob.bytes);
                files::mark_kept(&cx.store, &file.url, &blob, cx.clock.now()).await?;
            }
            Err(Miss::Run(error)) => return Err(error),
            Err(Miss::Later(reason)) => {
                summary.add("failed", 1);
                let pause = TimeDelta::hours(1 << file.tries.clamp(0, 9));
                let next = (file.tries + 1 < settings.tries).then(|| cx.clock.now() + pause);
                if next.is_none() {
                    blobs.drop_half(&file.url).await;
                }
                files::mark_failed(&cx.store, &file.url, &reason, next).await?;
            }
            Err(Miss::Never(reason)) => {
                summary.add("refused", 1);
                files::mark_failed(&cx.store, &file.url, &reason, None).await?;
            }
        }
        cx.progress.advance(1);
    }
    Ok(summary)
}

impl Fetch<'_> {
    /// Tries the address, then the one at the origin.
    async fn file(self, file: &Wanted) -> Result<Blob, Miss> {
        self.cx.check_stop().map_err(Miss::Run)?;
        let first = self.one(&file.url).await;
        match (first, &file.fallback) {
            (Err(Miss::Later(_) | Miss::Never(_)), Some(fallback)) => self.one(fallback).await,
            (ended, _) => ended,
        }
    }

    async fn one(self, address: &str) -> Result<Blob, Miss> {
        let mut url: Url = address.parse().map_err(|_| Miss::Never("no address".to_owned()))?;
        let half = self.blobs.half(address).await;
        for _ in 0..HOPS {
            let mut request = Request::origin(url.clone(), "image/*, video/*, audio/*");
            request.timeout = Some(self.patience);
            if let Some(half) = &half {
                let mut ask = |name: &'static str, value: &str| {
                    value
                        .parse()
                        .map(|value| drop(request.headers.insert(name, value)))
                        .is_ok()
                };
                // Without the second the first could put two versions of a file together.
                if ask("if-range", &half.version) {
                    ask("range", &format!("bytes={}-", half.len));
                }
            }
            let mut stream = self.cx.net.open(request).await.map_err(miss)?;
            let header = |name: &str| stream.headers().get(name).and_then(|value| value.to_str().ok());
            match stream.http_status() {
                200..=299 => {}
                301 | 302 | 303 | 307 | 308 => {
                    let to = header("location").and_then(|to| url.join(to).ok());
                    url = to.ok_or_else(|| Miss::Later("a redirect to nowhere".to_owned()))?;
                    continue;
                }
                // What we have of it is more than there is: it is another file now.
                416 => {
                    self.blobs.drop_half(address).await;
                    return Err(Miss::Later("HTTP 416".to_owned()));
                }
                status => return Err(Miss::Later(format!("HTTP {status}"))),
            }
            let goes_on = half.as_ref().filter(|half| {
                let range = header("content-range").unwrap_or_default();
                stream.http_status() == 206 && range.starts_with(&format!("bytes {}-", half.len))
            });
            if stream.http_status() == 206 && goes_on.is_none() {
                // Asked for again with the same half, it would say the same again.
                self.blobs.drop_half(address).await;
                return Err(Miss::Later("a part that was not asked for".to_owned()));
            }
            let version = version(header("etag"), header("last-modified"));
            let told = header("content-length").and_then(|length| length.parse::<u64>().ok());
            let told = told.map(|told| told.saturating_add(goes_on.map_or(0, |half| half.len)));
            if told.is_some_and(|told| told > self.largest) {
                return Err(self.too_large());
            }
            let part = self.begin(address, goes_on).await.map_err(disk)?;
            return self.read(&mut stream, part, address, told, version.as_deref()).await;
        }
        Err(Miss::Later("too many redirects".to_owned()))
    }

    async fn begin(self, address: &str, half: Option<&Half>) -> std::io::Result<Part> {
        let part = match half {
            Some(half) => self.blobs.go_on(half).await?,
            None => self.blobs.begin().await?,
        };
        self.blobs.drop_half(address).await;
        Ok(part)
    }

    async fn read(
        self,
        stream: &mut net::Stream,
        mut part: Part,
        address: &str,
        told: Option<u64>,
        version: Option<&str>,
    ) -> Result<Blob, Miss> {
        loop {
            let bytes = match stream.next(self.patience).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                Err(error) => {
                    part.leave(address, version).await.map_err(disk)?;
                    return Err(miss(error));
                }
            };
            match part.write(&bytes, self.largest).await {
                Ok(()) => {}
                Err(Cut::TooLarge) => return Err(self.too_large()),
                Err(Cut::Disk(error)) => return Err(disk(error)),
            }
        }
        if told.is_some_and(|told| told != part.len()) {
            part.leave(address, version).await.map_err(disk)?;
            return Err(Miss::Later("breaks off".to_owned()));
        }
        if part.kind() == Kind::Unknown {
            return Err(Miss::Later("no picture, sound or video".to_owned()));
        }
        part.keep().await.map_err(disk)
    }

    fn too_large(self) -> Miss {
        Miss::Never(format!("larger than {} bytes", self.largest))
    }
}

/// What a server calls a version of a file, if that tells versions apart byte for byte.
fn version(etag: Option<&str>, modified: Option<&str>) -> Option<String> {
    let etag = etag.filter(|etag| etag.starts_with('"'));
    etag.or(modified).map(str::to_owned)
}

fn miss(error: net::Error) -> Miss {
    match error {
        net::Error::Stopped => Miss::Run(JobError::Stopped),
        net::Error::Refused { .. } | net::Error::Blocked(_) => Miss::Never(error.to_string()),
        error => Miss::Later(error.to_string()),
    }
}

fn disk(error: std::io::Error) -> Miss {
    Miss::Run(JobError::Transient(
        anyhow::Error::new(error).context("the archive's folder"),
    ))
}
