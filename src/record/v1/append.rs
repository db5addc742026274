//! Adds events to a recording of this format.

use super::events::{rows_of, window_row};
use super::schema::{FRAMES, WINDOWS};
use super::{detail, set_meta};
use crate::feed::Event;
use crate::profile::{Frame, MAX_FRAMES, Profile};
use rusqlite::Connection;
use rusqlite::types::Value;
use rustc_hash::FxHashMap;
use std::io;

/// Numbers events and frames, and writes them as rows. Transactions are the caller's.
#[derive(Default)]
pub(in crate::record) struct Appender {
    seq: i64,
    frame_rows: u32,
    frames: FxHashMap<Frame, u32>,
}

impl Appender {
    /// Adds an event that is not a window. A batch without a figure has no row.
    pub fn append(&mut self, connection: &Connection, event: &Event) -> rusqlite::Result<()> {
        let (table, rows) = rows_of(self.seq + 1, event);
        if !rows.is_empty() {
            self.seq += 1;
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
        WINDOWS.insert(connection, window_row(self.seq, event, profile, pprof, detail))
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
