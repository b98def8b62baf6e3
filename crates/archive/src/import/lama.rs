//! LAMA's `app.db` with its media tree and JSON files.

use std::path::{Path, PathBuf};

use serde_json::Value;
use store::{
    archive::{self, NewActivity},
    lama as rows,
};

use super::{Imported, Into, Saver, within};
use crate::item::{self, Owner};

/// Rows read at once.
const PIECE: u32 = 500;

/// Reads `app.db`, in `folder` or in `folder/data`, the files it names, and what only the JSON files have. Of several accounts only those of `account`
/// (`user@host`) are taken.
///
/// # Errors
/// When there is no such database, or the store or disk fails.
pub async fn lama(into: Into<'_>, folder: &Path, account: &str) -> anyhow::Result<Imported> {
    let data = if folder.join("app.db").is_file() {
        folder.to_owned()
    } else {
        folder.join("data")
    };
    let file = data.join("app.db");
    anyhow::ensure!(
        file.is_file(),
        "{} holds no app.db; name LAMA's folder, or its `data`",
        folder.display()
    );
    let account = account.trim_start_matches('@').to_lowercase();
    let server = account.rsplit_once('@').map_or("", |(_, host)| host).to_owned();
    let owner = Owner {
        server: &server,
        acct: &account,
    };
    let mut saver = Saver::new(into, &server);
    let mut reader = rows::open(&file).await?;
    let mut after = 0;
    loop {
        let page = reader.page(&account, after, PIECE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for row in page {
            // Wrappers of boosts are rows of their own there; the original with its activity is what counts.
            let kind = kind(&row.activity_type);
            let activity = NewActivity {
                kind: kind.to_owned(),
                ..NewActivity::default()
            };
            let item = item::of_status(owner, &row.json, activity, into.now);
            let urls: Vec<String> = item
                .iter()
                .flat_map(|item| item.files.iter().filter(|file| matches!(file.kind, "own" | "other")))
                .map(|file| file.url.clone())
                .collect();
            saver.add(item).await?;
            saver.quoted(item::of_quoted(owner, &row.json, into.now));
            let attachments: Value = serde_json::from_str(&row.attachments).unwrap_or_default();
            for (url, attachment) in urls.iter().zip(item::list(&attachments)) {
                // A list of errors stands where the file could not be fetched.
                if let Some(path) = attachment[0].as_str() {
                    let path = path.trim_start_matches("data/");
                    let found = within(&data, path).or_else(|| within(&data.join("media"), path));
                    saver.file(url, found).await?;
                }
            }
        }
    }
    saver.flush().await?;
    for (kind, path) in json_files(&data.join("json").join(safe(&account))) {
        let Ok(body) = tokio::fs::read_to_string(&path).await else {
            saver.found.without_status += 1;
            continue;
        };
        let activity = NewActivity {
            kind: kind.to_owned(),
            ..NewActivity::default()
        };
        let Some(item) = item::of_status(owner, &body, activity, into.now) else {
            continue;
        };
        // LAMA writes them first and its rows second: they are what a crash kept from the rows, or all that is left.
        let there = archive::by_uris(into.db, std::slice::from_ref(&item.uri)).await?;
        if there.is_empty() {
            saver.add(Some(item)).await?;
            saver.flush().await?;
        }
    }
    Ok(saver.found)
}

/// LAMA's name for an account's folders.
fn safe(account: &str) -> String {
    let plain = |part: &str| -> String { part.chars().filter(char::is_ascii_alphanumeric).collect() };
    let (user, host) = account.split_once('@').unwrap_or((account, ""));
    format!("{}_{}", plain(user), plain(host))
}

/// The statuses that `save_json` wrote, by kind: `KINDs/YYYY/MM/AUTHOR_ID.json`.
fn json_files(folder: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> {
    const KINDS: [(&str, &str); 7] = [
        ("posts", "post"),
        ("favourites", "favourite"),
        ("bookmarks", "bookmark"),
        ("mentions", "mention"),
        ("polls", "poll"),
        ("parents", "parent"),
        ("links", "link"),
    ];
    // Links are not followed: a folder that holds itself never ends.
    let inside = |folder: PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let real = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| !kind.is_symlink());
        entries.filter(real).map(|entry| entry.path())
    };
    let folder = folder.to_owned();
    KINDS.into_iter().flat_map(move |(name, kind)| {
        let files = inside(folder.join(name)).flat_map(inside).flat_map(inside);
        let json = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
        json.map(move |path| (kind, path))
    })
}

/// `mention.parent#3` is a parent, `post.link` a link.
fn kind(activity_type: &str) -> &str {
    match activity_type.split_once('.') {
        Some((_, rest)) if rest.starts_with("link") => "link",
        Some((_, _)) => "parent",
        None if activity_type == "reblog" => "boost",
        None => activity_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_as_lama_spells_them() {
        for (theirs, ours) in [
            ("post", "post"),
            ("reblog", "boost"),
            ("favourite", "favourite"),
            ("mention.parent#3", "parent"),
            ("bookmark.link#2", "link"),
            ("poll", "poll"),
        ] {
            assert_eq!(kind(theirs), ours);
        }
        assert_eq!(safe("m.e_2@old.example"), "me2_oldexample");
    }
}
