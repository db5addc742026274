//! Messages that go away by themselves.

use crate::app::{App, TOAST_TIME, Toast};
use crate::profile::Moment;

/// Messages at once; the oldest makes room.
const TOASTS: usize = 5;

impl App {
    pub(super) fn toast(&mut self, text: impl Into<String>) {
        self.push_toast(Toast { text: text.into(), error: false, since: self.now });
    }

    pub(super) fn toast_error(&mut self, text: impl Into<String>) {
        self.push_toast(Toast { text: text.into(), error: true, since: self.now });
    }

    /// Adds a message; one that says the same begins anew.
    pub(super) fn push_toast(&mut self, toast: Toast) {
        self.toasts.retain(|known| known.text != toast.text);
        if self.toasts.len() == TOASTS {
            self.toasts.pop_front();
        }
        self.toasts.push_back(toast);
    }

    pub(super) fn expire_toasts(&mut self) {
        let now = self.now;
        // What was said before the first tick begins with it.
        for toast in self.toasts.iter_mut().filter(|toast| toast.since == Moment::default()) {
            toast.since = now;
        }
        self.toasts.retain(|toast| now.since(toast.since) < TOAST_TIME);
    }
}
