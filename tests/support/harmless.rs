//! What must never come out: judged here anew, by Unicode's own lists and not by flametop's.

/// The first character of a text that drives a terminal or hides or reorders text, if there is one.
/// Line feeds are for the caller to judge.
pub fn harm_in(text: &str) -> Option<char> {
    text.chars().find(|c| *c != '\n' && is_harmful(*c))
}

/// Fails the test if a text can do harm, or holds more lines than are its own.
#[track_caller]
pub fn assert_harmless(text: &str, whence: &str) {
    if let Some(c) = harm_in(text) {
        let at = text.find(c).unwrap_or(0);
        let around: String = text[..at].chars().rev().take(60).collect::<String>().chars().rev().collect();
        panic!("{whence} holds {c:?} after {around:?}");
    }
}

/// Controls, and what Unicode calls `Bidi_Control` or `Default_Ignorable_Code_Point`, and the separators
/// of lines and paragraphs and the interlinear marks.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// What flametop wrote to a terminal, taken apart.
#[derive(Debug, Default)]
pub struct Written {
    /// Everything that is no control sequence.
    pub text: String,
    /// What was put on the clipboard, decoded.
    pub copied: Vec<String>,
}

/// The final bytes of the control sequences that flametop uses: colours, places, erasing, modes,
/// questions, cursor shape.
const FINALS: &str = "mHCGKJhlnucpqtrABDdsX";

/// Takes apart what was written to a terminal; fails the test at any sequence that is none of ours.
#[track_caller]
pub fn written(bytes: &[u8]) -> Written {
    let text = std::str::from_utf8(bytes).expect("only whole characters are written");
    let (mut rest, mut written) = (text, Written::default());
    while let Some(at) = rest.find('\u{1b}') {
        written.text.push_str(&rest[..at]);
        rest = after_sequence(&rest[at + 1..], &mut written.copied);
    }
    written.text.push_str(rest);
    written.text.retain(|c| !matches!(c, '\r' | '\n'));
    written
}

#[track_caller]
fn after_sequence<'a>(rest: &'a str, copied: &mut Vec<String>) -> &'a str {
    if let Some(sequence) = rest.strip_prefix('[') {
        let end = sequence.find(|c: char| ('@'..='~').contains(&c)).expect("a sequence ends");
        assert!(FINALS.contains(&sequence[end..=end]), "a sequence of others: {:?}", &sequence[..=end]);
        assert!(!sequence[..end].contains("31;5"), "a colour of a name: {:?}", &sequence[..=end]);
        return &sequence[end + 1..];
    }
    if let Some(payload) = rest.strip_prefix("]52;c;") {
        let end = payload.find('\u{7}').expect("a clipboard's text ends");
        copied.push(from_base64(&payload[..end]));
        return &payload[end + 1..];
    }
    match rest.chars().next() {
        // Saving and restoring the cursor, the keypad's mode, the main character set.
        Some('7' | '8' | '=' | '>') => &rest[1..],
        _ if rest.starts_with("(B") => &rest[2..],
        _ => panic!("a sequence of others: {:?}", rest.chars().take(20).collect::<String>()),
    }
}

#[track_caller]
fn from_base64(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert!(text.len().is_multiple_of(4), "base64 comes in fours: {text:?}");
    let digits = text.trim_end_matches('=').bytes();
    let digits: Vec<u32> = digits
        .map(|byte| ALPHABET.iter().position(|known| *known == byte).expect("only base64") as u32)
        .collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let word = four.iter().enumerate().fold(0, |word, (at, digit)| word | digit << (18 - 6 * at));
        bytes.extend_from_slice(&word.to_be_bytes()[1..four.len()]);
    }
    String::from_utf8(bytes).expect("text was copied")
}
