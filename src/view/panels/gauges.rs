//! The sparklines: CPU, memory, event loop, collections, on the one time axis.

use super::super::units;
use super::super::widgets::{Pen, SparkStyles, Sparkline, nice_top};
use super::{Panel, Screen, Ui};
use crate::app::{TimeAxis, axis_columns, time_axis};
use crate::feed::SourceId;
use crate::gauges::{Gauge, GaugeGroup};
use crate::session::Range;
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Gauges;

/// A sparkline of the screen.
struct Group {
    of: GaugeGroup,
    label: &'static str,
    /// The figures said beside it, the most telling first.
    figures: &'static [(Gauge, &'static str)],
    /// The series behind and the one in front.
    series: (Gauge, Option<Gauge>),
    slots: (Slot, Slot),
    /// The least scale, and the unit of its nice steps.
    least: f64,
    step: f64,
}

const MIB: f64 = 1024.0 * 1024.0;

const GROUPS: &[Group] = &[
    Group {
        of: GaugeGroup::Cpu,
        label: "cpu",
        figures: &[(Gauge::CpuProcess, "process"), (Gauge::CpuLoop, "loop")],
        series: (Gauge::CpuProcess, Some(Gauge::CpuLoop)),
        slots: (Slot::SparkCpu, Slot::SparkCpuInner),
        least: 1.0,
        step: 0.01,
    },
    Group {
        of: GaugeGroup::Memory,
        label: "mem",
        figures: &[(Gauge::Rss, "rss"), (Gauge::HeapUsed, "heap"), (Gauge::HeapTotal, "reserved")],
        series: (Gauge::Rss, Some(Gauge::HeapUsed)),
        slots: (Slot::SparkMemory, Slot::SparkMemoryInner),
        least: 10.0 * MIB,
        step: MIB,
    },
    Group {
        of: GaugeGroup::Loop,
        label: "loop",
        figures: &[
            (Gauge::LoopDelayP99, "p99"),
            (Gauge::LoopDelayMax, "longest"),
            (Gauge::LoopUtilization, "busy"),
        ],
        series: (Gauge::LoopDelayMax, Some(Gauge::LoopDelayP99)),
        slots: (Slot::SparkLoop, Slot::SparkLoopInner),
        least: 0.01,
        step: 0.001,
    },
    Group {
        of: GaugeGroup::Gc,
        label: "gc",
        figures: &[(Gauge::GcShare, "of time"), (Gauge::GcPauseMax, "longest"), (Gauge::GcCount, "count")],
        series: (Gauge::GcShare, None),
        slots: (Slot::SparkGc, Slot::SparkGcInner),
        least: 0.1,
        step: 0.01,
    },
    Group {
        of: GaugeGroup::Other,
        label: "goro",
        figures: &[(Gauge::Goroutines, "goro")],
        series: (Gauge::Goroutines, None),
        slots: (Slot::SparkOther, Slot::SparkOtherInner),
        least: 10.0,
        step: 1.0,
    },
    Group {
        of: GaugeGroup::Other,
        label: "task",
        figures: &[(Gauge::Tasks, "tasks")],
        series: (Gauge::Tasks, None),
        slots: (Slot::SparkOther, Slot::SparkOtherInner),
        least: 10.0,
        step: 1.0,
    },
    Group {
        of: GaugeGroup::Other,
        label: "thrd",
        figures: &[(Gauge::Threads, "threads")],
        series: (Gauge::Threads, None),
        slots: (Slot::SparkOther, Slot::SparkOtherInner),
        least: 10.0,
        step: 1.0,
    },
];

/// Sparklines at most; with fewer kinds of figures each gets more rows.
const MOST: usize = 4;

impl Panel for Gauges {
    fn place(&self, _: &Ui, screen: &Screen) -> Option<Rect> {
        (screen.gauges.height > 0).then_some(screen.gauges)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let source = ui.source().map_or(SourceId(0), |(id, _)| id);
        let (gutter, width) = axis_columns(area.width);
        let axis = time_axis(ui.app, ui.session, width);
        let groups = groups_of(ui, source);
        let height = (area.height / groups.len().max(1) as u16).max(1);
        for (at, group) in groups.iter().enumerate() {
            let row = Rect { y: area.y + at as u16 * height, height, ..area }.intersection(area);
            let drawing = Drawing { ui, source, axis: &axis, group };
            drawing.figures(Rect { width: gutter, ..row }, buf);
            drawing.chart(Rect { x: area.x + gutter, width, ..row }, buf);
        }
    }
}

/// The groups that the source has figures of; all the usual ones before the first came.
fn groups_of(ui: &Ui, source: SourceId) -> Vec<&'static Group> {
    let sent: Vec<Gauge> = ui.session.gauges().gauges_of(source).collect();
    let has = |group: &&Group| {
        if sent.is_empty() { group.of != GaugeGroup::Other } else { sent.contains(&group.series.0) }
    };
    GROUPS.iter().filter(has).take(MOST).collect()
}

struct Drawing<'a> {
    ui: &'a Ui<'a>,
    source: SourceId,
    axis: &'a TimeAxis,
    group: &'static Group,
}

impl Drawing<'_> {
    fn greatest(&self, gauge: Gauge) -> Vec<Option<f64>> {
        let cells = usize::from(self.axis.width);
        let buckets = self.ui.session.gauges().cells(self.source, gauge, self.axis.span, cells);
        buckets.into_iter().map(|bucket| bucket.map(|bucket| bucket.max)).collect()
    }

    fn chart(&self, area: Rect, buf: &mut Buffer) {
        let style = |slot| self.ui.theme.style(slot);
        let outer = self.greatest(self.group.series.0);
        let inner = self.group.series.1.map_or_else(Vec::new, |gauge| self.greatest(gauge));
        // A series that was never measured is not one of nothing.
        let inner = if inner.iter().all(Option::is_none) { Vec::new() } else { inner };
        let spark = Sparkline {
            top: self.top(&outer),
            outer: &outer,
            inner: &inner,
            selected: selected_cells(self.ui, self.axis),
            styles: SparkStyles {
                outer: style(self.group.slots.0),
                inner: style(self.group.slots.1),
                gap: style(Slot::SparkGap),
                selected: style(Slot::SparkSelected),
            },
        };
        spark.draw(area, self.ui.theme, buf);
    }

    fn top(&self, outer: &[Option<f64>]) -> f64 {
        let greatest = outer.iter().flatten().copied().fold(0.0, f64::max);
        nice_top(greatest, self.group.least, self.group.step)
    }

    /// `cpu  process     93 %  12–104%`
    fn figures(&self, area: Rect, buf: &mut Buffer) {
        let wide = area.width >= 32;
        for (at, row) in area.rows().enumerate() {
            let style = |slot| self.ui.theme.style(slot);
            let mut pen = Pen::on(buf, row, self.ui.theme);
            pen.cell(if at == 0 { self.group.label } else { "" }, 5, style(self.group.slots.1));
            let Some((gauge, name)) = self.group.figures.get(at) else {
                if at + 1 == usize::from(area.height) {
                    self.scale(&mut pen, wide);
                }
                continue;
            };
            if wide {
                pen.cell(name, 8, style(Slot::TextDim));
            }
            let now = self.now(*gauge).map_or("–".into(), |value| units::gauge(gauge.spec().unit, value));
            pen.right(&now, 8, style(Slot::TextValue)).skip(1);
            // One row alone tells of the series behind, whose spikes the chart shows.
            let ranged = if area.height == 1 { self.group.series.0 } else { *gauge };
            pen.cell(&self.range(ranged), 9, style(Slot::TextDim));
        }
    }

    /// The value of the upper edge, where a row is left to say it.
    fn scale(&self, pen: &mut Pen, wide: bool) {
        let dim = self.ui.theme.style(Slot::TextDim);
        let top = self.top(&self.greatest(self.group.series.0));
        if wide {
            pen.cell("scale", 8, dim);
        }
        pen.right(&units::gauge(self.group.series.0.spec().unit, top), 8, dim);
    }

    /// The figure of the selected time; live the newest.
    fn now(&self, gauge: Gauge) -> Option<f64> {
        let gauges = self.ui.session.gauges();
        match self.ui.app.selection.range {
            Range::Live => gauges.last(self.source, gauge).map(|(_, value)| value),
            Range::Span(span) => gauges.extremes(self.source, gauge, span).map(|bucket| bucket.last),
        }
    }

    /// Least and greatest in sight.
    fn range(&self, gauge: Gauge) -> String {
        let extremes = self.ui.session.gauges().extremes(self.source, gauge, self.axis.span);
        extremes.map_or_else(String::new, |bucket| units::range(gauge.spec().unit, bucket.min, bucket.max))
    }
}

/// The cells of the selected time; live those of the window on screen.
pub(super) fn selected_cells(ui: &Ui, axis: &TimeAxis) -> Option<(u16, u16)> {
    let span = match ui.app.selection.range {
        Range::Span(span) => span,
        Range::Live => ui.shown.meta.as_ref()?.span,
    };
    axis.cells_of(span)
}
