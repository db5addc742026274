//! The time axis under the sparklines: which moment each cell means.
//!
//! Shared by drawing and by the mouse. Cells lie on whole multiples of their length, so a cell keeps
//! its content while the axis moves on. A frozen view stays where it was, and scrolls only as far as
//! the selected range needs to be seen.

use super::App;
use crate::profile::{Moment, Nanos, Span};
use crate::session::{Range, Session};

/// Lengths a cell can have.
const CELLS: [Nanos; 10] = [
    Nanos::from_secs(1),
    Nanos::from_secs(2),
    Nanos::from_secs(5),
    Nanos::from_secs(10),
    Nanos::from_secs(30),
    Nanos::from_secs(60),
    Nanos::from_secs(300),
    Nanos::from_secs(900),
    Nanos::from_secs(3600),
    Nanos::from_secs(6 * 3600),
];

/// Cells of time, the newest at the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeAxis {
    /// From the left edge to the right one: `width` whole cells.
    pub span: Span,
    /// Length of a cell.
    pub cell: Nanos,
    /// Number of cells.
    pub width: u16,
}

impl TimeAxis {
    /// The moment a cell begins.
    pub fn moment(&self, x: u16) -> Moment {
        self.span.start + Nanos(self.cell.0.saturating_mul(u64::from(x)))
    }

    /// The stretch of time a cell means.
    pub fn cell_span(&self, x: u16) -> Span {
        Span { start: self.moment(x), length: self.cell }
    }

    /// The cell of a moment; none outside of the axis.
    pub fn x(&self, moment: Moment) -> Option<u16> {
        let inside = self.span.contains(moment) && self.cell.0 > 0;
        inside.then(|| (moment.since(self.span.start).0 / self.cell.0) as u16)
    }

    /// The cells that a stretch touches: first and the one after the last; none outside of the axis.
    pub fn cells_of(&self, span: Span) -> Option<(u16, u16)> {
        if span.overlap(self.span) == Nanos(0) || self.cell.0 == 0 {
            return None;
        }
        let from = span.start.since(self.span.start).0 / self.cell.0;
        let to = span.end().since(self.span.start).0.div_ceil(self.cell.0);
        Some((from as u16, to.min(u64::from(self.width)) as u16))
    }
}

/// Columns of the screen that hold the axis: the first, and how many. What is left of it is for the
/// sparklines' labels and figures.
pub fn axis_columns(width: u16) -> (u16, u16) {
    let labels = match width {
        0..=39 => 0,
        40..=99 => 24,
        _ => 32,
    };
    (labels.min(width), width.saturating_sub(labels))
}

/// The axis in `width` cells. A cell is a second, or longer when the selected range would not fit.
pub fn time_axis(app: &App, session: &Session, width: u16) -> TimeAxis {
    let range = match app.selection.range {
        Range::Span(span) => Some(span),
        Range::Live => None,
    };
    let cell = cell_for(range, width);
    let newest = app.frozen_at.filter(|_| range.is_some()).or_else(|| newest_of(session)).unwrap_or(app.now);
    let length = Nanos(cell.0.saturating_mul(u64::from(width)));
    let edge = right_edge(ceil(newest, cell), range, cell, length);
    TimeAxis { span: Span { start: edge - length, length }, cell, width }
}

/// The newest moment that anything was measured.
pub fn newest_of(session: &Session) -> Option<Moment> {
    let gauges = session.gauges();
    let measured = (0..session.sources().len()).flat_map(|index| {
        let source = crate::feed::SourceId(index as u16);
        gauges.gauges_of(source).filter_map(move |gauge| Some(gauges.last(source, gauge)?.0))
    });
    measured.chain(session.timeline().span().map(Span::end)).max()
}

fn cell_for(range: Option<Span>, width: u16) -> Nanos {
    let longest = CELLS[CELLS.len() - 1];
    let Some(range) = range else { return CELLS[0] };
    // One cell is lost where the range does not begin on a whole one.
    let fits = |cell: &Nanos| range.length.0.div_ceil(cell.0) < u64::from(width.max(2));
    CELLS.into_iter().find(fits).unwrap_or(longest)
}

/// `edge`, moved no further than the range needs.
fn right_edge(edge: Moment, range: Option<Span>, cell: Nanos, length: Nanos) -> Moment {
    let Some(range) = range else { return edge };
    let latest = floor(range.start, cell) + length;
    edge.min(latest).max(ceil(range.end(), cell).min(latest))
}

fn floor(moment: Moment, cell: Nanos) -> Moment {
    Moment(moment.0.saturating_sub(moment.0.rem_euclid(cell.0.max(1) as i64)))
}

fn ceil(moment: Moment, cell: Nanos) -> Moment {
    let below = floor(moment, cell);
    if below == moment { below } else { below + cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::synthetic::{START, events};

    fn session(seconds: u64) -> Session {
        let mut session = Session::default();
        for event in events(1, seconds) {
            session.ingest(&event);
        }
        session
    }

    fn second(s: u64) -> Moment {
        START + Nanos::from_secs(s)
    }

    fn frozen(from: u64, to: u64, at: u64) -> App {
        let mut app = App { frozen_at: Some(second(at)), ..App::default() };
        app.selection.range = Range::Span(Span::between(second(from), second(to)));
        app
    }

    #[test]
    fn live_the_newest_second_is_at_the_right_edge() {
        let axis = time_axis(&App::default(), &session(30), 20);
        assert_eq!(axis.span, Span::between(second(10), second(30)));
        assert_eq!(axis.x(second(29)), Some(19));
        assert_eq!(axis.x(second(30)), None);
        assert_eq!(axis.moment(19), second(29));
    }

    #[test]
    fn frozen_it_stays_while_time_goes_on() {
        let app = frozen(28, 29, 30);
        assert_eq!(time_axis(&app, &session(30), 20), time_axis(&app, &session(55), 20));
    }

    #[test]
    fn frozen_it_scrolls_only_to_keep_the_range_in_sight() {
        let session = session(60);
        assert_eq!(time_axis(&frozen(5, 6, 30), &session, 20).span.start, second(5));
        assert_eq!(time_axis(&frozen(12, 13, 30), &session, 20).span.end(), second(30));
        assert_eq!(time_axis(&frozen(40, 42, 30), &session, 20).span.end(), second(42));
    }

    #[test]
    fn a_range_wider_than_the_axis_gets_longer_cells() {
        let axis = time_axis(&frozen(0, 60, 60), &session(60), 20);
        assert_eq!(axis.cell, Nanos::from_secs(5));
        assert_eq!(axis.cells_of(Span::between(second(0), second(60))).map(|(a, b)| b - a), Some(12));
    }

    #[test]
    fn nothing_measured_and_no_room_are_no_trouble() {
        for width in [0, 1, 2] {
            let axis = time_axis(&App::default(), &Session::default(), width);
            assert_eq!(axis.x(Moment(i64::MIN)), None);
        }
    }
}
