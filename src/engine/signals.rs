//! Signals as values in the engine's order of events.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Signals that wait at most; of more, the kernel itself keeps only one of each.
const DEPTH: usize = 16;

/// What a signal asks of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Leave, with this exit code.
    Leave(u8),
    /// Toggle the recording.
    ToggleRecording,
    /// Look at the terminal's size.
    Resized,
    /// Let job control stop us.
    Suspend,
    /// Go on after having been stopped.
    Continued,
}

/// Takes over the signals' default effects; what they ask comes out of the channel.
pub fn listen() -> std::io::Result<mpsc::Receiver<Asked>> {
    let mut signals = Signals::take_over()?;
    let (sender, receiver) = mpsc::channel(DEPTH);
    tokio::spawn(async move { while sender.send(signals.next().await).await.is_ok() {} });
    Ok(receiver)
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    quit: Signal,
    toggle: Signal,
    window: Signal,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    fn take_over() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            quit: signal(SignalKind::quit())?,
            toggle: signal(SignalKind::user_defined2())?,
            window: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => Asked::Leave(130),
            _ = self.terminate.recv() => Asked::Leave(143),
            _ = self.hang_up.recv() => Asked::Leave(129),
            _ = self.quit.recv() => Asked::Leave(131),
            _ = self.toggle.recv() => Asked::ToggleRecording,
            _ = self.window.recv() => Asked::Resized,
            _ = self.stop.recv() => Asked::Suspend,
            _ = self.go_on.recv() => Asked::Continued,
        }
    }
}
