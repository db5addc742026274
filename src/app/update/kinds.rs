//! Which sample type is shown, and what the sources are asked to sample.

use super::Turn;
use crate::app::{App, Effect, Mode, Question};
use crate::feed::{Capability, HeapMode, HeapState, Order, SourceId};
use crate::profile::Nanos;
use crate::session::{Session, SourceState};
use std::sync::Arc;

/// Window lengths to choose from.
const WINDOWS: [Nanos; 6] = [
    Nanos::from_millis(250),
    Nanos::from_millis(500),
    Nanos::from_secs(1),
    Nanos::from_secs(2),
    Nanos::from_secs(5),
    Nanos::from_secs(10),
];

impl App {
    /// The next sample type; where the heap is not sampled yet, that is offered first.
    pub(super) fn next_sample_type(&mut self, turn: &mut Turn<'_>) {
        let kinds = self.kinds_to_offer(turn.session);
        let has_heap = kinds.iter().any(|kind| is_heap(kind));
        if let (false, Some(cost)) = (has_heap, self.heap_offer(turn.session)) {
            self.mode = Mode::Confirm(Question::HeapCost(cost));
            return;
        }
        let here = kinds.iter().position(|kind| *kind == self.selection.kind);
        let next = here.map_or(0, |here| here + 1);
        match kinds.get(next).or(kinds.first()) {
            Some(kind) if *kind != self.selection.kind => {
                self.selection.kind = kind.clone();
                self.order_heap_mode(kind, turn);
            }
            _ => self.toast("there is no other sample type"),
        }
    }

    /// The kinds there are, and allocations where a source could tell them instead of live bytes.
    fn kinds_to_offer(&self, session: &Session) -> Vec<Arc<str>> {
        let mut kinds = kinds_in_order(session);
        let live = kinds.iter().position(|kind| &**kind == "inuse_space");
        let could = self.sources(session).any(|(_, source)| {
            can(source, Capability::HeapAllocated) && matches!(source.status.heap, HeapState::On { .. })
        });
        if let (Some(live), true, false) = (live, could, kinds.iter().any(|kind| &**kind == "alloc_space")) {
            kinds.insert(live + 1, "alloc_space".into());
        }
        kinds
    }

    /// A sampler that can tell only one of live bytes and allocations is asked for the one in view.
    fn order_heap_mode(&self, kind: &str, turn: &mut Turn<'_>) {
        let mode = match kind {
            "inuse_space" => HeapMode::Live,
            "alloc_space" => HeapMode::Allocated,
            _ => return,
        };
        let able = self.sources(turn.session).filter(|(_, source)| can(source, Capability::HeapAllocated));
        let ids: Vec<SourceId> = able.map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| turn.ask(Effect::Order(id, Order::HeapMode(mode))));
    }

    /// A target without CPU samples is shown by what it has.
    pub(super) fn choose_kind_that_exists(&mut self, turn: &Turn<'_>) {
        let kinds = kinds_in_order(turn.session);
        let cpu_will_come = turn.session.sources().iter().any(|source| can(source, Capability::Cpu));
        if kinds.contains(&self.selection.kind) || cpu_will_come {
            return;
        }
        if let Some(kind) = kinds.first() {
            self.selection.kind = kind.clone();
        }
    }

    pub(super) fn switch_heap(&mut self, turn: &mut Turn<'_>) {
        let on = |source: &SourceState| matches!(source.status.heap, HeapState::On { .. });
        if let Some(cost) = self.heap_offer(turn.session) {
            self.mode = Mode::Confirm(Question::HeapCost(cost));
        } else if self.order_heap(false, on, turn) {
            self.toast("heap profile off");
        } else {
            self.toast_error("this target has no heap profile");
        }
    }

    /// The user agreed to the cost.
    pub(super) fn switch_heap_on(&mut self, turn: &mut Turn<'_>) {
        let off = |source: &SourceState| matches!(source.status.heap, HeapState::Off(_));
        if self.order_heap(true, off, turn) {
            self.toast("heap profile on: v shows it once its first window is in");
        }
    }

    fn order_heap(&self, on: bool, wanted: impl Fn(&SourceState) -> bool, turn: &mut Turn<'_>) -> bool {
        let ids: Vec<SourceId> =
            self.sources(turn.session).filter(|(_, source)| wanted(source)).map(|(id, _)| id).collect();
        for id in &ids {
            turn.ask(Effect::Order(*id, Order::Heap(on)));
        }
        !ids.is_empty()
    }

    /// What switching the heap profile on would cost, where it is off.
    fn heap_offer(&self, session: &Session) -> Option<Arc<str>> {
        self.sources(session).find_map(|(_, source)| match &source.status.heap {
            HeapState::Off(cost) => Some(cost.clone()),
            _ => None,
        })
    }

    pub(super) fn change_window(&mut self, longer: bool, turn: &mut Turn<'_>) {
        let ids: Vec<SourceId> = self
            .sources(turn.session)
            .filter(|(_, source)| can(source, Capability::WindowLength))
            .map(|(id, _)| id)
            .collect();
        if ids.is_empty() {
            self.toast_error("the window length of this target can't be changed");
            return;
        }
        let now = self.window_length(turn.session);
        let step = if longer {
            WINDOWS.into_iter().find(|step| *step > now)
        } else {
            WINDOWS.into_iter().rev().find(|step| *step < now)
        };
        self.window = step.unwrap_or(now);
        self.toast(format!("windows of {} s", self.window.as_secs_f64()));
        for id in ids {
            turn.ask(Effect::Order(id, Order::Window(self.window)));
        }
    }

    /// The window length asked for, or else in use.
    fn window_length(&self, session: &Session) -> Nanos {
        let used = || self.sources(session).map(|(_, source)| source.status.window).find(|w| *w > Nanos(0));
        let asked = Some(self.window).filter(|window| *window > Nanos(0));
        asked.or_else(used).unwrap_or(Nanos::from_secs(1))
    }

    /// The sources in scope that still run.
    fn sources<'a>(&'a self, session: &'a Session) -> impl Iterator<Item = (SourceId, &'a SourceState)> {
        let numbered = session.sources().iter().enumerate().map(|(id, source)| (SourceId(id as u16), source));
        numbered.filter(|(id, source)| source.ended.is_none() && self.selection.scope.takes(*id))
    }
}

fn can(source: &SourceState, capability: Capability) -> bool {
    source.target.as_ref().is_some_and(|target| target.capabilities.contains(&capability))
}

fn is_heap(kind: &str) -> bool {
    matches!(kind, "inuse_space" | "alloc_space")
}

/// The kinds there are: CPU, heap, the rest; bare sample counts tell least and come last.
fn kinds_in_order(session: &Session) -> Vec<Arc<str>> {
    let mut kinds: Vec<Arc<str>> = session.timeline().kinds().into_iter().map(|kind| kind.name).collect();
    kinds.sort_by_key(|kind| match &**kind {
        "cpu" => 0,
        "inuse_space" => 1,
        "alloc_space" => 2,
        "samples" => 4,
        _ => 3,
    });
    kinds
}
