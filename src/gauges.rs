//! The table of gauges: every figure that streams beside the profiles, with its unit and names.
//!
//! A new gauge is one row here and one place where it is measured.

use crate::profile::Moment;
use serde::{Deserialize, Serialize};

macro_rules! gauges {
    ($($id:ident, $group:ident, $unit:ident, $label:literal, $metric:literal, $help:literal;)*) => {
        /// A gauge, as its row in [`GAUGES`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Gauge {
            $(#[doc = $help] $id,)*
        }

        /// Every gauge there is, in the order of [`Gauge`].
        pub const GAUGES: &[GaugeSpec] = &[
            $(GaugeSpec { id: Gauge::$id, group: GaugeGroup::$group, unit: GaugeUnit::$unit, label: $label, metric: $metric, help: $help },)*
        ];
    };
}

/// What a gauge is and is called.
#[derive(Clone, Copy, Debug)]
pub struct GaugeSpec {
    /// The gauge.
    pub id: Gauge,
    /// The sparkline it belongs to.
    pub group: GaugeGroup,
    /// Its unit.
    pub unit: GaugeUnit,
    /// Short name on screen and in recordings.
    pub label: &'static str,
    /// Name for Prometheus.
    pub metric: &'static str,
    /// One sentence.
    pub help: &'static str,
}

/// The sparklines of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GaugeGroup {
    /// CPU use.
    Cpu,
    /// Memory.
    Memory,
    /// Event loop or scheduler.
    Loop,
    /// Garbage collection.
    Gc,
    /// What else the kind of target has.
    Other,
}

/// Units of gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaugeUnit {
    /// A share: 1.0 is one whole core, or all of the time.
    Ratio,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A plain count.
    Count,
}

gauges! {
    CpuProcess, Cpu, Ratio, "cpu", "flametop_cpu_ratio", "CPU use of the process, 1 = one core.";
    CpuLoop, Cpu, Ratio, "loop thread", "flametop_cpu_main_thread_ratio", "CPU use of the main (event-loop) thread, 1 = one core.";
    Rss, Memory, Bytes, "rss", "flametop_resident_memory_bytes", "Resident memory of the process.";
    HeapUsed, Memory, Bytes, "heap used", "flametop_heap_used_bytes", "Heap in use.";
    HeapTotal, Memory, Bytes, "heap total", "flametop_heap_size_bytes", "Heap reserved by the runtime.";
    External, Memory, Bytes, "external", "flametop_external_memory_bytes", "Memory outside the heap that heap objects hold.";
    ArrayBuffers, Memory, Bytes, "array buffers", "flametop_array_buffers_bytes", "Memory of array buffers, part of external.";
    LoopDelayP50, Loop, Seconds, "delay p50", "flametop_eventloop_delay_p50_seconds", "Median event-loop delay.";
    LoopDelayP99, Loop, Seconds, "delay p99", "flametop_eventloop_delay_p99_seconds", "99th percentile of event-loop delay.";
    LoopDelayMax, Loop, Seconds, "delay max", "flametop_eventloop_delay_max_seconds", "Longest event-loop delay.";
    LoopUtilization, Loop, Ratio, "utilisation", "flametop_eventloop_utilization_ratio", "Share of time the event loop was busy.";
    GcShare, Gc, Ratio, "gc share", "flametop_gc_ratio", "Share of time spent in garbage collection.";
    GcPauseMax, Gc, Seconds, "gc pause", "flametop_gc_pause_max_seconds", "Longest garbage collection.";
    GcCount, Gc, Count, "gc count", "flametop_gc_collections", "Garbage collections since the figure before.";
    GcMinor, Gc, Seconds, "gc minor", "flametop_gc_minor_seconds", "Time in minor collections since the figure before.";
    GcMajor, Gc, Seconds, "gc major", "flametop_gc_major_seconds", "Time in major collections since the figure before.";
    Handles, Other, Count, "handles", "flametop_active_handles", "Active handles and requests of the event loop.";
    Threads, Other, Count, "threads", "flametop_threads", "Threads of the process.";
    Goroutines, Other, Count, "goroutines", "flametop_goroutines", "Goroutines of a Go process.";
    Tasks, Other, Count, "tasks", "flametop_tasks", "Live tasks of an asynchronous runtime.";
}

impl Gauge {
    /// The gauge's row.
    pub fn spec(self) -> &'static GaugeSpec {
        &GAUGES[self as usize]
    }

    /// The gauge with that label.
    pub fn by_label(label: &str) -> Option<Self> {
        GAUGES.iter().find(|spec| spec.label == label).map(|spec| spec.id)
    }
}

/// Figures of one moment; what could not be measured is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GaugeBatch {
    /// When they were true.
    pub at: Moment,
    /// The figures, each gauge at most once.
    pub values: Vec<(Gauge, f64)>,
}

impl GaugeBatch {
    /// The value of one gauge.
    pub fn get(&self, gauge: Gauge) -> Option<f64> {
        self.values.iter().find(|(id, _)| *id == gauge).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_id_and_names_are_unique() {
        for (index, spec) in GAUGES.iter().enumerate() {
            assert_eq!(spec.id as usize, index);
            assert_eq!(GAUGES.iter().filter(|other| other.label == spec.label).count(), 1);
            assert_eq!(GAUGES.iter().filter(|other| other.metric == spec.metric).count(), 1);
            assert!(spec.metric.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        }
    }
}
