//! The laws of windows.

use super::*;
use crate::profile::{FrameKind, Nanos};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A call tree of three functions, and samples (thread, node, pause before it, how long, how often).
fn timeline(samples: &[(u32, u32, u64, u64, u32)]) -> Timeline {
    let named = |name: &str| Frame::named(name, FrameKind::Js);
    let node = |parent, frame| ProfileNode { parent, frame };
    let thread = |tid| Thread { pid: 1, tid, name: format!("t{tid}").into() };
    let mut ends = [5_000_000_000_i64; 2];
    let timed = samples.iter().map(|&(thread, node, pause, lasted, samples)| {
        let at = ends[thread as usize] + pause as i64;
        ends[thread as usize] = at + lasted as i64;
        Timed { thread, node, at, lasted, samples }
    });
    Timeline {
        counted: true,
        timed: true,
        kind: ValueKind::cpu(),
        samples: timed.collect(),
        frames: vec![named("a"), named("b"), Frame::named("(truncated)", FrameKind::Truncated)],
        nodes: vec![node(0, 0), node(0, 0), node(1, 1), node(0, 2), node(3, 1)],
        threads: vec![thread(1), thread(2)],
        lines: vec![(0, 1, 7, 10), (0, 1, 8, 3)],
        sampling: Sampling { lost: 1, ..Sampling::default() },
        notes: vec!["a note".into()],
    }
}

/// Samples and nanoseconds by thread and stack.
fn sums(windows: &[Profile]) -> BTreeMap<(u64, String), (i64, i64)> {
    let mut sums = BTreeMap::new();
    for window in windows {
        for lane in &window.lanes {
            for (row, node) in lane.nodes.iter().enumerate() {
                let sum: &mut (i64, i64) = sums.entry((lane.thread.tid, stack(window, *node))).or_default();
                *sum = (sum.0 + lane.columns[0][row], sum.1 + lane.columns[1][row]);
            }
        }
    }
    sums
}

fn stack(profile: &Profile, mut node: u32) -> String {
    let mut names = Vec::new();
    while node != 0 {
        names.push(profile.frames[profile.nodes[node as usize].frame as usize].name.to_string());
        node = profile.nodes[node as usize].parent;
    }
    names.reverse();
    names.join(";")
}

proptest! {
    #[test]
    fn windows_are_the_whole_cut_up(
        samples in prop::collection::vec((0..2_u32, 0..5_u32, 0..3_000_000_000_u64, 0..3_000_000_000_u64, 0..4_u32), 0..40),
    ) {
        let whole = Timeline { timed: false, ..timeline(&samples) }.windows(&Limits::default());
        let windows = timeline(&samples).windows(&Limits::default());
        prop_assert_eq!(whole.len(), 1);
        prop_assert!(!windows.is_empty() && windows.len() <= 300);
        prop_assert_eq!(sums(&windows), sums(&whole));
        for pair in windows.windows(2) {
            prop_assert!(pair[0].span.end() <= pair[1].span.start);
        }
        for window in &windows {
            prop_assert!(window.is_sound());
            prop_assert!(window.covered <= window.span.length);
            for lane in &window.lanes {
                let runs: u64 = lane.runs.iter().map(|run| run.length).sum();
                prop_assert_eq!(runs as i64, lane.columns[1].iter().sum::<i64>());
                prop_assert!(lane.runs.iter().all(|run| run.offset + run.length <= window.span.length.0));
            }
        }
        let lines = |windows: &[Profile]| -> u32 {
            windows.iter().flat_map(|window| &window.lanes).flat_map(|lane| &lane.lines).map(|line| line.2).sum()
        };
        prop_assert_eq!(lines(&windows), lines(&whole));
    }
}

#[test]
fn a_stack_that_lasts_is_in_every_window_it_lasts_through_and_counts_once() {
    let windows = timeline(&[(0, 2, 0, 2_500_000_000, 1)]).windows(&Limits::default());
    let found: Vec<(i64, i64, u64)> = windows
        .iter()
        .map(|w| (w.lanes[0].columns[0][0], w.lanes[0].columns[1][0], w.span.length.0))
        .collect();
    let second = 1_000_000_000;
    assert_eq!(
        found,
        [(1, second, second as u64), (0, second, second as u64), (0, second / 2, second as u64 / 2)]
    );
    assert_eq!(windows[1].nodes.len(), 3, "a window has the part of the tree that it needs");
}

#[test]
fn time_in_which_nothing_was_observed_has_no_window() {
    let windows = timeline(&[(0, 1, 0, 100, 1), (0, 1, 5_000_000_000, 100, 1)]).windows(&Limits::default());
    assert_eq!(windows.len(), 2);
    assert_eq!(windows.iter().map(|window| window.covered).collect::<Vec<_>>(), [Nanos(100), Nanos(100)]);
}

#[test]
fn long_files_and_great_trees_have_longer_windows() {
    let long = timeline(&[(0, 1, 0, 3_000_000_000_000, 1)]).windows(&Limits::default());
    assert_eq!((long.len(), long[0].span.length), (300, Nanos::from_secs(10)));
    let great = Limits { nodes: 10, ..Limits::default() };
    assert_eq!(timeline(&[(0, 1, 0, 60_000_000_000, 1)]).windows(&great).len(), 2);
}

#[test]
fn cut_stacks_are_counted_and_an_empty_file_is_an_empty_window() {
    let windows = timeline(&[(0, 4, 0, 10, 3), (0, 2, 0, 10, 1)]).windows(&Limits::default());
    assert_eq!(
        (windows[0].sampling.truncated, windows[0].sampling.taken, windows[0].sampling.lost),
        (3, 4, 1)
    );
    let empty = timeline(&[]).windows(&Limits::default());
    assert!(empty[0].is_sound() && empty[0].lanes.is_empty());
}

#[test]
fn times_without_end_are_cut_off_with_a_note() {
    let windows =
        timeline(&[(0, 1, 0, u64::MAX / 4, 1), (1, 1, 0, u64::MAX / 4, 1)]).windows(&Limits::default());
    assert!(windows[0].notes.iter().any(|note| note.contains("too great")), "{:?}", windows[0].notes);
}
