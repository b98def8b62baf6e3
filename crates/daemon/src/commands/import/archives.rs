//! `egret import lama` and `egret import mastodon-archive`: into the archive, by uri.

use std::path::{Path, PathBuf};

use archive::{Blobs, Imported, Into};

use super::Report;
use crate::{Exit, args::Args, commands::alone::with_files, doors::Doors, out};

/// LAMA's folder.
pub(super) async fn lama(args: &Args, folder: &Path, login: &str, account: &str) -> anyhow::Result<Exit> {
    let desk = Desk::open(args).await?;
    let found = with_files(&desk.doors, archive::lama(desk.of(login), folder, account)).await?;
    desk.close(args, &[(folder, found)]).await
}

/// Mastodon's own archive.
pub(super) async fn mastodon_zip(args: &Args, file: &Path, login: &str) -> anyhow::Result<Exit> {
    let desk = Desk::open(args).await?;
    let found = with_files(&desk.doors, archive::mastodon_zip(desk.of(login), file)).await?;
    desk.close(args, &[(file, found)]).await
}

/// Files of mastodon-archive.
pub(super) async fn mastodon_archive(args: &Args, files: &[PathBuf], login: &str) -> anyhow::Result<Exit> {
    let desk = Desk::open(args).await?;
    let mut found = Vec::new();
    for file in files {
        let one = with_files(&desk.doors, archive::mastodon_archive(desk.of(login), file)).await?;
        found.push((file.as_path(), one));
    }
    desk.close(args, &found).await
}

/// Where an import is written.
struct Desk {
    doors: Doors,
    blobs: Blobs,
}

impl Desk {
    async fn open(args: &Args) -> anyhow::Result<Self> {
        let (config, doors) = crate::commands::open(args).await?;
        Ok(Self {
            blobs: Blobs::open(config.archive.folder(&doors.store))?,
            doors,
        })
    }

    fn of<'a>(&'a self, login: &'a str) -> Into<'a> {
        Into {
            db: &self.doors.store,
            blobs: &self.blobs,
            login,
            now: self.doors.clock.now(),
        }
    }

    /// Tells what came of each file or folder.
    async fn close(self, args: &Args, found: &[(&Path, Imported)]) -> anyhow::Result<Exit> {
        self.doors.store.close().await;
        let mut report = Report::default();
        for (path, found) in found {
            tell(&mut report, &path.display().to_string(), found);
        }
        if args.json {
            out::json(&report)?;
        } else {
            out::line(report.table());
        }
        Ok(Exit::Done)
    }
}

fn tell(report: &mut Report, what: &str, found: &Imported) {
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
