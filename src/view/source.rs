//! Which source the header, sparklines and messages speak of, and how it is doing.

use super::Ui;
use crate::feed::{EndReason, Phase, SourceId};
use crate::session::{Scope, SourceState};

/// How a source is doing, by what the user must know first.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<'a> {
    /// There is none yet.
    Nothing,
    /// On the way to the target.
    Attaching(&'a str),
    /// Reached, but failing for now.
    Waiting(&'a str),
    /// As it should be.
    Sampling,
    /// Undoing what was done in the target.
    Detaching,
    /// It is done, and why.
    Ended(&'a EndReason),
}

impl<'a> Ui<'a> {
    /// The source that is spoken of: the selected one, else the first that has not ended.
    pub(super) fn source(&self) -> Option<(SourceId, &'a SourceState)> {
        let sources = self.session.sources();
        let chosen = match &self.app.selection.scope {
            Scope::Source(id) | Scope::Thread(id, _) => Some(usize::from(id.0)),
            Scope::All => None,
        };
        let running = sources.iter().position(|source| source.ended.is_none());
        let at = chosen.filter(|at| *at < sources.len()).or(running).unwrap_or(0);
        Some((SourceId(at as u16), sources.get(at)?))
    }

    /// How that source is doing.
    pub(super) fn condition(&self) -> Condition<'a> {
        let Some((_, source)) = self.source() else { return Condition::Nothing };
        match (&source.ended, &source.status.phase) {
            (Some(reason), _) => Condition::Ended(reason),
            (None, Phase::Attaching(step)) => Condition::Attaching(step),
            (None, Phase::Waiting(why)) => Condition::Waiting(why),
            (None, Phase::Sampling) => Condition::Sampling,
            (None, Phase::Detaching) => Condition::Detaching,
        }
    }
}
