//! The view: a picture of app, session and what is shown of them. It changes nothing.
//!
//! [`frame`] draws a whole screen into a buffer of its own; the engine hands it to the terminal's
//! writer, which sends what differs from the screen before. So a picture must hold still wherever
//! nothing changed. The parts of the screen are [`Panel`]s, drawn in the order of [`PANELS`]; text
//! that comes from outside reaches a buffer through one function, in `widgets/text.rs`.

mod paint;
mod panels;
mod screen;
mod source;
#[cfg(test)]
mod tests;
mod units;
mod widgets;

pub use panels::{PANELS, Panel};
pub use screen::Screen;

use crate::app::{App, Shown};
use crate::profile::Frame;
use crate::session::Session;
use crate::theme::{Slot, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use widgets::Pen;

/// The smallest screen that anything but an apology is drawn on.
pub const SMALLEST: (u16, u16) = (40, 10);

/// What flametop itself uses of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OwnCost {
    /// CPU use, 1.0 is one core.
    pub cpu: f64,
    /// Resident memory in bytes.
    pub rss: u64,
    /// Bytes a second to the terminal.
    pub terminal: f64,
}

/// Everything a picture is made of.
#[derive(Clone, Copy, Debug)]
pub struct Ui<'a> {
    /// What the user is looking at.
    pub app: &'a App,
    /// What is known.
    pub session: &'a Session,
    /// The selection worked out.
    pub shown: &'a Shown,
    /// The looks.
    pub theme: &'a Theme,
    /// Our own cost.
    pub own: &'a OwnCost,
}

impl Ui<'_> {
    /// Whether the standing search matches a function.
    fn is_hit(&self, frame: &Frame) -> bool {
        self.app.search.as_ref().is_some_and(|search| search.matches(frame))
    }
}

/// A whole screen of `size` columns and rows.
pub fn frame(ui: &Ui, size: (u16, u16)) -> Buffer {
    let area = Rect::new(0, 0, size.0, size.1);
    let mut buf = Buffer::empty(area);
    draw(ui, area, &mut buf);
    buf
}

/// Draws everything into `area`.
pub fn draw(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return apologise(ui, area, buf);
    }
    let screen = Screen::of(ui.app, area);
    for panel in PANELS {
        if let Some(place) = panel.place(ui, &screen) {
            let place = place.intersection(area);
            if !place.is_empty() {
                panel.draw(ui, place, buf);
            }
        }
    }
}

fn apologise(ui: &Ui, area: Rect, buf: &mut Buffer) {
    let lines = ["too small".to_owned(), format!("needs {}x{}", SMALLEST.0, SMALLEST.1)];
    for (row, line) in area.rows().zip(lines) {
        Pen::on(buf, row, ui.theme).put(&line, ui.theme.style(Slot::TextWarn));
    }
}
