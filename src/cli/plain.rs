//! What the command line prints: nothing in it can drive a terminal or hide what it says.
//!
//! Paths, names, and what targets and servers answer come from outside, and end in messages.

use crate::profile::clean_path;
use std::io::{ErrorKind, Write};

/// Cleaned in pieces of this many characters: a name may be cut when it is too long, a message not.
const PIECE: usize = 256;

/// Text with its line breaks, and every other control or reordering character made visible.
pub fn plain(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(plain_line).collect();
    lines.join("\n")
}

fn plain_line(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    characters.chunks(PIECE).map(|piece| clean_path(&piece.iter().collect::<String>()).to_string()).collect()
}

/// JSON with the same characters escaped: whoever parses it gets them back.
fn plain_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let one = c.encode_utf8(&mut [0; 4]).to_owned();
        if c == '\n' || *clean_path(&one) == *one {
            safe.push(c);
        } else {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            safe.extend(units.into_iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    safe
}

/// Clears the line of progress on standard error, where somebody sees one.
pub fn clear_line() {
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}

/// Prints on standard output as it is; a reader that has gone away is no failure.
pub fn print(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Prints text or JSON, with nothing in it that drives a terminal.
pub fn print_plain(text: &str, json: bool) -> std::io::Result<()> {
    print(if json { plain_json(text) } else { plain(text) }.as_bytes())
}

/// Says something on standard error.
pub fn say(text: &str) {
    // Standard error may be closed; there is nobody else to tell.
    let _ = writeln!(std::io::stderr(), "{}", plain(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_breaks_are_left_of_what_drives_a_terminal() {
        assert_eq!(plain("a\u{1b}[31mb\n\r\u{9b}c\u{202e}"), "a␛[31mb\n␍\u{fffd}c\u{fffd}");
        let long = "x".repeat(5000);
        assert_eq!(plain(&long), long);
    }

    #[test]
    fn json_means_the_same_afterwards() {
        let value = serde_json::json!({ "name": "a\u{1b}\u{9b}\u{202e}\u{e0001}é" });
        let safe = plain_json(&format!("{value:#}\n"));
        assert!(safe.chars().all(|c| c == '\n' || c == 'é' || (' '..='~').contains(&c)), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).ok(), Some(value));
    }
}
