//! Themes: what every part of the screen looks like, from TOML, for every depth of colour.
//!
//! A theme gives styles to slots with dotted names; a slot without a row of its own takes its
//! parent's: `flame.js.hot` that of `flame.js`, which takes that of `flame`. Colours are mapped to
//! what the terminal has once, when the theme is loaded. Read by the view, chosen by the
//! configuration; this module reads no files.

mod builtin;
mod colour;
mod depth;
mod file;
mod slot;

pub use builtin::{BUILTIN, BuiltinTheme};
pub use depth::ColourDepth;
pub use file::ThemeError;
pub use slot::{CHANGE_STEPS, Family, HEAT_STEPS, PACKAGE_HUES, SLOTS, Shade, Slot};

use file::ThemeFile;
use ratatui::style::Style;

/// The theme used when none is asked for.
pub const DEFAULT_THEME: &str = "dark";
/// The theme used when there are no colours.
const WITHOUT_COLOURS: &str = "mono";

/// Which characters may be drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks, lines and arrows of Unicode.
    #[default]
    Unicode,
    /// Nothing beyond ASCII.
    Ascii,
}

/// A theme ready to draw with.
#[derive(Clone, Debug)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// The colours it was made for.
    pub depth: ColourDepth,
    /// The characters that may be drawn.
    pub glyphs: Glyphs,
    styles: Vec<Style>,
    flame: Vec<[Style; Shade::ALL.len()]>,
}

impl Default for Theme {
    fn default() -> Self {
        Self::builtin(DEFAULT_THEME, ColourDepth::TrueColour, Glyphs::Unicode)
            .expect("a test loads every built-in theme")
    }
}

impl Theme {
    /// A built-in theme.
    pub fn builtin(name: &str, depth: ColourDepth, glyphs: Glyphs) -> Result<Self, ThemeError> {
        Self::load(name, &|_| None, depth, glyphs)
    }

    /// The theme of that name: `find` gives the text of a user's theme, else the built-in one is
    /// taken. Without colours it is always the one made for that.
    pub fn load(
        name: &str,
        find: &dyn Fn(&str) -> Option<String>,
        depth: ColourDepth,
        glyphs: Glyphs,
    ) -> Result<Self, ThemeError> {
        let file = ThemeFile::load(name, find)?;
        let file =
            if depth == ColourDepth::None { ThemeFile::load(WITHOUT_COLOURS, &|_| None)? } else { file };
        let styles =
            SLOTS.iter().map(|(_, slot)| file.style(slot, depth)).collect::<Result<Vec<_>, ThemeError>>()?;
        let flame = Family::all()
            .map(|family| {
                let shade = |shade: Shade| file.style(&format!("{}{}", family.slot(), shade.suffix()), depth);
                Ok([shade(Shade::Base)?, shade(Shade::Alternate)?, shade(Shade::Hot)?])
            })
            .collect::<Result<Vec<_>, ThemeError>>()?;
        Ok(Self { name: name.into(), depth, glyphs, styles, flame })
    }

    /// The style of a slot.
    pub fn style(&self, slot: Slot) -> Style {
        self.styles[slot as usize]
    }

    /// The style of a block of the flame.
    pub fn flame(&self, family: Family, shade: Shade) -> Style {
        self.flame[family.index()][shade as usize]
    }

    /// Whether neighbours can't be told apart by shade, so that blocks need a line between them.
    pub fn needs_separators(&self) -> bool {
        self.flame(Family::App, Shade::Base) == self.flame(Family::App, Shade::Alternate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::{Color, Modifier};

    #[test]
    fn every_builtin_theme_gives_every_slot_a_style_at_every_depth() {
        for theme in BUILTIN {
            for depth in ColourDepth::ALL {
                let loaded = Theme::builtin(theme.name, depth, Glyphs::Unicode).expect(theme.name);
                assert_eq!(loaded.styles.len(), SLOTS.len());
                assert_eq!(loaded.flame.len(), Family::all().count());
            }
        }
    }

    #[test]
    fn without_colours_nothing_is_coloured_and_the_cursor_is_still_seen() {
        let theme = Theme::builtin("light", ColourDepth::None, Glyphs::Ascii).expect("a theme");
        let all = theme.styles.iter().chain(theme.flame.iter().flatten());
        let plain = |colour: Option<Color>| matches!(colour, None | Some(Color::Reset));
        assert!(all.clone().all(|style| plain(style.fg) && plain(style.bg)));
        for slot in [Slot::FlameCursor, Slot::TableCursor, Slot::OverlayCursor, Slot::ChipRecord] {
            assert!(theme.style(slot).add_modifier.contains(Modifier::REVERSED), "{slot:?}");
        }
    }

    #[test]
    fn text_is_never_plain_white_or_black_on_the_default_ground() {
        for theme in BUILTIN {
            let loaded =
                Theme::builtin(theme.name, ColourDepth::TrueColour, Glyphs::Unicode).expect("a theme");
            for (style, (_, name)) in loaded.styles.iter().zip(SLOTS) {
                let bare = matches!(style.bg, None | Some(Color::Reset));
                let stark = matches!(style.fg, Some(Color::Rgb(255, 255, 255) | Color::Rgb(0, 0, 0)));
                assert!(!(bare && stark), "{}: {name}", theme.name);
            }
        }
    }

    #[test]
    fn what_is_written_on_a_colour_can_be_read() {
        for theme in BUILTIN {
            let loaded =
                Theme::builtin(theme.name, ColourDepth::TrueColour, Glyphs::Unicode).expect("a theme");
            for style in loaded.styles.iter().chain(loaded.flame.iter().flatten()) {
                let (Some(Color::Rgb(r, g, b)), Some(Color::Rgb(red, green, blue))) = (style.fg, style.bg)
                else {
                    continue;
                };
                let contrast = colour::contrast((r, g, b), (red, green, blue));
                assert!(contrast >= 3.4, "{}: {style:?} has a contrast of {contrast:.1}", theme.name);
            }
        }
    }

    #[test]
    fn a_users_theme_changes_what_it_names_and_inherits_the_rest() {
        let mine = "inherits = \"dark\"\n[palette]\namber = \"#010203\"\n[slots]\n\"text\" = \"#040506\"";
        let find = |name: &str| (name == "mine").then(|| mine.to_owned());
        let theme = Theme::load("mine", &find, ColourDepth::TrueColour, Glyphs::Unicode).expect("a theme");
        assert_eq!(theme.style(Slot::Text).fg, Some(Color::Rgb(4, 5, 6)));
        assert_eq!(theme.style(Slot::HintKey).fg, Some(Color::Rgb(1, 2, 3)));
        let dark = Theme::default();
        assert_eq!(theme.style(Slot::ChipRecord), dark.style(Slot::ChipRecord));
    }
}
