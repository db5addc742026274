//! A made-up profile of a big program, the same in every run.

use flametop::feed::TargetInfo;
use flametop::format::{Export, by_name};
use flametop::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
};

/// Numbers that look like chance: the generator of Numerical Recipes.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// A profile with `stacks` different stacks of 5,000 functions, 13 frames deep on average.
pub fn profile(stacks: usize) -> Profile {
    let mut chance = Chance(7);
    let frame = |at: usize| {
        let file = format!("/srv/app/node_modules/package-{}/lib/index.js", at % 200);
        Frame::at(&format!("function{at}"), &file, at as u32 % 900 + 1, at as u32 % 80 + 1, FrameKind::Js)
    };
    let mut nodes = vec![ProfileNode { parent: 0, frame: 0 }];
    let mut depth = vec![0usize];
    while nodes.len() <= stacks {
        // Callers among the newest nodes make the tree deep, among all of them broad.
        let parent = match chance.below(4) {
            0 => chance.below(nodes.len()),
            _ => nodes.len() - 1 - chance.below(nodes.len().min(8)),
        };
        let parent = if depth[parent] > 24 { 0 } else { parent };
        depth.push(depth[parent] + 1);
        nodes.push(ProfileNode { parent: parent as u32, frame: chance.below(5_000) as u32 });
    }
    let counts: Vec<i64> = (0..stacks).map(|_| 1 + chance.below(30) as i64).collect();
    let lane = ProfileLane {
        thread: Thread { pid: 1, tid: 1, name: "main".into() },
        nodes: (1..=stacks as u32).collect(),
        columns: vec![counts.clone(), counts.iter().map(|count| count * 1_000_000).collect()],
        lines: Vec::new(),
        runs: Vec::new(),
        runs_dropped: 0,
    };
    Profile {
        kinds: vec![ValueKind::samples(), ValueKind::cpu()],
        span: Span { start: Moment(1_790_000_000_000_000_000), length: Nanos::from_secs(60) },
        covered: Nanos::from_secs(60),
        sampling: Sampling { period_name: "cpu".into(), period: 1_000_000, ..Sampling::default() },
        frames: (0..5_000).map(frame).collect(),
        nodes,
        lanes: vec![lane],
        notes: Vec::new(),
    }
}

/// The profile as a pprof file.
pub fn encode(profile: &Profile) -> Vec<u8> {
    let mut file = Vec::new();
    let pprof = by_name("pprof").expect("a format of that name");
    pprof.write(&Export::new(profile, &TargetInfo::default()), &mut file).expect("a vector takes every byte");
    file
}
