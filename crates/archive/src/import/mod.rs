//! Takes over what other archives have. Merged by uri: what is here already is not overwritten, an older version
//! becomes a version, and importing twice changes nothing.

mod lama;
mod mastodon_archive;
mod mastodon_zip;
mod note;
mod package;
mod pieces;

use std::path::{Component, Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Serialize;
use store::{
    Db,
    archive::{self, Item, Page, Saved, files},
};

use crate::Blobs;

pub use lama::lama;
pub use mastodon_archive::mastodon_archive;
pub use mastodon_zip::mastodon_zip;

/// Statuses saved at once.
const PIECE: usize = 500;
/// Larger files of another archive are left there.
const LARGEST_FILE: u64 = 4 << 30;

/// What an import found, and what of it was new here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Imported {
    /// Entries that were read.
    pub read: u64,
    /// Entries that are no status, or whose status is gone.
    pub without_status: u64,
    /// Entries that have an address alone; their server is asked for them.
    pub wanted: u64,
    /// What saving them changed.
    pub saved: Saved,
    /// Files that were there.
    pub files: u64,
    /// Files that were named and are not there, or are no media.
    pub files_missing: u64,
}

/// Where what is imported goes.
#[derive(Debug, Clone, Copy)]
pub struct Into<'a> {
    /// The database.
    pub db: &'a Db,
    /// The files.
    pub blobs: &'a Blobs,
    /// `host/name` that it belongs to.
    pub login: &'a str,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Saves items in pieces.
struct Saver<'a> {
    into: Into<'a>,
    server: String,
    items: Vec<Item>,
    found: Imported,
}

impl<'a> Saver<'a> {
    fn new(into: Into<'a>, server: &str) -> Self {
        Self {
            into,
            server: server.to_owned(),
            items: Vec::new(),
            found: Imported::default(),
        }
    }

    async fn add(&mut self, item: Option<Item>) -> Result<(), store::Error> {
        self.found.read += 1;
        match item {
            Some(item) => self.items.push(Item {
                wants_context: false,
                ..item
            }),
            None => self.found.without_status += 1,
        }
        if self.items.len() >= PIECE {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// What an entry quotes is a status too, and no entry.
    fn quoted(&mut self, item: Option<Item>) {
        self.items.extend(item);
    }

    async fn flush(&mut self) -> Result<(), store::Error> {
        let page = Page {
            login: self.into.login,
            server: &self.server,
            items: &self.items,
            cursor: None,
            live: false,
            now: self.into.now,
        };
        self.found.saved.add(archive::save(self.into.db, &page).await?);
        self.items.clear();
        Ok(())
    }

    /// Keeps a file that the other archive has.
    async fn file(&mut self, url: &str, path: Option<PathBuf>) -> anyhow::Result<()> {
        let known = files::kept(self.into.db, &[url.to_owned()]).await?;
        if !known.is_empty() {
            self.found.files += 1;
            return Ok(());
        }
        let kept = match path.filter(|path| path.is_file()) {
            Some(path) => self.into.blobs.keep_file(&path, LARGEST_FILE).await?,
            None => None,
        };
        match kept {
            Some(blob) => {
                files::mark_kept(self.into.db, url, &blob, self.into.now).await?;
                self.found.files += 1;
            }
            None => self.found.files_missing += 1,
        }
        Ok(())
    }
}

/// A path inside of `folder`; `None` for one that would lead out of it, by `..`, a root or a link.
fn within(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path.trim_start_matches('/'));
    if !path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return None;
    }
    let whole = folder.join(path).canonicalize().ok()?;
    whole.starts_with(folder.canonicalize().ok()?).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("in");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("a.png"), "x").unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        assert!(within(&inside, "a.png").is_some() && within(&inside, "/a.png").is_some());
        #[cfg(unix)]
        std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
        for odd in ["../secret", "a/../../secret", "link", "missing"] {
            assert_eq!(within(&inside, odd), None, "{odd}");
        }
    }
}
