//! V8's CPU profile as it comes over the wire, and its call tree put in order and proved to be one.
//!
//! Everything here comes from outside: ids may repeat, miss or go in circles. Nothing recurses.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::call_frame::CallFrame;
use crate::format::json::at_most;

/// More nodes than this are refused; the worst real window had 210,000.
pub const MOST_NODES: usize = 1 << 20;
/// More samples than this are refused: over an hour at 1 kHz.
pub const MOST_SAMPLES: usize = 4 << 20;

/// Why a profile can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not the JSON of a profile.
    #[error("it is not the JSON of a profile: {0}")]
    Json(String),
    /// Past a limit of ours.
    #[error("it has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        most: usize,
    },
    /// Its nodes do not make one tree, or its times make no sense.
    #[error("it contradicts itself: {0}")]
    Contradiction(&'static str),
}

/// `Profiler.Profile`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CpuJson<'a> {
    /// The tree.
    #[serde(borrow, deserialize_with = "at_most::<MOST_NODES, _, _>")]
    pub nodes: Vec<Node<'a>>,
    /// When it began: `CLOCK_MONOTONIC` in microseconds.
    pub start_time: f64,
    /// When it ended.
    pub end_time: f64,
    /// Node ids, one a sample.
    #[serde(default, deserialize_with = "at_most::<MOST_SAMPLES, _, _>")]
    pub samples: Vec<u32>,
    /// Microseconds from the sample before; the first from the start.
    #[serde(default, deserialize_with = "at_most::<MOST_SAMPLES, _, _>")]
    pub time_deltas: Vec<i64>,
}

/// `Profiler.ProfileNode`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node<'a> {
    /// Its id.
    pub id: u32,
    /// The function.
    #[serde(borrow)]
    pub call_frame: CallFrame<'a>,
    /// The ids of those it called.
    #[serde(default)]
    pub children: Vec<u32>,
    /// Samples in which it was the leaf.
    #[serde(default)]
    pub hit_count: i64,
    /// Samples by line.
    #[serde(default)]
    pub position_ticks: Vec<PositionTick>,
}

/// `Profiler.PositionTickInfo`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct PositionTick {
    /// Line from 1.
    pub line: i64,
    /// Samples there.
    pub ticks: i64,
}

impl Node<'_> {
    /// Samples by line. V8 mixes in lines of inlined functions of other files; those before the function's
    /// own `first` line can be told, and are left out.
    pub fn lines_from(&self, first: u32) -> impl Iterator<Item = (u32, u32)> {
        let own = self.position_ticks.iter().filter(move |tick| tick.line >= i64::from(first.max(1)));
        own.filter_map(|tick| Some((u32::try_from(tick.line).ok()?, u32::try_from(tick.ticks).unwrap_or(0))))
    }
}

/// `Profiler.consoleProfileFinished`.
#[derive(Debug, Deserialize)]
pub struct Finished<'a> {
    /// The profile, unparsed.
    #[serde(borrow)]
    pub profile: &'a serde_json::value::RawValue,
    /// Its title; the name given to `console.profile`.
    #[serde(borrow, default)]
    pub title: Option<std::borrow::Cow<'a, str>>,
}

/// Reads a profile within the limits.
pub fn parse(json: &str) -> Result<CpuJson<'_>, ProfileError> {
    let profile: CpuJson<'_> =
        serde_json::from_str(json).map_err(|error| ProfileError::Json(error.to_string()))?;
    if profile.samples.len() != profile.time_deltas.len() {
        return Err(ProfileError::Contradiction("samples and times differ in number"));
    }
    Ok(profile)
}

/// Where each node of a profile hangs: by its place in [`CpuJson::nodes`].
#[derive(Debug)]
pub struct TreeOrder {
    /// The place of a node's caller; the root's is its own.
    pub parent: Vec<u32>,
    /// How many frames lie on the stack, the node's own included, the root not.
    pub depth: Vec<u32>,
    /// The place of the root.
    pub root: u32,
    place: FxHashMap<u32, u32>,
}

const NONE: u32 = u32::MAX;

impl TreeOrder {
    /// Proves that the nodes are one tree.
    pub fn of(nodes: &[Node<'_>]) -> Result<Self, ProfileError> {
        let place = places(nodes.iter().map(|node| node.id))?;
        let mut parent = vec![NONE; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            for child in &node.children {
                let Some(child) = place.get(child) else {
                    return Err(ProfileError::Contradiction("a child does not exist"));
                };
                if std::mem::replace(&mut parent[*child as usize], at as u32) != NONE {
                    return Err(ProfileError::Contradiction("a node has two parents"));
                }
            }
        }
        Self::new(parent, place)
    }

    fn new(mut parent: Vec<u32>, place: FxHashMap<u32, u32>) -> Result<Self, ProfileError> {
        let mut roots = (0..parent.len()).filter(|at| parent[*at] == NONE);
        let (Some(root), None) = (roots.next(), roots.next()) else {
            return Err(ProfileError::Contradiction("it has not exactly one root"));
        };
        parent[root] = root as u32;
        let depth = depths(&parent, root)?;
        Ok(Self { parent, depth, root: root as u32, place })
    }

    /// The place of the node with an id.
    pub fn place_of(&self, id: u32) -> Result<u32, ProfileError> {
        self.place.get(&id).copied().ok_or(ProfileError::Contradiction("a sample has no node"))
    }
}

/// The place of each id.
fn places(ids: impl Iterator<Item = u32>) -> Result<FxHashMap<u32, u32>, ProfileError> {
    let mut place = FxHashMap::default();
    for (at, id) in ids.enumerate() {
        if place.insert(id, at as u32).is_some() {
            return Err(ProfileError::Contradiction("two nodes have one id"));
        }
    }
    Ok(place)
}

/// Depths below the root, each found by going up to a depth that is known.
fn depths(parent: &[u32], root: usize) -> Result<Vec<u32>, ProfileError> {
    let mut depth = vec![NONE; parent.len()];
    depth[root] = 0;
    let mut path = Vec::new();
    for from in 0..parent.len() {
        let mut at = from;
        while depth[at] == NONE {
            if path.len() > parent.len() {
                return Err(ProfileError::Contradiction("its nodes go in a circle"));
            }
            path.push(at);
            at = parent[at] as usize;
        }
        let mut known = depth[at];
        while let Some(at) = path.pop() {
            known += 1;
            depth[at] = known;
        }
    }
    Ok(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(nodes: &str) -> Result<TreeOrder, ProfileError> {
        let nodes: String = nodes
            .split(' ')
            .map(|node| {
                let (id, children) = node.split_once(':').expect("id:children");
                format!(r#"{{"id":{id},"callFrame":{{"functionName":"f"}},"children":[{children}]}}"#)
            })
            .collect::<Vec<_>>()
            .join(",");
        let json = format!(r#"{{"nodes":[{nodes}],"startTime":0,"endTime":1}}"#);
        TreeOrder::of(&parse(&json).expect("reads").nodes)
    }

    #[test]
    fn any_order_of_nodes_is_a_tree() {
        let order = order("3: 1:2,3 2:").expect("a tree");
        assert_eq!((order.root, order.parent, order.depth), (1, vec![1, 1, 1], vec![1, 0, 1]));
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let why = |nodes| order(nodes).expect_err("refused").to_string();
        for (nodes, reason) in [
            ("1: 1:", "two nodes have one id"),
            ("1:7", "a child does not exist"),
            ("1:2,3 2:3 3:", "a node has two parents"),
            ("1:1", "not exactly one root"),
            ("1: 2:", "not exactly one root"),
            ("1:2 2: 3:4 4:3", "go in a circle"),
            ("1:2,2 2:", "a node has two parents"),
        ] {
            assert!(why(nodes).contains(reason), "{nodes}: {}", why(nodes));
        }
    }

    #[test]
    fn a_deep_chain_needs_no_stack() {
        let chain: Vec<String> = (1..100_000).map(|id| format!("{id}:{}", id + 1)).collect();
        let order = order(&(chain.join(" ") + " 100000:")).expect("a tree");
        assert_eq!(order.depth.iter().max(), Some(&99_999));
    }

    #[test]
    fn a_profile_without_nodes_or_with_odd_times_is_refused() {
        assert!(TreeOrder::of(&[]).is_err());
        assert!(parse("{}").is_err());
        assert!(parse(r#"{"nodes":[],"startTime":0,"endTime":0,"samples":[1],"timeDeltas":[]}"#).is_err());
    }
}
