//! A sparkline to the eighth of a row, of two series: the outer one behind the inner.
//!
//! A cell stands for a stretch of time and shows the greatest value in it, so a spike is never
//! hidden; where nothing was measured between two figures a dot says so.

use super::put_glyph;
use crate::theme::{Glyphs, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A sparkline; one value a cell from the left.
pub struct Sparkline<'a> {
    /// The greater series, drawn behind.
    pub outer: &'a [Option<f64>],
    /// The lesser series, drawn in front; may be empty.
    pub inner: &'a [Option<f64>],
    /// Value of the upper edge.
    pub top: f64,
    /// Cells that belong to the selected time.
    pub selected: Option<(u16, u16)>,
    /// Looks of outer, inner, gaps and the selected cells.
    pub styles: SparkStyles,
}

/// The looks of a sparkline.
#[derive(Clone, Copy, Debug, Default)]
pub struct SparkStyles {
    /// The series behind.
    pub outer: Style,
    /// The series in front.
    pub inner: Style,
    /// Nothing measured.
    pub gap: Style,
    /// Added where time is selected.
    pub selected: Style,
}

impl Sparkline<'_> {
    /// Draws it over the whole area.
    pub fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        let known = |value: &Option<f64>| value.is_some();
        let first = self.outer.iter().position(known).unwrap_or(usize::MAX);
        let last = self.outer.iter().rposition(known).unwrap_or(0);
        for x in 0..area.width {
            let at = usize::from(x);
            let is_gap = first < at && at < last;
            for row in 0..area.height {
                let (glyph, style) = match self.outer.get(at).copied().flatten() {
                    Some(outer) => {
                        self.cell(outer, self.inner.get(at).copied().flatten(), row, area.height, theme)
                    }
                    None if is_gap && row == 0 => ('·', self.styles.gap),
                    None => (' ', Style::new()),
                };
                let ground = if self.is_selected(x) { self.styles.selected } else { Style::new() };
                let place = (area.x + x, area.bottom() - 1 - row);
                put_glyph(buf, place, glyph, theme.glyphs, ground.patch(style));
            }
        }
    }

    fn is_selected(&self, x: u16) -> bool {
        self.selected.is_some_and(|(from, to)| from <= x && x < to)
    }

    /// One cell, `row` rows above the lowest.
    fn cell(&self, outer: f64, inner: Option<f64>, row: u16, height: u16, theme: &Theme) -> (char, Style) {
        let level = |value: f64| {
            let eighths = (value / self.top.max(f64::MIN_POSITIVE) * f64::from(height) * 8.0).ceil();
            // What was measured is seen, be it nothing.
            let eighths = eighths.clamp(1.0, f64::from(height) * 8.0) as u16;
            usize::from(eighths.saturating_sub(row * 8).min(8))
        };
        let (outer, inner) = (level(outer), inner.map_or(0, level));
        let styles = &self.styles;
        if self.inner.is_empty() || inner >= outer {
            return (EIGHTHS[outer.max(inner)], styles.inner);
        }
        let behind =
            styles.outer.fg.filter(|colour| *colour != Color::Reset && theme.glyphs == Glyphs::Unicode);
        match behind {
            // The rest of the cell is the series behind.
            Some(behind) if outer == 8 && inner > 0 => (EIGHTHS[inner], styles.inner.bg(behind)),
            // The cell has room for one height only: the greater one is not hidden.
            _ if inner * 2 >= outer => (EIGHTHS[outer], styles.inner),
            _ => (EIGHTHS[outer], styles.outer),
        }
    }
}

/// The least of 1, 1.5, 2, 3, 5, 7, 10, 15, ... times `unit` that is not below `greatest`; at least
/// `least`. Few steps, far apart: a scale must not jump with every figure.
pub fn nice_top(greatest: f64, least: f64, unit: f64) -> f64 {
    let wanted = if greatest.is_finite() { greatest.max(least) } else { least };
    let mut decade = unit;
    while decade * 10.0 < wanted {
        decade *= 10.0;
    }
    let steps = [1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= wanted * (1.0 - 1e-9)).unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[Option<f64>], height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, values.len() as u16, height);
        let mut buf = Buffer::empty(area);
        let styles = SparkStyles::default();
        let spark = Sparkline { outer: values, inner: &[], top: 8.0, selected: None, styles };
        spark.draw(area, &Theme::default(), &mut buf);
        area.rows()
            .map(|row| row.columns().map(|at| buf[(at.x, at.y)].symbol().to_owned()).collect())
            .collect()
    }

    #[test]
    fn heights_are_to_the_eighth_and_gaps_are_seen() {
        assert_eq!(drawn(&[None, Some(0.0), Some(4.0), None, Some(8.0), Some(99.0), None], 1), [" ▁▄·██ "]);
        assert_eq!(drawn(&[Some(4.0), Some(6.0)], 2), [" ▄", "██"]);
    }

    #[test]
    fn scales_are_nice_and_never_too_small() {
        let tops =
            [0.0, 0.93, 1.0, 1.04, 2.1, 7.0, 11.0].map(|greatest| nice_top(greatest, 1.0, 0.01) * 10.0);
        assert_eq!(tops.map(|top| top.round() as u32), [10, 10, 10, 15, 30, 70, 150]);
        assert!((nice_top(f64::NAN, 1.0, 1.0) - 1.0).abs() < 1e-9);
    }
}
