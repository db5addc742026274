//! Walks over the events of a recording of this format, in the order of their numbers.

use super::events::{FrameStore, event_of};
use super::keep::kept_from;
use super::meta;
use super::row::{Fields, RowError};
use super::schema::{EVENT_TABLES, FRAMES, WINDOWS};
use crate::feed::{Event, SourceId};
use crate::profile::{Frame, FrameKind, MAX_FRAMES, Moment};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// One step of the walk.
pub(in crate::record) enum Step {
    /// The next event.
    Event(Box<Event>),
    /// So many events were let go before this place, on purpose.
    LetGo(u64),
    /// Something can't be read and was stepped over; the text says what.
    Damaged(String),
    /// Nothing follows, for now if the recording is still being written.
    End,
}

/// A place between two events.
///
/// Numbers are contiguous over all tables, so a row that went missing is noticed, but for those that the
/// writer let go. It may do so while we are here.
#[derive(Default)]
pub(in crate::record) struct Cursor {
    /// The number of the last event behind us.
    after: i64,
    /// The next number of each table, where it was looked up already.
    next: [Option<i64>; EVENT_TABLES.len()],
    /// Tables that can't be read on.
    dead: [bool; EVENT_TABLES.len()],
    /// Events stepped over that were let go; told where all are there again.
    let_go: u64,
    /// That the end is missing was told.
    told_end: bool,
    frames: FxHashMap<u32, Frame>,
}

impl Cursor {
    /// Takes a step. Call it inside a transaction: between two the tables may grow.
    pub fn step(&mut self, connection: &Connection) -> Step {
        let kept_from = kept_from(connection);
        // Rows before it may be gone since they were looked up.
        self.next.iter_mut().for_each(|next| *next = next.filter(|seq| *seq >= kept_from));
        if let Some(damage) = self.look_ahead(connection) {
            return damage;
        }
        let nearest = (0..EVENT_TABLES.len()).filter_map(|at| Some((self.next[at]?, at))).min();
        self.step_over(kept_from.min(nearest.map_or(i64::MAX, |(seq, _)| seq)));
        if self.let_go > 0 && nearest.is_none_or(|(seq, _)| seq >= kept_from) {
            return Step::LetGo(std::mem::take(&mut self.let_go));
        }
        let Some((seq, at)) = nearest else { return self.end(connection) };
        let missing = seq - self.after - 1;
        if missing > 0 && !self.dead.contains(&true) {
            let first = self.after + 1;
            self.after = seq - 1;
            return Step::Damaged(format!("{missing} events from number {first} on are missing"));
        }
        self.after = seq;
        self.next[at] = None;
        self.load(connection, at, seq)
    }

    /// Goes to just before `seq`, where what is missing up to there was let go.
    fn step_over(&mut self, seq: i64) {
        let missing = seq - self.after - 1;
        if missing > 0 {
            self.let_go += missing.cast_unsigned();
            self.after = seq - 1;
        }
    }

    /// Continues behind the last window sent before `moment`, or at the start.
    pub fn seek(&mut self, connection: &Connection, moment: Moment) -> rusqlite::Result<()> {
        let sql = "SELECT max(seq) FROM windows INDEXED BY windows_by_time WHERE sent < ?1";
        let found: Option<i64> = connection.prepare_cached(sql)?.query_row([moment.0], |row| row.get(0))?;
        self.after = found.unwrap_or(0);
        self.next = Default::default();
        self.let_go = 0;
        Ok(())
    }

    /// The last word before this place of every source about its target and its state.
    pub fn known(&mut self, connection: &Connection) -> Vec<Event> {
        let mut known = Vec::new();
        let mut seen: BTreeSet<(SourceId, bool)> = BTreeSet::new();
        for table in ["states", "targets"] {
            let sql = format!("SELECT max(seq) FROM {table} WHERE seq <= ?1 GROUP BY source ORDER BY 1");
            let latest = connection.prepare_cached(&sql).and_then(|mut statement| {
                statement.query_map([self.after], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()
            });
            let Some(at) = EVENT_TABLES.iter().position(|known| known.name == table) else { continue };
            for seq in latest.unwrap_or_default() {
                if let Step::Event(event) = self.load(connection, at, seq)
                    && seen.insert((event.source, table == "targets"))
                {
                    known.push(*event);
                }
            }
        }
        // A target is told before its state.
        known.reverse();
        known
    }

    fn look_ahead(&mut self, connection: &Connection) -> Option<Step> {
        for (at, table) in EVENT_TABLES.iter().enumerate() {
            if self.next[at].is_some() || self.dead[at] {
                continue;
            }
            match table.next_key(connection, self.after) {
                // In a torn tree a search can end before the place it was asked for.
                Ok(Some(next)) if next <= self.after => return Some(self.give_up(at, "its tree is torn")),
                Ok(next) => self.next[at] = next,
                Err(error) => return Some(self.give_up(at, &error.to_string())),
            }
        }
        None
    }

    fn give_up(&mut self, at: usize, why: &str) -> Step {
        self.dead[at] = true;
        let (name, after) = (EVENT_TABLES[at].name, self.after);
        Step::Damaged(format!("{name} after event {after} can't be read ({why})"))
    }

    fn load(&mut self, connection: &Connection, at: usize, seq: i64) -> Step {
        let table = EVENT_TABLES[at];
        let mut frames = Frames { connection, known: &mut self.frames };
        let event = table.load(connection, &seq.into()).and_then(|rows| event_of(table, rows, &mut frames));
        match event {
            Ok(event) => Step::Event(Box::new(event)),
            Err(RowError::Damaged) => {
                Step::Damaged(format!("event {seq} in {} is not as written", table.name))
            }
            Err(RowError::Sqlite(error)) => {
                Step::Damaged(format!("event {seq} in {} can't be read ({error})", table.name))
            }
        }
    }

    fn end(&mut self, connection: &Connection) -> Step {
        match meta(connection, "finished") {
            Some(Value::Integer(last)) if last > self.after && !self.told_end => {
                self.told_end = true;
                Step::Damaged(format!("the last {} events are missing", last - self.after))
            }
            _ => Step::End,
        }
    }
}

/// From the first window's start to the last window's end.
pub(in crate::record) fn span(connection: &Connection) -> rusqlite::Result<Option<(i64, i64)>> {
    let edge = |order: &str| {
        let sql = format!("SELECT start, length FROM {} ORDER BY seq {order} LIMIT 1", WINDOWS.name);
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        connection.query_row(&sql, [], row).optional()
    };
    let (first, last) = (edge("ASC")?, edge("DESC")?);
    Ok(first.zip(last).map(|(first, last)| (first.0, last.0.saturating_add(last.1.max(0)))))
}

/// The frames table, each row read once.
struct Frames<'a> {
    connection: &'a Connection,
    known: &'a mut FxHashMap<u32, Frame>,
}

impl FrameStore for Frames<'_> {
    fn frame(&mut self, id: u32) -> Result<Frame, RowError> {
        if let Some(frame) = self.known.get(&id) {
            return Ok(frame.clone());
        }
        let rows = FRAMES.load(self.connection, &i64::from(id).into())?;
        let frame = frame_of(rows.into_iter().next().ok_or(RowError::Damaged)?)?;
        if self.known.len() >= MAX_FRAMES {
            self.known.clear();
        }
        self.known.insert(id, frame.clone());
        Ok(frame)
    }
}

fn frame_of(mut row: Fields) -> Result<Frame, RowError> {
    row.skip();
    Ok(Frame {
        name: row.text()?,
        file: row.text()?,
        line: row.small()?,
        column: row.small()?,
        kind: FrameKind::parse(&row.text()?).ok_or(RowError::Damaged)?,
    })
}
