//! Where the parts of the screen are.

use crate::app::{App, axis_columns, screen_rows};
use ratatui::layout::Rect;

/// The parts of the screen.
///
/// ```text
/// header      flametop  api.js  Node 22.3.0  pid 4711                    LIVE
///             CPU  window 1.00 s  928 of 1000/s  931 samples  lost 0
/// gauges      cpu   93 % 12–104 %  ▁▂▃▄▅▆▇█▇▆▅▄▃▂▁
///             mem 120 MiB 98–121   ▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃▃
/// ruler        1 Flame  2 Tree     ──────────────▲
/// body        all 931 ms of 1.00 s, 93 % of one core
///             onRequest           processTicks
/// detail      makeUsers  src/users.js:9:19  [app]   42.0 ms  4.2 %
/// hints       Space freeze  R record  w write pprof  ? help
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// All of it.
    pub whole: Rect,
    /// Who is watched, and how well.
    pub header: Rect,
    /// The sparklines.
    pub gauges: Rect,
    /// Tabs and the ruler of the time axis.
    pub ruler: Rect,
    /// The pane in front.
    pub body: Rect,
    /// The selected frame.
    pub detail: Rect,
    /// Keys, or what is being typed.
    pub hints: Rect,
    /// Columns left of the time axis.
    pub gutter: u16,
}

impl Screen {
    /// The parts of `area`.
    pub fn of(app: &App, area: Rect) -> Self {
        let rows = screen_rows((area.width, area.height), app.maximised);
        let mut y = area.y;
        let [header, sparklines, body, detail, hints] = rows.map(|height| {
            let rect = Rect { y, height, ..area }.intersection(area);
            y = y.saturating_add(height);
            rect
        });
        let ruler_rows = sparklines.height.min(1);
        let gauges = Rect { height: sparklines.height - ruler_rows, ..sparklines };
        let ruler = Rect { y: gauges.bottom(), height: ruler_rows, ..sparklines };
        Self { whole: area, header, gauges, ruler, body, detail, hints, gutter: axis_columns(area.width).0 }
    }

    /// A box of that size in the middle of the screen, as far as there is room.
    pub fn centred(&self, width: u16, height: u16) -> Rect {
        let (width, height) = (width.min(self.whole.width), height.min(self.whole.height));
        Rect {
            x: self.whole.x + (self.whole.width - width) / 2,
            y: self.whole.y + (self.whole.height - height) / 2,
            width,
            height,
        }
    }
}
