//! A ZIP such as Mastodon makes of an account, for programs that read those: `actor.json`, `outbox.json`, `likes.json`,
//! `bookmarks.json` and the files that one's own statuses show.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde_json::{Value, json};
use store::{
    Db,
    archive::{self, Kept, files},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{Reader, Written, note::Owner, out::create};
use crate::{Blobs, addresses, names::ending};

type Zip = ZipWriter<BufWriter<File>>;

/// Writes `mastodon-archive-NAME.zip`.
pub(super) async fn mastodon(db: &Db, blobs: &Blobs, folder: &Path, login: &str) -> anyhow::Result<Written> {
    let newest = newest(db, login).await?;
    let newest = newest.ok_or_else(|| anyhow::anyhow!("nothing that {login} wrote is kept"))?;
    let account: Value = serde_json::from_str::<Value>(&newest.body).unwrap_or_default()["account"].take();
    let owner = Owner::of(&account, &newest.author);
    let path = folder.join(format!("mastodon-archive-{}.zip", crate::names::name(&newest.author)));
    let mut written = Written::default();
    let mut zip = ZipWriter::new(create(&path)?);
    let json_options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);

    zip.start_file("outbox.json", json_options)?;
    begin(&mut zip, "outbox.json")?;
    let mut first = true;
    let mut media: HashMap<String, (String, String)> = HashMap::new();
    let mut reader = Reader::of(db, Some(login));
    while let Some((page, activities)) = reader.next().await? {
        let shown = shown_files(db, &page).await?;
        for kept in &page {
            let of_kind = |kind: &str| {
                activities
                    .iter()
                    .find(|one| one.status == kept.id && one.kind == kind && one.ended_at.is_none())
            };
            // Of what was deleted Mastodon's own archive knows nothing either; other formats have it.
            if of_kind("post").is_some() && kept.gone_at.is_none() {
                let parent = parent(db, kept).await?;
                let activity = owner.create(kept, parent.as_deref(), &shown);
                item(&mut zip, &mut first, &activity)?;
                let status: Value = serde_json::from_str(&kept.body).unwrap_or_default();
                for url in crate::item::list(&status["media_attachments"])
                    .flat_map(|medium| [medium["url"].as_str(), medium["remote_url"].as_str()])
                    .flatten()
                {
                    if let Some(file) = shown.get(url) {
                        media.insert(file.0.clone(), file.clone());
                    }
                }
                written.statuses += 1;
            }
            if let Some(boost) = of_kind("boost") {
                item(&mut zip, &mut first, &owner.announce(kept, boost))?;
                written.statuses += 1;
            }
        }
    }
    write!(zip, "],\"totalItems\":{}}}", written.statuses)?;
    for (kind, name) in [("favourite", "likes.json"), ("bookmark", "bookmarks.json")] {
        zip.start_file(name, json_options)?;
        begin(&mut zip, name)?;
        marks(db, login, kind, &mut zip).await?;
        zip.write_all(b"]}")?;
    }
    let icon = match account["avatar"].as_str() {
        Some(url) => files::kept(db, &[url.to_owned()]).await?.pop(),
        None => None,
    };
    let icon = icon.map(|(_, blob, kind)| (format!("avatar.{}", ending(&kind)), blob, kind));
    zip.start_file("actor.json", json_options)?;
    let named = icon.as_ref().map(|(path, _, kind)| (path.as_str(), kind.as_str()));
    zip.write_all(serde_json::to_string(&owner.actor(&account, named))?.as_bytes())?;

    // Pictures do not shrink.
    let stored = json_options.compression_method(CompressionMethod::Stored);
    let pictures = media.into_keys().map(|path| {
        let blob = path
            .rsplit('/')
            .next()
            .and_then(|file| file.split('.').next())
            .unwrap_or_default()
            .to_owned();
        (path, blob)
    });
    for (path, blob) in pictures.chain(icon.map(|(path, blob, _)| (path, blob))) {
        let Some(Ok(mut file)) = blobs.path(&blob).map(File::open) else {
            continue;
        };
        zip.start_file(path, stored)?;
        io::copy(&mut file, &mut zip)?;
        written.media += 1;
    }
    zip.finish()?.flush()?;
    written.files.push(path);
    Ok(written)
}

/// The newest status of their own: it tells who they are.
async fn newest(db: &Db, login: &str) -> Result<Option<Kept>, store::Error> {
    let filter = store::archive::search::Filter {
        logins: Some(vec![login.to_owned()]),
        kinds: vec!["post".to_owned()],
        ..Default::default()
    };
    Ok(store::archive::search::search(db, &filter, 1).await?.pop())
}

/// The uri of what a status answers, as far as it is known.
async fn parent(db: &Db, kept: &Kept) -> Result<Option<String>, store::Error> {
    let Some(to) = &kept.in_reply_to else { return Ok(None) };
    if to.starts_with("http") {
        return Ok(Some(to.clone()));
    }
    archive::parent_uri(db, &kept.server, to).await
}

async fn shown_files(db: &Db, page: &[Kept]) -> Result<HashMap<String, (String, String)>, store::Error> {
    let urls: Vec<String> = page
        .iter()
        .flat_map(|kept| addresses(&serde_json::from_str(&kept.body).unwrap_or_default()))
        .collect();
    let there = files::kept(db, &urls).await?;
    let named = there.into_iter().map(|(url, blob, kind)| {
        let path = format!(
            "media_attachments/files/{}/{blob}.{}",
            &blob[..2.min(blob.len())],
            ending(&kind)
        );
        (url, (path, kind))
    });
    Ok(named.collect())
}

fn begin(zip: &mut Zip, id: &str) -> io::Result<()> {
    let head = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
    });
    let head = head.to_string();
    write!(zip, "{},\"orderedItems\":[", head.trim_end_matches('}'))
}

fn item(zip: &mut Zip, first: &mut bool, value: &Value) -> io::Result<()> {
    if !std::mem::take(first) {
        zip.write_all(b",\n")?;
    }
    write!(zip, "{value}")
}

async fn marks(db: &Db, login: &str, kind: &str, zip: &mut Zip) -> anyhow::Result<()> {
    let (mut after, mut first) = (-1, true);
    loop {
        let page = archive::open_activities(db, login, kind, after, 1000).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.status;
        let ids: Vec<i64> = page.iter().map(|one| one.status).collect();
        for kept in archive::list(db, &ids).await? {
            item(zip, &mut first, &Value::from(kept.uri))?;
        }
    }
}
