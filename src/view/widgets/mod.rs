//! Small things that panels are drawn with. They know theme and buffer, not app or session.

mod bar;
mod icicle;
mod pen;
mod popup;
mod segments;
mod sparkline;
mod text;

pub use bar::draw_bar;
pub use icicle::{Icicle, Look};
pub use pen::Pen;
pub use popup::draw_popup;
pub use segments::{Segment, draw_ends, draw_segments};
pub use sparkline::{SparkStyles, Sparkline, nice_top};
pub use text::{cut_text, put_glyph, put_text, text_width, wrap_text};
