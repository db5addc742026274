//! Sinks: consumers that carry events out of the session - to a file, to a server, to a scrape.
//!
//! The engine offers every event, in its one order, to every sink. A sink never makes it wait: it has
//! a queue with a bound and a named policy for the day it is full, and does its work elsewhere. What
//! it has to tell comes back as a report of its own kind.

pub mod recorder;

pub use recorder::{Plan, Recorder, RecorderError, RecorderReport};

use crate::feed::Event;
use std::sync::Arc;
use std::time::Duration;

/// A consumer of every event.
pub trait Sink: Send {
    /// Its name, as in [`SINKS`].
    fn name(&self) -> &'static str;

    /// Takes an event if it can; never waits.
    fn offer(&mut self, event: &Arc<Event>) -> Offer;

    /// Completes what it has, within `deadline`. May wait that long: not for the engine's own thread.
    fn finish(self: Box<Self>, deadline: Duration) -> Finish;
}

/// What became of an offered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It will be carried out.
    Taken,
    /// The sink is over and takes nothing any more; its report says why. Let go of it.
    Over,
}

/// How a sink ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// All it had taken is where it belongs.
    Complete,
    /// It failed; its report says how.
    Failed,
    /// It was not done in time. It goes on by itself while the process lives.
    Late,
}

/// A sink's name and policy, for help and README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkSpec {
    /// Its name.
    pub name: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// What may wait in its queue.
    pub bound: usize,
    /// What happens when that is not enough.
    pub when_full: &'static str,
}

/// Every sink there is.
pub const SINKS: &[&SinkSpec] = &[&recorder::SPEC];
