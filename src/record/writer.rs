//! Writes a recording.
//!
//! # What survives what
//!
//! While it is written a recording is in SQLite's write-ahead mode (WAL) with `synchronous = FULL`:
//! each [`Writer::commit`] puts its events on the disk behind a barrier, and then at once copies them
//! into the file itself (a checkpoint). So
//! * after `kill -9`, a panic or a power cut everything committed is there: with a commit a second,
//!   at most the last two seconds are lost;
//! * the `-wal` file beside holds no more than the last commits, so even the file alone is whole up to
//!   its last checkpoint;
//! * readers, this program's or `sqlite3`, never stop the writer nor it them, which a rollback journal
//!   can't offer: there a long query would hold up the commit until the queue before us overflows.
//!
//! [`Writer::finish`] checkpoints, leaves write-ahead mode and so removes `-wal` and `-shm`: at rest a
//! recording is one file that can be read where nothing can be written. A file system that has no
//! shared memory keeps SQLite's rollback journal, with the same promises but for the readers.

use super::hold::Hold;
use super::place::{FreshFile, Place};
use super::v1::{self, Appender};
use super::{Bounds, RecordError};
use crate::feed::{Event, Feed, Note, NoteLevel, SourceId, TargetInfo};
use crate::format::{Export, Format, Pprof, WriteError};
use crate::profile::{Moment, Profile};
use rusqlite::{Connection, OpenFlags};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How long a lock of another program is waited for.
const BUSY: Duration = Duration::from_secs(2);

/// Portions of free pages that are given back at the end at most: 128 MiB, in about a second.
const SHRINK_STEPS: u32 = 64;

/// A recording being written. Dropped without [`Writer::finish`], it keeps what was committed.
pub struct Writer {
    connection: Connection,
    file: FreshFile,
    /// Tells readers that somebody writes.
    _hold: Option<Hold>,
    appender: Appender,
    targets: BTreeMap<SourceId, TargetInfo>,
    host: String,
    bounds: Bounds,
    dirty: bool,
    windows: u64,
}

impl Writer {
    /// Creates the file and its tables.
    pub fn create(place: &Place, at: Moment) -> Result<Self, RecordError> {
        let file = place.create(at)?;
        let host = host_name();
        let begin = |connection: Connection| {
            let hold = Hold::take(&file.path);
            describe(&connection, at, &host, hold.is_some()).map(|()| (connection, hold))
        };
        match open(&file).and_then(begin) {
            Ok((connection, hold)) if file.is_in_place() => Ok(Self {
                connection,
                file,
                _hold: hold,
                appender: Appender::default(),
                targets: BTreeMap::new(),
                host,
                bounds: Bounds::default(),
                dirty: false,
                windows: 0,
            }),
            Ok(_) => Err(RecordError::Replaced { path: file.path }),
            Err(source) => {
                file.discard();
                Err(RecordError::Write { path: file.path, source })
            }
        }
    }

    /// Keeps within these bounds.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Windows in it.
    pub fn windows(&self) -> u64 {
        self.windows - self.appender.dropped()
    }

    /// Bytes of the file that are in use, with what is committed but not yet copied into it.
    pub fn bytes(&self) -> u64 {
        v1::used_bytes(&self.connection).unwrap_or(0)
    }

    /// Whether something waits for [`Writer::commit`].
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Adds an event. It is safe after the next [`Writer::commit`].
    ///
    /// After an error nothing since the last commit is in the file, and the writer is of no use.
    pub fn append(&mut self, event: &Event) -> Result<(), RecordError> {
        if !self.dirty {
            self.run("BEGIN IMMEDIATE")?;
            self.dirty = true;
        }
        if let Feed::Attached(target) = &event.feed {
            self.targets.insert(event.source, target.clone());
        }
        match &event.feed {
            Feed::Window(profile) if profile.is_sound() => self.append_window(event, profile),
            Feed::Window(_) => self.append_refusal(event),
            _ => self.appender.append(&self.connection, event).map_err(|error| self.error(error)),
        }
    }

    /// Brings what was added to the disk, and lets go of what is beyond the bounds: at most a portion of it
    /// at a time, so that no commit takes long.
    pub fn commit(&mut self) -> Result<(), RecordError> {
        if self.dirty {
            self.appender
                .keep_within(&self.connection, &self.bounds)
                .map_err(|source| RecordError::Write { path: self.file.path.clone(), source })?;
            self.run("COMMIT")?;
            self.dirty = false;
            // A reader may hold the rest of the log; the next commit tries again.
            self.checkpoint("PASSIVE")?;
        }
        Ok(())
    }

    /// Completes the recording: one file, marked as whole.
    pub fn finish(mut self) -> Result<(), RecordError> {
        self.commit()?;
        self.shrink();
        self.appender.finish(&self.connection).map_err(|error| self.error(error))?;
        self.checkpoint("TRUNCATE")?;
        // Refused while somebody reads; then the file stays in write-ahead mode, which is no loss. It is
        // one write into the first sector, so a journal in memory does: one on the disk, left by a kill
        // just here, would keep every reader out that may not write.
        let _ = self.connection.pragma_update(None, "journal_mode", "MEMORY");
        let Self { connection, file, .. } = self;
        connection.close().map_err(|(_, source)| RecordError::Write { path: file.path, source })
    }

    /// Gives back what much was let go of just now. A file with room in it is no loss, should that fail.
    fn shrink(&self) {
        for _ in 0..SHRINK_STEPS {
            if !matches!(v1::shrink(&self.connection), Ok(true)) || self.checkpoint("PASSIVE").is_err() {
                break;
            }
        }
    }

    fn append_window(&mut self, event: &Event, profile: &Profile) -> Result<(), RecordError> {
        let pprof = self.pprof(event.source, profile)?;
        let connection = &self.connection;
        let detail = self.appender.detail(connection, profile).map_err(|error| self.error(error))?;
        let detail = detail.map_err(|source| RecordError::Pack { path: self.file.path.clone(), source })?;
        self.appender
            .append_window(connection, event, profile, pprof, detail)
            .map_err(|error| self.error(error))?;
        self.windows += 1;
        Ok(())
    }

    /// The window for other people's tools; none when pprof can't say it (values below zero).
    fn pprof(&self, source: SourceId, profile: &Profile) -> Result<Option<Vec<u8>>, RecordError> {
        let unknown = TargetInfo::default();
        let target = self.targets.get(&source).unwrap_or(&unknown);
        let mut bytes = Vec::new();
        let export = Export { host: &self.host, ..Export::new(profile, target) };
        match Pprof.write(&export, &mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(WriteError::Io(source)) => Err(RecordError::Pack { path: self.file.path.clone(), source }),
            Err(_) => Ok(None),
        }
    }

    /// The session refuses such a window too: a wrong number is worse than none.
    fn append_refusal(&mut self, event: &Event) -> Result<(), RecordError> {
        let text = "a window was not recorded because it contradicts itself".into();
        let feed = Feed::Note(Note { level: NoteLevel::Error, text });
        let note = Event { source: event.source, at: event.at, feed };
        self.appender.append(&self.connection, &note).map_err(|error| self.error(error))
    }

    fn run(&self, sql: &str) -> Result<(), RecordError> {
        self.connection.execute_batch(sql).map_err(|error| self.error(error))
    }

    fn checkpoint(&self, mode: &str) -> Result<(), RecordError> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        self.connection.query_row(&sql, [], |_| Ok(())).map_err(|error| self.error(error))
    }

    fn error(&self, source: rusqlite::Error) -> RecordError {
        RecordError::Write { path: self.file.path.clone(), source }
    }
}

fn open(file: &FreshFile) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file.path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    // The tables go in before write-ahead mode, so that the file names itself from its first byte on.
    v1::create(&connection)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // We copy the log ourselves, after every commit.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    // The first look makes the log.
    connection.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
    Ok(connection)
}

fn describe(connection: &Connection, at: Moment, host: &str, is_held: bool) -> rusqlite::Result<()> {
    if is_held {
        v1::set_meta(connection, "held", 1.into())?;
    }
    v1::set_meta(connection, "flametop", env!("CARGO_PKG_VERSION").to_owned().into())?;
    v1::set_meta(connection, "started", at.0.into())?;
    v1::set_meta(connection, "host", host.to_owned().into())
}

/// The machine's name; empty when the system does not tell.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    crate::profile::clean_path(name.trim_end()).to_string()
}
