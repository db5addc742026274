//! The only way the app changes: a message in, effects out. One file a concern.

use super::{App, Effect, Msg, Shown};
use crate::session::Session;

impl App {
    /// Takes note of a message; what is to be done outside is returned.
    pub fn update(&mut self, msg: Msg, session: &Session, shown: &Shown) -> Vec<Effect> {
        let _ = (msg, session, shown);
        Vec::new()
    }
}
