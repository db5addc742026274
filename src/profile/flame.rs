//! [`Flame`]: what one fold looks like under one shape. What is hidden is re-parented, never cut off.

use super::fold::Fold;
use super::frame::FrameKind;
use super::ids::{CallPath, FrameId, NodeId};
use super::tree::CallTree;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

#[expect(clippy::struct_excessive_bools, reason = "the switches are independent of each other")]
/// How a fold is shown. The default leaves idle time out and changes nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Count idle time as well.
    pub show_idle: bool,
    /// Frames taken out; what they call hangs under their caller, what they cost goes to it.
    pub hidden: Vec<FrameId>,
    /// Show only this function: every caller's part merged under one root.
    pub focus: Option<FrameId>,
    /// Bottom-up: the leaves first, their callers below.
    pub inverted: bool,
    /// A call of a function by itself, at any depth, is merged into the first.
    pub fold_recursion: bool,
    /// Order siblings by value instead of by name and place.
    pub by_value: bool,
}

/// A node of a [`Flame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlameNode {
    /// Index of the caller; the root's is its own.
    pub parent: u32,
    /// The function.
    pub frame: FrameId,
    /// Value spent in the function itself.
    pub self_value: i64,
    /// Value with everything below.
    pub total: i64,
    /// The self value of what it is compared with; zero where it is compared with nothing.
    pub base_self: i64,
    /// The total of what it is compared with.
    pub base_total: i64,
    /// Distance from the root.
    pub depth: u16,
}

impl FlameNode {
    /// Adds values of its own. Files from elsewhere can hold any number.
    fn gain(&mut self, (value, base): (i64, i64)) {
        self.self_value = self.self_value.saturating_add(value);
        self.base_self = self.base_self.saturating_add(base);
    }
}

/// The columns of a fold that a flame is made of.
#[derive(Clone, Copy)]
struct Columns<'a> {
    fold: &'a Fold,
    column: usize,
    base: Option<usize>,
}

impl Columns<'_> {
    /// The self value of a row, and that of what it is compared with.
    fn of(&self, row: usize) -> (i64, i64) {
        let base = self.base.map_or(0, |column| self.fold.self_values(column)[row]);
        (self.fold.self_values(self.column)[row], base)
    }
}

/// A tree ready to be laid out. Laws: `parent < index` but for the root, which is node 0; a node's
/// total is its self value and its children's totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flame {
    nodes: Vec<FlameNode>,
    /// Children of node `i` are `children[starts[i]..starts[i + 1]]`, in the order to show.
    children: Vec<u32>,
    starts: Vec<u32>,
}

impl Flame {
    /// The flame of one column of a fold.
    pub fn build(tree: &CallTree, fold: &Fold, column: usize, shape: &Shape) -> Self {
        Self::of(tree, Columns { fold, column, base: None }, shape)
    }

    /// The flame of one column of a fold, with the values of another beside: widths are those of
    /// `column`. What only the other has is there too, with no width.
    pub fn compare(tree: &CallTree, fold: &Fold, column: usize, base: usize, shape: &Shape) -> Self {
        Self::of(tree, Columns { fold, column, base: Some(base) }, shape)
    }

    fn of(tree: &CallTree, columns: Columns<'_>, shape: &Shape) -> Self {
        let mut building = Building::new(tree, shape);
        if shape.inverted {
            building.add_inverted(columns);
        } else {
            building.add_top_down(columns);
        }
        building.finish()
    }

    /// All nodes, parents first.
    pub fn nodes(&self) -> &[FlameNode] {
        &self.nodes
    }

    /// One node.
    pub fn node(&self, at: u32) -> &FlameNode {
        &self.nodes[at as usize]
    }

    /// A node's children in the order to show.
    pub fn children(&self, at: u32) -> &[u32] {
        let (from, to) = (self.starts[at as usize], self.starts[at as usize + 1]);
        &self.children[from as usize..to as usize]
    }

    /// Value of the whole.
    pub fn total(&self) -> i64 {
        self.nodes[0].total
    }

    /// Value of the whole of what it is compared with.
    pub fn base_total(&self) -> i64 {
        self.nodes[0].base_total
    }

    /// The node of a path from the root, as far as it exists: the deepest node found, and whether
    /// that is the whole path.
    pub fn find(&self, path: &[FrameId]) -> (u32, bool) {
        let mut at = 0;
        for frame in path {
            match self.children(at).iter().find(|child| self.node(**child).frame == *frame) {
                Some(child) => at = *child,
                None => return (at, false),
            }
        }
        (at, true)
    }

    /// The path of a node from the root (exclusive).
    pub fn path(&self, mut at: u32) -> CallPath {
        let mut path = Vec::new();
        while at != 0 {
            path.push(self.node(at).frame);
            at = self.node(at).parent;
        }
        path.reverse();
        path
    }

    /// The nodes of the hot path: from `at`, the heaviest child each time, as long as it holds at
    /// least half of its parent.
    pub fn hot_path(&self, at: u32) -> Vec<u32> {
        let mut hot = Vec::new();
        let mut node = at;
        while let Some(next) = self.children(node).iter().copied().max_by_key(|child| self.node(*child).total)
        {
            if self.node(next).total.saturating_mul(2) < self.node(node).total || self.node(next).total == 0 {
                break;
            }
            hot.push(next);
            node = next;
        }
        hot
    }

    /// The node with the greatest self value.
    pub fn hottest(&self) -> Option<u32> {
        (1..self.nodes.len() as u32)
            .max_by_key(|at| self.node(*at).self_value)
            .filter(|at| self.node(*at).self_value > 0)
    }
}

struct Building<'a> {
    tree: &'a CallTree,
    shape: &'a Shape,
    nodes: Vec<FlameNode>,
    index: HashMap<(u32, FrameId), u32, FxBuildHasher>,
}

/// Where a node of the fold went: below which node of the flame its callees hang, if at all.
#[derive(Clone, Copy)]
struct Place {
    at: Option<u32>,
}

fn empty_node(parent: u32, frame: FrameId, depth: u16) -> FlameNode {
    FlameNode { parent, frame, self_value: 0, total: 0, base_self: 0, base_total: 0, depth }
}

impl<'a> Building<'a> {
    fn new(tree: &'a CallTree, shape: &'a Shape) -> Self {
        let root = empty_node(0, tree.frame(CallTree::ROOT), 0);
        Self { tree, shape, nodes: vec![root], index: HashMap::default() }
    }

    fn excluded(&self, frame: FrameId) -> bool {
        !self.shape.show_idle && self.tree.frames().get(frame).kind == FrameKind::Idle
    }

    fn child(&mut self, parent: u32, frame: FrameId) -> u32 {
        let nodes = &mut self.nodes;
        *self.index.entry((parent, frame)).or_insert_with(|| {
            let depth = nodes[parent as usize].depth + 1;
            nodes.push(empty_node(parent, frame, depth));
            nodes.len() as u32 - 1
        })
    }

    /// The nearest node on the way up that is the same function.
    fn recursion_of(&self, mut at: u32, frame: FrameId) -> Option<u32> {
        while at != 0 {
            if self.nodes[at as usize].frame == frame {
                return Some(at);
            }
            at = self.nodes[at as usize].parent;
        }
        None
    }

    fn add_top_down(&mut self, columns: Columns<'_>) {
        let fold = columns.fold;
        let mut places = Vec::with_capacity(fold.nodes().len());
        for (row, node) in fold.nodes().iter().enumerate() {
            let place = if row == 0 {
                Place { at: self.shape.focus.is_none().then_some(0) }
            } else {
                self.place(places[fold.parents()[row] as usize], self.tree.frame(*node))
            };
            if let Some(at) = place.at.filter(|_| !self.excluded(self.tree.frame(*node))) {
                self.nodes[at as usize].gain(columns.of(row));
            }
            places.push(place);
        }
    }

    fn place(&mut self, parent: Place, frame: FrameId) -> Place {
        let Some(above) = parent.at else {
            let focused = self.shape.focus == Some(frame);
            return Place { at: focused.then(|| self.child(0, frame)) };
        };
        // Idle time has no callees; its value is left out by the caller of this function.
        if self.excluded(frame) || self.shape.hidden.contains(&frame) {
            return parent;
        }
        if self.shape.fold_recursion
            && let Some(same) = self.recursion_of(above, frame)
        {
            return Place { at: Some(same) };
        }
        Place { at: Some(self.child(above, frame)) }
    }

    fn add_inverted(&mut self, columns: Columns<'_>) {
        for (row, node) in columns.fold.nodes().iter().enumerate() {
            let value = columns.of(row);
            if value == (0, 0) || *node == CallTree::ROOT || self.excluded(self.tree.frame(*node)) {
                continue;
            }
            self.add_callers(*node, value);
        }
    }

    /// Adds one stack leaf first. The value sits at the outermost caller so that totals hold.
    fn add_callers(&mut self, leaf: NodeId, value: (i64, i64)) {
        let (mut at, mut node, mut inside) = (0, leaf, self.shape.focus.is_none());
        while node != CallTree::ROOT {
            let frame = self.tree.frame(node);
            inside |= self.shape.focus == Some(frame);
            let repeated = self.shape.fold_recursion && self.nodes[at as usize].frame == frame;
            if inside && !repeated && !self.shape.hidden.contains(&frame) {
                at = self.child(at, frame);
            }
            node = self.tree.parent(node);
        }
        if inside {
            self.nodes[at as usize].gain(value);
        }
    }

    fn finish(mut self) -> Flame {
        for node in &mut self.nodes {
            (node.total, node.base_total) = (node.self_value, node.base_self);
        }
        for at in (1..self.nodes.len()).rev() {
            let FlameNode { parent, total, base_total, .. } = self.nodes[at];
            let above = &mut self.nodes[parent as usize];
            above.total = above.total.saturating_add(total);
            above.base_total = above.base_total.saturating_add(base_total);
        }
        let (children, starts) = self.ordered_children();
        Flame { nodes: self.nodes, children, starts }
    }

    fn ordered_children(&self) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0u32; self.nodes.len() + 1];
        for node in &self.nodes[1..] {
            starts[node.parent as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut children = vec![0u32; self.nodes.len() - 1];
        for (at, node) in self.nodes.iter().enumerate().skip(1) {
            let slot = &mut next[node.parent as usize];
            children[*slot as usize] = at as u32;
            *slot += 1;
        }
        for at in 0..self.nodes.len() {
            self.sort_siblings(&mut children[starts[at] as usize..starts[at + 1] as usize]);
        }
        (children, starts)
    }

    fn sort_siblings(&self, siblings: &mut [u32]) {
        let node = |at: &u32| &self.nodes[*at as usize];
        if self.shape.by_value {
            siblings.sort_by(|a, b| node(b).total.cmp(&node(a).total).then(a.cmp(b)));
            return;
        }
        let frame = |at: &u32| self.tree.frames().get(node(at).frame);
        siblings.sort_by(|a, b| {
            let (a, b) = (frame(a), frame(b));
            (&a.name, &a.file, a.line, a.column).cmp(&(&b.name, &b.file, b.line, b.column))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::tests::{fold_of, node_of};
    use super::*;
    use crate::profile::function_table;
    use std::fmt::Write;

    fn text(tree: &CallTree, flame: &Flame) -> String {
        fn walk(tree: &CallTree, flame: &Flame, at: u32, out: &mut String) {
            let node = flame.node(at);
            let name = &tree.frames().get(node.frame).name;
            let indent = " ".repeat(node.depth as usize);
            let _ = writeln!(out, "{indent}{name} {}/{}", node.self_value, node.total);
            flame.children(at).iter().for_each(|child| walk(tree, flame, *child, out));
        }
        let mut out = String::new();
        walk(tree, flame, 0, &mut out);
        out
    }

    fn shaped(stacks: &[(&str, i64)], shape: impl Fn(&mut CallTree) -> Shape) -> String {
        let mut tree = CallTree::default();
        let fold = fold_of(&mut tree, stacks);
        let shape = shape(&mut tree);
        let flame = Flame::build(&tree, &fold, 0, &shape);
        text(&tree, &flame)
    }

    fn id(tree: &mut CallTree, name: &str) -> FrameId {
        let node = node_of(tree, name);
        tree.frame(node)
    }

    #[test]
    fn idle_is_left_out_and_siblings_are_in_name_order() {
        let shown = shaped(&[("z", 1), ("(idle)", 90), ("a", 2)], |_| Shape::default());
        assert_eq!(shown, "all 0/3\n a 2/2\n z 1/1\n");
    }

    #[test]
    fn hiding_gives_cost_and_callees_to_the_caller() {
        let shown = shaped(&[("a;lib", 1), ("a;lib;b", 2)], |tree| Shape {
            hidden: vec![id(tree, "lib")],
            ..Shape::default()
        });
        assert_eq!(shown, "all 0/3\n a 1/3\n  b 2/2\n");
    }

    #[test]
    fn focus_merges_every_caller() {
        let shown = shaped(&[("a;f;x", 1), ("b;f", 2), ("c", 4)], |tree| Shape {
            focus: Some(id(tree, "f")),
            ..Shape::default()
        });
        assert_eq!(shown, "all 0/3\n f 2/3\n  x 1/1\n");
    }

    #[test]
    fn inverting_puts_leaves_first_and_keeps_the_total() {
        let shown = shaped(&[("a;f", 1), ("b;f", 2)], |_| Shape { inverted: true, ..Shape::default() });
        assert_eq!(shown, "all 0/3\n f 0/3\n  a 1/1\n  b 2/2\n");
    }

    #[test]
    fn recursion_folds_into_the_first_call() {
        let shown =
            shaped(&[("f;g;f;g", 1), ("f", 2)], |_| Shape { fold_recursion: true, ..Shape::default() });
        assert_eq!(shown, "all 0/3\n f 2/3\n  g 1/1\n");
    }

    #[test]
    fn values_of_any_size_add_up_to_the_most_there_is() {
        for inverted in [false, true] {
            let shape = Shape { inverted, fold_recursion: true, ..Shape::default() };
            let mut tree = CallTree::default();
            let fold = fold_of(&mut tree, &[("a", i64::MAX), ("a;a", i64::MAX), ("b", i64::MAX)]);
            let flame = Flame::build(&tree, &fold, 0, &shape);
            assert_eq!(flame.total(), i64::MAX);
            assert_eq!(function_table(&flame)[0].total, i64::MAX);
            assert_eq!(flame.hot_path(0).len(), 1);
        }
    }

    #[test]
    fn a_path_is_found_as_far_as_it_goes() {
        let mut tree = CallTree::default();
        let fold = fold_of(&mut tree, &[("a;b", 1)]);
        let flame = Flame::build(&tree, &fold, 0, &Shape::default());
        let (a, b, c) = (id(&mut tree, "a"), id(&mut tree, "b"), id(&mut tree, "c"));
        assert_eq!(flame.find(&[a, b]), (2, true));
        assert_eq!(flame.find(&[a, c]), (1, false));
        assert_eq!(flame.path(2), vec![a, b]);
        assert_eq!(flame.hot_path(0), vec![1, 2]);
    }
}
