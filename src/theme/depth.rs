//! The one place where colours are mapped to what the terminal has.

use super::colour::{Rgb, distance};
use ratatui::style::Color;

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourDepth {
    /// 24 bits.
    #[default]
    TrueColour,
    /// The palette of 256.
    Indexed,
    /// The sixteen of old.
    Sixteen,
    /// None, or none wanted.
    None,
}

impl ColourDepth {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::TrueColour, Self::Indexed, Self::Sixteen, Self::None];
}

/// A colour as a theme gives it: in full, and as one of the sixteen where the author chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThemeColour {
    /// In full; none is the terminal's own.
    pub rgb: Option<Rgb>,
    /// Its stand-in among the sixteen.
    pub basic: Option<Color>,
}

/// The sixteen by the names that themes use, with what xterm makes of them.
const BASIC: [(&str, Color, Rgb); 16] = [
    ("black", Color::Black, (0, 0, 0)),
    ("red", Color::Red, (205, 0, 0)),
    ("green", Color::Green, (0, 205, 0)),
    ("yellow", Color::Yellow, (205, 205, 0)),
    ("blue", Color::Blue, (0, 0, 238)),
    ("magenta", Color::Magenta, (205, 0, 205)),
    ("cyan", Color::Cyan, (0, 205, 205)),
    ("gray", Color::Gray, (229, 229, 229)),
    ("darkgray", Color::DarkGray, (127, 127, 127)),
    ("lightred", Color::LightRed, (255, 0, 0)),
    ("lightgreen", Color::LightGreen, (0, 255, 0)),
    ("lightyellow", Color::LightYellow, (255, 255, 0)),
    ("lightblue", Color::LightBlue, (92, 92, 255)),
    ("lightmagenta", Color::LightMagenta, (255, 0, 255)),
    ("lightcyan", Color::LightCyan, (0, 255, 255)),
    ("white", Color::White, (255, 255, 255)),
];

/// One of the sixteen, or the terminal's own colour, by name.
pub fn basic_by_name(name: &str) -> Option<Color> {
    let known = BASIC.iter().find(|(known, ..)| *known == name).map(|(_, colour, _)| *colour);
    known.or((name == "default").then_some(Color::Reset))
}

impl ThemeColour {
    /// The nearest that a terminal of this depth has.
    pub fn at(self, depth: ColourDepth) -> Color {
        let Some(rgb) = self.rgb else { return Color::Reset };
        match depth {
            ColourDepth::TrueColour => Color::Rgb(rgb.0, rgb.1, rgb.2),
            ColourDepth::Indexed => Color::Indexed(nearest_indexed(rgb)),
            ColourDepth::Sixteen => self.basic.unwrap_or_else(|| nearest_basic(rgb)),
            ColourDepth::None => Color::Reset,
        }
    }
}

/// The nearest of the 240 that no terminal lets its user change.
fn nearest_indexed(rgb: Rgb) -> u8 {
    let distance_to = |index: &u8| distance(rgb, indexed(*index));
    (16..=255u8).min_by(|a, b| distance_to(a).total_cmp(&distance_to(b))).unwrap_or(16)
}

fn nearest_basic(rgb: Rgb) -> Color {
    let nearest = BASIC.iter().min_by(|a, b| distance(rgb, a.2).total_cmp(&distance(rgb, b.2)));
    nearest.map_or(Color::Reset, |(_, colour, _)| *colour)
}

/// A colour of the 6x6x6 cube or the ramp of greys.
fn indexed(index: u8) -> Rgb {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return (grey, grey, grey);
    }
    let cube = index.saturating_sub(16);
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_the_palette_map_to_themselves() {
        for index in 16..=255 {
            assert_eq!(indexed(nearest_indexed(indexed(index))), indexed(index));
        }
    }

    #[test]
    fn the_authors_choice_among_sixteen_wins() {
        let chosen = ThemeColour { rgb: Some((127, 78, 28)), basic: Some(Color::Yellow) };
        assert_eq!(chosen.at(ColourDepth::Sixteen), Color::Yellow);
        assert_eq!(chosen.at(ColourDepth::TrueColour), Color::Rgb(127, 78, 28));
        assert_eq!(chosen.at(ColourDepth::None), Color::Reset);
        assert_eq!(
            ThemeColour { rgb: Some((250, 2, 2)), basic: None }.at(ColourDepth::Sixteen),
            Color::LightRed
        );
    }
}
