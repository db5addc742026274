//! Small windows for tests of the session and of what stands on it.

use super::Session;
use crate::feed::{Event, Feed, SourceId};
use crate::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
};

/// A function of that name at a place of its own.
pub fn frame(name: &str) -> Frame {
    Frame::at(name, &format!("/srv/{name}.js"), 7, 3, FrameKind::Js)
}

/// A window of one kind with stacks such as `a;b` and their values, wholly covered.
pub fn profile(start_ms: i64, length_ms: u64, kind: ValueKind, stacks: &[(&str, i64)]) -> Profile {
    let mut building = Building {
        frames: vec![frame("(root)")],
        nodes: vec![ProfileNode { parent: 0, frame: 0 }],
        values: vec![0],
    };
    for (stack, value) in stacks {
        let leaf = stack.split(';').fold(0, |at, name| building.child(at, name));
        building.values[leaf as usize] += value;
    }
    let length = Nanos::from_millis(length_ms);
    let lane = ProfileLane {
        thread: Thread { pid: 1, tid: 1, name: "main".into() },
        nodes: (0..building.nodes.len() as u32).collect(),
        columns: vec![building.values],
        lines: vec![],
        runs: vec![],
        runs_dropped: 0,
    };
    Profile {
        kinds: vec![kind],
        span: Span { start: Moment(start_ms * 1_000_000), length },
        covered: length,
        sampling: Sampling { taken: 10, ..Sampling::default() },
        frames: building.frames,
        nodes: building.nodes,
        lanes: vec![lane],
        notes: vec![],
    }
}

struct Building {
    frames: Vec<Frame>,
    nodes: Vec<ProfileNode>,
    values: Vec<i64>,
}

impl Building {
    fn child(&mut self, parent: u32, name: &str) -> u32 {
        let is =
            |node: &ProfileNode| node.parent == parent && *self.frames[node.frame as usize].name == *name;
        if let Some(at) = self.nodes.iter().skip(1).position(is) {
            return at as u32 + 1;
        }
        self.frames.push(frame(name));
        self.nodes.push(ProfileNode { parent, frame: self.frames.len() as u32 - 1 });
        self.values.push(0);
        self.nodes.len() as u32 - 1
    }
}

/// Lets the session take in a window of the first source.
pub fn take(session: &mut Session, profile: Profile) {
    take_from(session, SourceId(0), profile);
}

/// Lets the session take in a window of a source.
pub fn take_from(session: &mut Session, source: SourceId, profile: Profile) {
    let at = profile.span.end();
    session.ingest(&Event { source, at, feed: Feed::Window(Box::new(profile)) });
}

/// A session with one second of CPU windows each second; window `n` holds `n + 1` in `f`.
pub fn seconds(count: i64) -> Session {
    let mut session = Session::default();
    for second in 0..count {
        take(&mut session, profile(second * 1000, 1000, ValueKind::cpu(), &[("f", second + 1)]));
    }
    session
}

/// From one second to another.
pub fn span(from: i64, to: i64) -> Span {
    Span::between(Moment(from * 1_000_000_000), Moment(to * 1_000_000_000))
}
