//! Summaries: what a profile comes to, in a page for people ([`markdown`]) and a file for programs
//! ([`json`]). Both say the same: what was watched, what is missing, which functions, packages and
//! threads the values fall on, and the hottest path.

pub(super) mod json;
pub(super) mod markdown;

use super::export::{flame_of, together};
use super::{Export, WriteError};
use crate::profile::{CallTree, Flame, Frame, FrameId, function_table, package_of};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A path ends where the next step has less than this share of the whole.
const LEAST_STEP: f64 = 0.01;

/// What a profile comes to.
struct Summary<'a> {
    export: &'a Export<'a>,
    /// The column that functions are ordered by.
    main: usize,
    tree: CallTree,
    /// The total of each column.
    totals: Vec<i64>,
    /// Every function with a value, the greatest self value of the main column first.
    functions: Vec<Function>,
    /// From the root, each time the callee with the greatest total.
    path: Vec<Step>,
}

/// Values of a function, a column each.
#[derive(Debug)]
struct Function {
    frame: FrameId,
    own: Vec<i64>,
    total: Vec<i64>,
}

/// A call on the hottest path, with values of the main column.
#[derive(Debug)]
struct Step {
    frame: FrameId,
    own: i64,
    total: i64,
}

impl<'a> Summary<'a> {
    fn new(export: &'a Export<'a>) -> Result<Self, WriteError> {
        let main = export.main_kind()?;
        let (tree, fold) = together(export)?;
        let kinds = &export.profile.kinds;
        let flames: Vec<Flame> = kinds.iter().map(|kind| flame_of(&tree, &fold, kind)).collect();
        Ok(Self {
            export,
            main,
            totals: flames.iter().map(Flame::total).collect(),
            functions: functions(&flames, main),
            path: path(&flames[main]),
            tree,
        })
    }

    fn frame(&self, id: FrameId) -> &Frame {
        self.tree.frames().get(id)
    }

    /// The share that a value of the main column is of its total.
    fn share(&self, value: i64) -> f64 {
        match self.totals[self.main] {
            0 => 0.0,
            total => value as f64 / total as f64,
        }
    }

    /// Self values by package, a column each, the greatest of the main column first.
    fn packages(&self) -> Vec<(&str, Vec<i64>)> {
        let mut sums: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for function in &self.functions {
            let width = self.totals.len();
            let sum = sums.entry(package_of(self.frame(function.frame))).or_insert_with(|| vec![0; width]);
            add(sum, &function.own);
        }
        let mut packages: Vec<_> = sums.into_iter().collect();
        packages.sort_by_key(|(_, values)| std::cmp::Reverse(values[self.main]));
        packages
    }

    /// Everything that profile and export remark.
    fn notes(&self) -> impl Iterator<Item = &str> {
        self.export.profile.notes.iter().chain(self.export.notes).map(|note| &**note)
    }
}

fn functions(flames: &[Flame], main: usize) -> Vec<Function> {
    let mut places: FxHashMap<FrameId, usize> = FxHashMap::default();
    let mut functions: Vec<Function> = Vec::new();
    for (column, flame) in flames.iter().enumerate() {
        for row in function_table(flame) {
            let place = *places.entry(row.frame).or_insert(functions.len());
            if place == functions.len() {
                let none = vec![0; flames.len()];
                functions.push(Function { frame: row.frame, own: none.clone(), total: none });
            }
            functions[place].own[column] = row.self_value;
            functions[place].total[column] = row.total;
        }
    }
    functions.sort_by_key(|function| {
        (std::cmp::Reverse((function.own[main], function.total[main])), function.frame)
    });
    functions
}

fn path(flame: &Flame) -> Vec<Step> {
    let least = (flame.total() as f64 * LEAST_STEP).max(1.0);
    let mut path = Vec::new();
    let mut at = 0;
    // Of equals the first, as it is shown.
    while let Some(hottest) =
        flame.children(at).iter().copied().rev().max_by_key(|child| flame.node(*child).total)
    {
        let node = flame.node(hottest);
        if (node.total as f64) < least {
            break;
        }
        path.push(Step { frame: node.frame, own: node.self_value, total: node.total });
        at = hottest;
    }
    path
}

fn add(sums: &mut [i64], values: &[i64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = sum.saturating_add(*value);
    }
}
