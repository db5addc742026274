//! The one door for names from outside: nothing past it can drive a terminal or hide what it says.
//!
//! Control characters become their visible pictures, characters that reorder or hide text become
//! U+FFFD, and very long names are cut in a way that keeps two different ones apart.

use std::fmt::Write;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;

/// Longer names are cut to this many characters, with a hash of the whole at the end.
pub const MAX_NAME_CHARS: usize = 1024;

/// A function or thread name made safe to show; `(anonymous)` when it is empty.
pub fn clean_name(raw: &str) -> Arc<str> {
    if raw.is_empty() {
        return "(anonymous)".into();
    }
    clean(raw)
}

/// A script or file path made safe to show; may be empty.
pub fn clean_path(raw: &str) -> Arc<str> {
    clean(raw)
}

/// Text that was cleaned once and has been out of our hands since, made safe to show again. Unlike
/// [`clean_name`] it leaves everything already clean as it is, names that were cut included.
pub fn plain_text(raw: &str) -> Arc<str> {
    if raw.chars().all(is_plain) { raw.into() } else { raw.chars().map(visible).collect::<String>().into() }
}

fn clean(raw: &str) -> Arc<str> {
    if raw.len() <= MAX_NAME_CHARS && raw.chars().all(is_plain) {
        return raw.into();
    }
    let mut safe: String = raw.chars().take(MAX_NAME_CHARS).map(visible).collect();
    if raw.chars().nth(MAX_NAME_CHARS).is_some() {
        let hash = BuildHasherDefault::<rustc_hash::FxHasher>::default().hash_one(raw);
        // Writing to a string cannot fail.
        let _ = write!(safe, "…#{hash:016x}");
    }
    safe.into()
}

fn is_plain(c: char) -> bool {
    visible(c) == c
}

/// The character to show for `c`.
fn visible(c: char) -> char {
    match c {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        _ if is_invisible(c) => '\u{fffd}',
        _ => c,
    }
}

/// Characters that reorder, join or hide their neighbours, or are not seen themselves: bidi controls,
/// line separators, interlinear marks, and all that Unicode calls `Default_Ignorable_Code_Point`, such as
/// zero-width characters, variation selectors, tags and the letters that are blank (Hangul fillers).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_pictures() {
        assert_eq!(&*clean_name("\u{1b}]52;c;eA==\u{7}"), "␛]52;c;eA==␇");
        assert_eq!(&*clean_name("a\u{9b}31mb"), "a\u{fffd}31mb");
    }

    #[test]
    fn text_that_hides_or_reorders_is_marked() {
        for hidden in ["\u{202e}", "\u{200d}", "\u{e0041}", "\u{2028}", "\u{feff}", "\u{3164}", "\u{34f}"] {
            assert_eq!(&*clean_name(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (a, b) = ("x".repeat(200_000), format!("{}y", "x".repeat(200_000)));
        let (a, b) = (clean_name(&a), clean_name(&b));
        assert!(a.chars().count() < MAX_NAME_CHARS + 32);
        assert_ne!(a, b);
    }

    #[test]
    fn what_is_clean_stays_so_when_it_comes_back() {
        for name in ["", "a\u{1b}[31m\u{202e}b", &"\u{7}".repeat(2 * MAX_NAME_CHARS)] {
            let cleaned = clean_path(name);
            assert_eq!(plain_text(&cleaned), cleaned);
        }
        assert_eq!(&*plain_text("a\u{1b}]52;c;eA==\u{7}\nb"), "a␛]52;c;eA==␇␊b");
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["ünïcode", "函数", "<anonymous>", "a b", "Foo<T>.bar"] {
            assert_eq!(&*clean_name(name), name);
        }
        assert_eq!(&*clean_name(""), "(anonymous)");
    }
}
