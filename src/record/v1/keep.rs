//! Lets the oldest events go, so that a recording stays within its bounds.
//!
//! A recording that let something go has format 2, which is format 1 but for this: `meta` tells in
//! `kept_from` the number of the first event from which on all are there. Of the events before it there
//! are only each source's last target and last state, the newest window, and the last [`MARKS_KEPT`]
//! marks; the other numbers are missing on purpose. `kept_since` is when the last event that went was
//! sent, `dropped` how many windows went. All is changed in the transaction that deletes the rows, so
//! there is no moment at which a hole is not accounted for.

use super::row::Table;
use super::schema::{EVENT_TABLES, GAUGES, NOTES, STATES, TARGETS, WINDOWS};
use super::{meta, set_meta};
use crate::feed::{Event, Feed};
use crate::profile::Moment;
use crate::record::{Bounds, LetGo};
use rusqlite::Connection;
use rusqlite::types::Value;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// The format of a recording that let something go.
pub(super) const VERSION: u32 = 2;
/// Marks kept from the time that was let go.
const MARKS_KEPT: usize = 256;
/// Events that go in one transaction at most: some tens of milliseconds.
const PORTION_EVENTS: u32 = 4096;
/// Bytes that go in one transaction at most, beyond as many as it added.
const PORTION_BYTES: u64 = 16 << 20;
/// Free pages that may stay, whatever the size of the file.
const FREE_PAGES: u64 = 16;
/// Pages moved to the place of free ones in one transaction at most.
const PAGES_MOVED: u64 = 512;

/// The number of the first event from which on none is missing on purpose.
pub(super) fn kept_from(connection: &Connection) -> i64 {
    integer(connection, "kept_from").unwrap_or(1)
}

/// What was let go; nothing when all is there.
pub(in crate::record) fn let_go(connection: &Connection) -> Option<LetGo> {
    integer(connection, "kept_from")?;
    let since = Moment(integer(connection, "kept_since").unwrap_or(0));
    let windows = integer(connection, "dropped").and_then(|windows| windows.try_into().ok()).unwrap_or(0);
    Some(LetGo { since, windows })
}

fn integer(connection: &Connection, key: &str) -> Option<i64> {
    match meta(connection, key) {
        Some(Value::Integer(number)) => Some(number),
        _ => None,
    }
}

/// What may go, and what went.
pub(super) struct Keeper {
    /// The first event from which on all are there.
    from: i64,
    /// When the last event that went was sent.
    since: i64,
    /// Windows that went.
    dropped: u64,
    /// The number of the last event.
    last: i64,
    /// The number of the newest window; 0 for none.
    newest_window: i64,
    /// When the newest window or gauges were sent. Sources that replay send in times of their own.
    newest: Option<i64>,
    /// Rows before `from` that are a source's last word, by table and source.
    last_words: FxHashMap<(&'static str, i64), i64>,
    /// Marks before `from`.
    marks: VecDeque<i64>,
    /// The newest window, when it is before `from`.
    spared: Option<i64>,
    /// Bytes in use after the last transaction.
    used: u64,
}

impl Default for Keeper {
    fn default() -> Self {
        Self {
            from: 1,
            since: 0,
            dropped: 0,
            last: 0,
            newest_window: 0,
            newest: None,
            last_words: FxHashMap::default(),
            marks: VecDeque::new(),
            spared: None,
            used: 0,
        }
    }
}

/// A walk over the events in the order of their numbers.
#[derive(Default)]
struct Walk {
    /// The next number of each table, where it was looked up already; the highest number for none.
    next: [Option<i64>; EVENT_TABLES.len()],
    /// When the oldest window or gauges were sent, and their number.
    oldest: Option<(i64, i64)>,
}

impl Keeper {
    /// Takes note of an event that was added.
    pub fn added(&mut self, seq: i64, event: &Event) {
        self.last = seq;
        match &event.feed {
            Feed::Window(_) => (self.newest_window, self.newest) = (seq, Some(event.at.0)),
            Feed::Gauges(_) => self.newest = Some(event.at.0),
            _ => {}
        }
    }

    /// Windows that went.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// No window before this number is there.
    pub fn oldest_window(&self) -> i64 {
        if self.newest_window == 0 { self.from } else { self.from.min(self.newest_window) }
    }

    /// Lets go of what is beyond the bounds, or of a portion of it; whether anything went. Call it at the end of
    /// every transaction.
    pub fn keep_within(&mut self, connection: &Connection, bounds: &Bounds) -> rusqlite::Result<bool> {
        let began = (self.from, self.dropped);
        let before = used_bytes(connection)?;
        let portion = PORTION_BYTES + before.saturating_sub(self.used);
        self.used = before;
        // A newer one has come.
        if let Some(spared) = self.spared.take_if(|seq| *seq != self.newest_window) {
            self.drop_window(connection, spared)?;
        }
        let mut walk = Walk::default();
        for _ in 0..PORTION_EVENTS {
            let over = self.used > bounds.max_bytes;
            if before.saturating_sub(self.used) > portion
                || !(over || self.is_aged(connection, &mut walk, bounds)?)
            {
                break;
            }
            let Some((at, seq)) = walk.nearest(connection, self.from)?.filter(|(_, seq)| *seq < self.last)
            else {
                break;
            };
            self.drop_event(connection, &EVENT_TABLES[at], seq)?;
            (self.from, walk.next[at]) = (seq + 1, None);
            self.used = used_bytes(connection)?;
        }
        let moved = (self.from, self.dropped) != began;
        if moved {
            self.tell(connection)?;
        }
        Ok(moved)
    }

    fn tell(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "user_version", VERSION)?;
        set_meta(connection, "kept_from", self.from.into())?;
        set_meta(connection, "kept_since", self.since.into())?;
        set_meta(connection, "dropped", self.dropped.cast_signed().into())
    }

    /// Whether the oldest window or gauges are too old. What lies between them is as old as they are: a
    /// source's state may last for days.
    fn is_aged(&self, connection: &Connection, walk: &mut Walk, bounds: &Bounds) -> rusqlite::Result<bool> {
        let Some(newest) = self.newest else { return Ok(false) };
        let oldest = walk.oldest_data(connection, self.from, self.newest_window)?;
        let keep = i64::try_from(bounds.keep.0).unwrap_or(i64::MAX);
        Ok(oldest.is_some_and(|sent| sent < newest.saturating_sub(keep)))
    }

    /// Deletes an event, unless it is one of those that stay; then what it replaces.
    fn drop_event(&mut self, connection: &Connection, table: &Table, seq: i64) -> rusqlite::Result<()> {
        if *table == WINDOWS {
            if seq == self.newest_window {
                self.spared = Some(seq);
                return Ok(());
            }
            return self.drop_window(connection, seq);
        }
        if *table == GAUGES {
            self.since = self.since.max(table.field(connection, seq, "sent")?);
        }
        if *table == NOTES && table.field::<String>(connection, seq, "level")? == "mark" {
            self.marks.push_back(seq);
            let excess = (self.marks.len() > MARKS_KEPT).then(|| self.marks.pop_front()).flatten();
            return excess.map_or(Ok(()), |seq| table.delete(connection, seq));
        }
        if *table == STATES || *table == TARGETS {
            let replaced = self.last_words.insert((table.name, table.field(connection, seq, "source")?), seq);
            return replaced.map_or(Ok(()), |seq| table.delete(connection, seq));
        }
        table.delete(connection, seq)
    }

    fn drop_window(&mut self, connection: &Connection, seq: i64) -> rusqlite::Result<()> {
        self.since = self.since.max(WINDOWS.field(connection, seq, "sent")?);
        self.dropped += 1;
        WINDOWS.delete(connection, seq)
    }
}

impl Walk {
    /// The first event from that number on, and the index of its table.
    fn nearest(&mut self, connection: &Connection, from: i64) -> rusqlite::Result<Option<(usize, i64)>> {
        for at in 0..EVENT_TABLES.len() {
            self.look(connection, at, from)?;
        }
        let found = self.next.iter().enumerate().filter_map(|(at, next)| Some((at, (*next)?)));
        Ok(found.min_by_key(|(_, seq)| *seq).filter(|(_, seq)| *seq < i64::MAX))
    }

    /// When the first window or gauges from that number on were sent, but for one window.
    fn oldest_data(&mut self, connection: &Connection, from: i64, but: i64) -> rusqlite::Result<Option<i64>> {
        let mut oldest: Option<(i64, usize)> = None;
        for (at, table) in
            EVENT_TABLES.iter().enumerate().filter(|(_, table)| [WINDOWS, GAUGES].contains(table))
        {
            let seq = self.look(connection, at, from)?;
            if seq < i64::MAX && !(*table == WINDOWS && seq == but) {
                oldest = Some(oldest.map_or((seq, at), |known| known.min((seq, at))));
            }
        }
        let Some((seq, at)) = oldest else { return Ok(None) };
        if let Some((known, sent)) = self.oldest
            && known == seq
        {
            return Ok(Some(sent));
        }
        let sent = EVENT_TABLES[at].field(connection, seq, "sent")?;
        self.oldest = Some((seq, sent));
        Ok(Some(sent))
    }

    fn look(&mut self, connection: &Connection, at: usize, from: i64) -> rusqlite::Result<i64> {
        if let Some(next) = self.next[at] {
            return Ok(next);
        }
        let next = EVENT_TABLES[at].next_key(connection, from - 1)?.unwrap_or(i64::MAX);
        self.next[at] = Some(next);
        Ok(next)
    }
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let sql = format!("PRAGMA {name}");
    let value: i64 = connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// Bytes of the file that are in use: free pages are used again.
pub(in crate::record) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pages = pragma(connection, "page_count")?.saturating_sub(pragma(connection, "freelist_count")?);
    Ok(pages.saturating_mul(pragma(connection, "page_size")?))
}

/// Gives free pages back to the disk when they are more than an eighth of the file, a portion at a time; whether
/// it did.
pub(in crate::record) fn shrink(connection: &Connection) -> rusqlite::Result<bool> {
    let (free, pages) = (pragma(connection, "freelist_count")?, pragma(connection, "page_count")?);
    if free <= FREE_PAGES.max(pages / 8) {
        return Ok(false);
    }
    let sql = format!("PRAGMA incremental_vacuum({PAGES_MOVED})");
    // Each of its steps moves a page.
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(true)
}
