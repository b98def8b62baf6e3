//! Drives `pg_dump`, and believes a dump only after looking at it. What is not good never gets a dump's name, and the
//! last good one is never forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, Utc};
use job::JobContext;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tracing::{info, warn};

use super::target::Target;
use crate::{
    config::{Database, PgDump},
    gather::snapshot::{hex, make_folder},
    plan::keep::{Kept, surplus},
    process::{self, Program, private},
};

/// A good dump, as the file beside it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dump {
    /// Which database.
    pub database: String,
    /// When it was begun.
    pub made_at: DateTime<Utc>,
    /// Its length.
    pub bytes: u64,
    /// Of the file.
    pub sha256: String,
    /// How many tables it has data of.
    pub tables: usize,
    /// Rows counted after restoring it into a scratch database.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub restored: BTreeMap<String, u64>,
}

/// Good dumps of a database (or all), newest first, by name: those with a manifest that fits.
pub fn found(folder: &Path, database: Option<&str>) -> Vec<(String, Dump)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(dump) = name.strip_suffix(".json").filter(|name| name.ends_with(".dump")) else {
            continue;
        };
        let manifest = fs::read(entry.path())
            .ok()
            .and_then(|text| serde_json::from_slice::<Dump>(&text).ok());
        let length = fs::metadata(folder.join(dump)).map_or(0, |it| it.len());
        if let Some(manifest) = manifest.filter(|it| it.bytes == length)
            && database.is_none_or(|database| manifest.database == database)
        {
            all.push((dump.to_owned(), manifest));
        }
    }
    all.sort_by_key(|(name, dump)| std::cmp::Reverse((dump.made_at, name.clone())));
    all
}

/// A file that goes when it is not kept.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Dumps one database and looks at what came out. Gives the good dump.
///
/// # Errors
/// What was wrong; nothing has a dump's name then, and what was there stays.
pub async fn dump(
    cx: &JobContext,
    config: &PgDump,
    folder: &Path,
    name: &str,
    database: &Database,
) -> anyhow::Result<(String, Dump)> {
    make_folder(folder).with_context(|| format!("no dump can be written to {}", folder.display()))?;
    sweep(folder, name);
    let made_at = cx.clock.now();
    let file = format!("{name}-{}.dump", made_at.format("%Y%m%dT%H%M%SZ"));
    let partial = Partial(folder.join(format!(".{file}.partial")));
    let target = Target::read(&database.url_file)?;
    let limit = config.timeout;
    let at = format!("--dbname={}", target.url);
    let dumped = target.program(&config.pg_dump, &["--format=custom", "--no-password", &at]);
    checked(&dumped, Some(&partial.0), limit, cx).await.context("pg_dump")?;

    let tables = tables(cx, config, folder, &file, &partial.0, &target).await?;
    let lacking: Vec<&String> = database
        .tables
        .iter()
        .filter(|table| !tables.contains(*table))
        .collect();
    ensure!(
        lacking.is_empty(),
        "the dump lacks the tables {lacking:?}; it is not kept"
    );
    ensure!(
        !tables.is_empty(),
        "the dump holds no data of any table; it is not kept"
    );

    let (bytes, sha256) = hashed(&partial.0).with_context(|| format!("cannot read {file}"))?;
    if let Some((last, good)) = found(folder, Some(name)).first() {
        #[expect(clippy::cast_precision_loss, reason = "a rough comparison")]
        let small = (bytes as f64) < good.bytes as f64 * config.shrink;
        ensure!(
            !small,
            "the dump has {bytes} bytes, and {last} had {}; it is not kept. Where that is right, lower \
             [operations.pg_dump] shrink for once",
            good.bytes
        );
    }
    let restored = match &database.scratch_url_file {
        Some(scratch) => restore(cx, config, &Target::read(scratch)?, &partial.0, &database.tables).await?,
        None => BTreeMap::new(),
    };
    let manifest = Dump {
        database: name.to_owned(),
        made_at,
        bytes,
        sha256,
        tables: tables.len(),
        restored,
    };
    keep(folder, &file, &partial.0, &manifest)
        .with_context(|| format!("no dump can be written to {}", folder.display()))?;
    Ok((file, manifest))
}

/// Gives a dump its name, the manifest first: without it the dump counts for nothing, and without the dump it does not fit.
fn keep(folder: &Path, file: &str, partial: &Path, manifest: &Dump) -> io::Result<()> {
    let beside = folder.join(format!("{file}.json"));
    let draft = Partial(folder.join(format!(".{file}.json.partial")));
    let mut out = private(&draft.0)?;
    serde_json::to_writer(&mut out, manifest)?;
    out.sync_all()?;
    File::open(partial)?.sync_all()?;
    fs::rename(&draft.0, beside)?;
    fs::rename(partial, folder.join(file))?;
    File::open(folder)?.sync_all()
}

/// What a killed process left of this database.
fn sweep(folder: &Path, name: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name().to_string_lossy().into_owned();
        if left.starts_with(&format!(".{name}-")) && left.ends_with(".partial") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

async fn checked(program: &Program, to: Option<&Path>, limit: Duration, cx: &JobContext) -> anyhow::Result<String> {
    let ran = process::run(program, to, limit, &cx.stop).await?;
    if ran.is_well() {
        Ok(ran.output)
    } else {
        bail!(ran.told())
    }
}

/// Tables that the dump holds data of, by its own table of contents.
async fn tables(
    cx: &JobContext,
    config: &PgDump,
    folder: &Path,
    file: &str,
    partial: &Path,
    target: &Target,
) -> anyhow::Result<BTreeSet<String>> {
    let contents = Partial(folder.join(format!(".{file}.list.partial")));
    let mut list = target.program(&config.pg_restore, &["--list"]);
    list.stdin = Some(partial.to_owned());
    checked(&list, Some(&contents.0), config.timeout, cx)
        .await
        .context("pg_restore --list")?;
    let text = fs::read_to_string(&contents.0).context("pg_restore --list")?;
    Ok(text.lines().filter_map(table).collect())
}

/// `4242; 0 16400 TABLE DATA public accounts mastodon` to `accounts`.
fn table(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(" TABLE DATA ")?;
    let mut words = rest.split_whitespace();
    let (_schema, name) = (words.next()?, words.next()?);
    Some(name.to_owned())
}

fn hashed(file: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(file)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hex(hash.finalize().as_slice()))),
            read => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Restores a dump into a database of its own, counts, and drops it.
async fn restore(
    cx: &JobContext,
    config: &PgDump,
    scratch: &Target,
    dump: &Path,
    tables: &[String],
) -> anyhow::Result<BTreeMap<String, u64>> {
    let name = format!("egret_scratch_{}", uuid::Uuid::new_v4().simple());
    let server = format!("--dbname={}", scratch.url);
    let say = |sql: String| {
        scratch.program(
            &config.psql,
            &["--no-psqlrc", "--no-password", "-qAt", &server, "-c", &sql],
        )
    };
    let limit = config.timeout;
    checked(&say(format!("CREATE DATABASE {name}")), None, limit, cx)
        .await
        .context("no scratch database can be made")?;
    let counted = async {
        let there = format!("--dbname={}", scratch.database(&name)?);
        let options = [
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "--no-password",
            &there,
        ];
        let mut back = scratch.program(&config.pg_restore, &options);
        back.stdin = Some(dump.to_owned());
        checked(&back, None, limit, cx)
            .await
            .context("the dump cannot be restored")?;
        let mut rows = BTreeMap::new();
        for table in tables {
            let sql = format!("SELECT COUNT(*) FROM \"{}\"", table.replace('"', "\"\""));
            let count = scratch.program(
                &config.psql,
                &["--no-psqlrc", "--no-password", "-qAt", &there, "-c", &sql],
            );
            let said = checked(&count, None, limit, cx)
                .await
                .with_context(|| format!("cannot count {table}"))?;
            rows.insert(
                table.clone(),
                said.trim().parse().with_context(|| format!("cannot count {table}"))?,
            );
        }
        Ok(rows)
    };
    let counted: anyhow::Result<BTreeMap<String, u64>> = counted.await;
    // Also where the run is stopped: nobody else knows its name.
    let unstopped = tokio_util::sync::CancellationToken::new();
    let dropped = process::run(
        &say(format!("DROP DATABASE {name}")),
        None,
        Duration::from_secs(60),
        &unstopped,
    )
    .await;
    if !dropped.is_ok_and(|ran| ran.is_well()) {
        warn!(
            database = name,
            "a scratch database could not be dropped; drop it by hand"
        );
    }
    counted
}

/// Forgets good dumps that are neither among the newest of the last days nor weeks. Gives how many.
pub fn prune(folder: &Path, name: &str, config: &PgDump, now: DateTime<Utc>) -> usize {
    let ours: Vec<Kept<String>> = found(folder, Some(name))
        .into_iter()
        .map(|(name, dump)| Kept {
            name,
            made_at: dump.made_at,
            before_change: false,
        })
        .collect();
    let mut removed = 0;
    for file in surplus(&ours, config.keep_daily, config.keep_weekly, now) {
        // The dump first: a manifest without one is no dump.
        match fs::remove_file(folder.join(&file)).and_then(|()| fs::remove_file(folder.join(format!("{file}.json")))) {
            Ok(()) => {
                info!(file, "forgot an old dump");
                removed += 1;
            }
            Err(error) => warn!(file, %error, "cannot forget an old dump"),
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_contents_names_tables_with_data() {
        let line = "3921; 0 16497 TABLE DATA public domain_blocks mastodon";
        assert_eq!(table(line).as_deref(), Some("domain_blocks"));
        assert_eq!(table("215; 1259 16497 TABLE public domain_blocks mastodon"), None);
        assert_eq!(table("; Archive created at"), None);
    }
}
