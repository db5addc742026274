//! How a reader knows whether a recording is being written just now.
//!
//! The writer locks the write-ahead log, beside the recording, for as long as it writes (`flock`); the
//! kernel lets go of that lock when the writer ends, however it does. SQLite's own locks do not tell:
//! readers hold them too. They are of another kind and on another file, so neither is in the other's way.

use rustix::fs::OFlags;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The write-ahead log of a recording.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// A recording held by its writer.
pub(super) struct Hold {
    _log: File,
}

impl Hold {
    /// Takes hold of the recording at `path`; none where the file system has no locks, which the recording
    /// then must not claim.
    pub fn take(path: &Path) -> Option<Self> {
        let log = open(path, true).ok()?;
        log.try_lock().ok()?;
        Some(Self { _log: log })
    }
}

/// Whether the writer of a recording that said it would hold it still does; none if that can't be known.
pub(super) fn is_held(path: &Path) -> Option<bool> {
    match open(path, false) {
        Ok(log) => match log.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        },
        // Whoever writes it has a log there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(false),
        Err(_) => None,
    }
}

fn open(path: &Path, write: bool) -> io::Result<File> {
    let no_links = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().read(true).write(write).custom_flags(no_links).open(log_of(path))
}
