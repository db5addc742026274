//! Samples by line, which files count for the whole: handed out to windows.

use super::Timeline;
use rustc_hash::FxHashMap;

/// What the file says of one node.
#[derive(Default)]
struct OfNode {
    /// Its samples in the whole file.
    all: u64,
    /// Those in the windows before.
    before: u64,
    /// Line, samples.
    lines: Vec<(u32, u32)>,
}

/// Samples by line, in proportion to a node's samples in each window; all windows have all of them.
#[derive(Default)]
pub(super) struct Lines {
    /// By thread and node.
    of: FxHashMap<(u32, u32), OfNode>,
}

impl Lines {
    /// The lines of the whole.
    pub fn new(timeline: &Timeline) -> Self {
        let mut lines = Self::default();
        for (thread, node, line, samples) in &timeline.lines {
            lines.of.entry((*thread, *node)).or_default().lines.push((*line, *samples));
        }
        if lines.of.is_empty() {
            return lines;
        }
        for sample in &timeline.samples {
            if let Some(node) = lines.of.get_mut(&(sample.thread, sample.node)) {
                node.all += u64::from(sample.samples);
            }
        }
        lines
    }

    /// The share of the next `samples` of a node.
    pub fn take(&mut self, thread: u32, node: u32, samples: u64) -> Vec<(u32, u32)> {
        let Some(OfNode { all, before, lines }) = self.of.get_mut(&(thread, node)) else { return Vec::new() };
        let share =
            |of: u32, upto: u64| (u128::from(of) * u128::from(upto) / u128::from((*all).max(1))) as u32;
        let (from, to) = (*before, (*before + samples).min(*all));
        let taken = lines.iter().map(|(line, of)| (*line, share(*of, to) - share(*of, from)));
        let taken = taken.filter(|(_, count)| *count > 0).collect();
        *before = to;
        taken
    }
}
