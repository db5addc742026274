//! Adds events to a recording of this format.

use super::events::{rows_of, window_row};
use super::keep::{self, Keeper};
use super::schema::{FRAMES, WINDOWS};
use super::{detail, set_meta};
use crate::feed::Event;
use crate::profile::{Frame, MAX_FRAMES, Profile};
use crate::record::Bounds;
use rusqlite::Connection;
use rusqlite::types::Value;
use rustc_hash::FxHashMap;
use std::io;

/// Frames that nothing refers to and that are deleted in one transaction at most.
const FRAMES_DELETED: u32 = 4096;

/// Numbers events and frames, and writes them as rows. Transactions are the caller's.
///
/// Which frames the windows refer to is packed in their blobs. So frames are stored in generations: a
/// window refers to frames of the generation in which it was added and no other. The next begins once the
/// first window of this one is gone; once all windows before this one are gone, so are their frames.
#[derive(Default)]
pub(in crate::record) struct Appender {
    seq: i64,
    frame_rows: u32,
    frames: FxHashMap<Frame, u32>,
    keeper: Keeper,
    generation: Generation,
    /// Frames below this are referred to by nothing.
    unused: u32,
    /// Frames up to this are deleted.
    deleted: u32,
}

/// A generation of frames.
#[derive(Default)]
struct Generation {
    /// Windows from this number on are in it.
    from: i64,
    /// Its first frame.
    first: u32,
}

impl Appender {
    /// Adds an event that is not a window. A batch without a figure has no row.
    pub fn append(&mut self, connection: &Connection, event: &Event) -> rusqlite::Result<()> {
        let (table, rows) = rows_of(self.seq + 1, event);
        if !rows.is_empty() {
            self.seq += 1;
            self.keeper.added(self.seq, event);
        }
        rows.into_iter().try_for_each(|row| table.insert(connection, row))
    }

    /// Packs what pprof has no place for; adds the frames that are new.
    pub fn detail(
        &mut self,
        connection: &Connection,
        profile: &Profile,
    ) -> rusqlite::Result<io::Result<Vec<u8>>> {
        let ids: rusqlite::Result<Vec<u32>> =
            profile.frames.iter().map(|frame| self.frame(connection, frame)).collect();
        Ok(detail::pack(profile, &ids?))
    }

    /// Adds a window.
    pub fn append_window(
        &mut self,
        connection: &Connection,
        event: &Event,
        profile: &Profile,
        pprof: Option<Vec<u8>>,
        detail: Vec<u8>,
    ) -> rusqlite::Result<()> {
        self.seq += 1;
        self.keeper.added(self.seq, event);
        WINDOWS.insert(connection, window_row(self.seq, event, profile, pprof, detail))
    }

    /// Lets go of the oldest events that are beyond the bounds, or of a portion of them. Call it at the end of
    /// every transaction.
    pub fn keep_within(&mut self, connection: &Connection, bounds: &Bounds) -> rusqlite::Result<()> {
        if self.keeper.keep_within(connection, bounds)? && self.keeper.oldest_window() >= self.generation.from
        {
            self.unused = self.generation.first;
            self.generation = Generation { from: self.seq + 1, first: self.frame_rows + 1 };
            self.frames.clear();
        }
        if self.deleted + 1 < self.unused {
            let until = self.unused.min(self.deleted + 1 + FRAMES_DELETED);
            let sql = "DELETE FROM frames WHERE id < ?1";
            connection.prepare_cached(sql)?.execute([until])?;
            self.deleted = until - 1;
        }
        keep::shrink(connection).map(|_| ())
    }

    /// Windows that were let go.
    pub const fn dropped(&self) -> u64 {
        self.keeper.dropped()
    }

    /// Marks the recording as complete up to here.
    pub fn finish(&self, connection: &Connection) -> rusqlite::Result<()> {
        set_meta(connection, "finished", self.seq.into())
    }

    fn frame(&mut self, connection: &Connection, frame: &Frame) -> rusqlite::Result<u32> {
        if let Some(id) = self.frames.get(frame) {
            return Ok(*id);
        }
        // A bound of our memory: a frame that comes again after it is stored again, which does no harm.
        if self.frames.len() >= MAX_FRAMES {
            self.frames.clear();
        }
        self.frame_rows += 1;
        let text = |text: &str| Value::Text(text.to_owned());
        let row = vec![
            i64::from(self.frame_rows).into(),
            text(&frame.name),
            text(&frame.file),
            i64::from(frame.line).into(),
            i64::from(frame.column).into(),
            text(frame.kind.as_str()),
        ];
        FRAMES.insert(connection, row)?;
        self.frames.insert(frame.clone(), self.frame_rows);
        Ok(self.frame_rows)
    }
}
