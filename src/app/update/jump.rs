//! Jumps along the timeline: to a time, a mark, a stall, a peak of a gauge.

use super::Turn;
use crate::app::{App, Key, KeyCode, LineInput, Mode};
use crate::feed::{NoteLevel, SourceId};
use crate::gauges::{GAUGES, Gauge, GaugeSpec};
use crate::profile::{Moment, Nanos, Span};
use crate::session::{Range, Scope, WHEN_FORMS, When};
use jiff::tz::TimeZone;

/// An event-loop delay from which on one speaks of a stall, in seconds.
const STALL: f64 = 0.05;
/// Peaks closer to one another than this are one.
const APART: Nanos = Nanos::from_secs(3);
/// Peaks that can be jumped to.
const PEAKS: usize = 20;

/// Whose peaks are jumped to, and which of them is next: 0 is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    gauge: Gauge,
    rank: usize,
}

impl Default for Peak {
    fn default() -> Self {
        Self { gauge: Gauge::LoopDelayMax, rank: 0 }
    }
}

impl App {
    pub(super) fn ask_where(&mut self) {
        self.mode = Mode::Goto(LineInput::default());
    }

    pub(super) fn goto_key(&mut self, key: Key, turn: &mut Turn<'_>) {
        let Mode::Goto(line) = &mut self.mode else { return };
        match key.code {
            KeyCode::Enter => {
                let text = line.text().trim().to_owned();
                self.mode = Mode::Browse;
                self.go_where(&text, turn);
            }
            KeyCode::Esc => self.mode = Mode::Browse,
            _ => {
                line.edit(key);
            }
        }
    }

    /// Goes to a time, or to the greatest value of the gauge of that name.
    fn go_where(&mut self, text: &str, turn: &mut Turn<'_>) {
        if text.is_empty() {
            return;
        }
        let Some(extent) = turn.session.timeline().span() else { return self.nothing_yet() };
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        if let Some(moment) = When::parse(text).and_then(|when| when.resolve(extent, &zone)) {
            return self.go_to(moment, turn);
        }
        match gauge_named(text) {
            Some(gauge) => {
                self.peak = Peak { gauge: gauge.id, rank: 0 };
                self.next_peak(turn);
            }
            None => self
                .toast_error(format!("{text:?} is no time ({WHEN_FORMS}) and no gauge (rss, delay max ...)")),
        }
    }

    /// Selects the window that holds a moment.
    fn go_to(&mut self, moment: Moment, turn: &mut Turn<'_>) {
        if turn.session.timeline().span().is_none() {
            return self.nothing_yet();
        }
        self.select_between(moment, moment, turn);
    }

    /// The nearest mark after the selected time, or before it.
    pub(super) fn jump_to_mark(&mut self, forward: bool, turn: &mut Turn<'_>) {
        let marks = turn.session.notes().filter(|timed| timed.note.level == NoteLevel::Mark);
        let marks: Vec<(Moment, String)> =
            marks.map(|timed| (timed.at, timed.note.text.to_string())).collect();
        let moments = marks.iter().map(|mark| mark.0);
        match self.nearest(moments, forward, turn) {
            Some(moment) => {
                self.go_to(moment, turn);
                let text = marks.iter().find(|mark| mark.0 == moment).map(|mark| mark.1.clone());
                self.toast(format!("mark: {}", text.unwrap_or_default()));
            }
            None if marks.is_empty() => self.toast("there is no mark; m sets one"),
            None => self.toast(if forward { "there is no later mark" } else { "there is no earlier mark" }),
        }
    }

    /// The nearest stall of the event loop after the selected time, or before it.
    pub(super) fn jump_to_stall(&mut self, forward: bool, turn: &mut Turn<'_>) {
        let stalls = self.figures(Gauge::LoopDelayMax, turn).filter(|(_, delay)| *delay >= STALL);
        // A figure speaks for the time before it.
        let stalls: Vec<(Moment, f64)> = stalls.map(|(at, delay)| (at - Nanos(1), delay)).collect();
        let Some(moment) = self.nearest(stalls.iter().map(|stall| stall.0), forward, turn) else {
            let way = if forward { "later" } else { "earlier" };
            return self.toast(format!("there is no {way} delay of {:.0} ms or more", STALL * 1e3));
        };
        self.go_to(moment, turn);
        let longest = stalls.iter().find(|stall| stall.0 == moment).map_or(0.0, |stall| stall.1);
        self.toast(format!("the event loop was late by {:.0} ms here", longest * 1e3));
    }

    /// The greatest value of the gauge in question; again: the next greatest.
    pub(super) fn next_peak(&mut self, turn: &mut Turn<'_>) {
        let Peak { gauge, rank } = self.peak;
        self.peak.rank += 1;
        let peaks = peaks(self.figures(gauge, turn).collect());
        let label = GAUGES.iter().find(|spec| spec.id == gauge).map_or("", |spec| spec.label);
        let Some((moment, _)) = peaks.get(rank % peaks.len().max(1)) else {
            return self.toast(format!("nothing is known of {label} yet"));
        };
        self.go_to(*moment - Nanos(1), turn);
        let which = match rank % peaks.len() {
            0 => "the greatest".to_owned(),
            rank => format!("number {} of the greatest", rank + 1),
        };
        self.toast(format!("{which} {label}; P goes to the next, : names another gauge"));
    }

    /// Every figure of a gauge of the source looked at.
    fn figures<'a>(&self, gauge: Gauge, turn: &Turn<'a>) -> impl Iterator<Item = (Moment, f64)> + use<'a> {
        let source = match self.selection.scope {
            Scope::All => SourceId(0),
            Scope::Source(source) | Scope::Thread(source, _) => source,
        };
        turn.session.gauges().figures(source, gauge)
    }

    /// The nearest of some moments beyond the selected time.
    fn nearest(
        &self,
        moments: impl Iterator<Item = Moment>,
        forward: bool,
        turn: &Turn<'_>,
    ) -> Option<Moment> {
        let here = self.selected_time(turn)?;
        if forward {
            moments.filter(|moment| *moment >= here.end()).min()
        } else {
            moments.filter(|moment| *moment < here.start).max()
        }
    }

    /// The stretch selected; live, the newest window.
    fn selected_time(&self, turn: &Turn<'_>) -> Option<Span> {
        match self.selection.range {
            Range::Span(span) => Some(span),
            Range::Live => turn.shown.meta.as_ref().map(|meta| meta.span),
        }
    }

    fn nothing_yet(&mut self) {
        self.toast("there is no window yet");
    }
}

/// The gauge of that name, or the first whose name begins so.
fn gauge_named(text: &str) -> Option<&'static GaugeSpec> {
    let wanted = text.to_lowercase();
    let exact = GAUGES.iter().find(|spec| spec.label == wanted || spec.metric == wanted);
    exact.or_else(|| GAUGES.iter().find(|spec| spec.label.contains(&wanted)))
}

/// The greatest figures first, those near a greater one left out.
fn peaks(mut figures: Vec<(Moment, f64)>) -> Vec<(Moment, f64)> {
    figures.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut peaks: Vec<(Moment, f64)> = Vec::new();
    for (at, value) in figures {
        let is_apart = |peak: &(Moment, f64)| at.0.abs_diff(peak.0.0) >= APART.0;
        if peaks.iter().all(is_apart) {
            peaks.push((at, value));
        }
        if peaks.len() == PEAKS {
            break;
        }
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_apart_and_the_greatest_come_first() {
        let figure = |second: i64, value| (Moment(second * 1_000_000_000), value);
        let found =
            peaks(vec![figure(0, 1.0), figure(10, 9.0), figure(11, 8.0), figure(20, 8.5), figure(40, 2.0)]);
        let seconds: Vec<i64> = found.iter().map(|(at, _)| at.0 / 1_000_000_000).collect();
        assert_eq!(seconds, [10, 20, 40, 0]);
    }

    #[test]
    fn gauges_are_known_by_name_or_a_part_of_it() {
        let named = |text| gauge_named(text).map(|spec| spec.id);
        assert_eq!(named("RSS"), Some(Gauge::Rss));
        assert_eq!(named("delay max"), Some(Gauge::LoopDelayMax));
        assert_eq!(named("pause"), Some(Gauge::GcPauseMax));
        assert_eq!(named("nonsense"), None);
    }
}
