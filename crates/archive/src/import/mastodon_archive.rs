//! mastodon-archive's JSON, whole or split, with the files it fetched.

use std::path::Path;

use anyhow::Context as _;
use mastodon::raw_field;
use serde_json::Value;
use store::archive::NewActivity;

use super::{Imported, Into, Saver, pieces::Pieces, within};
use crate::item::{self, Owner};

/// Its collections, and what the login has to do with what is in them.
const COLLECTIONS: [(&str, &str); 5] = [
    ("statuses", "post"),
    ("favourites", "favourite"),
    ("bookmarks", "bookmark"),
    ("mentions", "mention"),
    ("replies", "thread"),
];

/// Reads `DOMAIN.user.NAME.json` (any of its split parts too) and the folder of the same name, where files are.
///
/// # Errors
/// When the file cannot be read or is no such archive, or the store or disk fails.
pub async fn mastodon_archive(into: Into<'_>, file: &Path) -> anyhow::Result<Imported> {
    let reading = || format!("cannot read {}", file.display());
    let opened = std::fs::File::open(file).with_context(reading)?;
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (server, rest) = name.split_once(".user.").with_context(|| {
        format!("{name:?} is no archive of mastodon-archive; its files are called DOMAIN.user.NAME.json")
    })?;
    let user = rest.split('.').next().unwrap_or_default();
    let acct = item::full_acct(user, server);
    let owner = Owner { server, acct: &acct };
    let folder = file.with_file_name(format!("{server}.user.{user}"));
    let mut saver = Saver::new(into, server);
    let mut pieces = Pieces::of(std::io::BufReader::with_capacity(256 << 10, opened));
    let mut any = false;
    while let Some((collection, body)) = pieces.next().with_context(reading)? {
        let Some((_, kind)) = COLLECTIONS.iter().find(|(name, _)| *name == collection) else {
            continue;
        };
        any = true;
        let (kind, body) = (*kind, body.as_str());
        let mut activity = NewActivity {
            kind: kind.to_owned(),
            ..NewActivity::default()
        };
        // Mentions are notifications.
        let status = raw_field(body, "status").filter(|_| kind == "mention");
        if status.is_some() {
            let value: Value = serde_json::from_str(body).unwrap_or_default();
            activity.at = item::time(&value["created_at"]);
            activity.activity_id = item::id(&value["id"]);
        }
        let item = item::of_status(owner, status.unwrap_or(body), activity, into.now);
        let quoted = item::of_quoted(owner, status.unwrap_or(body), into.now);
        let urls: Vec<String> = item
            .iter()
            .flat_map(|item| &item.files)
            .map(|file| file.url.clone())
            .collect();
        saver.add(item).await?;
        saver.quoted(quoted);
        for url in urls {
            let path = net::Url::parse(&url).ok().and_then(|url| within(&folder, url.path()));
            if path.is_some() {
                saver.file(&url, path).await?;
            }
        }
    }
    anyhow::ensure!(
        any || pieces.saw(&COLLECTIONS.map(|(name, _)| name)),
        "{} holds no collection of mastodon-archive; it has statuses, favourites, bookmarks or mentions",
        file.display()
    );
    saver.flush().await?;
    Ok(saver.found)
}
