//! Files on disk by what is in them: the same bytes are one file, under the SHA-256 of what they are.
//!
//! A file is written under a name of its own, and moved to its place once it is whole. What a crash leaves behind is
//! swept a day later. A long file that broke off is kept as half, with what its server calls this version of it, and
//! goes on where it ended.

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use sha2::{Digest as _, Sha256};
use store::archive::files::Blob;
use tokio::{
    fs,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
};

/// Bytes looked at to tell what a file is.
const HEAD: usize = 64;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The folder.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

/// What a file is, by its first bytes: neither its name nor what its server says is proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something that a browser shows or plays, by its type.
    Media(&'static str),
    /// Anything else.
    Unknown,
}

/// Why no more is written.
#[derive(Debug)]
pub(crate) enum Cut {
    TooLarge,
    Disk(io::Error),
}

/// Shorter files are fetched again from their beginning.
const WORTH_RESUMING: u64 = 256 << 10;
/// What nobody came back for in so long goes: another process may write to younger ones.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Halves wait as long as pauses between tries are.
const STALE_HALF: Duration = Duration::from_secs(30 * 24 * 3600);

/// A file that broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Half {
    path: PathBuf,
    /// What is there.
    pub(crate) len: u64,
    /// What its server called the version that it is of: for `If-Range`.
    pub(crate) version: String,
}

/// A file under way. Dropped before it is kept, it goes.
#[derive(Debug)]
pub(crate) struct Part {
    blobs: Blobs,
    path: PathBuf,
    file: Option<fs::File>,
    hash: Sha256,
    head: Vec<u8>,
    len: u64,
}

impl Blobs {
    /// Opens the folder, made for this user's eyes only where it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        let parts = folder.join("parts");
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&parts)?;
        builder.create(folder.join("blobs"))?;
        sweep(&parts);
        Ok(Self { folder })
    }

    /// Where the half of a file is, by the address.
    fn half_path(&self, url: &str) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(url);
        self.folder.join("parts").join(format!("{}.half", &hex(hash)[..32]))
    }

    /// What there is of a file that broke off.
    pub(crate) async fn half(&self, url: &str) -> Option<Half> {
        let path = self.half_path(url);
        let version = fs::read_to_string(path.with_extension("version")).await.ok()?;
        let len = fs::metadata(&path).await.ok()?.len();
        (len > 0 && !version.is_empty()).then_some(Half { path, len, version })
    }

    /// Goes on with a half.
    pub(crate) async fn go_on(&self, half: &Half) -> io::Result<Part> {
        let mut part = self.begin().await?;
        fs::rename(&half.path, &part.path).await?;
        let mut file = fs::OpenOptions::new().read(true).append(true).open(&part.path).await?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = file.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            part.take(&buffer[..read]);
        }
        part.file = Some(file);
        Ok(part)
    }

    /// There is no use in a half any more.
    pub(crate) async fn drop_half(&self, url: &str) {
        let path = self.half_path(url);
        let _ = fs::remove_file(path.with_extension("version")).await;
        let _ = fs::remove_file(path).await;
    }

    /// The folder, for reading only: nothing is made.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a blob is. Only a name that we gave is a path.
    pub fn path(&self, blob: &str) -> Option<PathBuf> {
        let ours = blob.len() == 64 && blob.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        ours.then(|| self.folder.join("blobs").join(&blob[..2]).join(&blob[2..]))
    }

    /// Begins a file.
    pub(crate) async fn begin(&self) -> io::Result<Part> {
        let (file, path) = loop {
            let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = self.folder.join("parts").join(name);
            // In two containers over one folder both processes may have the same number, and what one has begun is not
            // the other's to write to.
            match fs::OpenOptions::new().write(true).create_new(true).open(&path).await {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => break (opened?, path),
            }
        };
        Ok(Part {
            file: Some(file),
            blobs: self.clone(),
            path,
            hash: Sha256::new(),
            head: Vec::new(),
            len: 0,
        })
    }

    /// Whether a blob is what it was; `None` when it is not there.
    pub(crate) async fn check(&self, blob: &str) -> io::Result<Option<bool>> {
        let Some(path) = self.path(blob) else { return Ok(None) };
        let mut file = match fs::File::open(path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = file.read(&mut buffer).await?;
            if read == 0 {
                return Ok(Some(hex(hash) == blob));
            }
            hash.update(&buffer[..read]);
        }
    }

    /// Puts a damaged blob out of the way, to be looked at by hand.
    pub(crate) async fn set_aside(&self, blob: &str) -> io::Result<()> {
        match self.path(blob) {
            Some(path) => fs::rename(&path, path.with_extension("damaged")).await,
            None => Ok(()),
        }
    }

    /// Deletes blobs; those that are not there are gone already.
    pub(crate) async fn delete(&self, blobs: &[String]) -> io::Result<u64> {
        let mut gone = 0;
        for path in blobs.iter().filter_map(|blob| self.path(blob)) {
            match fs::remove_file(path).await {
                Ok(()) => gone += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(gone)
    }

    /// Keeps what somebody has on disk already.
    ///
    /// # Errors
    /// When it cannot be read or written, or is larger than `largest`.
    pub async fn keep_file(&self, file: &Path, largest: u64) -> io::Result<Option<Blob>> {
        let mut from = fs::File::open(file).await?;
        let mut part = self.begin().await?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            match part.write(&buffer[..read], largest).await {
                Ok(()) => {}
                Err(Cut::TooLarge) => return Ok(None),
                Err(Cut::Disk(error)) => return Err(error),
            }
        }
        if part.kind() == Kind::Unknown {
            return Ok(None);
        }
        part.keep().await.map(Some)
    }
}

impl Part {
    pub(crate) async fn write(&mut self, bytes: &[u8], largest: u64) -> Result<(), Cut> {
        self.len += bytes.len() as u64;
        if self.len > largest {
            return Err(Cut::TooLarge);
        }
        self.len -= bytes.len() as u64;
        self.take(bytes);
        match &mut self.file {
            Some(file) => file.write_all(bytes).await.map_err(Cut::Disk),
            None => Ok(()),
        }
    }

    /// Counts bytes that are in the file.
    fn take(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        let wanted = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        self.hash.update(bytes);
    }

    /// It broke off. A long one is kept as half, if its server has a name for this version of it.
    pub(crate) async fn leave(mut self, url: &str, version: Option<&str>) -> io::Result<()> {
        let Some(version) = version.filter(|_| self.len >= WORTH_RESUMING && self.kind() != Kind::Unknown) else {
            return Ok(());
        };
        if let Some(mut file) = self.file.take() {
            file.flush().await?;
        }
        let half = self.blobs.half_path(url);
        fs::rename(&self.path, &half).await?;
        // Last: a half without it is none.
        fs::write(half.with_extension("version"), version).await
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn kind(&self) -> Kind {
        kind(&self.head)
    }

    /// Whole: moves it to its place, where it may be already.
    pub(crate) async fn keep(mut self) -> io::Result<Blob> {
        if let Some(mut file) = self.file.take() {
            file.flush().await?;
            file.sync_all().await?;
        }
        let kind = match self.kind() {
            Kind::Media(kind) => kind,
            Kind::Unknown => "application/octet-stream",
        };
        let blob = Blob {
            blob: hex(std::mem::take(&mut self.hash)),
            bytes: i64::try_from(self.len).unwrap_or(i64::MAX),
            kind: kind.to_owned(),
        };
        if let Some(path) = self.blobs.path(&blob.blob) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).await?;
            }
            fs::rename(&self.path, path).await?;
        }
        Ok(blob)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Not there once it is kept.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Takes away what crashes left.
fn sweep(parts: &Path) {
    let now = SystemTime::now();
    for entry in std::fs::read_dir(parts).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_half = path.extension().is_some_and(|end| end == "half" || end == "version");
        let age = entry.metadata().and_then(|data| data.modified()).ok();
        let age = age.and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
        if age > if is_half { STALE_HALF } else { STALE } {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What bytes begin like. SVG is none of them: it can hold scripts.
fn kind(head: &[u8]) -> Kind {
    let at = |from: usize, magic: &[u8]| head.get(from..from + magic.len()) == Some(magic);
    Kind::Media(match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if at(0, b"\xff\xd8\xff") => "image/jpeg",
        () if at(0, b"GIF8") => "image/gif",
        () if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        () if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        () if at(4, b"ftypavif") => "image/avif",
        () if at(4, b"ftypheic") || at(4, b"ftypmif1") => "image/heic",
        () if at(4, b"ftypM4A") => "audio/mp4",
        () if at(4, b"ftypqt") => "video/quicktime",
        () if at(4, b"ftyp") => "video/mp4",
        () if at(0, b"\x1a\x45\xdf\xa3") => "video/webm",
        () if at(0, b"OggS") => "audio/ogg",
        () if at(0, b"fLaC") => "audio/flac",
        () if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") || at(0, b"\xff\xf2") => "audio/mpeg",
        () if at(0, b"\xff\xf1") || at(0, b"\xff\xf9") => "audio/aac",
        () => return Kind::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

    #[tokio::test]
    async fn the_same_bytes_are_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().join("x")).unwrap();
        let mut names = Vec::new();
        for _ in 0..3 {
            let mut part = blobs.begin().await.unwrap();
            part.write(&PNG[..5], 100).await.unwrap();
            part.write(&PNG[5..], 100).await.unwrap();
            assert_eq!(part.kind(), Kind::Media("image/png"));
            names.push(part.keep().await.unwrap());
        }
        assert!(names.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(blobs.check(&names[0].blob).await.unwrap(), Some(true));
        std::fs::write(blobs.path(&names[0].blob).unwrap(), "else").unwrap();
        assert_eq!(blobs.check(&names[0].blob).await.unwrap(), Some(false));
        assert_eq!(blobs.delete(&[names[0].blob.clone()]).await.unwrap(), 1);
        assert_eq!(blobs.check(&names[0].blob).await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_is_too_large_or_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().to_owned()).unwrap();
        let mut part = blobs.begin().await.unwrap();
        assert!(matches!(part.write(PNG, 10).await, Err(Cut::TooLarge)));
        drop(part);
        assert_eq!(std::fs::read_dir(folder.path().join("parts")).unwrap().count(), 0);
    }

    /// Another process with our number, as in another container over the same folder.
    #[tokio::test]
    async fn nobody_writes_to_a_part_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().to_owned()).unwrap();
        let ours = std::process::id();
        let next = NEXT.load(Ordering::Relaxed);
        // Tests beside this one begin parts, too.
        let theirs: Vec<PathBuf> = (next..next + 1000)
            .map(|n| folder.path().join(format!("parts/{ours}-{n}")))
            .collect();
        for path in &theirs {
            std::fs::write(path, "theirs").unwrap();
        }
        let mut part = blobs.begin().await.unwrap();
        part.write(PNG, 100).await.unwrap();
        part.keep().await.unwrap();
        assert!(theirs.iter().all(|path| std::fs::read(path).unwrap() == b"theirs"));
    }

    /// Check 38: a long file that broke off goes on, byte for byte.
    #[tokio::test]
    async fn a_half_goes_on_where_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path().to_owned()).unwrap();
        let whole: Vec<u8> = PNG
            .iter()
            .copied()
            .chain((0..600_000).map(|n: u32| n.to_le_bytes()[1]))
            .collect();
        let mut part = blobs.begin().await.unwrap();
        part.write(&whole, u64::MAX).await.unwrap();
        let expected = part.keep().await.unwrap();
        let mut part = blobs.begin().await.unwrap();
        part.write(&whole[..400_000], u64::MAX).await.unwrap();
        part.leave("https://a.example/x", Some("\"v1\"")).await.unwrap();
        assert_eq!(blobs.half("https://b.example/x").await, None);
        let half = blobs.half("https://a.example/x").await.unwrap();
        assert_eq!((half.len, half.version.as_str()), (400_000, "\"v1\""));
        let mut part = blobs.go_on(&half).await.unwrap();
        part.write(&whole[400_000..], u64::MAX).await.unwrap();
        assert_eq!(part.keep().await.unwrap(), expected);
        let mut short = blobs.begin().await.unwrap();
        short.write(PNG, 100).await.unwrap();
        short.leave("https://c.example/x", Some("v")).await.unwrap();
        assert_eq!(blobs.half("https://c.example/x").await, None);
    }

    #[test]
    fn only_names_of_ours_are_paths() {
        let blobs = Blobs { folder: "/x".into() };
        for odd in [
            "",
            "../../etc/passwd",
            &"/".repeat(64),
            &"A".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(blobs.path(odd), None, "{odd}");
        }
        assert!(blobs.path(&"a".repeat(64)).is_some());
        assert_eq!(kind(b"<svg><script>"), Kind::Unknown);
        assert_eq!(kind(b"<!DOCTYPE html>"), Kind::Unknown);
    }
}
