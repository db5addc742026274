//! The modes of a terminal, kept for whoever gives it back.

use std::fs::File;
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector, SpecialCodeIndex,
    Termios, tcflush, tcgetattr, tcsetattr,
};
use serde::{Deserialize, Serialize};

/// What undoes all that we may have switched on, in an order that is safe to cut off.
const LEAVE: &str = "\x1b[0m\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// What a screen changes in a line discipline, as it is at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    least: u8,
    patience: u8,
}

impl Modes {
    /// The modes in a line discipline.
    pub fn of(termios: &Termios) -> Self {
        Self {
            input: termios.input_modes.bits(),
            output: termios.output_modes.bits(),
            control: termios.control_modes.bits(),
            local: termios.local_modes.bits(),
            least: termios.special_codes[SpecialCodeIndex::VMIN],
            patience: termios.special_codes[SpecialCodeIndex::VTIME],
        }
    }

    fn put(self, termios: &mut Termios) {
        termios.input_modes = InputModes::from_bits_retain(self.input);
        termios.output_modes = OutputModes::from_bits_retain(self.output);
        termios.control_modes = ControlModes::from_bits_retain(self.control);
        termios.local_modes = LocalModes::from_bits_retain(self.local);
        termios.special_codes[SpecialCodeIndex::VMIN] = self.least;
        termios.special_codes[SpecialCodeIndex::VTIME] = self.patience;
    }
}

/// A terminal that is another process's screen.
#[derive(Debug)]
pub struct Screen {
    tty: File,
    before: Modes,
    taken: Modes,
}

impl Screen {
    /// A terminal that had the modes `before` and has those of a screen now.
    pub fn new(tty: File, before: Modes, taken: Modes) -> Self {
        Self { tty, before, taken }
    }

    /// Gives the terminal back, best effort, step by step; never waits for a terminal that takes no bytes.
    ///
    /// The line discipline is left alone where somebody has changed it meanwhile: a shell that is at its prompt again
    /// has modes of its own.
    pub fn give_back(&self) {
        if let Ok(mut now) = tcgetattr(&self.tty)
            && Modes::of(&now) == self.taken
        {
            self.before.put(&mut now);
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &now);
        }
        write_leave(&self.tty);
    }
}

/// Switches off what a screen switches on. What waits to be written to a terminal that nobody reads would hold us for
/// ever, so it is thrown away.
pub fn write_leave(tty: &File) {
    use std::io::Write;
    if !can_write_soon(tty) {
        let _ = tcflush(tty, QueueSelector::OFlush);
    }
    let mut tty = tty;
    let _ = tty.write_all(LEAVE.as_bytes());
}

fn can_write_soon(tty: impl AsFd) -> bool {
    let wait = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
    let mut fds = [PollFd::new(&tty, PollFlags::OUT)];
    matches!(poll(&mut fds, Some(&wait)), Ok(ready) if ready > 0)
}
