//! flametop shows where a running process spends its CPU, its memory and its event loop, right now
//! and a minute ago: in a terminal, without preparing the process.
//!
//! # The idea
//!
//! Everything measured arrives as one type, [`feed::Feed`]. A live process, an HTTP endpoint and a
//! file are all [`source::Source`]s of it; the session, the recorder and every exporter hear it. One
//! loop, [`engine`], owns all state, so there is one order of events and no lock around it. Without a
//! screen it is the same loop; a replay is a source like any other.
//!
//! ```text
//!  tasks                       the engine, only owner of state                    threads
//!  source/node       ─┐        signal > key > job done > frame due > feed > tick
//!  source/pprof_http ─┼Outbox─► event ─┬─► session.ingest (intern, fold)
//!  source/file       ─┘  (8)           └─► offered to every sink ─────────────────► record (SQLite)
//!                     ◄─Order─ effect
//!  deeds, connections ─► guard process: outlives all this, undoes what is left
//!  input thread ──────────────► key ─► app.update(msg, session, shown) ─► effects ─► export, copy ...
//!                               dirty ─► shown.refresh ─► view::frame ─► one slot ─► terminal writer
//! ```
//!
//! A profile has two forms. [`profile::Profile`] is self-contained and `Send`: what sources emit, what
//! is recorded and exported. [`profile::Fold`] is compact, on the session's shared
//! [`profile::CallTree`]: what is kept, merged and drawn. A [`profile::Flame`] is one fold under one
//! shape (hidden, focused, inverted ...), and [`app::Shown`] is the flame of the selection, laid out.
//!
//! # Time
//!
//! CPU and heap windows have lengths of their own, so the [`session::Timeline`] has a track for each
//! set of value kinds, and a [`session::Selection`] is a stretch of time: each track answers with the
//! windows that speak for it. A delta (CPU time) adds up over time, a level (bytes in use) keeps its
//! last value; over threads both add. Time first, then threads. All moments are on one clock, the
//! monotonic one shifted once to the wall clock ([`source::Clock`]).
//!
//! A file that a command reads whole is a walk over the same events ([`source::Stored`]), into a session or
//! into a [`report::ReportBuilder`]. Two selections are compared on one call tree: [`session::Base`] keeps the
//! one, [`profile::Comparison`] makes both comparable and tells change from chance.
//!
//! # Harm
//!
//! The target is somebody's production. A source undoes what it did on every way out; a panic in any
//! thread frees targets and terminal before it is told ([`engine::install_panic_hook`]). What flametop can't do
//! any more itself, killed or stopped, its [`guard`] does: a process of its own, told of each deed before it is
//! done. A lease in the target is the net below that. What was lost
//! is part of every window ([`profile::Sampling`]) and of every export. Names from outside pass one
//! door ([`profile::clean_name`]). Every queue has a bound and a policy that its module states.
//!
//! # Layers
//!
//! Arrows point down only, and a test reads the imports: `profile`, `files` <- `feed`, `gauges`,
//! `format` <- `record`, `session`, `guard` <- `source`, `sink`, `report`, `app`, `theme`,
//! `demo` <- `view` <- `engine` <- `cli` <- `main`. ratatui lives in `view`, `theme` and `engine/terminal`;
//! crossterm in `engine`; prost in `format`; rusqlite in `record`; sysinfo in
//! `source/{discover,procstat}`; clap in `cli`; pprof-rs in `source/this_process`.
//!
//! There is no ratatui `Terminal`: [`view::frame`] draws a whole buffer, and a thread of its own
//! writes the difference to what the terminal really shows. So a terminal that takes no bytes holds up
//! nothing, and a frame it had no time for is replaced by the newest.
//!
//! # Adding things
//!
//! A source is one module and a line in [`source::KINDS`]; a format one in [`format::FORMATS`]; a
//! panel one in `view::PANELS`; a key a row in [`app::ACTIONS`]; a gauge a row in [`gauges::GAUGES`];
//! a theme a file in `themes/` and a line in `theme/builtin.rs`.

pub mod app;
pub mod cli;
pub mod demo;
pub mod engine;
pub mod feed;
pub mod files;
pub mod format;
pub mod gauges;
pub mod guard;
mod planted;
pub mod profile;
pub mod record;
pub mod report;
pub mod session;
pub mod sink;
pub mod source;
pub mod theme;
pub mod view;
