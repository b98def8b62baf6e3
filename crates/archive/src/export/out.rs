//! New files in a folder; nothing that is there is overwritten.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::Written;

/// A new file, for this user's eyes only.
pub(super) fn create(path: &Path) -> io::Result<BufWriter<File>> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| {
        let says = match error.kind() {
            io::ErrorKind::AlreadyExists => {
                "is there already, and nothing is overwritten; name a new folder".to_owned()
            }
            _ => format!("cannot be written: {error}"),
        };
        io::Error::new(error.kind(), format!("{} {says}", path.display()))
    })?;
    Ok(BufWriter::new(file))
}

/// Puts a copy of a kept file where an export wants it.
pub(super) fn place(blob: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // A copy and not a link: what is done to an export must not reach the archive.
    std::fs::copy(blob, to).map(drop)
}

/// Lines to files by name.
pub(super) struct Out {
    pub(super) folder: PathBuf,
    files: HashMap<String, BufWriter<File>>,
    pub(super) written: Written,
}

impl Out {
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            files: HashMap::new(),
            written: Written::default(),
        })
    }

    pub(super) fn line(&mut self, name: &str, heading: &str, line: &str) -> io::Result<()> {
        if !self.files.contains_key(name) {
            // Months come in order, so no more than one has to be open; a file a month for decades is still few.
            for (_, mut file) in self.files.drain() {
                file.flush()?;
            }
            let path = self.folder.join(name);
            let mut file = create(&path)?;
            if !heading.is_empty() {
                writeln!(file, "{heading}")?;
            }
            self.written.files.push(path);
            self.files.insert(name.to_owned(), file);
        }
        match self.files.get_mut(name) {
            Some(file) => writeln!(file, "{line}"),
            None => Ok(()),
        }
    }

    pub(super) fn end(mut self) -> io::Result<Written> {
        for (_, mut file) in self.files.drain() {
            file.flush()?;
        }
        Ok(self.written)
    }
}
