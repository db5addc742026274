//! A panic in any thread: the target is freed and the terminal given back before anything is said.

use super::terminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long undoing what we did in targets may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Makes every panic, in whichever thread, end the whole program in order: detach, restore, report,
/// exit code 101. A half-dead screen over a living attachment would be the worst of endings.
pub fn install() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        static BUSY: AtomicBool = AtomicBool::new(false);
        if BUSY.swap(true, Ordering::SeqCst) {
            // A second thread panicked meanwhile: the first one ends the program. Returning would
            // abort it on the spot, with the target still held.
            loop {
                std::thread::park();
            }
        }
        terminal::restore();
        // What could not be undone can't be told better than the panic itself.
        let _ = crate::source::undo_all(PATIENCE);
        report(info);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that must end the program from any thread"
        )]
        std::process::exit(101);
    }));
}
