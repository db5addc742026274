//! Gauges over time: exact for a while, then as minimum and maximum of ten seconds, so that a
//! sparkline never hides a spike.

use crate::feed::SourceId;
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::{Moment, Nanos, Span};
use std::collections::{BTreeMap, VecDeque};

/// Exact figures kept for each gauge: an hour at four a second.
const RECENT: usize = 4 * 3600;
/// Ten-second buckets kept beyond that: a week.
const ROLLED: usize = 6 * 60 * 24 * 7;
/// Length of a bucket.
const BUCKET: Nanos = Nanos::from_secs(10);

/// Extremes of a gauge over a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// When it begins.
    pub start: Moment,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// Newest value.
    pub last: f64,
}

#[derive(Clone, Debug, Default)]
struct Series {
    rolled: VecDeque<Bucket>,
    recent: VecDeque<(Moment, f64)>,
}

/// The gauges of a session.
#[derive(Clone, Debug, Default)]
pub struct GaugeStore {
    series: BTreeMap<(SourceId, Gauge), Series>,
}

impl GaugeStore {
    /// Takes in the figures of one moment; what is not a number is left out.
    pub fn add(&mut self, source: SourceId, batch: &GaugeBatch) {
        for (gauge, value) in batch.values.iter().filter(|(_, value)| value.is_finite()) {
            self.series.entry((source, *gauge)).or_default().add(batch.at, *value);
        }
    }

    /// The newest figure and when it was true.
    pub fn last(&self, source: SourceId, gauge: Gauge) -> Option<(Moment, f64)> {
        self.series.get(&(source, gauge))?.recent.back().copied()
    }

    /// The gauges a source has sent.
    pub fn gauges_of(&self, source: SourceId) -> impl Iterator<Item = Gauge> {
        self.series
            .range((source, crate::gauges::GAUGES[0].id)..)
            .take_while(move |(key, _)| key.0 == source)
            .map(|(key, _)| key.1)
    }

    /// The stretch of `span` in `cells` equal parts; none where nothing was measured.
    pub fn cells(&self, source: SourceId, gauge: Gauge, span: Span, cells: usize) -> Vec<Option<Bucket>> {
        let mut out = vec![None; cells];
        let Some(series) = self.series.get(&(source, gauge)) else { return out };
        let place = |at: Moment| -> Option<usize> {
            let offset = u128::from(at.since(span.start).0);
            (span.contains(at)).then(|| (offset * cells as u128 / u128::from(span.length.0.max(1))) as usize)
        };
        for bucket in &series.rolled {
            if let Some(cell) = place(bucket.start) {
                widen(&mut out[cell], *bucket);
            }
        }
        let from = series.recent.partition_point(|(at, _)| *at < span.start);
        for (at, value) in series.recent.range(from..) {
            match place(*at) {
                Some(cell) => {
                    widen(&mut out[cell], Bucket { start: *at, min: *value, max: *value, last: *value });
                }
                None => break,
            }
        }
        out
    }

    /// Every figure of a gauge, in the order of time: older ones as the greatest of ten seconds.
    pub fn figures(&self, source: SourceId, gauge: Gauge) -> impl Iterator<Item = (Moment, f64)> {
        self.buckets(source, gauge).map(|(bucket, _)| (bucket.start, bucket.max))
    }

    /// Everything held of a gauge, oldest first, each with the length it speaks for: zero for a figure as
    /// it came.
    pub fn buckets(&self, source: SourceId, gauge: Gauge) -> impl Iterator<Item = (Bucket, Nanos)> {
        let series = self.series.get(&(source, gauge)).into_iter();
        series.flat_map(|series| {
            let rolled = series.rolled.iter().map(|bucket| (*bucket, BUCKET));
            let exact =
                |(at, value): &(Moment, f64)| Bucket { start: *at, min: *value, max: *value, last: *value };
            rolled.chain(series.recent.iter().map(move |point| (exact(point), Nanos(0))))
        })
    }

    /// From the first figure to the last; none when nothing was measured.
    pub fn span(&self) -> Option<Span> {
        let of = |series: &Series| {
            let first = series.rolled.front().map(|b| b.start).or(series.recent.front().map(|p| p.0))?;
            Some(Span::between(first, series.recent.back()?.0))
        };
        self.series.values().filter_map(of).reduce(Span::union)
    }

    /// Extremes over a stretch of time.
    pub fn extremes(&self, source: SourceId, gauge: Gauge, span: Span) -> Option<Bucket> {
        self.cells(source, gauge, span, 1).pop().flatten()
    }
}

fn widen(cell: &mut Option<Bucket>, more: Bucket) {
    *cell = Some(match *cell {
        None => more,
        Some(had) => Bucket {
            start: had.start,
            min: had.min.min(more.min),
            max: had.max.max(more.max),
            last: more.last,
        },
    });
}

impl Series {
    fn add(&mut self, at: Moment, value: f64) {
        // A replayed or late figure goes to its place in time.
        let place = self.recent.partition_point(|(known, _)| *known <= at);
        self.recent.insert(place, (at, value));
        if self.recent.len() > RECENT
            && let Some((at, value)) = self.recent.pop_front()
        {
            self.roll(at, value);
        }
    }

    fn roll(&mut self, at: Moment, value: f64) {
        let start = Moment(at.0 - at.0.rem_euclid(BUCKET.0 as i64));
        let more = Bucket { start, min: value, max: value, last: value };
        match self.rolled.back_mut().filter(|bucket| bucket.start == start) {
            Some(bucket) => {
                let mut cell = Some(*bucket);
                widen(&mut cell, more);
                *bucket = cell.unwrap_or(more);
            }
            None => self.rolled.push_back(more),
        }
        if self.rolled.len() > ROLLED {
            self.rolled.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_survives_rolling_up_and_a_gap_stays_a_gap() {
        let mut store = GaugeStore::default();
        let second = |s: usize| Moment(s as i64 * 1_000_000_000);
        for s in (0..RECENT + 500).filter(|s| !(100..200).contains(s)) {
            let value = if s == 50 { 9.0 } else { 1.0 };
            store.add(SourceId(0), &GaugeBatch { at: second(s), values: vec![(Gauge::CpuProcess, value)] });
        }
        let span = Span::between(second(0), second(300));
        let cells = store.cells(SourceId(0), Gauge::CpuProcess, span, 30);
        assert_eq!(cells[5].map(|b| b.max), Some(9.0));
        assert!(cells[10..20].iter().all(Option::is_none));
        assert!(cells[20..].iter().all(Option::is_some));
    }
}
