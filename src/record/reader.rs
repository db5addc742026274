//! Reads a recording: the same events, in the same order, from any time on.
//!
//! Nothing in the file is believed: its tables must be exactly ours, every row is checked against its
//! checksum, texts are cleaned again, numbers must be contiguous, and no value may be longer than
//! [`MAX_VALUE_BYTES`]. What can't be read is told as a [`RecordError::Damaged`] and stepped over. A
//! recording that is still being written can be read; [`Reader::next_event`] gives `None` at its end
//! and more later.

use super::hold::{is_held, log_of};
use super::v1::{self, Cursor, Step};
use super::{APPLICATION_ID, LetGo, RecordError};
use crate::feed::Event;
use crate::profile::{Moment, Span, plain_text};
use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest text or blob that is read: a window of millions of values fits.
const MAX_VALUE_BYTES: i32 = 64 << 20;
/// How long a lock of another program is waited for.
const BUSY: Duration = Duration::from_secs(2);
/// Bytes of SQLite's header.
const HEAD: usize = 100;

/// A recording being read. Reading changes nothing of it.
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    /// The same without links: SQLite lays its files beside this.
    real: PathBuf,
    cursor: Cursor,
    /// SQLite refused the file as a whole; trying again would give the same for ever.
    failed: bool,
}

/// What a recording says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The version of flametop that wrote it.
    pub flametop: String,
    /// The machine it was written on.
    pub host: String,
    /// When it was started.
    pub started: Moment,
    /// Whether it was closed in order. If not it is still being written, or up to two seconds of its
    /// end are missing.
    pub finished: bool,
    /// Whether somebody is writing it now; none where that can't be known.
    pub being_written: Option<bool>,
}

/// Whether a file that begins with `head` (100 bytes at least) is a recording, of whatever format.
pub fn is_recording(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0") && number_at(head, 68) == Some(APPLICATION_ID)
}

impl Reader {
    /// Opens a recording.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let head = read_head(path)?;
        check_head(path, &head)?;
        let fail = |source| RecordError::Read { path: path.into(), source };
        let real =
            std::fs::canonicalize(path).map_err(|source| RecordError::Open { path: path.into(), source })?;
        let connection = connect(&real, &head).map_err(fail)?;
        match v1::has_our_tables(&connection) {
            Ok(true) => {}
            Ok(false) => {
                let reason = "its tables are not those of a recording";
                return Err(RecordError::NotARecording { path: path.into(), reason });
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                read_past_missing_pages(&connection, path)?;
            }
            Err(error) => return Err(fail(error)),
        }
        Ok(Self { connection, path: path.into(), real, cursor: Cursor::default(), failed: false })
    }

    /// What the recording says about itself.
    pub fn about(&self) -> About {
        let meta = |key| v1::meta(&self.connection, key);
        let text = |key| match meta(key) {
            Some(Value::Text(text)) => plain_text(&text).as_ref().into(),
            _ => String::new(),
        };
        let number = |key| match meta(key) {
            Some(Value::Integer(number)) => Some(number),
            _ => None,
        };
        let finished = number("finished").is_some();
        let being_written = match (finished, number("held")) {
            (true, _) => Some(false),
            (false, Some(_)) => is_held(&self.real),
            (false, None) => None,
        };
        About {
            flametop: text("flametop"),
            host: text("host"),
            started: Moment(number("started").unwrap_or(0)),
            finished,
            being_written,
        }
    }

    /// What was let go to keep it within its bounds, if anything was.
    pub fn let_go(&self) -> Option<LetGo> {
        v1::let_go(&self.connection)
    }

    /// From the start of the first window to the end of the last; none when there is no window yet.
    pub fn span(&self) -> Result<Option<Span>, RecordError> {
        let edges = v1::span(&self.connection).map_err(|source| self.error(source))?;
        Ok(edges.map(|(start, end)| Span::between(Moment(start), Moment(end))))
    }

    /// The next event; none at the end.
    ///
    /// An error with [`RecordError::is_partial`] tells of a loss, by damage or on purpose, and the events
    /// behind it follow; after any other nothing does.
    pub fn next_event(&mut self) -> Option<Result<Event, RecordError>> {
        if self.failed {
            return None;
        }
        let transaction = match self.connection.unchecked_transaction() {
            Ok(transaction) => transaction,
            Err(source) => {
                self.failed = true;
                return Some(Err(self.error(source)));
            }
        };
        match self.cursor.step(&transaction) {
            Step::Event(event) => Some(Ok(*event)),
            Step::LetGo(events) => {
                let nothing = LetGo { since: Moment(0), windows: 0 };
                let what = v1::let_go(&transaction).unwrap_or(nothing);
                Some(Err(RecordError::LetGo { what, events }))
            }
            Step::Damaged(what) => Some(Err(RecordError::Damaged { path: self.path.clone(), what })),
            Step::End => None,
        }
    }

    /// Goes to `moment`: what follows is everything sent after the last window before it. Gives the
    /// last word of every source about its target and state up to there, to be taken in first.
    pub fn seek(&mut self, moment: Moment) -> Result<Vec<Event>, RecordError> {
        let (cursor, connection) = (&mut self.cursor, &self.connection);
        let found = connection.unchecked_transaction().and_then(|transaction| {
            cursor.seek(&transaction, moment)?;
            Ok(cursor.known(&transaction))
        });
        found.map_err(|source| self.error(source))
    }

    fn error(&self, source: rusqlite::Error) -> RecordError {
        RecordError::Read { path: self.path.clone(), source }
    }
}

fn read_head(path: &Path) -> Result<Vec<u8>, RecordError> {
    let fail = |source| RecordError::Open { path: path.into(), source };
    // A pipe or a device could keep us waiting.
    if !std::fs::metadata(path).map_err(fail)?.is_file() {
        return Err(RecordError::NotARecording { path: path.into(), reason: "it is no regular file" });
    }
    let mut head = Vec::with_capacity(HEAD);
    File::open(path).map_err(fail)?.take(HEAD as u64).read_to_end(&mut head).map_err(fail)?;
    Ok(head)
}

fn check_head(path: &Path, head: &[u8]) -> Result<(), RecordError> {
    let refuse = |reason| Err(RecordError::NotARecording { path: path.into(), reason });
    if head.len() < HEAD {
        return refuse("it is too short");
    }
    if !is_recording(head) {
        return refuse("it does not begin like one");
    }
    match number_at(head, 60) {
        Some(version @ 1..=v1::NEWEST) if version > 0 => Ok(()),
        Some(0) | None => refuse("it names no format"),
        Some(version) => Err(RecordError::Newer { path: path.into(), version, known: v1::NEWEST }),
    }
}

fn number_at(head: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?))
}

/// Opens the file so that nothing is created beside it.
///
/// A file in write-ahead mode without a log beside it is at rest: nobody writes it, and it is opened
/// as immutable, which needs no shared-memory file.
fn connect(path: &Path, head: &[u8]) -> rusqlite::Result<Connection> {
    let write_ahead = head.get(18) == Some(&2);
    let at_rest = write_ahead && !log_of(path).exists();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(uri(path, at_rest), flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)?;
    connection.set_prepared_statement_cache_capacity(32);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// SQLite refuses a file that is shorter than its header says, unless it is told that somebody means
/// to repair it. Then what lies before the cut can be read.
fn read_past_missing_pages(connection: &Connection, path: &Path) -> Result<(), RecordError> {
    let fail = |source| RecordError::Read { path: path.into(), source };
    connection.pragma_update(None, "writable_schema", true).map_err(fail)?;
    if v1::has_our_tables(connection).map_err(fail)? {
        return Ok(());
    }
    let reason = "its tables are not those of a recording";
    Err(RecordError::NotARecording { path: path.into(), reason })
}

/// The path as a URI, every byte that is not plain written as a number.
fn uri(path: &Path, immutable: bool) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let mut uri = String::from("file:");
    for byte in absolute.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str(if immutable { "?mode=ro&immutable=1" } else { "?mode=ro" });
    uri
}
