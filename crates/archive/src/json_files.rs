//! `save_json`: each status as a file of its own, laid out as LAMA's users know it:
//! `json/LOGIN/posts/2026/03/user@domain_ID.json`.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use mastodon::raw_field;
use store::{
    Db,
    archive::{self, Item, Page, Whom},
};

use crate::names::{name, plural};

/// Writes the statuses of a page. What is there already and the same is left alone; another version replaces it, since
/// the versions are in the database.
pub(crate) async fn write(folder: &Path, page: &Page<'_>) -> io::Result<()> {
    let folder = of_login(folder, page.login);
    let files: Vec<_> = page.items.iter().flat_map(|item| named(&folder, item)).collect();
    if files.is_empty() {
        return Ok(());
    }
    tokio::task::spawn_blocking(move || files.iter().try_for_each(|(path, body)| put(path, body)))
        .await
        .map_err(io::Error::other)?
}

/// Deletes the files of what is forgotten, and gives how many.
pub(crate) async fn forget(db: &Db, folder: &Path, whom: &Whom) -> anyhow::Result<u64> {
    let (below, author, uri) = match whom {
        Whom::Login(login) => (of_login(folder, login), None, None),
        Whom::Author(author) => (folder.join("json"), Some(author.clone()), None),
        Whom::Status(uri) => match archive::find(db, uri).await? {
            Some(kept) => (folder.join("json"), Some(kept.author), Some(kept.uri)),
            None => return Ok(0),
        },
    };
    let begin = author.map(|author| format!("{}_", name(&author)));
    let gone = move || {
        let mut gone = 0;
        each(&below, &mut |path| {
            if is_of(path, begin.as_deref(), uri.as_deref()) {
                std::fs::remove_file(path)?;
                gone += 1;
            }
            Ok(())
        })?;
        Ok::<_, io::Error>(gone)
    };
    Ok(tokio::task::spawn_blocking(gone).await??)
}

fn of_login(folder: &Path, login: &str) -> PathBuf {
    folder.join("json").join(name(&login.replace('/', "_")))
}

/// Whether a file is of this author, and this status; of all, where none is named.
fn is_of(path: &Path, begin: Option<&str>, uri: Option<&str>) -> bool {
    let Some(begin) = begin else { return true };
    let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default();
    // Another author's name may go on where this one's ends; ids have no `_`.
    let own = file.strip_prefix(begin).is_some_and(|rest| !rest.contains('_'));
    let is_it = |uri: &str| {
        let body = std::fs::read_to_string(path).unwrap_or_default();
        let found = raw_field(&body, "uri").and_then(|text| serde_json::from_str::<String>(text).ok());
        found.as_deref() == Some(uri)
    };
    own && uri.is_none_or(is_it)
}

/// Every file below a folder. Links are not followed.
fn each(folder: &Path, see: &mut impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            each(&entry.path(), see)?;
        } else if kind.is_file() {
            see(&entry.path())?;
        }
    }
    Ok(())
}

fn named(folder: &Path, item: &Item) -> Vec<(PathBuf, String)> {
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
