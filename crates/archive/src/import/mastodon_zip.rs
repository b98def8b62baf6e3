//! Mastodon's own archive, from 2018's `tar.gz` to today's ZIP: what somebody wrote, with its files. Of what they boosted,
//! favourited and bookmarked it has addresses alone: their server is asked for what the archive does not have.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::Read,
    path::Path,
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use store::archive::{
    files,
    wanted::{self, Wanted},
};
use tokio::sync::mpsc;

use super::{
    Imported, Into, LARGEST_FILE, Saver,
    note::{Actor, Deed, deed, url_of},
    package::Package,
};
use crate::blobs::{Cut, Kind};

/// Read ahead of what is saved.
const AHEAD: usize = 100;

/// Something that was read.
enum Read1 {
    Activity(Box<Value>),
    Marked(&'static str, String),
    /// A file under its name in the archive, in pieces; the last is empty.
    File(String, Vec<u8>),
}

/// Reads an archive that Mastodon made.
///
/// # Errors
/// When it is none, or cannot be read, or the store or disk fails.
pub async fn mastodon_zip(into: Into<'_>, file: &Path) -> anyhow::Result<Imported> {
    let package = Package::open(file)?;
    let actor = {
        let package = package.clone();
        tokio::task::spawn_blocking(move || actor(&package)).await??
    };
    let mut saver = Saver::new(into, "");
    let mut marks: Vec<Wanted> = Vec::new();
    let mut wanted: HashMap<String, String> = HashMap::new();
    let (send, mut read) = mpsc::channel(AHEAD);
    let reader = {
        let package = package.clone();
        tokio::task::spawn_blocking(move || lists(&package, &send))
    };
    while let Some(one) = read.recv().await {
        match one {
            Read1::Activity(activity) => match deed(&actor, &activity, into.now) {
                Some(Deed::Wrote(item)) => {
                    for file in &item.files {
                        if let Some(path) = file.url.strip_prefix(&url_of(&actor.server, "")) {
                            wanted.insert(path.to_owned(), file.url.clone());
                        }
                    }
                    saver.add(Some(*item)).await?;
                }
                Some(Deed::Boosted(mark)) => marks.push(mark),
                None => saver.add(None).await?,
            },
            Read1::Marked(kind, uri) => marks.push(Wanted {
                kind: kind.to_owned(),
                uri,
                at: None,
                visibility: None,
                tries: 0,
            }),
            Read1::File(..) => {}
        }
    }
    reader.await??;
    saver.flush().await?;
    let marked = wanted::mark(into.db, into.login, &marks, into.now).await?;
    saver.found.read += marks.len() as u64;
    saver.found.saved.activities += marked.new;
    saver.found.wanted += marked.wanted;
    saver.found.without_status += (marks.len() as u64).saturating_sub(marked.known + marked.wanted);
    media(into, package, wanted, &mut saver.found).await?;
    Ok(saver.found)
}

/// The name of an entry without the folder that everything may stand in.
fn is_named(entry: &str, name: &str) -> bool {
    entry.rsplit(['/', '\\']).next() == Some(name)
}

fn actor(package: &Package) -> anyhow::Result<Actor> {
    let mut found = None;
    package.each(|name, bytes| {
        if is_named(name, "actor.json") && found.is_none() {
            let mut text = Vec::new();
            Read::take(bytes, 4 << 20).read_to_end(&mut text)?;
            found = Actor::of(&serde_json::from_slice(&text)?);
        }
        Ok(())
    })?;
    found.ok_or_else(|| anyhow::anyhow!("there is no actor.json in it: no archive of Mastodon's"))
}

/// Reads the lists an item at a time, however long they are.
fn lists(package: &Package, send: &mpsc::Sender<Read1>) -> anyhow::Result<()> {
    package.each(|name, bytes| {
        let kind = match () {
            () if is_named(name, "outbox.json") => None,
            () if is_named(name, "likes.json") => Some("favourite"),
            () if is_named(name, "bookmarks.json") => Some("bookmark"),
            () => return Ok(()),
        };
        let mut items = |item: Value| match (kind, item) {
            (None, item) => send.blocking_send(Read1::Activity(Box::new(item))).is_ok(),
            (Some(kind), Value::String(uri)) => send.blocking_send(Read1::Marked(kind, uri)).is_ok(),
            _ => true,
        };
        let mut reader = serde_json::Deserializer::from_reader(std::io::BufReader::new(bytes));
        Items(&mut items).deserialize(&mut reader)?;
        Ok(())
    })
}

/// The files that statuses show, each piped into the archive's folder.
async fn media(
    into: Into<'_>,
    package: Package,
    mut wanted: HashMap<String, String>,
    found: &mut Imported,
) -> anyhow::Result<()> {
    let urls: Vec<String> = wanted.values().cloned().collect();
    let known = files::kept(into.db, &urls).await?;
    found.files += known.len() as u64;
    let known: HashSet<String> = known.into_iter().map(|(url, ..)| url).collect();
    wanted.retain(|_, url| !known.contains(url));
    if wanted.is_empty() {
        return Ok(());
    }
    let names: HashSet<String> = wanted.keys().cloned().collect();
    let (send, mut read) = mpsc::channel(AHEAD);
    let reader = tokio::task::spawn_blocking(move || {
        package.each(|entry, bytes| {
            // The same below a folder that everything may stand in.
            let below = entry.match_indices('/').map(|(at, _)| &entry[at + 1..]);
            let Some(name) = std::iter::once(entry).chain(below).find_map(|name| names.get(name)) else {
                return Ok(());
            };
            loop {
                let mut piece = Vec::new();
                Read::take(&mut *bytes, 256 << 10).read_to_end(&mut piece)?;
                let end = piece.is_empty();
                if send.blocking_send(Read1::File(name.clone(), piece)).is_err() || end {
                    return Ok(());
                }
            }
        })
    });
    let mut part = None;
    let mut odd = false;
    while let Some(one) = read.recv().await {
        let Read1::File(name, piece) = one else { continue };
        if piece.is_empty() {
            let whole: Option<crate::blobs::Part> = part.take();
            if let Some(whole) = whole.filter(|whole| !odd && whole.kind() != Kind::Unknown)
                && let Some(url) = wanted.remove(&name)
            {
                let blob = whole.keep().await?;
                files::mark_kept(into.db, &url, &blob, into.now).await?;
                found.files += 1;
            }
            odd = false;
            continue;
        }
        if part.is_none() {
            part = Some(into.blobs.begin().await?);
        }
        if let Some(part) = part.as_mut().filter(|_| !odd) {
            match part.write(&piece, LARGEST_FILE).await {
                Ok(()) => {}
                Err(Cut::TooLarge) => odd = true,
                Err(Cut::Disk(error)) => return Err(error.into()),
            }
        }
    }
    reader.await??;
    found.files_missing += wanted.len() as u64;
    Ok(())
}

/// Hands each item of `orderedItems` on as it is read; `false` ends it.
struct Items<'f>(&'f mut dyn FnMut(Value) -> bool);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a collection of ActivityPub")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "orderedItems" {
                map.next_value_seed(Each(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Each<'f>(&'f mut dyn FnMut(Value) -> bool);

impl<'de> DeserializeSeed<'de> for Each<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<Value>()? {
            if !(self.0)(item) {
                return Err(A::Error::custom("nobody reads on"));
            }
        }
        Ok(())
    }
}
