//! A snapshot as a file: JSON lines, and last the manifest, with the checksum of all that stands before it. A file that
//! breaks off has no manifest, and a changed one has another checksum.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::process::private;

/// How snapshots of today are written.
pub const FORMAT: u32 = 1;

/// What a name ends in.
const ENDING: &str = ".snapshot.jsonl";

/// A manifest is never longer.
const LONGEST: u64 = 64 * 1024;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Of which part: a list of the server, `rules`, `block_entries`, `effects`.
    pub part: String,
    /// As it was read.
    pub row: Value,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Which server, `host[:port]`.
    pub server: String,
    /// What it runs.
    pub version: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// `nightly`, `by hand`, or before what: `before blocklists`.
    pub why: String,
    /// Rows of each part that was read.
    pub counts: std::collections::BTreeMap<String, u64>,
    /// Parts that could not be read, and why: the token may not, or the server has no such thing.
    pub missing: std::collections::BTreeMap<String, String>,
    /// Of every byte before this line.
    pub sha256: String,
}

impl Manifest {
    /// Whether it was made before something was changed.
    pub fn is_before_change(&self) -> bool {
        self.why.starts_with("before ")
    }
}

/// Why a snapshot is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("cannot read {}: {source}; `egret backup list` shows those there are", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its content.
    #[error("{} is damaged: {reason}; take an older one (`egret backup list`)", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// Written by a newer egret.
    #[error("{} was written by a newer egret (format {format}); restore it with that", path.display())]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
}

/// Writes one, line by line, under a name that says it is not done.
#[derive(Debug)]
pub struct Writer {
    file: BufWriter<File>,
    hash: Sha256,
    partial: PathBuf,
    path: PathBuf,
}

impl Writer {
    /// Begins a snapshot in a folder, which is made if need be.
    ///
    /// # Errors
    /// When the folder does not let us.
    pub fn begin(folder: &Path, server: &str, at: DateTime<Utc>) -> io::Result<Self> {
        make_folder(folder)?;
        sweep(folder, server);
        let stamp = at.format("%Y%m%dT%H%M%S%3fZ");
        let path = folder.join(format!("{}-{stamp}{ENDING}", file_name(server)));
        let partial = folder.join(format!(".{}-{stamp}.{}.partial", file_name(server), std::process::id()));
        Ok(Self {
            file: BufWriter::new(private(&partial)?),
            hash: Sha256::new(),
            partial,
            path,
        })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it cannot be written: the disk is full.
    pub fn add(&mut self, part: &str, row: &Value) -> io::Result<()> {
        let mut line = serde_json::to_vec(&serde_json::json!({ "part": part, "row": row }))?;
        line.push(b'\n');
        self.hash.update(&line);
        self.file.write_all(&line)
    }

    /// Ends it: only now does it have its name.
    ///
    /// # Errors
    /// When it cannot be written; nothing has its name then.
    pub fn finish(mut self, mut manifest: Manifest) -> io::Result<PathBuf> {
        manifest.sha256 = hex(self.hash.clone().finalize().as_slice());
        serde_json::to_writer(&mut self.file, &manifest)?;
        self.file.write_all(b"\n")?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        std::fs::rename(&self.partial, &self.path)?;
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(self.path.clone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Gone already where it was finished.
        let _ = std::fs::remove_file(&self.partial);
    }
}

/// No snapshot takes so long: what has not grown since was left by a process that was killed.
const LEFT: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Takes away what killed processes left of a server's snapshots. One that is being written stays.
fn sweep(folder: &Path, server: &str) {
    let begin = format!(".{}-", file_name(server));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let written = entry.metadata().and_then(|it| it.modified()).ok();
        let is_old = written.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > LEFT);
        if name.starts_with(&begin) && name.ends_with(".partial") && is_old {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes a folder for this user's eyes alone.
///
/// # Errors
/// When its parent does not let us.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Bytes as text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A server in the name of a file.
fn file_name(server: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".-".contains(c) {
            c
        } else {
            '_'
        }
    };
    server.chars().map(plain).take(100).collect()
}

/// One in a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Its name, for `egret backup restore`.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Its manifest; what is not a whole snapshot has none.
    pub manifest: Option<Manifest>,
}

/// Snapshots in a folder, newest first; none where there is no folder.
///
/// # Errors
/// When it cannot be read.
pub fn found(folder: &Path) -> Result<Vec<Found>, Error> {
    let failed = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if !name.ends_with(ENDING) || name.starts_with('.') {
            continue;
        }
        all.push(Found {
            bytes: entry.metadata().map_or(0, |it| it.len()),
            manifest: manifest(&entry.path()).ok(),
            name,
        });
    }
    all.sort_by_key(|it| std::cmp::Reverse((it.manifest.as_ref().map(|it| it.made_at), it.name.clone())));
    Ok(all)
}

/// The manifest alone, from the end of the file. Its checksum is not looked at.
fn manifest(path: &Path) -> Result<Manifest, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let damaged = |reason| Error::Damaged {
        path: path.to_owned(),
        reason,
    };
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))
        .map_err(failed)?;
    let mut end = Vec::new();
    file.take(LONGEST).read_to_end(&mut end).map_err(failed)?;
    let last = end
        .strip_suffix(b"\n")
        .and_then(|rest| rest.rsplit(|byte| *byte == b'\n').next())
        .ok_or_else(|| damaged("it breaks off"))?;
    serde_json::from_slice(last).map_err(|_| damaged("it breaks off"))
}

/// Reads a snapshot to its end and gives the lines of the parts that are wanted: a server's effects of years need not be
/// in memory for its lists. None of it where anything is wrong with it, wanted or not.
///
/// # Errors
/// See [`Error`].
pub fn read(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<(Manifest, Vec<Line>), Error> {
    let manifest = manifest(path)?;
    if manifest.format > FORMAT {
        return Err(Error::Newer {
            path: path.to_owned(),
            format: manifest.format,
        });
    }
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let damaged = |reason| Error::Damaged {
        path: path.to_owned(),
        reason,
    };
    let total: u64 = manifest.counts.values().sum();
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut hash = Sha256::new();
    let mut lines = Vec::new();
    let mut text = Vec::new();
    for _ in 0..total {
        text.clear();
        reader.read_until(b'\n', &mut text).map_err(failed)?;
        hash.update(&text);
        let line: Line = serde_json::from_slice(&text).map_err(|_| damaged("a line cannot be read"))?;
        if wanted(&line.part) {
            lines.push(line);
        }
    }
    if hex(hash.finalize().as_slice()) != manifest.sha256 {
        return Err(damaged("its checksum is another"));
    }
    Ok((manifest, lines))
}
