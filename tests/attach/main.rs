//! Attaching to real processes: every way in, every refusal, and that the target is afterwards as it was.
//!
//! Runs on each Node there is; those that are missing are named.

mod hurry;
mod kernel;
mod refusals;
mod servers;
mod snippets_run;
#[path = "../support/mod.rs"]
mod support;
mod target;
mod way_in;

/// What all the tests here speak of.
mod prelude {
    pub use std::io::{BufRead, BufReader, Read, Write};
    pub use std::net::{SocketAddr, TcpListener};
    pub use std::path::PathBuf;
    pub use std::process::{Child, Command, Stdio};
    pub use std::sync::{Mutex, MutexGuard, PoisonError};
    pub use std::time::{Duration, Instant};

    pub use flametop::source::node::agent::{Identity, Installed, Poll};
    pub use flametop::source::node::close::{Left, detach};
    pub use flametop::source::node::snippets::{self, InspectorEnd, Nonce, Slot};
    pub use flametop::source::node::{
        AttachError, Cdp, CdpError, Incoming, Inspector, Method, OpenOptions, inspector_at, open_inspector,
        undo,
    };
    pub use flametop::source::procfs::Process;
    pub use serde_json::json;

    pub use crate::support::runtimes::every_node;
    pub use crate::support::wait::{holds_for, wait_for};
    pub use crate::target::*;
}
