//! Which modes a program has switched on in a terminal, read from every byte it wrote.
//!
//! A terminal is given back when this equals what it was at the start: nothing on. Unknown private
//! modes count too, so a mode that is new to flametop cannot be forgotten here.

use std::collections::BTreeSet;

/// Shown cursor: on in a fresh terminal, so it is the hiding that counts.
const CURSOR: u16 = 25;
/// Wrapping at the right margin: on in a fresh terminal as well.
const WRAP: u16 = 7;

/// What is still switched from its default, as `?1049`, `cursor hidden`, `kitty keyboard` and so on.
pub fn left_on(written: &[u8]) -> Vec<String> {
    let mut modes = Modes::default();
    let text = String::from_utf8_lossy(written);
    text.split("\u{1b}[").skip(1).for_each(|sequence| modes.apply(sequence));
    modes.describe()
}

#[derive(Default)]
struct Modes {
    switched: BTreeSet<u16>,
    keyboard_depth: u32,
    styled: bool,
}

impl Modes {
    /// Takes a control sequence without its introducer, with whatever text follows it.
    fn apply(&mut self, sequence: &str) {
        let Some(end) = sequence.find(|c: char| ('@'..='~').contains(&c)) else {
            return;
        };
        let parameters = &sequence[..end];
        match (parameters.chars().next(), &sequence[end..=end]) {
            (Some('?'), "h") => self.set_all(&parameters[1..], true),
            (Some('?'), "l") => self.set_all(&parameters[1..], false),
            (Some('>'), "u") => self.keyboard_depth += 1,
            (Some('<'), "u") => self.keyboard_depth = self.keyboard_depth.saturating_sub(1),
            (first, "m") if first != Some('>') => self.styled = !matches!(parameters, "" | "0"),
            _ => {}
        }
    }

    fn set_all(&mut self, modes: &str, on: bool) {
        for mode in modes.split(';').filter_map(|mode| mode.parse().ok()) {
            let default = matches!(mode, CURSOR | WRAP);
            if on == default {
                self.switched.remove(&mode);
            } else {
                self.switched.insert(mode);
            }
        }
    }

    fn describe(&self) -> Vec<String> {
        let name = |&mode: &u16| match mode {
            CURSOR => "cursor hidden".to_owned(),
            WRAP => "wrapping off".to_owned(),
            mode => format!("?{mode}"),
        };
        let mut names: Vec<String> = self.switched.iter().map(name).collect();
        names.extend((self.keyboard_depth > 0).then(|| "kitty keyboard".to_owned()));
        names.extend(self.styled.then(|| "colours or style".to_owned()));
        names
    }
}
