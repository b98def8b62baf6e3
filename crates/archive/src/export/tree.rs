//! The kept files under names that people can read: `LOGIN/posts/2026/03/user@domain/2026-03-05_ID_1.jpg`.

use std::{io, path::Path};

use serde_json::Value;
use store::{
    Db,
    archive::{Activity, files},
};

use super::{Reader, Wish, Written, out};
use crate::{
    Blobs,
    item::list,
    names::{ending, name, plural},
};

/// Writes the tree. What is there already is left as it is, so that it can be brought up to date.
pub(super) async fn tree(db: &Db, blobs: &Blobs, wish: Wish<'_>) -> anyhow::Result<Written> {
    let mut written = Written::default();
    let mut reader = Reader::of(db, wish.login);
    while let Some((page, activities)) = reader.next().await? {
        for kept in page {
            let status: Value = serde_json::from_str(&kept.body).unwrap_or_default();
            let media: Vec<[Option<&str>; 2]> = list(&status["media_attachments"])
                .map(|medium| [medium["url"].as_str(), medium["remote_url"].as_str()])
                .collect();
            if media.is_empty() {
                continue;
            }
            let urls: Vec<String> = media.iter().flatten().flatten().map(|url| (*url).to_owned()).collect();
            let there = files::kept(db, &urls).await?;
            written.statuses += 1;
            for (n, addresses) in media.iter().enumerate() {
                let found = there.iter().find(|(url, ..)| addresses.contains(&Some(url.as_str())));
                let Some((_, blob, kind)) = found else { continue };
                let Some(path) = blobs.path(blob).filter(|path| path.is_file()) else {
                    continue;
                };
                let file = format!(
                    "{}_{}_{:02}.{}",
                    kept.created_at.format("%Y-%m-%d"),
                    kept.id,
                    n + 1,
                    ending(kind)
                );
                for activity in activities.iter().filter(|one| one.status == kept.id) {
                    let to = folder(
                        wish.folder,
                        activity,
                        &kept.created_at.format("%Y/%m").to_string(),
                        &kept.author,
                    );
                    put(&path, &to.join(&file), wish.copies)?;
                    written.media += 1;
                }
            }
        }
    }
    written.files.push(wish.folder.to_owned());
    Ok(written)
}

fn folder(root: &Path, activity: &Activity, month: &str, author: &str) -> std::path::PathBuf {
    root.join(name(&activity.login.replace('/', "_")))
        .join(name(&plural(&activity.kind)))
        .join(month)
        .join(name(author))
}

fn put(blob: &Path, to: &Path, copies: bool) -> io::Result<()> {
    if copies {
        return out::place(blob, to);
    }
    if to.symlink_metadata().is_ok() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let blob = blob.canonicalize()?;
    #[cfg(unix)]
    return std::os::unix::fs::symlink(blob, to);
    #[cfg(not(unix))]
    std::fs::hard_link(blob, to)
}
