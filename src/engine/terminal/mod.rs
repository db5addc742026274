//! The terminal: its modes, the keys that come in, the frames that go out.

mod clipboard;
mod encode;
mod input;
mod modes;
mod writer;

pub use clipboard::copy_sequence;
pub use encode::encode;
pub use input::{Input, start as start_input};
pub use modes::{Tenancy, Terminal, TerminalError, restore};
pub use writer::FrameWriter;

/// A whole screen.
pub type Frame = ratatui::buffer::Buffer;

/// The text of a screen, a line each row, without trailing blanks.
pub fn frame_text(frame: &Frame) -> Vec<String> {
    let row = |y| (0..frame.area.width).map(|x| frame[(x, y)].symbol()).collect::<String>();
    (0..frame.area.height).map(|y| row(y).trim_end().to_string()).collect()
}
