//! Facts on one line that give way by importance when there is no room for all.

use super::{Pen, text_width};
use crate::theme::{Glyphs, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Cells between two facts.
const GAP: u16 = 2;

/// A fact on a line.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    text: String,
    /// Said instead when there is no room for all of it.
    short: Option<(String, u8)>,
    style: Style,
    weight: u8,
    /// A key said before the text, in a style of its own.
    key: Option<(String, Style)>,
}

impl Segment {
    /// A fact; of two, the one with less weight goes first.
    pub fn new(weight: u8, text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), short: None, style, weight, key: None }
    }

    /// The same, with its key before it.
    pub fn keyed(mut self, key: impl Into<String>, style: Style) -> Self {
        self.key = Some((key.into(), style));
        self
    }

    fn width(&self, glyphs: Glyphs) -> u16 {
        let key = self.key.as_ref().map_or(0, |(key, _)| text_width(key, glyphs) + 1);
        key.saturating_add(text_width(&self.text, glyphs))
    }

    /// The same, with a shorter way to say it, which has a weight of its own.
    pub fn or(mut self, weight: u8, short: impl Into<String>) -> Self {
        self.short = Some((short.into(), weight));
        self
    }
}

/// Writes what fits of `segments`.
pub fn draw_segments(buf: &mut Buffer, area: Rect, theme: &Theme, segments: Vec<Segment>) {
    draw_ends(buf, area, theme, segments, Vec::new());
}

/// Writes what fits of `left` from the left and of `right` up to the right edge.
pub fn draw_ends(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    mut left: Vec<Segment>,
    mut right: Vec<Segment>,
) {
    while (width(&left, theme.glyphs) + width(&right, theme.glyphs)).saturating_sub(GAP) > area.width
        && (left.len() + right.len()) > 1
    {
        give_way(&mut left, &mut right);
    }
    write(buf, area, theme, &left);
    let width = width(&right, theme.glyphs).saturating_sub(GAP).min(area.width);
    write(buf, Rect { x: area.right() - width, width, ..area }, theme, &right);
}

fn width(segments: &[Segment], glyphs: Glyphs) -> u16 {
    segments.iter().map(|segment| segment.width(glyphs).saturating_add(GAP)).fold(0, u16::saturating_add)
}

/// Shortens or drops the lightest fact; of equal ones the last.
fn give_way(left: &mut Vec<Segment>, right: &mut Vec<Segment>) {
    let lightest = |list: &[Segment]| {
        list.iter().enumerate().rev().min_by_key(|(_, s)| s.weight).map(|(at, s)| (s.weight, at))
    };
    let (list, at) = match (lightest(left), lightest(right)) {
        (Some((l, _)), Some((r, at))) if r <= l => (right, at),
        (None, Some((_, at))) => (right, at),
        (Some((_, at)), _) => (left, at),
        (None, None) => return,
    };
    match list[at].short.take() {
        Some((short, weight)) => (list[at].text, list[at].weight) = (short, weight),
        None => drop(list.remove(at)),
    }
}

fn write(buf: &mut Buffer, area: Rect, theme: &Theme, segments: &[Segment]) {
    let mut pen = Pen::on(buf, area, theme);
    for (at, segment) in segments.iter().enumerate() {
        pen.skip(if at > 0 { GAP } else { 0 });
        if let Some((key, style)) = &segment.key {
            pen.put(key, *style).skip(1);
        }
        pen.cut(&segment.text, segment.style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(width: u16, left: &[(u8, &str)], right: &[(u8, &str)]) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        let segments = |list: &[(u8, &str)]| {
            list.iter().map(|(weight, text)| Segment::new(*weight, *text, Style::new())).collect::<Vec<_>>()
        };
        draw_ends(&mut buf, Rect::new(0, 0, width, 1), &Theme::default(), segments(left), segments(right));
        buf.content().iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn the_lightest_goes_first() {
        let left = [(9, "name"), (1, "uptime"), (5, "pid")];
        assert_eq!(line(24, &left, &[(8, "LIVE")]), "name  uptime  pid   LIVE".to_string());
        assert_eq!(line(20, &left, &[(8, "LIVE")]), "name  pid       LIVE");
        assert_eq!(line(6, &left, &[(8, "LIVE")]), "name  ");
    }
}
