//! This process watching itself: CPU by pprof-rs, heap by a sampling allocator of our own.
//!
//! The built-in demo serves what is measured here over HTTP, the way Go and Rust servers do. Nothing
//! here runs, or costs more than one relaxed load per allocation, unless it is asked for.

mod cpu;
mod heap;
mod symbols;

pub use cpu::{CpuError, CpuWindow};
pub use heap::{SamplingAllocator, live_bytes, read_heap, sample_heap, unsampled};

use crate::profile::{CallTree, Fold, Folded, Nanos, NodeId, Profile, Sampling, Span, Thread, ValueKind};
use rustc_hash::FxHashMap;
use symbols::Symbols;

/// One stack as sampled: return addresses from the leaf, and what was counted there.
struct RawStack {
    thread: Thread,
    addresses: Vec<usize>,
    values: Vec<i64>,
}

/// What is known of a window beside its stacks.
struct Taken {
    kinds: Vec<ValueKind>,
    span: Span,
    covered: Nanos,
    sampling: Sampling,
}

/// Reads the tables that names come from, which takes a quarter of a second the first time, so that
/// the first profile does not wait for it.
pub fn warm_up() {
    unsampled(|| Symbols::lock().path(&[warm_up as *const () as usize]));
}

/// Names the stacks and folds them: a lane a thread.
fn assemble(stacks: Vec<RawStack>, taken: Taken) -> Profile {
    let mut tree = CallTree::default();
    let mut symbols = Symbols::lock();
    let mut rows: FxHashMap<Thread, Vec<(NodeId, Vec<i64>)>> = FxHashMap::default();
    for stack in stacks {
        let path = symbols.path(&stack.addresses);
        let ids: Vec<_> = path.iter().map(|frame| tree.intern_frame(frame)).collect();
        let node = ids.into_iter().fold(CallTree::ROOT, |node, frame| tree.child(node, frame));
        rows.entry(stack.thread).or_default().push((node, stack.values));
    }
    let kinds: std::sync::Arc<[ValueKind]> = taken.kinds.clone().into();
    let mut lanes: Vec<Folded> = rows
        .into_iter()
        .map(|(thread, rows)| {
            let rows: Vec<(NodeId, &[i64])> = rows.iter().map(|(node, v)| (*node, v.as_slice())).collect();
            let fold = Fold::from_rows(&tree, kinds.clone(), &rows, Vec::new());
            Folded { thread, fold, runs: Vec::new(), runs_dropped: 0 }
        })
        .collect();
    lanes.sort_by(|a, b| (&a.thread.name, a.thread.tid).cmp(&(&b.thread.name, b.thread.tid)));
    let mut profile = crate::profile::lower(&tree, taken.span, taken.covered, taken.sampling, &lanes);
    profile.kinds = taken.kinds;
    profile
}
