//! `egret import lama` and `egret import mastodon-archive`: into the archive, by uri.

use std::path::{Path, PathBuf};

use archive::{Blobs, Imported, Into};

use super::Report;
use crate::{Exit, args::Args, out};

/// LAMA's folder.
pub(super) async fn lama(args: &Args, folder: &Path, login: &str, account: &str) -> anyhow::Result<Exit> {
    let (config, doors) = crate::commands::open(args).await?;
    let _alone = crate::commands::alone(&doors.store)?;
    let blobs = Blobs::open(config.archive.folder(&doors.store))?;
    let into = Into {
        db: &doors.store,
        blobs: &blobs,
        login,
        now: doors.clock.now(),
    };
    let found = archive::lama(into, folder, account).await?;
    let mut report = Report::default();
    tell(&mut report, &folder.display().to_string(), found);
    doors.store.close().await;
    show(args, &report)
}

/// Mastodon's own archive.
pub(super) async fn mastodon_zip(args: &Args, file: &Path, login: &str) -> anyhow::Result<Exit> {
    let (config, doors) = crate::commands::open(args).await?;
    let _alone = crate::commands::alone(&doors.store)?;
    let blobs = Blobs::open(config.archive.folder(&doors.store))?;
    let into = Into {
        db: &doors.store,
        blobs: &blobs,
        login,
        now: doors.clock.now(),
    };
    let found = archive::mastodon_zip(into, file).await?;
    let mut report = Report::default();
    tell(&mut report, &file.display().to_string(), found);
    doors.store.close().await;
    show(args, &report)
}

/// Files of mastodon-archive.
pub(super) async fn mastodon_archive(args: &Args, files: &[PathBuf], login: &str) -> anyhow::Result<Exit> {
    let (config, doors) = crate::commands::open(args).await?;
    let _alone = crate::commands::alone(&doors.store)?;
    let blobs = Blobs::open(config.archive.folder(&doors.store))?;
    let into = Into {
        db: &doors.store,
        blobs: &blobs,
        login,
        now: doors.clock.now(),
    };
    let mut report = Report::default();
    for file in files {
        let found = archive::mastodon_archive(into, file).await?;
        tell(&mut report, &file.display().to_string(), found);
    }
    doors.store.close().await;
    show(args, &report)
}

fn tell(report: &mut Report, what: &str, found: Imported) {
    let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let read = count(found.read - found.without_status);
    report.counted(format!("{what}: entries"), "statuses", read, found.saved.new);
    report.counted(
        format!("{what}: what was done"),
        "activities",
        read,
        found.saved.activities,
    );
    report.counted(
        format!("{what}: earlier versions"),
        "versions",
        count(found.saved.versions),
        found.saved.versions,
    );
    if found.files > 0 {
        report.took(format!("{what}: {} files", found.files), "kept by what is in them");
    }
    if found.files_missing > 0 {
        report.left(
            format!("{what}: {} files", found.files_missing),
            "not there, or no media",
        );
    }
    if found.wanted > 0 {
        report.took(
            format!("{what}: {} entries with an address alone", found.wanted),
            "archive.context asks the server for them",
        );
    }
    if found.without_status > 0 {
        report.left(format!("{what}: {} entries", found.without_status), "without a status");
    }
}

fn show(args: &Args, report: &Report) -> anyhow::Result<Exit> {
    if args.json {
        out::json(report)?;
    } else {
        out::line(report.table());
    }
    Ok(Exit::Done)
}
