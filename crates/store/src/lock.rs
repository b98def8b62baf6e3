//! One working process per SQLite file.
//!
//! Leases would keep two daemons on one file apart as well, but each would own half the jobs and both would write to
//! one file: nobody wants that, it is a service started twice. The lock is the operating system's and goes with the
//! process however it ends, so the start after a crash finds it free.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

use crate::{Db, Error};

/// Held by the process that works on an SQLite file; free again when dropped. On Postgres several processes are
/// welcome (leases divide the jobs), so there it holds nothing.
#[derive(Debug)]
pub struct ProcessLock {
    _file: Option<File>,
}

impl ProcessLock {
    /// Takes the lock. Commands that only look or note a wish (`egret jobs`) do without.
    ///
    /// # Errors
    /// [`Error::Locked`] while another process holds it.
    pub fn acquire(db: &Db) -> Result<Self, Error> {
        let Db::Sqlite { write, .. } = db else {
            return Ok(Self { _file: None });
        };
        let database = write.connect_options().get_filename().to_path_buf();
        // Two names of one file are one database.
        let mut path = database.canonicalize().unwrap_or(database).into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed = |source| Error::Lock {
            path: path.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = (&mut file).take(32).read_to_string(&mut text);
                let pid = text.trim().parse().ok();
                return Err(Error::Locked { path, pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // For the message of whoever comes second; the lock itself needs no content.
        let write_pid = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        write_pid(&mut file).map_err(failed)?;
        Ok(Self { _file: Some(file) })
    }
}
