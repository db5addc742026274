//! The parts of the screen, one file each. A new part is one file and one row of [`PANELS`].

mod banner;
mod confirm;
mod detail;
mod flame;
mod gauges;
mod header;
mod help;
mod hints;
mod message;
mod picker;
mod ruler;
mod toasts;
mod top;
mod top_diff;
mod tree;
mod write_menu;

use super::{Screen, Ui};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A part of the screen.
pub trait Panel: Sync {
    /// Where it is now; none while there is nothing to show.
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect>;

    /// Draws it, inside `area` only.
    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer);
}

/// Every part, in the order they are drawn: what lies over others comes later.
pub const PANELS: &[&dyn Panel] = &[
    &header::Header,
    &gauges::Gauges,
    &ruler::Ruler,
    &message::Message,
    &flame::FlamePane,
    &tree::TreePane,
    &top::TopPane,
    &top_diff::TopDiffPane,
    &detail::Detail,
    &banner::Banner,
    &hints::Hints,
    &toasts::Toasts,
    &picker::PickerList,
    &help::Help,
    &write_menu::WriteMenu,
    &confirm::Confirm,
];
