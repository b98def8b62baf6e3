//! Mastodon's own archives as files: a ZIP today, a `tar.gz` before 4.2. Read from front to back, a piece at a time.
//!
//! What is in them is a stranger's as much as anything: names lead nowhere, since nothing is written under them, and
//! what unpacks to far more than such files do is refused.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use zip::ZipArchive;

/// JSON shrinks to a tenth and pictures do not shrink; what shrinks more than this, and is more than this, is a bomb.
const MOST_SHRUNK: u64 = 200;
const SMALL: u64 = 16 << 20;
/// Entries of one archive.
const MOST_ENTRIES: usize = 5_000_000;

/// An archive that can be read from front to back, as often as need be.
#[derive(Debug, Clone)]
pub(super) enum Package {
    Zip(PathBuf),
    Tar(PathBuf),
}

impl Package {
    /// Tells by the first bytes what a file is.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut head = [0; 2];
        File::open(path)?.read_exact(&mut head)?;
        match head {
            [b'P', b'K'] => Ok(Self::Zip(path.to_owned())),
            [0x1f, 0x8b] => Ok(Self::Tar(path.to_owned())),
            _ => anyhow::bail!("{} is neither a ZIP nor a tar.gz", path.display()),
        }
    }

    /// Shows every file in turn: its name, as it stands there, and its bytes.
    pub(super) fn each(&self, mut see: impl FnMut(&str, &mut dyn Read) -> anyhow::Result<()>) -> anyhow::Result<()> {
        match self {
            Self::Zip(path) => {
                let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
                anyhow::ensure!(archive.len() <= MOST_ENTRIES, "{} holds too many files", path.display());
                for index in 0..archive.len() {
                    let mut entry = archive.by_index(index)?;
                    if !entry.is_file() {
                        continue;
                    }
                    let Ok(name) = entry.name().map(|name| name.to_string()) else {
                        continue;
                    };
                    let most = (entry.compressed_size().saturating_mul(MOST_SHRUNK)).max(SMALL);
                    see(
                        &name,
                        &mut Bounded {
                            inner: &mut entry,
                            left: most,
                        },
                    )?;
                }
                Ok(())
            }
            Self::Tar(path) => {
                let file = File::open(path)?;
                let most = file.metadata()?.len().saturating_mul(MOST_SHRUNK).max(SMALL);
                let mut inner = GzDecoder::new(BufReader::new(file));
                let mut bounded = Bounded {
                    inner: &mut inner,
                    left: most,
                };
                tar(&mut bounded, see)
            }
        }
    }
}

/// Reads no more than it may, and says so.
struct Bounded<'r> {
    inner: &'r mut dyn Read,
    left: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("unpacks to far more than an archive does"))?;
        Ok(read)
    }
}

/// Blocks of 512 bytes: a header, then the file.
fn tar(from: &mut dyn Read, mut see: impl FnMut(&str, &mut dyn Read) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut long_name = None;
    for _ in 0..MOST_ENTRIES {
        let mut header = [0; 512];
        match from.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        if header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let size = octal(&header[124..136]);
        let padded = size.and_then(|size| size.checked_next_multiple_of(512));
        let (Some(size), Some(padded)) = (size, padded) else {
            anyhow::bail!("a tar with a broken header");
        };
        let mut entry = Read::take(&mut *from, padded);
        match header[156] {
            // GNU's way to say names longer than 100 bytes.
            b'L' => {
                let mut name = Vec::new();
                Read::take(&mut entry, size.min(4096)).read_to_end(&mut name)?;
                long_name = Some(text(&name));
            }
            0 | b'0' => {
                let name = long_name.take().unwrap_or_else(|| {
                    let prefix = if &header[257..262] == b"ustar" {
                        text(&header[345..500])
                    } else {
                        String::new()
                    };
                    let name = text(&header[..100]);
                    if prefix.is_empty() {
                        name
                    } else {
                        format!("{prefix}/{name}")
                    }
                });
                let mut file = Read::take(&mut entry, size);
                see(&name, &mut file)?;
            }
            _ => long_name = None,
        }
        io::copy(&mut entry, &mut io::sink())?;
    }
    anyhow::bail!("a tar with too many files")
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn octal(bytes: &[u8]) -> Option<u64> {
    // Sizes above 8 GiB are written in another way.
    if bytes[0] & 0x80 != 0 {
        return Some(bytes[4..12].iter().fold(0, |size, byte| (size << 8) | u64::from(*byte)));
    }
    u64::from_str_radix(text(bytes).trim(), 8).ok()
}
