//! The input thread: waits for the terminal, turns its events into the app's keys.
//!
//! It polls the terminal itself and asks crossterm only when bytes are there, because crossterm's
//! own waiting spins for ever once the terminal has hung up.

use super::modes::is_given_back;
use crate::app::{Key, KeyCode, MouseEvent, MouseKind, Msg};
use crate::planted;
use crossterm::event::{self as ct, Event};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fs::File;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often it is looked whether the terminal is ours again.
const AWAY_STEP: Duration = Duration::from_millis(50);

/// Keys that wait at most; further ones wait in the terminal.
pub const INPUT_DEPTH: usize = 256;

/// What the terminal says.
#[derive(Debug)]
pub enum Input {
    /// Something for the app.
    Msg(Msg),
    /// Ctrl-Z, which raw mode keeps from the kernel.
    Suspend,
    /// The terminal is gone.
    HangUp,
}

/// Starts the thread. It ends when the receiver is dropped or the terminal hangs up.
pub fn start() -> std::io::Result<mpsc::Receiver<Input>> {
    let tty = File::open("/dev/tty")?;
    let (sender, receiver) = mpsc::channel(INPUT_DEPTH);
    std::thread::Builder::new().name("input".into()).spawn(move || run(&tty, &sender))?;
    Ok(receiver)
}

fn run(tty: &File, sender: &mpsc::Sender<Input>) {
    while !sender.is_closed() {
        // While the terminal is the shell's, reading from it would stop us.
        if is_given_back() {
            std::thread::park_timeout(AWAY_STEP);
            continue;
        }
        match wait(tty) {
            Ready::Nothing => {}
            Ready::HangUp => {
                let _ = sender.blocking_send(Input::HangUp);
                return;
            }
            Ready::Bytes => {
                if !forward(sender) {
                    return;
                }
            }
        }
    }
}

enum Ready {
    Nothing,
    Bytes,
    HangUp,
}

fn wait(tty: &File) -> Ready {
    let mut fds = [PollFd::new(tty, PollFlags::IN)];
    let patience = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };
    match poll(&mut fds, Some(&patience)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Ready::Nothing,
        Ok(_) if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) => {
            Ready::HangUp
        }
        Ok(_) => Ready::Bytes,
        Err(_) => Ready::HangUp,
    }
}

/// Forwards everything that can be read now; false when nobody listens any more.
fn forward(sender: &mpsc::Sender<Input>) -> bool {
    planted::panic_in("input");
    while matches!(ct::poll(Duration::ZERO), Ok(true)) {
        let Ok(event) = ct::read() else { return sender.blocking_send(Input::HangUp).is_ok() };
        if let Some(input) = translate(event)
            && sender.blocking_send(input).is_err()
        {
            return false;
        }
    }
    true
}

fn translate(event: Event) -> Option<Input> {
    let msg = match event {
        Event::Key(key) if key.kind != ct::KeyEventKind::Release => match key_of(key)? {
            suspend if suspend == Key::ctrl('z') => return Some(Input::Suspend),
            key => Msg::Key(key),
        },
        Event::Paste(text) => Msg::Paste(text),
        Event::Mouse(mouse) => Msg::Mouse(mouse_of(mouse)?),
        // A new size is told by SIGWINCH, and read where sizes of nothing are known.
        _ => return None,
    };
    Some(Input::Msg(msg))
}

fn key_of(key: ct::KeyEvent) -> Option<Key> {
    let code = match key.code {
        ct::KeyCode::Char(c) => KeyCode::Char(c),
        ct::KeyCode::Enter => KeyCode::Enter,
        ct::KeyCode::Esc => KeyCode::Esc,
        ct::KeyCode::Backspace => KeyCode::Backspace,
        ct::KeyCode::Tab => KeyCode::Tab,
        ct::KeyCode::BackTab => KeyCode::BackTab,
        ct::KeyCode::Left => KeyCode::Left,
        ct::KeyCode::Right => KeyCode::Right,
        ct::KeyCode::Up => KeyCode::Up,
        ct::KeyCode::Down => KeyCode::Down,
        ct::KeyCode::Home => KeyCode::Home,
        ct::KeyCode::End => KeyCode::End,
        ct::KeyCode::PageUp => KeyCode::PageUp,
        ct::KeyCode::PageDown => KeyCode::PageDown,
        ct::KeyCode::Delete => KeyCode::Delete,
        ct::KeyCode::F(n) => KeyCode::F(n),
        _ => return None,
    };
    // A key with Alt is not bound to anything: terminals and multiplexers use it themselves.
    if key.modifiers.contains(ct::KeyModifiers::ALT) {
        return None;
    }
    Some(Key { code, ctrl: key.modifiers.contains(ct::KeyModifiers::CONTROL) })
}

fn mouse_of(mouse: ct::MouseEvent) -> Option<MouseEvent> {
    let kind = match mouse.kind {
        ct::MouseEventKind::Down(ct::MouseButton::Left) => MouseKind::Press,
        ct::MouseEventKind::Down(ct::MouseButton::Right) => MouseKind::RightPress,
        ct::MouseEventKind::Drag(ct::MouseButton::Left) => MouseKind::Drag,
        ct::MouseEventKind::Up(ct::MouseButton::Left) => MouseKind::Release,
        ct::MouseEventKind::ScrollUp => MouseKind::WheelUp,
        ct::MouseEventKind::ScrollDown => MouseKind::WheelDown,
        _ => return None,
    };
    // crossterm 0.29 lets coordinates wrap below zero; nothing is that wide.
    let cell = |at: u16| if at > 10_000 { 0 } else { at };
    Some(MouseEvent { kind, x: cell(mouse.column), y: cell(mouse.row) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_not_taken_from_the_input() {
        assert!(translate(Event::Resize(0, 0)).is_none());
        assert!(translate(Event::Resize(80, 24)).is_none());
        assert!(
            matches!(translate(Event::Paste("a".into())), Some(Input::Msg(Msg::Paste(text))) if text == "a")
        );
    }
}
