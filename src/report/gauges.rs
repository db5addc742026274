//! Gauges over time, packed: whole milliseconds and whole multiples of a scale.

use super::header::{Contents, GaugeRow};
use super::packing::Packing;
use crate::feed::SourceId;
use crate::gauges::{Gauge, GaugeGroup, GaugeSpec, GaugeUnit};
use crate::profile::Nanos;
use crate::session::Bucket;

/// Packs every gauge of every source, and gives a row for each.
pub(super) fn pack(contents: &Contents<'_>, body: &mut Packing) -> Vec<GaugeRow> {
    let gauges = contents.session.gauges();
    let mut rows = Vec::new();
    for source in (0..contents.session.sources().len()).map(|at| SourceId(at as u16)) {
        for gauge in gauges.gauges_of(source) {
            let row = row(source, gauge);
            let points = points(contents, gauges.buckets(source, gauge));
            body.unsigned(points.len() as u64);
            body.steps(points.iter().map(|(at, _)| at / 1_000_000));
            // Values past the reach of whole numbers stop at its end.
            body.steps(points.iter().map(|(_, value)| (value / row.scale).round() as i64));
            rows.push(row);
        }
    }
    rows
}

/// Moments in nanoseconds with values. A bucket of many figures gives its least, then its greatest.
fn points<'a>(
    contents: &Contents<'_>,
    buckets: impl Iterator<Item = (Bucket, Nanos)> + 'a,
) -> Vec<(i64, f64)> {
    let mut points = Vec::new();
    for (bucket, length) in buckets {
        let at = contents.offset(bucket.start);
        points.push((at, bucket.min));
        if length.0 > 0 {
            points.push((at + (length.0 / 2) as i64, bucket.max));
        }
    }
    points
}

fn row(source: SourceId, gauge: Gauge) -> GaugeRow {
    let GaugeSpec { group, unit, label, help, .. } = *gauge.spec();
    let group = match group {
        GaugeGroup::Cpu => "CPU",
        GaugeGroup::Memory => "Memory",
        GaugeGroup::Loop => "Event loop",
        GaugeGroup::Gc => "GC",
        GaugeGroup::Other => "Other",
    };
    let (unit, scale) = match unit {
        GaugeUnit::Ratio => ("ratio", 1e-4),
        GaugeUnit::Bytes => ("bytes", 1.0),
        GaugeUnit::Seconds => ("seconds", 1e-6),
        GaugeUnit::Count => ("count", 1e-2),
    };
    GaugeRow { source: source.0, label, group, unit, help, scale }
}
