//! A part of a profile by function: the stacks that pass through one, whole.

use super::Frame;
use super::wire::{Profile, ProfileLane};

/// The stacks with a frame of which `wanted` is true, as they were; the others are left out.
pub fn focused(profile: &Profile, wanted: impl Fn(&Frame) -> bool) -> Profile {
    let frames: Vec<bool> = profile.frames.iter().map(wanted).collect();
    let mut inside = vec![false; profile.nodes.len()];
    for (at, node) in profile.nodes.iter().enumerate().skip(1) {
        inside[at] = inside[node.parent as usize] || frames[node.frame as usize];
    }
    let lanes = profile.lanes.iter().map(|lane| part_of(lane, &inside)).collect();
    Profile { lanes, ..profile.clone() }
}

fn part_of(lane: &ProfileLane, inside: &[bool]) -> ProfileLane {
    let keeps = |node: u32| inside[node as usize];
    let kept: Vec<usize> = (0..lane.nodes.len()).filter(|row| keeps(lane.nodes[*row])).collect();
    ProfileLane {
        thread: lane.thread.clone(),
        nodes: kept.iter().map(|row| lane.nodes[*row]).collect(),
        columns: lane.columns.iter().map(|column| kept.iter().map(|row| column[*row]).collect()).collect(),
        lines: lane.lines.iter().copied().filter(|line| keeps(line.0)).collect(),
        runs: lane.runs.iter().copied().filter(|run| keeps(run.node)).collect(),
        runs_dropped: lane.runs_dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{FrameKind, Nanos, ProfileNode, Sampling, Span, Thread, ValueKind};

    #[test]
    fn whole_stacks_through_the_function_are_left() {
        let node = |parent, frame| ProfileNode { parent, frame };
        let profile = Profile {
            kinds: vec![ValueKind::samples()],
            span: Span::default(),
            covered: Nanos(0),
            sampling: Sampling::default(),
            frames: ["main", "a", "b"].map(|name| Frame::named(name, FrameKind::Js)).to_vec(),
            nodes: vec![node(0, 0), node(0, 0), node(1, 1), node(2, 2), node(1, 2)],
            lanes: vec![ProfileLane {
                thread: Thread { pid: 1, tid: 1, name: "main".into() },
                nodes: vec![1, 2, 3, 4],
                columns: vec![vec![1, 2, 4, 8]],
                lines: vec![(3, 7, 4), (4, 7, 8)],
                runs: vec![],
                runs_dropped: 0,
            }],
            notes: vec![],
        };
        let part = focused(&profile, |frame| &*frame.name == "a");
        assert!(part.is_sound());
        assert_eq!(part.total(0), 6);
        assert_eq!(part.lanes[0].lines, [(3, 7, 4)]);
        assert_eq!(focused(&profile, |_| true), profile);
        assert_eq!(focused(&profile, |_| false).total(0), 0);
    }
}
