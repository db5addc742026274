//! Ctrl-Z and what follows it: the targets are left, the terminal is given back, and only then we stop.
//!
//! A flametop that is stopped can neither let a target exit nor answer its debug port. So it leaves first and comes back
//! when it is continued. What stops it without asking (SIGSTOP) leaves that to the guard; the sources find out.

use super::core::Core;
use super::live::Live;
use crate::app::{Msg, Outcome, Toast};
use crate::feed::{NoteLevel, Order};
use crate::source::Clock;
use rustix::process::{Signal, kill_current_process_group};
use std::time::Duration;
use tokio::time::Instant;

/// How long the targets may take to be left.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The signal of our own continuation, which tells nothing new, comes within this time.
const OWN: Duration = Duration::from_millis(500);

/// Leaves the targets, and with `leave` the terminal, and stops the process group; returns when it is continued, with
/// what it has noted of that.
pub(super) async fn stop_job(core: &mut Core, leave: impl FnOnce()) -> String {
    core.suspend(PATIENCE).await;
    leave();
    let stopped = Clock::get().now();
    // Our whole job, as the kernel does for Ctrl-Z: whoever waits for us (a shell's pipeline) is to stop as well. Not
    // SIGTSTP, which we have taken over.
    let _ = kill_current_process_group(Signal::STOP);
    let seconds = Clock::get().now().since(stopped).as_secs_f64();
    let told = format!("suspended for {seconds:.1} s: no samples");
    core.note(NoteLevel::Warning, &told);
    core.sources.order_all(&Order::Resume);
    told
}

impl Live {
    /// Lets job control stop us.
    pub(super) async fn suspend(&mut self) {
        let Some(tenancy) = &self.screen.tenancy else { return };
        let text = stop_job(&mut self.core, || tenancy.leave()).await;
        self.away = true;
        self.update(Msg::Done(Outcome::Told(Toast { text, error: false, since: self.app.now })));
        self.resumed = Some(Instant::now());
        self.come_back();
    }

    /// We were stopped and go on: by our own doing, or by somebody's SIGSTOP, after which the terminal may be anything.
    pub(super) fn continued(&mut self) {
        let Some(tenancy) = &self.screen.tenancy else { return };
        if !self.away {
            if self.resumed.is_some_and(|at| at.elapsed() < OWN) {
                return;
            }
            tenancy.leave();
            self.away = true;
        }
        self.come_back();
    }

    /// Takes the terminal again if it is ours to take; in the background sampling goes on without a screen.
    pub(super) fn come_back(&mut self) {
        if !self.away || !self.screen.tenancy.as_ref().is_some_and(|tenancy| tenancy.come_back()) {
            return;
        }
        self.away = false;
        self.screen.writer.repaint();
        let (width, height) = (self.screen.size)();
        self.update(Msg::Resize(width, height));
    }
}
