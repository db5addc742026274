//! The guard: a small process of ourselves that outlives any end of flametop and undoes what it did.
//!
//! A process that was killed with `kill -9`, stopped with Ctrl-Z or cut off cannot clean up after itself. So before
//! flametop changes anything in a target it starts a second process, which leads a session of its own (no Ctrl-C and
//! no hang-up reaches it) and is told of every such change, here called a *deed*, before it is done. It holds
//!
//! * each deed, as text that only its owner understands ([`Undo`]),
//! * a pidfd of the target and a copy of the connection to it: cutting that lets a target exit that waits for a
//!   flametop which does not move,
//! * the terminal, with the modes that it had before.
//!
//! [`run`] is that process; [`hold`], [`connected`], [`release`] and [`beat`] are what flametop tells it, over a
//! socket pair with whole messages ([`Message`]). The guard acts when that socket closes (flametop has ended, in
//! whichever way) and when it has heard nothing for [`SILENCE`]: flametop is stopped, or starved.

mod channel;
mod message;
mod modes;
mod ward;
mod watch;

pub use message::Message;
pub use modes::{Modes, write_leave};
pub use ward::{
    beat, connected, dismiss, employ, hold, is_on_duty, lock_briefly, release, terminal_returned,
    terminal_taken,
};
pub use watch::{Undo, Undone, is_ready, run};

use std::time::Duration;

/// How often flametop says that it lives.
pub const BEAT: Duration = Duration::from_millis(500);
/// After so long without a word the guard acts. A target that wants to exit meanwhile waits that long at most.
pub const SILENCE: Duration = Duration::from_secs(3);
/// How long the guard goes on trying to undo what can't be undone yet: a target that is blocked or stopped.
pub const PERSISTENCE: Duration = Duration::from_mins(1);
