//! Why a recording could not be made, continued or read.

use std::io;
use std::path::PathBuf;

use super::LetGo;
use rusqlite::ErrorCode;

/// A failure of a recording, with its file, its cause and ([`RecordError::hint`]) the way out.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The name is taken; a recording never replaces anything.
    #[error("{} exists already", path.display())]
    Exists {
        /// The name.
        path: PathBuf,
    },
    /// The file could not be created.
    #[error("failed to create {}: {source}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Between creating and opening, somebody put another file in its place.
    #[error("{} was replaced by another file while it was opened", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// A step of writing failed. What was written up to the step before is in the file.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A window could not be packed.
    #[error("failed to pack a window for {}: {source}", path.display())]
    Pack {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The file could not be opened or read.
    #[error("failed to read {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite could not open or read it.
    #[error("failed to read the recording {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It is something else.
    #[error("{} is not a flametop recording: {reason}", path.display())]
    NotARecording {
        /// The file.
        path: PathBuf,
        /// How that shows.
        reason: &'static str,
    },
    /// It was made by a newer flametop.
    #[error("{} has recording format {version}; this flametop reads up to {known}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
        /// The newest we know.
        known: u32,
    },
    /// Part of it was let go to keep it within its bounds; the rest can be read. It is no damage.
    #[error("{what} ({events} events)")]
    LetGo {
        /// What the recording says of it.
        what: LetGo,
        /// Events that went between the one read before and the one that follows.
        events: u64,
    },
    /// Part of it can't be read; the rest can.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is lost, and where.
        what: String,
    },
}

impl RecordError {
    /// The way out, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("choose another name with -o, or move the file away"),
            Self::Create { source, .. } => hint_for_create(source),
            Self::Replaced { .. } => Some("record into a directory that only you can write to"),
            Self::Write { source, .. } => hint_for_write(source),
            Self::Pack { .. } => None,
            Self::LetGo { .. } => Some("record with a longer --keep or a larger --max-size to keep more"),
            Self::Open { source, .. } => hint_for_open(source),
            Self::Read { source, .. } => hint_for_read(source),
            Self::NotARecording { .. } => {
                Some("flametop reads .ftrec files it recorded itself, and pprof profiles")
            }
            Self::Newer { .. } => Some("update flametop to read it"),
            Self::Damaged { .. } => {
                Some("copy the file again if it was copied, with the -wal file beside it if there is one")
            }
        }
    }

    /// Whether reading can go on behind it.
    pub fn is_partial(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::LetGo { .. })
    }
}

fn hint_for_create(source: &io::Error) -> Option<&'static str> {
    match source.kind() {
        io::ErrorKind::NotADirectory => Some("choose a path below a directory"),
        other => crate::files::hint_for(other),
    }
}

fn hint_for_write(source: &rusqlite::Error) -> Option<&'static str> {
    Some(match source.sqlite_error_code()? {
        ErrorCode::DiskFull => "the disk is full: free some space, then record again to a new file",
        ErrorCode::SystemIoFailure => {
            "the disk refused the write: check its space, quota and health, then record again to a new file"
        }
        ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => {
            "the file was moved, removed or changed while it was written: record again to a new file"
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another program holds a lock on the file: close it, then record again to a new file"
        }
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            "the file can no longer be written: record again to a directory you may write to"
        }
        _ => return None,
    })
}

fn hint_for_open(source: &io::Error) -> Option<&'static str> {
    match source.kind() {
        io::ErrorKind::NotFound => Some("check the path"),
        io::ErrorKind::PermissionDenied => Some("recordings are private to who made them: ask its owner"),
        _ => None,
    }
}

fn hint_for_read(source: &rusqlite::Error) -> Option<&'static str> {
    Some(match source.sqlite_error_code()? {
        ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
            "the recording was not closed and its -wal file needs a directory you may write to: copy both there"
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another program holds a lock on it: try again"
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            "copy the file again if it was copied, with the -wal file beside it if there is one"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_a_place_names_a_way_out() {
        use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
        for kind in [NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull] {
            let error = RecordError::Create { path: "/x/y.ftrec".into(), source: kind.into() };
            assert!(error.hint().is_some(), "{error}");
            assert!(error.to_string().contains("/x/y.ftrec"));
        }
    }
}
