//! What flametop tells its guard.

use super::Modes;
use serde::{Deserialize, Serialize};

/// One message. Those that carry a descriptor say so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Flametop lives.
    Beat,
    /// Something is about to be done that must be undone.
    Hold {
        /// Its name; a second deed of that name replaces the first.
        id: String,
        /// What was done, as its owner writes it.
        deed: String,
        /// The process it is done to, if it is one of this machine.
        pid: Option<u32>,
    },
    /// A connection belongs to a deed. With its socket.
    Connected {
        /// The deed.
        id: String,
    },
    /// It was undone, or need not be any more.
    Release {
        /// The deed.
        id: String,
    },
    /// The terminal is about to become a screen. With the terminal.
    TerminalTaken {
        /// The modes it had.
        before: Modes,
        /// The modes it gets.
        taken: Modes,
    },
    /// The terminal is the shell's again.
    TerminalReturned,
}
