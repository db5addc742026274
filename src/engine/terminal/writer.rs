//! The terminal writer: a thread of its own with one replaceable frame.
//!
//! The engine never waits for the terminal. A frame that the terminal had no time for is replaced by
//! the newest one; what is written is always the difference to what the terminal really shows.

use super::encode::encode;
use super::modes::is_given_back;
use crate::planted;
use ratatui::buffer::Buffer;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Default)]
struct Slot {
    frame: Option<Buffer>,
    /// Raw sequences to send before the next frame: clipboard, modes.
    raw: Vec<u8>,
    repaint: bool,
    closed: bool,
    failed: bool,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    filled: Condvar,
    bytes: AtomicU64,
    frames: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bound on raw sequences that wait; more are dropped, since the terminal takes nothing.
const RAW_LIMIT: usize = 256 * 1024;

/// The engine's end of the writer thread.
pub struct FrameWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl FrameWriter {
    /// Starts the thread that writes to `out`, except while the terminal is the shell's.
    pub fn start(out: impl Write + Send + 'static) -> std::io::Result<Self> {
        Self::start_but_while(out, is_given_back)
    }

    fn start_but_while(
        out: impl Write + Send + 'static,
        given_back: impl Fn() -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("terminal".into())
            .spawn(move || run(&of_thread, out, given_back))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Gives the newest frame; one that still waits is replaced.
    pub fn show(&self, frame: Buffer) {
        self.shared.lock().frame = Some(frame);
        self.shared.filled.notify_one();
    }

    /// Sends a sequence as it is, before the next frame.
    pub fn send(&self, bytes: &[u8]) {
        let mut slot = self.shared.lock();
        if slot.raw.len() + bytes.len() <= RAW_LIMIT {
            slot.raw.extend_from_slice(bytes);
        }
        drop(slot);
        self.shared.filled.notify_one();
    }

    /// The next frame is painted whole.
    pub fn repaint(&self) {
        self.shared.lock().repaint = true;
    }

    /// Bytes and frames written so far.
    pub fn written(&self) -> (u64, u64) {
        (self.shared.bytes.load(Ordering::Relaxed), self.shared.frames.load(Ordering::Relaxed))
    }

    /// Whether the terminal can't be written to any more.
    pub fn failed(&self) -> bool {
        self.shared.lock().failed
    }

    /// Lets the thread finish what it has; gives up after `patience`, since a terminal that nobody
    /// reads never takes it. Returns whether it finished.
    pub fn close(mut self, patience: Duration) -> bool {
        self.shared.lock().closed = true;
        self.shared.filled.notify_one();
        let Some(thread) = self.thread.take() else { return true };
        let deadline = std::time::Instant::now() + patience;
        while !thread.is_finished() && std::time::Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(2));
        }
        if !thread.is_finished() {
            // What the terminal did not take by now it shall not take when it is the shell's again.
            let mut slot = self.shared.lock();
            slot.frame = None;
            slot.raw.clear();
        }
        thread.is_finished()
    }
}

fn run(shared: &Shared, mut out: impl Write, given_back: impl Fn() -> bool) {
    let mut shown: Option<Buffer> = None;
    while let Some((raw, frame, repaint)) = next(shared) {
        let mut bytes = raw;
        if repaint {
            shown = None;
        }
        if let Some(frame) = &frame {
            bytes.extend_from_slice(encode(shown.as_ref(), frame).as_bytes());
        }
        if bytes.is_empty() {
            continue;
        }
        planted::panic_in("terminal");
        // A frame on a terminal that was given back would lie over the shell's prompt.
        if given_back() {
            shown = None;
            continue;
        }
        // One write a frame: no tearing, and one packet over the network.
        if out.write_all(&bytes).and_then(|()| out.flush()).is_err() {
            shared.lock().failed = true;
            return;
        }
        shared.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        shared.frames.fetch_add(1, Ordering::Relaxed);
        shown = frame.or(shown);
    }
}

/// Waits for something to write; none once closed and empty.
fn next(shared: &Shared) -> Option<(Vec<u8>, Option<Buffer>, bool)> {
    let mut slot = shared.lock();
    loop {
        if slot.frame.is_some() || !slot.raw.is_empty() {
            let repaint = slot.frame.is_some() && std::mem::take(&mut slot.repaint);
            return Some((std::mem::take(&mut slot.raw), slot.frame.take(), repaint));
        }
        if slot.closed {
            return None;
        }
        slot = shared.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use std::sync::mpsc;

    /// A terminal that takes a write only when told to.
    struct Slow {
        allowed: mpsc::Receiver<()>,
        written: mpsc::SyncSender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.allowed.recv().map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            self.written.send(bytes.to_vec()).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn frame(text: &str) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 1));
        buffer.set_string(0, 0, text, Style::new());
        buffer
    }

    #[test]
    fn a_slow_terminal_gets_the_newest_frame_and_a_true_difference() {
        let (allow, allowed) = mpsc::sync_channel(2000);
        let (written, seen) = mpsc::sync_channel(2000);
        let writer = FrameWriter::start(Slow { allowed, written }).expect("threads can be started");
        writer.show(frame("one"));
        allow.send(()).expect("the writer lives");
        let mut screen = vt100::Parser::new(
            std::num::NonZeroU16::MIN,
            std::num::NonZeroU16::new(10).expect("not zero"),
            0,
        );
        let first = seen.recv().expect("the first frame is written");
        screen.process(&first);
        (0..1000).for_each(|n| writer.show(frame(&format!("f{n}"))));
        for _ in 0..1000 {
            let _ = allow.send(());
        }
        let (frames_before_close, ()) = (writer.written().1, ());
        assert!(frames_before_close < 1000);
        assert!(writer.close(Duration::from_secs(5)));
        seen.try_iter().for_each(|bytes| screen.process(&bytes));
        assert_eq!(screen.screen().contents().trim(), "f999");
    }

    #[test]
    fn nothing_is_drawn_once_the_terminal_is_given_back() {
        let (allow, allowed) = mpsc::sync_channel(9);
        let (written, seen) = mpsc::sync_channel(9);
        (0..9).for_each(|_| allow.send(()).expect("there is room"));
        let writer = FrameWriter::start_but_while(Slow { allowed, written }, || true).expect("threads start");
        writer.show(frame("late"));
        assert!(writer.close(Duration::from_secs(5)));
        assert_eq!(seen.try_iter().count(), 0);
    }

    #[test]
    fn what_still_waits_when_patience_ends_is_never_drawn() {
        let (allow, allowed) = mpsc::sync_channel(9);
        let (written, seen) = mpsc::sync_channel(9);
        let writer =
            FrameWriter::start_but_while(Slow { allowed, written }, || false).expect("threads start");
        writer.show(frame("first"));
        while writer.shared.lock().frame.is_some() {
            std::thread::yield_now();
        }
        writer.show(frame("late"));
        writer.send(b"late");
        assert!(!writer.close(Duration::from_millis(20)));
        for _ in 0..9 {
            // After the frame it was at the thread may be gone already.
            let _ = allow.send(());
        }
        // The thread ends, and with it the sender, after the frame it was at.
        assert_eq!(seen.iter().count(), 1);
    }
}
