//! Flametop's side: starts the guard, tells it everything, and starts another when it is gone.
//!
//! Nothing here waits. A guard that can't be started or reached is told once as a warning by whoever asks; the lease
//! in the target is then the only net. The guard is started with the first thing that must be guarded.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::{Message, Modes, channel};

/// A guard that is gone is replaced no more often.
const REPLACEMENT: Duration = Duration::from_secs(1);
/// How long an orderly end waits for the guard's own.
const FAREWELL: Duration = Duration::from_millis(300);

/// How a guard is started.
struct Employment {
    program: PathBuf,
    arguments: Vec<String>,
}

static EMPLOYMENT: OnceLock<Employment> = OnceLock::new();
static WARD: Mutex<Ward> = Mutex::new(Ward::new());

/// What must be undone in one target.
struct Held {
    deed: String,
    pid: Option<u32>,
    connection: Option<OwnedFd>,
}

/// Everything the guard was told, to be told again to the next.
struct Ward {
    guard: Option<(Child, OwnedFd)>,
    held: BTreeMap<String, Held>,
    /// The terminal, the modes it had, and those of a screen.
    terminal: Option<(File, Modes, Modes)>,
    started: Option<Instant>,
}

impl Ward {
    const fn new() -> Self {
        Self { guard: None, held: BTreeMap::new(), terminal: None, started: None }
    }

    fn has_duty(&self) -> bool {
        !self.held.is_empty() || self.terminal.is_some()
    }

    /// Tells one thing; a guard that can't be reached is replaced by one that is told everything.
    fn tell(&mut self, message: &Message, carried: Option<BorrowedFd<'_>>) -> io::Result<()> {
        if let Some((_, end)) = &self.guard {
            match channel::send(end, message, carried) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(_) => self.bury(),
            }
        }
        if !self.has_duty() {
            return Ok(());
        }
        self.start()
    }

    /// Collects a guard that is gone or does not read any more; the end of its socket makes it act and end.
    fn bury(&mut self) {
        let Some((mut child, end)) = self.guard.take() else { return };
        drop(end);
        // A thread, for it may have a target to undo first.
        std::thread::spawn(move || child.wait());
    }

    fn start(&mut self) -> io::Result<()> {
        let Some(employment) = EMPLOYMENT.get() else { return Ok(()) };
        if self.started.is_some_and(|at| at.elapsed() < REPLACEMENT) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.started = Some(Instant::now());
        let (ours, theirs) = channel::pair()?;
        let child = Command::new(&employment.program)
            .args(&employment.arguments)
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.guard = Some((child, ours));
        self.tell_all()
    }

    fn tell_all(&self) -> io::Result<()> {
        let Some((_, end)) = &self.guard else { return Ok(()) };
        if let Some((tty, before, taken)) = &self.terminal {
            let message = Message::TerminalTaken { before: *before, taken: *taken };
            channel::send(end, &message, Some(tty.as_fd()))?;
        }
        for (id, held) in &self.held {
            let (id, deed, pid) = (id.clone(), held.deed.clone(), held.pid);
            channel::send(end, &Message::Hold { id: id.clone(), deed, pid }, None)?;
            if let Some(connection) = &held.connection {
                channel::send(end, &Message::Connected { id }, Some(connection.as_fd()))?;
            }
        }
        Ok(())
    }
}

fn ward() -> MutexGuard<'static, Ward> {
    WARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A lock for those who may be in a panic, which may have happened while somebody held it; `None` if it is kept. Only
/// for what everybody else holds for moments.
pub fn lock_briefly<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..5 {
        match mutex.try_lock() {
            Ok(held) => return Some(held),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    None
}

/// Says how a guard is started: `program` with `arguments`. Without this there is none: a test or a program that uses
/// the library has no flametop to start.
pub fn employ(program: PathBuf, arguments: &[&str]) {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    // Employed once; a second word changes nothing.
    let _ = EMPLOYMENT.set(Employment { program, arguments });
}

/// Tells that something is about to be done that must be undone. An error means that no guard knows of it.
pub fn hold(id: &str, deed: String, pid: Option<u32>) -> io::Result<()> {
    let mut ward = ward();
    ward.held.insert(id.to_owned(), Held { deed: deed.clone(), pid, connection: None });
    ward.tell(&Message::Hold { id: id.to_owned(), deed, pid }, None)
}

/// Gives the guard a copy of the connection that a deed has to its target. Whoever ends the connection must shut it
/// down, for closing alone leaves the copies open.
pub fn connected(id: &str, connection: BorrowedFd<'_>) -> io::Result<()> {
    if EMPLOYMENT.get().is_none() {
        return Ok(());
    }
    let copy = connection.try_clone_to_owned()?;
    let mut ward = ward();
    let Some(held) = ward.held.get_mut(id) else { return Ok(()) };
    held.connection = Some(copy);
    ward.tell(&Message::Connected { id: id.to_owned() }, Some(connection))
}

/// Tells that a deed was undone. From any thread, also in a panic.
pub fn release(id: &str) {
    // A guard that is not told finds for itself that nothing is left to undo.
    let Some(mut ward) = lock_briefly(&WARD) else { return };
    if ward.held.remove(id).is_some() {
        // One that can't be told will find that nothing is left to undo.
        let _ = ward.tell(&Message::Release { id: id.to_owned() }, None);
    }
}

/// Tells that a terminal with the modes `before` is about to become a screen with the modes `taken`.
pub fn terminal_taken(tty: File, before: Modes, taken: Modes) -> io::Result<()> {
    let mut ward = ward();
    let copy = tty.try_clone()?;
    ward.terminal = Some((tty, before, taken));
    ward.tell(&Message::TerminalTaken { before, taken }, Some(copy.as_fd()))
}

/// Tells that it is the shell's again. From any thread, also in a panic.
pub fn terminal_returned() {
    let Some(mut ward) = lock_briefly(&WARD) else { return };
    if ward.terminal.take().is_some() {
        let _ = ward.tell(&Message::TerminalReturned, None);
    }
}

/// Says that flametop lives, and replaces a guard that does not. Call it every [`BEAT`](super::BEAT).
pub fn beat() {
    let mut ward = ward();
    if ward.guard.is_some() || ward.has_duty() {
        // Told again in half a second.
        let _ = ward.tell(&Message::Beat, None);
    }
}

/// Whether a guard stands by where one was employed and has something to guard.
pub fn is_on_duty() -> bool {
    let ward = ward();
    EMPLOYMENT.get().is_none() || !ward.has_duty() || ward.guard.is_some()
}

/// Lets the guard go. What is still held it undoes by itself; whether there is any.
pub fn dismiss() -> bool {
    let mut ward = ward();
    let Some((mut child, end)) = ward.guard.take() else { return false };
    drop(end);
    let works_on = ward.has_duty();
    let until = Instant::now() + FAREWELL;
    while !works_on && Instant::now() < until && !matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
        std::thread::park_timeout(Duration::from_millis(2));
    }
    works_on
}
