//! An [`Event`] as rows, and rows as the same event: writing and reading side by side.

use super::detail;
use super::row::{Fields, RowError, Table};
use super::schema::{GAUGES, NOTES, STATES, TARGETS, WINDOWS};
use crate::feed::{Event, Feed, Note, NoteLevel, SourceId, TargetInfo};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::{Frame, Moment, Nanos, Profile, Sampling, Span};
use rusqlite::types::Value;

/// Numbers of the frames of a window, or the frames of such numbers.
pub(super) trait FrameStore {
    fn frame(&mut self, id: u32) -> Result<Frame, RowError>;
}

/// The head of every event's row.
fn head(seq: i64, event: &Event) -> Vec<Value> {
    vec![seq.into(), i64::from(event.source.0).into(), event.at.0.into()]
}

fn unsigned(value: u64) -> Value {
    Value::Integer(value.cast_signed())
}

fn json<T: serde::Serialize>(value: &T) -> Value {
    // These types hold no maps and nothing that fails; an empty text would be found by the reader.
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}

/// The rows of an event that is not a window, with their table.
pub(super) fn rows_of(seq: i64, event: &Event) -> (Table, Vec<Vec<Value>>) {
    let one = |rest: Vec<Value>| vec![head(seq, event).into_iter().chain(rest).collect()];
    match &event.feed {
        Feed::Attached(target) => (TARGETS, one(target_values(target))),
        Feed::Status(status) => (STATES, one(vec![text("status"), json(status)])),
        Feed::Ended(reason) => (STATES, one(vec![text("ended"), json(reason)])),
        Feed::Note(note) => (NOTES, one(vec![text(level_name(note.level)), text(&note.text)])),
        Feed::Gauges(batch) => (GAUGES, gauge_rows(seq, event, batch)),
        Feed::Window(_) => (WINDOWS, Vec::new()),
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn target_values(target: &TargetInfo) -> Vec<Value> {
    vec![
        text(&target.name),
        text(&target.kind),
        target.pid.map(i64::from).into(),
        target.started.map(|moment| moment.0).into(),
        text(&target.executable),
        json(&target.capabilities),
        unsigned(target.interval.0),
        text(&target.address),
    ]
}

fn gauge_rows(seq: i64, event: &Event, batch: &GaugeBatch) -> Vec<Vec<Value>> {
    let row = |(place, (gauge, value)): (usize, &(Gauge, f64))| {
        let mut row: Vec<Value> = vec![seq.into(), (place as i64).into(), (batch.values.len() as i64).into()];
        row.extend([i64::from(event.source.0).into(), event.at.0.into(), batch.at.0.into()]);
        // SQLite has no "not a number" and no negative zero, and the checksum is over what it gives back.
        let value = if value.is_nan() { Value::Null } else { Value::Real(*value + 0.0) };
        row.extend([text(gauge.spec().label), value]);
        row
    };
    batch.values.iter().enumerate().map(row).collect()
}

/// The row of a window, without its frames.
pub(super) fn window_row(
    seq: i64,
    event: &Event,
    profile: &Profile,
    pprof: Option<Vec<u8>>,
    detail: Vec<u8>,
) -> Vec<Value> {
    let sampling = &profile.sampling;
    let mut row = head(seq, event);
    row.push(profile.span.start.0.into());
    row.extend([profile.span.length.0, profile.covered.0].map(unsigned));
    row.extend([sampling.taken, sampling.lost, sampling.truncated].map(unsigned));
    row.extend([
        text(&sampling.period_name),
        unsigned(sampling.period),
        text(sampling.period_unit().as_str()),
    ]);
    row.extend([sampling.achieved, sampling.handover.0, sampling.handover_bytes].map(unsigned));
    row.extend([json(&profile.kinds), json(&profile.notes), pprof.into(), Value::Blob(detail)]);
    row
}

/// The event of the rows that have one `seq` in a table.
pub(super) fn event_of(
    table: Table,
    rows: Vec<Fields>,
    frames: &mut impl FrameStore,
) -> Result<Event, RowError> {
    if table == GAUGES {
        return gauges_of(rows);
    }
    let mut row = rows.into_iter().next().ok_or(RowError::Damaged)?;
    row.skip();
    let (source, at) = (SourceId(row.small()?), Moment(row.integer()?));
    let feed = match table.name {
        "targets" => Feed::Attached(target_of(&mut row)?),
        "windows" => Feed::Window(Box::new(window_of(&mut row, frames)?)),
        "notes" => {
            let level = level_named(&row.text()?).ok_or(RowError::Damaged)?;
            Feed::Note(Note { level, text: row.text()? })
        }
        _ => match &*row.text()? {
            "status" => Feed::Status(row.json()?),
            "ended" => Feed::Ended(row.json()?),
            _ => return Err(RowError::Damaged),
        },
    };
    Ok(Event { source, at, feed })
}

fn gauges_of(rows: Vec<Fields>) -> Result<Event, RowError> {
    let mut batch = GaugeBatch::default();
    let places = rows.len();
    let mut head = None;
    for (place, mut row) in rows.into_iter().enumerate() {
        row.skip();
        if (row.small::<usize>()?, row.small::<usize>()?) != (place, places) {
            return Err(RowError::Damaged);
        }
        let (source, at) = (SourceId(row.small()?), Moment(row.integer()?));
        head = Some((source, at));
        batch.at = Moment(row.integer()?);
        let gauge = Gauge::by_label(&row.text()?).ok_or(RowError::Damaged)?;
        batch.values.push((gauge, row.real()?));
    }
    let (source, at) = head.ok_or(RowError::Damaged)?;
    Ok(Event { source, at, feed: Feed::Gauges(batch) })
}

fn target_of(row: &mut Fields) -> Result<TargetInfo, RowError> {
    Ok(TargetInfo {
        name: row.text()?,
        kind: row.text()?,
        pid: row.optional_integer()?.map(u32::try_from).transpose().map_err(|_| RowError::Damaged)?,
        started: row.optional_integer()?.map(Moment),
        executable: row.text()?,
        capabilities: row.json()?,
        interval: Nanos(row.unsigned()?),
        address: row.text()?,
    })
}

fn window_of(row: &mut Fields, frames: &mut impl FrameStore) -> Result<Profile, RowError> {
    let span = Span { start: Moment(row.integer()?), length: Nanos(row.unsigned()?) };
    let covered = Nanos(row.unsigned()?);
    let sampling = sampling_of(row)?;
    let (kinds, notes) = (row.json()?, row.json()?);
    row.skip();
    let detail = detail::unpack(&row.blob()?).ok_or(RowError::Damaged)?;
    let frames = detail.frames.iter().map(|id| frames.frame(*id)).collect::<Result<_, _>>()?;
    let profile =
        Profile { kinds, span, covered, sampling, frames, nodes: detail.nodes, lanes: detail.lanes, notes };
    if profile.is_sound() { Ok(profile) } else { Err(RowError::Damaged) }
}

fn sampling_of(row: &mut Fields) -> Result<Sampling, RowError> {
    Ok(Sampling {
        taken: row.unsigned()?,
        lost: row.unsigned()?,
        truncated: row.unsigned()?,
        period_name: row.text()?,
        period: row.unsigned()?,
        period_bytes: &*row.text()? == "bytes",
        achieved: row.unsigned()?,
        handover: Nanos(row.unsigned()?),
        handover_bytes: row.unsigned()?,
    })
}

const LEVELS: [(NoteLevel, &str); 4] = [
    (NoteLevel::Info, "info"),
    (NoteLevel::Warning, "warning"),
    (NoteLevel::Error, "error"),
    (NoteLevel::Mark, "mark"),
];

fn level_name(level: NoteLevel) -> &'static str {
    LEVELS.iter().find(|(known, _)| *known == level).map_or("info", |(_, name)| name)
}

fn level_named(name: &str) -> Option<NoteLevel> {
    LEVELS.iter().find(|(_, known)| *known == name).map(|(level, _)| *level)
}
