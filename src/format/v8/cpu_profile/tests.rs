//! Crafted profiles, as V8 gives them and as nobody should.

use super::*;
use serde_json::{Value, json};

fn taking() -> Taking {
    Taking {
        thread: Thread { pid: 7, tid: 7, name: "main".into() },
        interval: Nanos::from_millis(1),
        handover: Nanos(0),
        handover_bytes: 0,
        clock_ahead: 0,
    }
}

/// A profile of nodes `(id, name, children)` and samples `(id, delta)`.
fn profile(start: i64, end: i64, nodes: &[(u32, &str, &[u32])], samples: &[(u32, i64)]) -> String {
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|(id, name, children)| {
            let url = if name.starts_with('(') { "" } else { "file:///app.js" };
            let script = if url.is_empty() { "0" } else { "9" };
            let frame = json!({"functionName": name, "scriptId": script, "url": url, "lineNumber": 4, "columnNumber": 0});
            json!({"id": id, "callFrame": frame, "children": children})
        })
        .collect();
    let ids: Vec<u32> = samples.iter().map(|sample| sample.0).collect();
    let deltas: Vec<i64> = samples.iter().map(|sample| sample.1).collect();
    json!({"nodes": nodes, "startTime": start, "endTime": end, "samples": ids, "timeDeltas": deltas})
        .to_string()
}

const TREE: &[(u32, &str, &[u32])] =
    &[(1, "(root)", &[2, 4]), (2, "a", &[3]), (3, "b", &[]), (4, "(idle)", &[])];

fn folded(json: &str, before: Option<&Border>) -> (Profile, Border) {
    let (profile, border) = fold(json, before, &taking()).expect("folds");
    assert!(profile.is_sound());
    assert_eq!(profile.total(1) as u64, profile.covered.0, "weights are the covered time");
    let runs: u64 = profile.lanes[0].runs.iter().map(|run| run.length).sum();
    assert!(profile.lanes[0].runs_dropped > 0 || runs == profile.covered.0, "runs are the covered time");
    (profile, border)
}

fn us_of(profile: &Profile, stack: &str) -> i64 {
    let lane = &profile.lanes[0];
    lane.nodes
        .iter()
        .zip(&lane.columns[1])
        .filter(|(node, _)| stack_name(profile, **node) == stack)
        .map(|(_, ns)| ns / 1000)
        .sum()
}

fn stack_name(profile: &Profile, mut node: u32) -> String {
    let mut names = Vec::new();
    while node != 0 {
        let at = profile.nodes[node as usize];
        names.push(profile.frames[at.frame as usize].name.to_string());
        node = at.parent;
    }
    names.reverse();
    names.join(";")
}

#[test]
fn a_sample_lasts_until_the_next_and_the_lead_in_is_nobodys() {
    let (profile, _) = folded(&profile(1000, 11_000, TREE, &[(2, 5000), (3, 1000), (4, 2000)]), None);
    assert_eq!(us_of(&profile, "a"), 1000);
    assert_eq!(us_of(&profile, "a;b"), 2000);
    assert_eq!(us_of(&profile, "(idle)"), 2000);
    assert_eq!(profile.covered, Nanos::from_millis(5));
    assert_eq!(profile.span.length, Nanos::from_millis(5));
    assert_eq!(profile.sampling.taken, 3);
}

#[test]
fn windows_tile_and_the_last_stack_is_carried_over_the_border() {
    let (first, border) = folded(&profile(0, 10_000, TREE, &[(2, 0), (3, 9000)]), None);
    // The next began before the last ended; its samples before the border were counted there.
    let (second, _) = folded(&profile(9_900, 20_000, TREE, &[(4, 10), (4, 3090)]), Some(&border));
    assert_eq!(second.span.start, first.span.end());
    assert_eq!(us_of(&first, "a;b"), 1000);
    assert_eq!(us_of(&second, "a;b"), 3000, "carried until the first sample");
    assert_eq!(us_of(&second, "(idle)"), 7000);
    assert_eq!(second.sampling.taken, 1);
    assert_eq!(second.covered, second.span.length);
}

#[test]
fn a_hole_between_two_windows_is_a_gap_and_not_a_stack() {
    let (_, border) = folded(&profile(0, 10_000, TREE, &[(2, 0)]), None);
    let (second, _) = folded(&profile(14_000, 20_000, TREE, &[(3, 1000)]), Some(&border));
    assert_eq!(second.span.length, Nanos::from_millis(10));
    assert_eq!(second.covered, Nanos::from_millis(5));
    assert_eq!(second.lanes[0].runs[0].offset, 5_000_000);
}

#[test]
fn time_without_samples_is_not_covered_beyond_what_a_busy_machine_explains() {
    let (profile, _) = folded(&profile(0, 2_000_000, TREE, &[(2, 0), (3, 1_900_000)]), None);
    assert_eq!(profile.covered, Nanos::from_millis(100));
    assert_eq!(profile.span.length, Nanos::from_secs(2));
    assert_eq!(profile.notes.len(), 1);
}

#[test]
fn negative_and_zero_deltas_are_put_in_the_order_of_time() {
    let (profile, _) =
        folded(&profile(0, 10_000, TREE, &[(2, 1000), (3, 4000), (4, -2000), (2, 0), (2, 6000)]), None);
    assert_eq!(us_of(&profile, "a"), 2000 + 2000 + 1000);
    assert_eq!(us_of(&profile, "a;b"), 4000);
    assert_eq!(us_of(&profile, "(idle)"), 0);
}

#[test]
fn times_out_of_all_bounds_are_refused_or_clamped() {
    for delta in [i64::MAX, i64::MIN] {
        folded(&profile(0, 10_000, TREE, &[(2, 0), (3, delta), (3, delta)]), None);
    }
    for (start, end) in [(-5, 10), (10, 5), (0, i64::MAX)] {
        assert!(fold(&profile(start, end, TREE, &[(2, 0)]), None, &taking()).is_err(), "{start} {end}");
    }
    assert!(fold(&profile(0, 10, TREE, &[]), None, &taking()).is_err(), "no samples and nothing before");
    assert!(fold(&profile(0, 10, TREE, &[(99, 1)]), None, &taking()).is_err(), "a sample of nobody");
    let late = Border { at_us: 50, stack: vec![] };
    assert!(
        fold(&profile(0, 10, TREE, &[(2, 1)]), Some(&late), &taking()).is_err(),
        "all of it was counted before"
    );
}

#[test]
fn a_window_without_samples_goes_on_with_the_stack_before() {
    let (_, border) = folded(&profile(0, 10_000, TREE, &[(3, 0)]), None);
    let (second, border) = folded(&profile(9_950, 15_000, TREE, &[]), Some(&border));
    assert_eq!(us_of(&second, "a;b"), 5000);
    assert_eq!(second.sampling.taken, 0);
    assert_eq!(border.stack.len(), 2);
}

#[test]
fn cut_stacks_hang_under_a_frame_that_says_so() {
    let names: Vec<String> = (0..300).map(|n| format!("f{n}")).collect();
    let children: Vec<Vec<u32>> = (0..=300u32).map(|n| if n < 300 { vec![n + 2] } else { vec![] }).collect();
    let mut nodes: Vec<(u32, &str, &[u32])> = vec![(1, "(root)", &children[0])];
    nodes.extend((0..300).map(|n| (n as u32 + 2, names[n].as_str(), &children[n + 1][..])));
    // 254 frames are whole, 255 may be what is left of more.
    let (profile, _) = folded(&profile(0, 3000, &nodes, &[(255, 0), (256, 1000), (301, 1000)]), None);
    assert_eq!(profile.sampling.truncated, 2);
    let lane = &profile.lanes[0];
    let stacks: Vec<String> = lane.nodes.iter().map(|node| stack_name(&profile, *node)).collect();
    assert_eq!(stacks.iter().filter(|stack| stack.starts_with("(truncated);f0;")).count(), 2);
    assert_eq!(stacks.iter().filter(|stack| stack.starts_with("f0;") && stack.ends_with("f253")).count(), 1);
    assert_eq!(profile.notes.len(), 1);
}

#[test]
fn lines_are_merged_and_those_before_the_function_dropped() {
    let mut json: Value = serde_json::from_str(&profile(0, 10_000, TREE, &[(3, 0)])).expect("own JSON");
    json["nodes"][2]["positionTicks"] = json!([
        {"line": 6, "ticks": 2}, {"line": 6, "ticks": 3}, {"line": 4, "ticks": 9}, {"line": -1, "ticks": 9}, {"line": 7, "ticks": -4}
    ]);
    let (profile, _) = folded(&json.to_string(), None);
    let lines: Vec<(u32, u32)> = profile.lanes[0].lines.iter().map(|line| (line.1, line.2)).collect();
    assert_eq!(lines, [(6, 5)], "the function begins in line 5");
}

#[test]
fn runs_join_equal_stacks_and_are_bounded() {
    let (profile_, _) = folded(&profile(0, 5000, TREE, &[(2, 0), (2, 1000), (3, 1000), (2, 1000)]), None);
    let lengths: Vec<u64> = profile_.lanes[0].runs.iter().map(|run| run.length / 1000).collect();
    assert_eq!(lengths, [2000, 1000, 2000]);
    let many: Vec<(u32, i64)> = (0..30_000).map(|n| (2 + n % 2, 1)).collect();
    let (profile_, _) = folded(&profile(0, 30_001, TREE, &many), None);
    assert_eq!(profile_.lanes[0].runs.len(), MOST_RUNS);
    assert_eq!(profile_.lanes[0].runs_dropped, 10_000);
}

#[test]
fn one_function_twice_under_one_caller_is_one_node() {
    let nodes: &[(u32, &str, &[u32])] = &[(1, "(root)", &[2, 3]), (2, "a", &[]), (3, "a", &[])];
    let (profile, _) = folded(&profile(0, 2000, nodes, &[(2, 0), (3, 1000)]), None);
    assert_eq!(profile.lanes[0].nodes.len(), 1);
}

#[test]
fn at_one_sample_a_second_a_second_without_one_is_no_silence() {
    let json = profile(0, 10_000_000, TREE, &[(2, 0), (3, 1_000_000), (4, 1_000_000)]);
    let slow = Taking { interval: Nanos::from_secs(1), ..taking() };
    let (profile, _) = fold(&json, None, &slow).expect("folds");
    assert_eq!(profile.covered, Nanos::from_secs(2), "the last eight seconds are silence at this rate too");
    let (profile, _) = folded(&json, None);
    assert_eq!(profile.covered, Nanos(0));
}
