//! Fetches the files that statuses show.

use std::time::Duration;

use chrono::TimeDelta;
use job::{JobContext, JobError, Summary};
use net::{Request, Url};
use store::archive::files::{self, Wanted};

use crate::{
    Blobs, Config,
    blobs::{Cut, Kind},
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

/// Fetches what is due, one after the other: pictures are in no hurry, and their servers owe us nothing.
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
    for file in due {
        cx.check_stop()?;
        match fetch(cx, &blobs, &file, settings.largest << 20, settings.patience).await {
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

/// Tries the address, then the one at the origin.
async fn fetch(
    cx: &JobContext,
    blobs: &Blobs,
    file: &Wanted,
    largest: u64,
    patience: Duration,
) -> Result<files::Blob, Miss> {
    let first = one(cx, blobs, &file.url, largest, patience).await;
    match (first, &file.fallback) {
        (Err(Miss::Later(_) | Miss::Never(_)), Some(fallback)) => one(cx, blobs, fallback, largest, patience).await,
        (ended, _) => ended,
    }
}

async fn one(
    cx: &JobContext,
    blobs: &Blobs,
    address: &str,
    largest: u64,
    patience: Duration,
) -> Result<files::Blob, Miss> {
    let mut url: Url = address.parse().map_err(|_| Miss::Never("no address".to_owned()))?;
    for _ in 0..HOPS {
        let mut request = Request::origin(url.clone(), "image/*, video/*, audio/*");
        request.timeout = Some(patience);
        let mut stream = cx.net.open(request).await.map_err(miss)?;
        let header = |name: &str| stream.headers().get(name).and_then(|value| value.to_str().ok());
        match stream.http_status() {
            200..=299 => {}
            301 | 302 | 303 | 307 | 308 => {
                let to = header("location").and_then(|to| url.join(to).ok());
                url = to.ok_or_else(|| Miss::Later("a redirect to nowhere".to_owned()))?;
                continue;
            }
            status @ (401 | 403 | 404 | 410) => return Err(Miss::Later(format!("HTTP {status}"))),
            status => return Err(Miss::Later(format!("HTTP {status}"))),
        }
        let told = header("content-length").and_then(|length| length.parse::<u64>().ok());
        if told.is_some_and(|told| told > largest) {
            return Err(Miss::Never(format!("larger than {largest} bytes")));
        }
        let mut part = blobs.begin().await.map_err(disk)?;
        while let Some(bytes) = stream.next(patience).await.map_err(miss)? {
            match part.write(&bytes, largest).await {
                Ok(()) => {}
                Err(Cut::TooLarge) => return Err(Miss::Never(format!("larger than {largest} bytes"))),
                Err(Cut::Disk(error)) => return Err(disk(error)),
            }
        }
        if told.is_some_and(|told| told != part.len()) {
            return Err(Miss::Later("breaks off".to_owned()));
        }
        let kind = part.kind();
        if kind == Kind::Unknown {
            return Err(Miss::Later("no picture, sound or video".to_owned()));
        }
        return part.keep().await.map_err(disk);
    }
    Err(Miss::Later("too many redirects".to_owned()))
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
