//! Writer and reader together: what one writes the other reads back, and prost agrees with both.

use super::super::fixture;
use super::*;
use crate::profile::{Frame, Thread};
use std::collections::{BTreeMap, HashMap};

/// Self values and line counts by thread and path: what a profile says, however its tables are laid out.
type Said = HashMap<(u32, u64, String, Vec<Frame>), (BTreeMap<String, i64>, Vec<(u32, u32)>)>;

fn key(thread: &Thread, path: Vec<Frame>) -> (u32, u64, String, Vec<Frame>) {
    (thread.pid, thread.tid, thread.name.to_string(), path)
}

fn path(profile: &Profile, mut node: u32) -> Vec<Frame> {
    let mut path = Vec::new();
    while node != 0 {
        let found = profile.nodes[node as usize];
        path.push(profile.frames[found.frame as usize].clone());
        node = found.parent;
    }
    path.reverse();
    path
}

fn said(profile: &Profile) -> Said {
    let mut said = Said::new();
    for lane in &profile.lanes {
        for (at, node) in lane.nodes.iter().enumerate() {
            let values = profile.kinds.iter().zip(&lane.columns).map(|(k, c)| (k.name.to_string(), c[at]));
            let lines = lane.lines.iter().filter(|line| line.0 == *node).map(|line| (line.1, line.2));
            let row = (values.collect(), lines.collect());
            assert!(said.insert(key(&lane.thread, path(profile, *node)), row).is_none(), "rows are unique");
        }
    }
    said
}

fn write_and_read(export: &Export<'_>) -> Profile {
    let mut file = Vec::new();
    Pprof.write(export, &mut file).expect("written");
    assert!(Pprof.recognise(&file[..file.len().min(256)]));
    let mut back = Pprof.read(&file, &Limits::default().strict()).expect("read");
    assert!(back[0].is_sound());
    back.remove(0)
}

#[test]
fn a_recorded_window_comes_back_as_it_was() {
    for profile in [fixture::cpu(), fixture::heap()] {
        let target = fixture::target();
        let back = write_and_read(&Export::new(&profile, &target).for_replay());
        assert_eq!(said(&back), said(&profile));
        assert_eq!(back.kinds, profile.kinds);
        assert_eq!((back.span, back.covered), (profile.span, profile.covered));
        assert_eq!(back.sampling, profile.sampling);
        assert_eq!(back.notes, profile.notes);
    }
}
