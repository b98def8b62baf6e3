//! The lists that Mastodon imports, named and laid out as its own export has them.

use std::{io::Write as _, path::Path};

use chrono::{DateTime, Utc};
use serde_json::Value;
use store::{
    Db,
    archive::{self, entries},
};

use super::{Written, out::create};

/// List here, file, heading, and what stands behind each account.
const FILES: [(&str, &str, &str, &str); 5] = [
    (
        "following",
        "following_accounts.csv",
        "Account address,Show boosts,Notify on new posts,Languages",
        ",true,false,",
    ),
    ("followers", "followers.csv", "Account address", ""),
    (
        "mutes",
        "muted_accounts.csv",
        "Account address,Hide notifications",
        ",true",
    ),
    ("blocks", "blocked_accounts.csv", "", ""),
    ("domain_blocks", "blocked_domains.csv", "", ""),
];

/// The year 9999: the last one that is spelled like all others, which is how SQLite compares times.
const FAR: i64 = 253_370_764_800;

/// Writes who and what is on each list now.
pub(super) async fn lists(db: &Db, folder: &Path, login: &str) -> anyhow::Result<Written> {
    let mut written = Written::default();
    // Whoever is on a list is on it until further notice.
    let now = DateTime::<Utc>::from_timestamp(FAR, 0).unwrap_or_default();
    for (list, file, heading, behind) in FILES {
        let rows = entries::at(db, login, list, now).await?;
        let lines = rows.iter().map(|row| format!("{}{behind}", cell(&row.entry)));
        write(&mut written, folder, file, heading, lines)?;
    }
    let mut members = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for row in entries::at(db, login, "lists", now).await? {
        let value: Value = serde_json::from_str(&row.body).unwrap_or_default();
        let title = value["title"].as_str().unwrap_or_default().to_owned();
        if !seen.insert(title.clone()) {
            continue;
        }
        for member in entries::at(db, login, &format!("list:{title}"), now).await? {
            members.push(format!("{},{}", cell(&title), cell(&member.entry)));
        }
    }
    write(&mut written, folder, "lists.csv", "", members.into_iter())?;
    let tags = entries::at(db, login, "followed_tags", now).await?;
    write(
        &mut written,
        folder,
        "followed_tags.csv",
        "",
        tags.iter().map(|row| cell(&row.entry)),
    )?;

    let mut bookmarks = Vec::new();
    let mut after = -1;
    loop {
        let page = archive::open_activities(db, login, "bookmark", after, 1000).await?;
        let Some(last) = page.last() else { break };
        after = last.status;
        let ids: Vec<i64> = page.iter().map(|one| one.status).collect();
        bookmarks.extend(archive::list(db, &ids).await?.into_iter().map(|kept| cell(&kept.uri)));
    }
    write(&mut written, folder, "bookmarks.csv", "", bookmarks.into_iter())?;
    Ok(written)
}

fn write(
    written: &mut Written,
    folder: &Path,
    file: &str,
    heading: &str,
    lines: impl Iterator<Item = String>,
) -> std::io::Result<()> {
    let path = folder.join(file);
    let mut out = create(&path)?;
    if !heading.is_empty() {
        writeln!(out, "{heading}")?;
    }
    for line in lines {
        writeln!(out, "{line}")?;
        written.statuses += 1;
    }
    out.flush()?;
    written.files.push(path);
    Ok(())
}

/// A cell as Mastodon reads it: quoted where it has to be. No apostrophe before a formula, for Mastodon would take it
/// for a part of the name; none of these begin as one does.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
