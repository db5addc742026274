//! The base: a selection that others are compared with. It outlives roll-up and eviction, and may come
//! from another file.

use super::Session;
use super::selection::{Range, Scope, Selected, Selection};
use super::timeline::Track;
use super::window::{Window, WindowId};
use crate::feed::{SourceId, TargetInfo};
use crate::profile::{
    Basis, CallTree, Comparison, Flame, Fold, Frame, FrameId, Profile, Shape, Side, Span, Unit, join,
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A base from elsewhere is aligned anew when an eighth more functions are known.
const GROWTH: usize = 8;

/// What others are compared with.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// What it is called: a time of day, a file's name.
    pub label: Arc<str>,
    /// The stretch of time it stands for.
    pub span: Span,
    /// Whose it is, when it came from elsewhere.
    pub target: Option<TargetInfo>,
    pub(super) windows: Vec<Arc<Window>>,
    /// As it came from elsewhere, for functions that this session meets later.
    foreign: Vec<Profile>,
    /// How many functions the session knew when it was last aligned.
    aligned_at: usize,
    /// Changes with every base taken.
    pub(super) revision: u64,
}

/// A selection and its base, joined.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The selection.
    pub selected: Selected,
    /// The base at the same kind.
    pub base: Selected,
    /// Both: column 0 the selection's values, column 1 the base's.
    pub fold: Fold,
    comparison: Comparison,
}

impl Compared {
    /// The flame of both under one shape, and how its values are to be compared. What a shape leaves
    /// out, as idle time, is no part of the whole either.
    pub fn flame(&self, tree: &CallTree, shape: &Shape) -> (Flame, Comparison) {
        let flame = Flame::compare(tree, &self.fold, 0, 1, shape);
        let mut comparison = self.comparison.clone();
        (comparison.base.total, comparison.other.total) = (flame.base_total(), flame.total());
        (flame, comparison)
    }
}

impl Session {
    /// Makes a selection the base: its windows of every kind, as they are now. False when it has none.
    pub fn set_base(&mut self, selection: &Selection, label: &str) -> bool {
        let span = match selection.range {
            Range::Span(span) => span,
            Range::Live => match self.newest_span() {
                Some(span) => span,
                None => return false,
            },
        };
        let tracks = self.timeline().tracks().iter().filter(|track| selection.scope.takes(track.source));
        let windows: Vec<Arc<Window>> = tracks.flat_map(|track| self.windows_in(track, span)).collect();
        if windows.is_empty() {
            return false;
        }
        self.replace_base(Base { label: label.into(), span, windows, ..Base::default() });
        true
    }

    /// Makes profiles from elsewhere the base. Their functions become this session's where name and file
    /// agree: a function that only moved to another line is the same.
    pub fn set_base_from(&mut self, profiles: &[Profile], target: Option<TargetInfo>, label: &str) -> bool {
        let mut foreign: Vec<Profile> = profiles.iter().filter(|p| p.is_sound()).cloned().collect();
        foreign.sort_by_key(|profile| profile.span.start);
        let Some(span) = foreign.iter().map(|p| p.span).reduce(Span::union) else { return false };
        let windows = self.lift_foreign(&foreign);
        let aligned_at = self.tree.frames().len();
        let base = Base { label: label.into(), span, target, windows, foreign, aligned_at, revision: 0 };
        self.replace_base(base);
        true
    }

    fn lift_foreign(&mut self, foreign: &[Profile]) -> Vec<Arc<Window>> {
        let same = Alignment::to(self);
        let lift = |profile: &Profile| {
            let aligned = same.align(profile);
            Arc::new(Window::lift(&mut self.tree, WindowId(0), SourceId(0), &aligned))
        };
        foreign.iter().map(lift).collect()
    }

    /// Aligns a base from elsewhere anew once many more functions are known. The bound doubles each
    /// time, so this costs little however long a session is.
    pub(super) fn realign_base(&mut self) {
        let known = self.tree.frames().len();
        let Some(mut base) = self.base.take() else { return };
        if !base.foreign.is_empty() && known > base.aligned_at + base.aligned_at / GROWTH {
            base.windows = self.lift_foreign(&base.foreign);
            base.aligned_at = self.tree.frames().len();
            self.bases += 1;
            base.revision = self.bases;
        }
        self.base = Some(base);
    }

    /// Compares with nothing any more.
    pub fn clear_base(&mut self) {
        self.base = None;
    }

    /// What others are compared with.
    pub fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// The base by itself, with functions as this session knows them; one profile for each set of kinds.
    pub fn base_profiles(&self) -> Vec<Profile> {
        let mut left: Vec<Arc<Window>> = self.base.iter().flat_map(|base| base.windows.clone()).collect();
        let mut profiles = Vec::new();
        while let Some(kinds) = left.first().map(|window| window.kinds.clone()) {
            let (of_kinds, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|w| w.kinds == kinds);
            profiles.extend(self.profile_of(&of_kinds, &Scope::All));
            left = others;
        }
        profiles
    }

    /// Changes when the base does; 0 without one.
    pub fn base_revision(&self) -> u64 {
        self.base.as_ref().map_or(0, |base| base.revision)
    }

    /// A selection against the base; none without a base, or when one of them lacks the kind.
    pub fn compare(&self, selection: &Selection, basis: Basis) -> Option<Compared> {
        let base = self.base.as_ref()?;
        let selected = self.select(selection)?;
        let windows: Vec<Arc<Window>> =
            base.windows.iter().filter(|window| window.has(&selection.kind)).cloned().collect();
        let base = self.select_of(windows, &base_scope(base, &selection.scope), &selection.kind)?;
        let fold = join(&self.tree, (&selected.fold, selected.column), (&base.fold, base.column));
        let kind = selected.fold.kinds()[selected.column].clone();
        let (other_side, base_side) = (side(&selected), side(&base));
        let comparison = Comparison { kind, basis, base: base_side, other: other_side };
        Some(Compared { selected, base, fold, comparison })
    }

    fn replace_base(&mut self, base: Base) {
        self.bases += 1;
        self.base = Some(Base { revision: self.bases, ..base });
    }
}

/// Threads of another process have other numbers: there the name tells them.
fn base_scope(base: &Base, scope: &Scope) -> Scope {
    match scope {
        Scope::Thread(_, wanted) => {
            let lanes = base.windows.iter().flat_map(|window| &window.lanes);
            let same = lanes.clone().find(|lane| lane.thread == *wanted);
            let found = same.or_else(|| lanes.clone().find(|lane| lane.thread.name == wanted.name));
            found.map_or(Scope::All, |lane| Scope::Thread(SourceId(0), lane.thread.clone()))
        }
        Scope::All | Scope::Source(_) => Scope::All,
    }
}

fn side(selected: &Selected) -> Side {
    let sampling = &selected.sampling;
    let kind = &selected.fold.kinds()[selected.column];
    let period = match kind.unit {
        Unit::Count => 1,
        unit if unit == sampling.period_unit() => sampling.period,
        _ => 0,
    };
    Side { covered: selected.covered, total: selected.fold.total(selected.column), period }
}

/// The frames of a session by name and file, for frames of another run.
struct Alignment {
    known: FxHashMap<(Arc<str>, Arc<str>), Vec<Frame>>,
}

impl Alignment {
    /// Of the functions in the session's own windows: the tree holds those of the base too.
    fn to(session: &Session) -> Self {
        let tree = session.tree();
        let windows = session.timeline().tracks().iter().flat_map(Track::windows);
        let nodes = windows.flat_map(|window| &window.lanes).flat_map(|lane| lane.fold.nodes());
        let own: FxHashSet<FrameId> = nodes.map(|node| tree.frame(*node)).collect();
        let mut known: FxHashMap<(Arc<str>, Arc<str>), Vec<Frame>> = FxHashMap::default();
        for frame in own.into_iter().map(|id| tree.frames().get(id)) {
            known.entry((frame.name.clone(), frame.file.clone())).or_default().push(frame.clone());
        }
        known.values_mut().for_each(|frames| frames.sort_by_key(|frame| (frame.line, frame.column)));
        Self { known }
    }

    /// The profile with its functions as this session knows them. Of several with one name in one file,
    /// as anonymous ones are, the first is the first, if both sides have equally many.
    fn align(&self, profile: &Profile) -> Profile {
        let mut theirs: FxHashMap<(&str, &str), Vec<&Frame>> = FxHashMap::default();
        for frame in &profile.frames {
            let places = theirs.entry((&frame.name, &frame.file)).or_default();
            if !places.contains(&frame) {
                places.push(frame);
            }
        }
        theirs.values_mut().for_each(|frames| frames.sort_by_key(|frame| (frame.line, frame.column)));
        let ours = |frame: &Frame| {
            let known = self.known.get(&(frame.name.clone(), frame.file.clone()))?;
            if known.contains(frame) {
                return None;
            }
            let places = theirs.get(&(&*frame.name, &*frame.file))?;
            let place = places.iter().position(|known| *known == frame)?;
            known.get(place).filter(|_| known.len() == places.len()).cloned()
        };
        let frames =
            profile.frames.iter().map(|frame| ours(frame).unwrap_or_else(|| frame.clone())).collect();
        Profile { frames, ..profile.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{profile, seconds, span, take};
    use super::*;
    use crate::profile::{FunctionRow, ValueKind, Verdict, function_table};

    fn cpu(range: Range) -> Selection {
        Selection { range, ..Selection::default() }
    }

    fn table(session: &Session, compared: &Compared) -> Vec<FunctionRow> {
        function_table(&compared.flame(session.tree(), &Shape::default()).0)
    }

    #[test]
    fn a_base_stays_what_it_was_while_windows_come_and_go() {
        let mut session = Session::new(20_000);
        (0..5).for_each(|s| take(&mut session, profile(s * 1000, 1000, ValueKind::cpu(), &[("f", s + 1)])));
        assert!(session.set_base(&cpu(Range::Span(span(1, 3))), "before"));
        (5..4000).for_each(|s| {
            take(&mut session, profile(s * 1000, 1000, ValueKind::cpu(), &[("f", 9), ("g", 1)]));
        });
        let compared = session.compare(&Selection::default(), Basis::Second).expect("there is a base");
        assert_eq!(compared.base.fold.total(0), 5);
        let rows = table(&session, &compared);
        assert_eq!((rows[0].self_value, rows[0].base_self), (9, 5));
        session.clear_base();
        assert!(session.compare(&Selection::default(), Basis::Second).is_none());
    }

    #[test]
    fn collecting_the_tree_spares_the_base() {
        let mut session = Session::new(6_000);
        for s in 0..2000 {
            let stack = format!("main;f{s};leaf");
            take(&mut session, profile(s * 1000, 1000, ValueKind::cpu(), &[(&stack, s + 1)]));
            if s == 3 {
                assert!(session.set_base(&cpu(Range::Span(span(1, 2))), "before"));
            }
        }
        let before = session.compare(&Selection::default(), Basis::Share).map(|c| table(&session, &c));
        session.collect_now();
        let after = session.compare(&Selection::default(), Basis::Share).map(|c| table(&session, &c));
        assert_eq!(before, after);
    }

    #[test]
    fn functions_of_another_run_are_known_by_name_and_file() {
        let mut session = seconds(1);
        let mut moved = profile(0, 2000, ValueKind::cpu(), &[("f", 4), ("gone", 2)]);
        moved.frames.iter_mut().for_each(|frame| frame.line += 40);
        assert!(session.set_base_from(&[moved], None, "v1"));
        let compared = session.compare(&Selection::default(), Basis::Second).expect("there is a base");
        let rows = table(&session, &compared);
        assert_eq!(rows.len(), 2, "f is one function: {rows:?}");
        assert_eq!((rows[0].self_value, rows[0].base_self), (1, 4));
        assert_eq!((rows[1].self_value, rows[1].base_self), (0, 2));
        let comparison = compared.flame(session.tree(), &Shape::default()).1;
        assert_eq!((comparison.base.total, comparison.other.total), (6, 1));
        let change = comparison.change(rows[0].base_self, rows[0].self_value);
        assert_eq!((change.base, change.verdict), (2.0, Verdict::Less));
    }

    #[test]
    fn a_base_that_was_there_first_learns_of_functions_that_come_later() {
        let mut session = Session::default();
        let mut moved = profile(0, 2000, ValueKind::cpu(), &[("f", 4)]);
        moved.frames.iter_mut().for_each(|frame| frame.line += 40);
        assert!(session.set_base_from(&[moved], None, "v1"));
        take(&mut session, profile(0, 1000, ValueKind::cpu(), &[("f", 1)]));
        let compared = session.compare(&Selection::default(), Basis::Second).expect("there is a base");
        let rows = table(&session, &compared);
        assert_eq!((rows.len(), rows[0].self_value, rows[0].base_self), (1, 1, 4));
    }
}
