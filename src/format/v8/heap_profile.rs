//! Folds V8's sampling heap profile into a [`Profile`]: pure, without a target.
//!
//! V8 has one sampling heap profiler, and it tells one of two things. Left running, it knows which of the objects
//! allocated since its start are alive: a level. Restarted for each window and told to keep what was collected, it knows
//! everything that was allocated in the window, and not what of it is alive: a delta. Sizes are scaled by V8 already.

use rustc_hash::FxHashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::call_frame::CallFrame;
use super::cpu_json::{MOST_NODES, ProfileError};
use super::paths::Paths;
use crate::feed::HeapMode;
use crate::profile::{Frame, FrameKind, Nanos, Profile, ProfileLane, Sampling, Span, Thread, ValueKind};

/// Frames that V8 keeps of an allocation's stack, those nearest the leaf: asked for, and its default.
pub const STACK_DEPTH: u32 = 128;
/// Deeper trees are refused.
pub(in crate::format) const DEEPEST: u32 = 512;
/// A node is an object in its caller's list.
const BRACKETS_A_LEVEL: usize = 2;
/// Each level of the tree is looked through once more for its children. This bounds it for a hostile tree.
const SCAN_LIMIT_BYTES: usize = 4 << 30;

/// What is known of a heap window beside its samples.
#[derive(Clone, Debug)]
pub struct HeapTaking {
    /// What the sampler was told to keep.
    pub mode: HeapMode,
    /// Whose heap.
    pub thread: Thread,
    /// Bytes between sampled allocations.
    pub interval_bytes: u64,
    /// The stretch of time the window speaks for.
    pub span: Span,
    /// What reading it took.
    pub handover: Nanos,
    /// Bytes of the answer.
    pub handover_bytes: u64,
    /// Sentences for whoever reads the window.
    pub notes: Vec<Arc<str>>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    profile: HeapJson<'a>,
}

#[derive(Deserialize)]
struct HeapJson<'a> {
    #[serde(borrow)]
    head: &'a RawValue,
    #[serde(default)]
    samples: Vec<HeapSample>,
}

#[derive(Deserialize)]
struct HeapSample {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeapNode<'a> {
    #[serde(borrow)]
    call_frame: CallFrame<'a>,
    #[serde(default)]
    self_size: f64,
    #[serde(borrow, default)]
    children: Vec<&'a RawValue>,
}

/// Folds a reply of `HeapProfiler.stopSampling` or `HeapProfiler.getSamplingProfile`.
pub fn fold_reply(json: &str, taking: &HeapTaking) -> Result<Profile, ProfileError> {
    let reply: Reply<'_> = serde_json::from_str(json).map_err(malformed)?;
    fold_json(&reply.profile, taking)
}

/// Folds a profile as `v8.startHeapProfile` writes it.
pub fn fold(json: &str, taking: &HeapTaking) -> Result<Profile, ProfileError> {
    fold_json(&serde_json::from_str(json).map_err(malformed)?, taking)
}

fn malformed(error: serde_json::Error) -> ProfileError {
    ProfileError::Json(error.to_string())
}

/// A node yet to be read, and where it hangs.
struct Waiting<'a> {
    json: &'a RawValue,
    parent: u32,
    depth: u32,
}

fn fold_json(profile: &HeapJson<'_>, taking: &HeapTaking) -> Result<Profile, ProfileError> {
    // Before all else: looking through each level of a tree without end would take seconds.
    let levels = nesting(profile.head.get()) / BRACKETS_A_LEVEL;
    if levels > DEEPEST as usize + 1 {
        return Err(ProfileError::TooMany { what: "levels", most: DEEPEST as usize });
    }
    // Deeper trees are not V8's, or it was asked for more: nothing of them is known to be cut.
    let is_cut = levels <= STACK_DEPTH as usize + 1;
    let mut paths = Paths::new(Frame::named("all", FrameKind::Other));
    let mut bytes: FxHashMap<u32, i64> = FxHashMap::default();
    let (mut read, mut scanned, mut truncated) = (0, 0, 0);
    let mut waiting = vec![Waiting { json: profile.head, parent: Paths::ROOT, depth: 0 }];
    while let Some(Waiting { json, parent, depth }) = waiting.pop() {
        read += 1;
        scanned += json.get().len();
        check_limits(read, scanned, depth)?;
        let node: HeapNode<'_> = serde_json::from_str(json.get()).map_err(malformed)?;
        let at = if depth == 0 {
            Paths::ROOT
        } else {
            let frame = paths.frame(node.call_frame.to_frame());
            paths.child(parent, frame)
        };
        let size = whole_bytes(node.self_size)?;
        if size > 0 {
            let cut = is_cut && depth >= STACK_DEPTH;
            truncated += u64::from(cut);
            let at = valued_node(&mut paths, at, cut);
            let sum = bytes.entry(at).or_insert(0);
            *sum = sum.saturating_add(size);
        }
        waiting.extend(node.children.into_iter().map(|json| Waiting { json, parent: at, depth: depth + 1 }));
    }
    Ok(finish(paths, bytes, profile.samples.len() as u64, truncated, taking))
}

/// How deep brackets are nested in JSON that was parsed already.
pub(in crate::format) fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn check_limits(nodes: usize, scanned: usize, depth: u32) -> Result<(), ProfileError> {
    if nodes > MOST_NODES {
        return Err(ProfileError::TooMany { what: "nodes", most: MOST_NODES });
    }
    if depth > DEEPEST || scanned > SCAN_LIMIT_BYTES {
        return Err(ProfileError::TooMany { what: "levels", most: DEEPEST as usize });
    }
    Ok(())
}

fn whole_bytes(size: f64) -> Result<i64, ProfileError> {
    // 2^53 bytes are eight petabytes.
    if (0.0..9e15).contains(&size) {
        Ok(size as i64)
    } else {
        Err(ProfileError::Contradiction("a size is none"))
    }
}

/// Where bytes allocated at a node belong: under a frame that says so where callers were cut away, and never on the
/// root itself, which is no place.
fn valued_node(paths: &mut Paths, at: u32, cut: bool) -> u32 {
    if at == Paths::ROOT {
        return paths.node_of(&[Frame::named("(program)", FrameKind::Program)]);
    }
    if !cut {
        return at;
    }
    let mut stack = vec![Frame::named("(truncated)", FrameKind::Truncated)];
    stack.extend(paths.stack_of(at));
    paths.node_of(&stack)
}

fn finish(
    paths: Paths,
    bytes: FxHashMap<u32, i64>,
    taken: u64,
    truncated: u64,
    taking: &HeapTaking,
) -> Profile {
    let mut rows: Vec<(u32, i64)> = bytes.into_iter().collect();
    rows.sort_unstable();
    let (frames, nodes) = paths.finish();
    Profile {
        kinds: vec![match taking.mode {
            HeapMode::Live => ValueKind::inuse_space(),
            HeapMode::Allocated => ValueKind::alloc_space(),
        }],
        span: taking.span,
        covered: taking.span.length,
        sampling: Sampling {
            period_name: "space".into(),
            period: taking.interval_bytes,
            period_bytes: true,
            taken,
            truncated,
            handover: taking.handover,
            handover_bytes: taking.handover_bytes,
            ..Sampling::default()
        },
        frames,
        nodes,
        lanes: vec![ProfileLane {
            thread: taking.thread.clone(),
            nodes: rows.iter().map(|row| row.0).collect(),
            columns: vec![rows.iter().map(|row| row.1).collect()],
            lines: Vec::new(),
            runs: Vec::new(),
            runs_dropped: 0,
        }],
        notes: taking.notes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Moment;

    fn taking(mode: HeapMode) -> HeapTaking {
        HeapTaking {
            mode,
            thread: Thread { pid: 7, tid: 7, name: "main".into() },
            interval_bytes: 512 * 1024,
            span: Span { start: Moment(0), length: Nanos::from_secs(5) },
            handover: Nanos(0),
            handover_bytes: 0,
            notes: vec!["a note".into()],
        }
    }

    fn node(name: &str, size: &str, children: &str) -> String {
        format!(
            r#"{{"callFrame":{{"functionName":"{name}","scriptId":"5","url":"file:///a.js","lineNumber":1,"columnNumber":1}},"selfSize":{size},"id":1,"children":[{children}]}}"#
        )
    }

    fn whole(head: &str) -> String {
        format!(r#"{{"head":{head},"samples":[{{"size":1,"nodeId":1,"ordinal":1}}]}}"#)
    }

    #[test]
    fn sizes_stand_at_their_paths_as_a_level_or_a_delta() {
        let json = whole(&node(
            "(root)",
            "0",
            &node("a", "10", &[node("b", "5", ""), node("b", "7", "")].join(",")),
        ));
        let live = fold(&json, &taking(HeapMode::Live)).expect("folds");
        assert!(live.is_sound());
        assert_eq!(live.total(0), 22);
        assert_eq!(live.lanes[0].nodes.len(), 2, "one function twice under one caller is one node");
        assert_eq!(live.kinds, [ValueKind::inuse_space()]);
        assert_eq!((live.sampling.taken, live.notes.len()), (1, 1));
        let reply = format!(r#"{{"profile":{json}}}"#);
        let allocated = fold_reply(&reply, &taking(HeapMode::Allocated)).expect("folds");
        assert_eq!(allocated.kinds, [ValueKind::alloc_space()]);
        assert_eq!(allocated.total(0), 22);
    }

    #[test]
    fn cut_stacks_hang_under_a_frame_that_says_so() {
        let deep = (0..STACK_DEPTH).fold(String::new(), |below, _| node("f", "1", &below));
        let profile = fold(&whole(&node("(root)", "3", &deep)), &taking(HeapMode::Live)).expect("folds");
        assert!(profile.is_sound());
        assert_eq!(profile.sampling.truncated, 1);
        assert_eq!(profile.total(0), i64::from(STACK_DEPTH) + 3);
        assert!(profile.frames.iter().any(|frame| frame.kind == FrameKind::Truncated));
    }

    #[test]
    fn hostile_trees_are_refused() {
        for size in ["-1", "1e300"] {
            assert!(fold(&whole(&node("(root)", size, "")), &taking(HeapMode::Live)).is_err(), "{size}");
        }
        let deep = (0..DEEPEST + 2).fold(String::new(), |below, _| node("f", "1", &below));
        assert!(fold(&whole(&deep), &taking(HeapMode::Live)).is_err());
        for text in ["", "{}", "[]", r#"{"head":7}"#, r#"{"head":{"children":[]}}"#] {
            assert!(fold(text, &taking(HeapMode::Live)).is_err(), "{text}");
        }
    }
}
