//! `save_json`: each status as a file of its own, laid out as LAMA's users know it:
//! `json/LOGIN/posts/2026/03/user@domain_ID.json`.

use std::{
    io::{self, Write as _},
    path::Path,
};

use store::archive::{Item, Page};

use crate::names::{name, plural};

/// Writes the statuses of a page. What is there already and the same is left alone; another version replaces it, since
/// the versions are in the database.
pub(crate) async fn write(folder: &Path, page: &Page<'_>) -> io::Result<()> {
    let folder = folder.join("json").join(name(&page.login.replace('/', "_")));
    let files: Vec<_> = page.items.iter().flat_map(|item| named(&folder, item)).collect();
    if files.is_empty() {
        return Ok(());
    }
    tokio::task::spawn_blocking(move || files.iter().try_for_each(|(path, body)| put(path, body)))
        .await
        .map_err(io::Error::other)?
}

fn named(folder: &Path, item: &Item) -> Vec<(std::path::PathBuf, String)> {
    let kinds = item.activities.iter().map(|activity| activity.kind.as_str());
    let file = format!("{}_{}.json", name(&item.author), name(&item.server_id));
    kinds
        .map(|kind| {
            let month = item.created_at.format("%Y/%m").to_string();
            (
                folder.join(name(&plural(kind))).join(month).join(&file),
                item.body.clone(),
            )
        })
        .collect()
}

fn put(path: &Path, body: &str) -> io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == body.as_bytes()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    // Whole or not at all: a crash must not leave half a status.
    let half = path.with_extension("half");
    let mut file = std::fs::File::create(&half)?;
    file.write_all(body.as_bytes())?;
    std::fs::rename(half, path)
}
