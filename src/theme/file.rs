//! A theme's TOML, with what it inherits.

use super::BUILTIN;
use super::colour::parse_hex;
use super::depth::{ColourDepth, ThemeColour, basic_by_name};
use super::slot::{Family, SLOTS, Shade};
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

/// A theme inherits through at most this many others.
const MAX_PARENTS: usize = 8;

/// Why a theme can't be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ThemeError {
    /// There is none of that name.
    #[error("there is no theme `{0}`")]
    Unknown(String),
    /// It is not the TOML of a theme.
    #[error("theme `{theme}`: {reason}")]
    Syntax {
        /// The theme.
        theme: String,
        /// What the reader says.
        reason: String,
    },
    /// It inherits from itself.
    #[error("theme `{0}` inherits from itself, or through more than {MAX_PARENTS} others")]
    Loop(String),
    /// It gives a look to what is not there.
    #[error("theme `{theme}`: there is no slot `{slot}`")]
    UnknownSlot {
        /// The theme.
        theme: String,
        /// The slot.
        slot: String,
    },
    /// A style has a word that is neither a colour nor an attribute.
    #[error("theme `{theme}`, slot `{slot}`: `{word}` is neither a colour nor an attribute")]
    Word {
        /// The theme.
        theme: String,
        /// The slot.
        slot: String,
        /// The word.
        word: String,
    },
}

impl ThemeError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(_) => {
                let names: Vec<&str> = BUILTIN.iter().map(|theme| theme.name).collect();
                format!("built in are {}", names.join(", "))
            }
            Self::Word { .. } => {
                "a style is \"INK on GROUND ATTRIBUTES\": palette names, #rrggbb or default; bold, dim, underlined, reverse"
                    .into()
            }
            _ => "themes/dark.toml names every slot and explains the language".into(),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeFile {
    #[serde(default)]
    name: String,
    inherits: Option<String>,
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    slots: BTreeMap<String, String>,
}

impl ThemeFile {
    /// The theme of that name, the user's first, with everything it inherits.
    pub(super) fn load(name: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<Self, ThemeError> {
        let mut theme = Self::read(name, find)?;
        let mut parent = theme.inherits.take();
        for _ in 0..MAX_PARENTS {
            let Some(from) = parent else { return Ok(theme) };
            // A user's theme may bear the name of the built-in one that it changes.
            let inherited =
                if from == name { Self::read(&from, &|_| None)? } else { Self::read(&from, find)? };
            theme.palette = merged(inherited.palette, theme.palette);
            theme.slots = merged(inherited.slots, theme.slots);
            parent = inherited.inherits;
        }
        Err(ThemeError::Loop(name.into()))
    }

    fn read(name: &str, find: &dyn Fn(&str) -> Option<String>) -> Result<Self, ThemeError> {
        let builtin = || BUILTIN.iter().find(|theme| theme.name == name).map(|theme| theme.text.to_owned());
        let text = find(name).or_else(builtin).ok_or_else(|| ThemeError::Unknown(name.into()))?;
        let syntax =
            |error: toml::de::Error| ThemeError::Syntax { theme: name.into(), reason: error.to_string() };
        let mut theme: Self = toml::from_str(&text).map_err(syntax)?;
        theme.name = name.into();
        match theme.slots.keys().find(|slot| !is_slot(slot)) {
            Some(slot) => Err(ThemeError::UnknownSlot { theme: name.into(), slot: slot.clone() }),
            None => Ok(theme),
        }
    }

    /// The style of a slot, its own or that of its nearest parent.
    pub(super) fn style(&self, slot: &str, depth: ColourDepth) -> Result<Style, ThemeError> {
        let mut name = slot;
        loop {
            if let Some(text) = self.slots.get(name) {
                return self.parse(name, text, depth);
            }
            match name.rsplit_once('.') {
                Some((parent, _)) => name = parent,
                None => return Ok(Style::new()),
            }
        }
    }

    fn parse(&self, slot: &str, text: &str, depth: ColourDepth) -> Result<Style, ThemeError> {
        let mut style = Style::new();
        let mut ground = false;
        for word in text.split_whitespace() {
            if word == "on" {
                ground = true;
            } else if let Some(attribute) = attribute(word) {
                style = style.add_modifier(attribute);
            } else {
                let wrong =
                    || ThemeError::Word { theme: self.name.clone(), slot: slot.into(), word: word.into() };
                let colour = self.colour(word).ok_or_else(wrong)?.at(depth);
                style = if ground { style.bg(colour) } else { style.fg(colour) };
            }
        }
        Ok(style)
    }

    /// A palette name, or `#rrggbb`, `#rrggbb/basic`, `default`.
    fn colour(&self, word: &str) -> Option<ThemeColour> {
        let written = self.palette.get(word).map_or(word, String::as_str);
        if written == "default" {
            return Some(ThemeColour { rgb: None, basic: Some(Color::Reset) });
        }
        let (hex, basic) = written.split_once('/').map_or((written, None), |(hex, basic)| (hex, Some(basic)));
        let basic = match basic {
            Some(name) => Some(basic_by_name(name)?),
            None => None,
        };
        Some(ThemeColour { rgb: Some(parse_hex(hex)?), basic })
    }
}

fn merged(mut under: BTreeMap<String, String>, over: BTreeMap<String, String>) -> BTreeMap<String, String> {
    under.extend(over);
    under
}

/// Whether the name is that of a slot or of a parent of one.
fn is_slot(name: &str) -> bool {
    let under =
        |slot: &str| slot == name || slot.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let shades = |family: Family| Shade::ALL.map(|shade| format!("{}{}", family.slot(), shade.suffix()));
    SLOTS.iter().any(|(_, slot)| under(slot)) || Family::all().flat_map(shades).any(|slot| under(&slot))
}

fn attribute(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underlined" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<ThemeFile, ThemeError> {
        ThemeFile::load("mine", &|name| (name == "mine").then(|| text.to_owned()))
    }

    #[test]
    fn a_slot_takes_its_nearest_parents_style() {
        let theme = load("[slots]\n\"flame\" = \"#000001\"\n\"flame.js\" = \"#000002\"").expect("a theme");
        let ink = |slot| theme.style(slot, ColourDepth::TrueColour).expect("a style").fg;
        assert_eq!(ink("flame.js.hot"), Some(Color::Rgb(0, 0, 2)));
        assert_eq!(ink("flame.gc"), Some(Color::Rgb(0, 0, 1)));
        assert_eq!(ink("text"), None);
    }

    #[test]
    fn faults_are_named_with_their_place() {
        assert!(matches!(load("slots = 3"), Err(ThemeError::Syntax { .. })));
        assert_eq!(load("inherits = \"gone\"").err(), Some(ThemeError::Unknown("gone".into())));
        let unknown = load("[slots]\n\"flame.jss\" = \"bold\"").err();
        assert_eq!(unknown, Some(ThemeError::UnknownSlot { theme: "mine".into(), slot: "flame.jss".into() }));
        let theme = load("[slots]\n\"text\" = \"inkk bold\"").expect("its words are read later");
        let word = theme.style("text", ColourDepth::Indexed).err();
        assert_eq!(
            word,
            Some(ThemeError::Word { theme: "mine".into(), slot: "text".into(), word: "inkk".into() })
        );
    }

    #[test]
    fn a_loop_of_inheritance_ends() {
        let text = |name: &str| match name {
            "mine" | "yours" => Some("inherits = \"yours\"".to_owned()),
            _ => None,
        };
        assert_eq!(ThemeFile::load("mine", &text).err(), Some(ThemeError::Loop("mine".into())));
    }
}
