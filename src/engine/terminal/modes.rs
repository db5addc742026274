//! The terminal's modes: entered once, left on every way out.

use crate::guard;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What switches the screen on: alternate screen, hidden cursor, bracketed paste.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Clicks, drags and the wheel, in the coordinates that don't overflow. Not 1003: that sends a
/// sequence for every movement.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/// The modes before us, while we hold the terminal.
static HELD: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether a terminal that we held is the shell's again. False also before we ever took one.
static GIVEN_BACK: AtomicBool = AtomicBool::new(false);

/// Whether the terminal was given back, so that nothing more may be drawn on it.
pub(super) fn is_given_back() -> bool {
    GIVEN_BACK.load(Ordering::SeqCst)
}

/// Why there can be no screen.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Output or input is not a terminal.
    #[error("the screen needs a terminal, and this is not one")]
    NoTerminal,
    /// The terminal cannot place text.
    #[error("this terminal (TERM={0}) cannot show a screen")]
    Dumb(String),
    /// The terminal refused.
    #[error("failed to set up the terminal: {0}")]
    Io(#[from] std::io::Error),
}

/// The terminal in screen mode; dropping it gives the terminal back.
pub struct Terminal {
    tty: File,
    mouse: bool,
}

/// Leaves the terminal to the shell for a while, and comes back to it: job control.
pub trait Tenancy: Send {
    /// Gives the terminal back, unless we are in the background, where the shell has it already.
    fn leave(&self);
    /// Takes it again; false while we are in the background.
    fn come_back(&self) -> bool;
}

impl Terminal {
    /// Whether a screen is possible at all; touches nothing.
    pub fn check(term: Option<&str>) -> Result<(), TerminalError> {
        if !std::io::stdout().is_terminal() || File::open("/dev/tty").is_err() {
            return Err(TerminalError::NoTerminal);
        }
        match term {
            Some(term @ ("dumb" | "")) => Err(TerminalError::Dumb(term.into())),
            None => Err(TerminalError::Dumb("unset".into())),
            Some(_) => Ok(()),
        }
    }

    /// Takes the terminal: raw mode, alternate screen, and the mouse if asked.
    pub fn enter(mouse: bool) -> Result<Self, TerminalError> {
        let tty = File::options().read(true).write(true).open("/dev/tty")?;
        take(&tty, mouse)?;
        Ok(Self { tty, mouse })
    }

    /// What leaves this terminal for a while.
    pub fn tenancy(&self) -> std::io::Result<impl Tenancy + 'static> {
        Ok(Tenant { tty: self.tty.try_clone()?, mouse: self.mouse })
    }

    /// Reads columns and rows; 80 by 24 when the terminal does not tell.
    pub fn size_reader(&self) -> std::io::Result<impl Fn() -> (u16, u16) + Send + 'static> {
        let tty = self.tty.try_clone()?;
        Ok(move || match tcgetwinsize(&tty) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            Ok(_) | Err(_) => (80, 24),
        })
    }

    /// A handle to write frames to.
    pub fn output(&self) -> std::io::Result<File> {
        self.tty.try_clone()
    }
}

/// Sets the modes of a screen, having noted those before.
fn take(mut tty: &File, mouse: bool) -> Result<(), TerminalError> {
    let before = tcgetattr(tty).map_err(std::io::Error::from)?;
    let mut raw = before.clone();
    raw.make_raw();
    // Without a guard the screen is no worse than any other's.
    let _ = guard::terminal_taken(tty.try_clone()?, guard::Modes::of(&before), guard::Modes::of(&raw));
    GIVEN_BACK.store(false, Ordering::SeqCst);
    *HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(before);
    if let Err(error) = tcsetattr(tty, OptionalActions::Now, &raw) {
        restore();
        return Err(std::io::Error::from(error).into());
    }
    tty.write_all(ENTER.as_bytes())?;
    if mouse {
        tty.write_all(MOUSE_ON.as_bytes())?;
    }
    Ok(())
}

struct Tenant {
    tty: File,
    mouse: bool,
}

impl Tenant {
    /// Whether the terminal is ours to touch: in the background, touching it would stop us.
    fn in_foreground(&self) -> bool {
        rustix::termios::tcgetpgrp(&self.tty).is_ok_and(|group| group == rustix::process::getpgrp())
    }
}

impl Tenancy for Tenant {
    fn leave(&self) {
        if self.in_foreground() {
            return restore();
        }
        GIVEN_BACK.store(true, Ordering::SeqCst);
        HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        guard::terminal_returned();
    }

    fn come_back(&self) -> bool {
        // A terminal that refuses is told by the next frame.
        self.in_foreground() && take(&self.tty, self.mouse).is_ok()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if we hold it. Callable from any thread, any number of times, also from a
/// panic: best effort, step by step. Never waits for a terminal that takes no bytes.
pub fn restore() {
    let held = match HELD.try_lock() {
        Ok(mut held) => held.take(),
        Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
        Err(std::sync::TryLockError::WouldBlock) => None,
    };
    let Some(before) = held else { return };
    // Before anything is written: a frame that is not on its way yet stays away.
    GIVEN_BACK.store(true, Ordering::SeqCst);
    let Ok(tty) = File::options().read(true).write(true).open("/dev/tty") else { return };
    guard::write_leave(&tty);
    let _ = tcsetattr(&tty, OptionalActions::Now, &before);
    guard::terminal_returned();
}
