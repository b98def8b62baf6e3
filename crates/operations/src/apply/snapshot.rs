//! Takes a snapshot, and forgets old ones.

use std::{collections::BTreeMap, io, path::Path};

use chrono::{DateTime, Utc};
use job::{JobError, Login};
use mastodon::{AdminList, Error};
use serde_json::Value;
use store::{Db, block_entries, effects};
use tracing::warn;

use crate::{
    config::Snapshot,
    gather::snapshot::{self, FORMAT, Found, Manifest, Writer},
    plan::keep::{Kept, surplus},
};

/// Effects read at once.
const PAGE: u32 = 500;

/// Reads everything and writes it down; `why` is `nightly`, `by hand` or `before …`.
///
/// # Errors
/// When the server or the store cannot be read, or the disk takes nothing; nothing half is left then.
pub async fn take(db: &Db, login: &Login, folder: &Path, why: &str, at: DateTime<Utc>) -> Result<Found, JobError> {
    let full = |error: io::Error| unwritten(folder, &error);
    let mut writer = Writer::begin(folder, &login.server, at).map_err(full)?;
    let mut manifest = Manifest {
        format: FORMAT,
        server: login.server.clone(),
        version: login.client.instance().await?.version,
        made_at: at,
        why: why.to_owned(),
        counts: BTreeMap::new(),
        missing: BTreeMap::new(),
        sha256: String::new(),
    };
    for list in AdminList::ALL {
        let read = login.client.admin_list(list).await;
        part(&mut writer, &mut manifest, list.name(), read, folder)?;
    }
    let rules = login.client.rules().await;
    part(&mut writer, &mut manifest, "rules", rules, folder)?;
    let entries = block_entries::list(db, &login.server).await?;
    let entries: Result<Vec<Value>, _> = entries.iter().map(serde_json::to_value).collect();
    let entries = entries.map_err(|error| JobError::Permanent(error.into()))?;
    part(&mut writer, &mut manifest, "block_entries", Ok(entries), folder)?;
    let mut before = None;
    let mut written = 0;
    loop {
        let filter = effects::Filter {
            server: Some(login.server.clone()),
            before: before.take(),
            ..effects::Filter::default()
        };
        let page = effects::search(db, &filter, PAGE).await?;
        for effect in page.iter().filter(|effect| effect.state != effects::State::Rehearsed) {
            let row = serde_json::to_value(effect).map_err(|error| JobError::Permanent(error.into()))?;
            writer.add("effects", &row).map_err(full)?;
            written += 1;
        }
        before = page.last().map(|effect| effect.id.clone());
        if before.is_none() {
            break;
        }
    }
    manifest.counts.insert("effects".to_owned(), written);
    let path = writer.finish(manifest.clone()).map_err(full)?;
    // Read again, whole: what cannot be read today cannot be restored tomorrow.
    let (manifest, _) = snapshot::read(&path, |_| false).map_err(|error| JobError::Transient(error.into()))?;
    Ok(Found {
        name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes: path.metadata().map_or(0, |it| it.len()),
        manifest: Some(manifest),
    })
}

fn part(
    writer: &mut Writer,
    manifest: &mut Manifest,
    name: &str,
    read: Result<Vec<Value>, Error>,
    folder: &Path,
) -> Result<(), JobError> {
    match read {
        Ok(rows) => {
            for row in &rows {
                writer.add(name, row).map_err(|error| unwritten(folder, &error))?;
            }
            manifest.counts.insert(name.to_owned(), rows.len() as u64);
            Ok(())
        }
        // The token may not, the role may not, or the server has no such thing: the rest is worth keeping.
        Err(error @ (Error::Scope { .. } | Error::Forbidden { .. } | Error::NotFound { .. } | Error::Gone { .. }))
            if name != AdminList::DomainBlocks.name() =>
        {
            manifest.missing.insert(name.to_owned(), error.to_string());
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn unwritten(folder: &Path, error: &io::Error) -> JobError {
    let what_to_do = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full: make room there",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "let the user that egret runs as write there, or set [operations] folder"
        }
        _ => "mend it, or set [operations] folder",
    };
    JobError::Transient(anyhow::anyhow!(
        "no snapshot can be written to {}: {error}; {what_to_do}",
        folder.display()
    ))
}

/// Forgets snapshots of a server that are neither among the newest of the last days and weeks nor before a recent
/// change. Gives how many.
pub fn prune(folder: &Path, server: &str, config: &Snapshot, now: DateTime<Utc>) -> usize {
    let found = match snapshot::found(folder) {
        Ok(found) => found,
        Err(error) => {
            warn!(%error, "cannot look for old snapshots");
            return 0;
        }
    };
    let ours: Vec<Kept<String>> = found
        .into_iter()
        .filter_map(|it| {
            let manifest = it.manifest.filter(|manifest| manifest.server == server)?;
            Some(Kept {
                name: it.name,
                made_at: manifest.made_at,
                before_change: manifest.is_before_change(),
            })
        })
        .collect();
    let gone = surplus(&ours, config.keep_daily, config.keep_weekly, now);
    let removed = gone
        .iter()
        .filter(|name| match std::fs::remove_file(folder.join(name)) {
            Ok(()) => true,
            Err(error) => {
                warn!(file = name.as_str(), %error, "cannot forget an old snapshot");
                false
            }
        });
    removed.count()
}
