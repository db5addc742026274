//! The guard's own side: listens, and undoes when flametop is gone or does not move.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::Shutdown;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::modes::Screen;
use super::{Message, PERSISTENCE, SILENCE, channel};

/// How long a target that waits only for us to go may take to go itself, before anything is asked of it: asking one
/// that is about to exit can crash it.
const LEAVE_TO_EXIT: Duration = Duration::from_millis(300);
/// How long all targets together may take to fall silent before their connections are cut. They answer within a few ms;
/// one that is blocked does not.
const HUSH: Duration = Duration::from_millis(250);
/// How patient one try is.
const TRY: Duration = Duration::from_secs(2);
/// Pauses between tries: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// How a try to undo a deed went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Nothing is left of it.
    Done,
    /// It can't be undone yet.
    NotYet,
}

/// Whoever understands deeds.
pub trait Undo {
    /// Tries to undo a deed, within `patience`.
    fn undo(&self, deed: &str, patience: Duration) -> Undone;

    /// Has a target say nothing more over a connection that is about to be cut, within `patience`: cutting it in the
    /// middle of a word can crash the target.
    fn hush(&self, connection: BorrowedFd<'_>, patience: Duration);
}

struct Deed {
    text: String,
    target: Option<OwnedFd>,
    connection: Option<OwnedFd>,
}

impl Deed {
    fn new(text: String, pid: Option<u32>) -> Self {
        let pid = pid.and_then(|pid| Pid::from_raw(pid as i32));
        // One that can't be held is told from its end by whoever undoes it.
        let target = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        Self { text, target, connection: None }
    }

    /// Cuts the connection, for both ends, whoever else holds it.
    fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = rustix::net::shutdown(&connection, Shutdown::Both);
        }
    }

    fn has_ended(&self) -> bool {
        self.target.as_ref().is_some_and(|target| is_ready(target, Duration::ZERO))
    }
}

/// Why the guard acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The socket is closed: flametop has ended, or lets us go.
    Ended,
    /// It is there and says nothing.
    Silent,
}

/// Runs the guard on its end of the socket until nothing is left to do.
pub fn run(end: OwnedFd, undo: &dyn Undo) -> io::Result<()> {
    let mut guard = Guard { end, undo, deeds: BTreeMap::new(), terminal: None };
    let cause = guard.listen()?;
    guard.act(cause);
    Ok(())
}

struct Guard<'a> {
    end: OwnedFd,
    undo: &'a dyn Undo,
    deeds: BTreeMap<String, Deed>,
    terminal: Option<Screen>,
}

impl Guard<'_> {
    fn listen(&mut self) -> io::Result<Cause> {
        let mut heard = Instant::now();
        loop {
            let waited = Instant::now();
            let left = SILENCE.saturating_sub(heard.elapsed()).max(Duration::from_millis(10));
            if is_ready(&self.end, left) {
                let Some((message, carried)) = channel::receive(&self.end)? else { return Ok(Cause::Ended) };
                message.into_iter().for_each(|message| self.hear(message, carried.as_ref()));
                heard = Instant::now();
                continue;
            }
            self.deeds.retain(|_, deed| !deed.has_ended());
            if waited.elapsed() > left + SILENCE / 3 {
                // We were stopped ourselves, perhaps together with flametop: it has its time anew.
                heard = Instant::now();
            }
            if heard.elapsed() >= SILENCE {
                if self.deeds.is_empty() && self.terminal.is_none() {
                    heard = Instant::now();
                } else {
                    return Ok(Cause::Silent);
                }
            }
        }
    }

    fn hear(&mut self, message: Message, carried: Option<&OwnedFd>) {
        let carried = carried.and_then(|carried| carried.try_clone().ok());
        match message {
            Message::Beat => {}
            Message::Hold { id, deed, pid } => {
                self.deeds.insert(id, Deed::new(deed, pid));
            }
            Message::Connected { id } => {
                if let Some(deed) = self.deeds.get_mut(&id) {
                    deed.connection = carried;
                }
            }
            Message::Release { id } => {
                self.deeds.remove(&id);
            }
            Message::TerminalTaken { before, taken } => {
                self.terminal = carried.map(|tty| Screen::new(File::from(tty), before, taken));
            }
            Message::TerminalReturned => self.terminal = None,
        }
    }

    /// Undoes everything: the terminal at once, the targets as soon as they let us.
    fn act(&mut self, cause: Cause) {
        self.disconnect();
        if let Some(terminal) = self.terminal.take() {
            terminal.give_back();
        }
        let until = Instant::now() + PERSISTENCE;
        self.let_targets_exit();
        let mut pause = PAUSES.0;
        loop {
            let undo = self.undo;
            self.deeds.retain(|_, deed| !deed.has_ended() && undo.undo(&deed.text, TRY) == Undone::NotYet);
            if self.deeds.is_empty() || Instant::now() >= until {
                return;
            }
            // Flametop moves again: it knows all deeds itself, and tells them to the guard after us.
            if cause == Cause::Silent && self.heard_again(pause) {
                return;
            }
            if cause == Cause::Ended {
                std::thread::park_timeout(pause);
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Cuts all connections, each in a moment of silence if the target can be had to keep it.
    fn disconnect(&mut self) {
        let until = Instant::now() + HUSH;
        let mut connected: Vec<&mut Deed> =
            self.deeds.values_mut().filter(|deed| deed.connection.is_some()).collect();
        let mut waiting = connected.len() as u32;
        for deed in &mut connected {
            if let Some(connection) = &deed.connection {
                // One that does not answer must not take the time of the others.
                let share = until.saturating_duration_since(Instant::now()) / waiting;
                self.undo.hush(connection.as_fd(), share);
            }
            waiting -= 1;
            deed.disconnect();
        }
    }

    fn let_targets_exit(&mut self) {
        let until = Instant::now() + LEAVE_TO_EXIT;
        while !self.deeds.is_empty() && Instant::now() < until {
            self.deeds.retain(|_, deed| !deed.has_ended());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Waits that long for a word of flametop. Its end is none.
    fn heard_again(&self, patience: Duration) -> bool {
        let waited = Instant::now();
        if is_ready(&self.end, patience) {
            if matches!(channel::receive(&self.end), Ok(Some(_))) {
                return true;
            }
            std::thread::park_timeout(patience.saturating_sub(waited.elapsed()));
        }
        false
    }
}

/// Whether something can be read within that time; of a pidfd, whether the process has ended.
pub fn is_ready(fd: impl AsFd, patience: Duration) -> bool {
    let wait = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    matches!(poll(&mut fds, Some(&wait)), Ok(ready) if ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::sync::{Arc, Mutex};

    /// Undoes a deed at the n-th try.
    struct Owner {
        tries_needed: usize,
        tried: Mutex<Vec<String>>,
    }

    impl Owner {
        fn new(tries_needed: usize) -> Self {
            Self { tries_needed, tried: Mutex::default() }
        }

        fn tried(&self) -> Vec<String> {
            self.tried.lock().expect("no test panicked").clone()
        }
    }

    impl Undo for Owner {
        fn undo(&self, deed: &str, _: Duration) -> Undone {
            let mut tried = self.tried.lock().expect("no test panicked");
            tried.push(deed.to_owned());
            let count = tried.iter().filter(|known| *known == deed).count();
            if count >= self.tries_needed { Undone::Done } else { Undone::NotYet }
        }

        fn hush(&self, connection: BorrowedFd<'_>, _: Duration) {
            rustix::io::write(connection, b"hush").expect("it is open");
        }
    }

    fn hold(id: &str) -> Message {
        Message::Hold { id: id.into(), deed: format!("deed {id}"), pid: None }
    }

    fn guarded(messages: &[Message], owner: &Owner) {
        let (ours, theirs) = channel::pair().expect("a pair");
        messages.iter().for_each(|message| channel::send(&ours, message, None).expect("sent"));
        drop(ours);
        run(theirs, owner).expect("it ends");
    }

    #[test]
    fn what_is_still_held_at_the_end_of_the_line_is_undone_and_what_was_released_is_not() {
        let owner = Owner::new(1);
        guarded(&[hold("a"), hold("b"), Message::Release { id: "a".into() }, Message::Beat], &owner);
        assert_eq!(owner.tried(), ["deed b"]);
    }

    #[test]
    fn a_later_deed_of_the_same_name_replaces_the_first() {
        let owner = Owner::new(1);
        let other = Message::Hold { id: "a".into(), deed: "other".into(), pid: None };
        guarded(&[hold("a"), other], &owner);
        assert_eq!(owner.tried(), ["other"]);
    }

    #[test]
    fn what_cannot_be_undone_yet_is_tried_again() {
        let owner = Owner::new(3);
        guarded(&[hold("a")], &owner);
        assert_eq!(owner.tried().len(), 3);
    }

    #[test]
    fn the_deed_of_a_process_that_has_ended_is_none() {
        let mut child = std::process::Command::new("true").spawn().expect("it runs");
        let pid = Pid::from_child(&child);
        let held = pidfd_open(pid, PidfdFlags::empty()).expect("a child that was not collected can be held");
        assert!(is_ready(&held, Duration::from_secs(10)), "it ends");
        let owner = Owner::new(1);
        guarded(&[Message::Hold { id: "a".into(), deed: "a".into(), pid: Some(child.id()) }], &owner);
        assert_eq!(owner.tried(), Vec::<String>::new());
        child.wait().expect("collected");
    }

    #[test]
    fn the_connection_of_a_deed_is_hushed_and_cut_for_everybody_before_it_is_undone() {
        let (ours, theirs) = channel::pair().expect("a pair");
        let (here, mut there) = UnixStream::pair().expect("a connection");
        channel::send(&ours, &hold("a"), None).expect("sent");
        channel::send(&ours, &Message::Connected { id: "a".into() }, Some(here.as_fd())).expect("sent");
        drop(ours);
        run(theirs, &Owner::new(1)).expect("it ends");
        // Our own end is still open, as that of a flametop that is stopped.
        let mut said = String::new();
        there.read_to_string(&mut said).expect("it is cut");
        assert_eq!(said, "hush");
        drop(here);
    }

    #[test]
    fn a_silent_flametop_is_acted_for_and_one_that_speaks_again_takes_over() {
        let (ours, theirs) = channel::pair().expect("a pair");
        channel::send(&ours, &hold("a"), None).expect("sent");
        // Never undone: only the word of flametop ends it.
        let owner = Arc::new(Owner::new(usize::MAX));
        let of_guard = owner.clone();
        let began = Instant::now();
        let guard = std::thread::spawn(move || run(theirs, &*of_guard).expect("it ends"));
        while owner.tried().is_empty() && began.elapsed() < SILENCE * 4 {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        assert!(began.elapsed() >= SILENCE && !owner.tried().is_empty());
        channel::send(&ours, &Message::Beat, None).expect("it still listens");
        guard.join().expect("no panic");
    }
}
