//! The page around the data: markup, style and viewer, held together by their hashes.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

const MARKUP: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// The viewer's files, in the order in which they need each other.
const SCRIPTS: &[&str] = &[
    include_str!("js/unpack.js"),
    include_str!("js/words.js"),
    include_str!("js/fold.js"),
    include_str!("js/flame.js"),
    include_str!("js/compare.js"),
    include_str!("js/paint.js"),
    include_str!("js/icicle.js"),
    include_str!("js/charts.js"),
    include_str!("js/timeline.js"),
    include_str!("js/state.js"),
    include_str!("js/link.js"),
    include_str!("js/panels.js"),
    include_str!("js/table.js"),
    include_str!("js/actions.js"),
    include_str!("js/keys.js"),
    include_str!("js/main.js"),
    include_str!("js/moves.js"),
    include_str!("js/start.js"),
];

/// Bytes encoded at a time; a multiple of three, so that the pieces join.
const PIECE: usize = 48 * 1024;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The writer failed.
    #[error("failed to write the report")]
    Io(#[from] io::Error),
}

/// A page about to be written.
pub(super) struct Page<'a> {
    /// What the browser shows as its title, as plain text.
    pub title: &'a str,
    /// The gzipped data.
    pub data: &'a [u8],
}

impl Page<'_> {
    /// Writes the page as one file.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), ReportError> {
        let script = format!("\"use strict\";(() => {{\n{}}})();\n", without_remarks(&SCRIPTS.concat()));
        let policy = policy(&script, STYLE);
        let mut rest = MARKUP;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            out.write_all(before.as_bytes())?;
            match name {
                "title" => out.write_all(escaped(self.title).as_bytes())?,
                "policy" => out.write_all(policy.as_bytes())?,
                "style" => out.write_all(STYLE.as_bytes())?,
                "script" => out.write_all(script.as_bytes())?,
                _ => self.write_data(out)?,
            }
            rest = after;
        }
        out.write_all(rest.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    fn write_data(&self, out: &mut dyn Write) -> io::Result<()> {
        self.data.chunks(PIECE).try_for_each(|piece| out.write_all(BASE64.encode(piece).as_bytes()))
    }
}

/// The viewer without indentation and lines of comment. None of its texts goes over several lines.
fn without_remarks(script: &str) -> String {
    let lines =
        script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Nothing but this very script and style, and nothing from anywhere.
fn policy(script: &str, style: &str) -> String {
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(style)
    )
}

/// Text that means nothing to a browser.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}
