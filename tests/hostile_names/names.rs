//! The hostile names: what each is, and how it arrives.

/// A hostile name.
#[derive(Clone, Debug)]
pub struct Name {
    /// What is hostile in it.
    pub what: &'static str,
    /// Itself, as JSON: that is how a target says it, and there a lone surrogate can be said too.
    pub json: String,
    /// Itself, with U+FFFD where it is no text.
    pub text: String,
}

/// As long as a name was measured to be in a real process.
pub const LONG: usize = 200_000;

/// Every hostile name.
pub fn all() -> Vec<Name> {
    let mut names: Vec<Name> = SHORT.iter().map(|(what, text)| name(what, text)).collect();
    names.push(name("200,000 characters", &"long".repeat(LONG / 4)));
    names.push(name("200,000 wide characters", &"\u{8a00}".repeat(LONG)));
    names.push(name("a flood of combining marks", &format!("zalgo{}", "\u{301}\u{334}".repeat(5000))));
    names.push(name("a flood of escape characters", &"\u{1b}".repeat(5000)));
    names.push(lone("a lone high surrogate", r"half\ud83dface"));
    names.push(lone("a lone low surrogate", r"\ude00tail"));
    names.push(lone("surrogates in the wrong order", r"\ude00\ud83d"));
    names
}

fn name(what: &'static str, text: &str) -> Name {
    Name { what, json: serde_json::Value::from(text).to_string(), text: text.to_owned() }
}

fn lone(what: &'static str, escaped: &str) -> Name {
    let text =
        ["\\ud83d", "\\ude00"].iter().fold(escaped.to_owned(), |text, half| text.replace(half, "\u{fffd}"));
    Name { what, json: format!("\"{escaped}\""), text }
}

const SHORT: &[(&str, &str)] = &[
    ("a colour", "\u{1b}[31;5mred"),
    ("a cleared screen", "\u{1b}[2J\u{1b}[Hgone"),
    ("the clipboard", "\u{1b}]52;c;cm0gLXJmIH4=\u{7}"),
    ("the window's title", "\u{1b}]0;owned\u{7}"),
    ("a link", "\u{1b}]8;;http://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\"),
    ("a device control string", "\u{1b}P+q544e\u{1b}\\"),
    ("an application command", "\u{1b}_Gf=24;AAAA\u{1b}\\"),
    ("a C1 introducer", "a\u{9b}31mb"),
    ("a C1 command string", "\u{90}x\u{9c}"),
    ("a question to the terminal", "\u{1b}[6n\u{1b}[c"),
    ("NUL", "nul\u{0}nul"),
    ("a bell", "ring\u{7}"),
    ("backspaces", "safe\u{8}\u{8}\u{8}\u{8}evil"),
    ("DEL", "del\u{7f}ete"),
    ("a carriage return", "visible\rhidden"),
    ("a line feed", "one\ntwo 99"),
    ("a tab", "tab\tulator"),
    ("a shift to another character set", "\u{e}lqqk\u{f}"),
    ("right to left", "user\u{202e}sj.exe"),
    ("isolates", "\u{2066}a\u{2069}\u{2067}b\u{2069}"),
    ("marks of direction", "a\u{200e}b\u{200f}c\u{61c}"),
    ("a zero-width space", "ad\u{200b}min"),
    ("a zero-width joiner", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}"),
    ("tag characters", "ok\u{e0041}\u{e0042}\u{e007f}"),
    ("variation selectors", "a\u{fe0f}b\u{e0100}"),
    ("a soft hyphen and a grapheme joiner", "pay\u{ad}pal\u{34f}"),
    ("Hangul fillers, which are blank letters", "\u{3164}\u{115f}\u{1160}\u{ffa0}"),
    ("invisible operators", "f\u{2061}x\u{2062}y\u{206a}"),
    ("line and paragraph separators", "one\u{2028}two\u{2029}three"),
    ("a byte order mark", "\u{feff}bom"),
    ("annotations", "\u{fff9}a\u{fffa}b\u{fffb}"),
    ("noncharacters", "\u{ffff}\u{fdd0}\u{10ffff}"),
    ("private use", "\u{e000}\u{f8ff}\u{100000}"),
    ("very wide characters", "\u{fdfd}\u{1f3f3}\u{6f22}\u{5b57}\u{a9c5}"),
    ("a script's end", "</script><img src=x onerror=alert(1)>"),
    ("a formula", "=cmd|' /C calc'!A0"),
    ("a formula by plus, minus or at", "+1-1@SUM(A1)"),
    ("another directory", "../../etc/passwd"),
    ("a hidden file", ".../.ssh/authorized_keys"),
    ("an option", "--output=/etc/passwd"),
    ("separators of folded stacks", "a;b c;d 12345678"),
    ("quotes and backslashes", "\"'`$(id)\\u0041\\"),
    ("formats and placeholders", "%s%n{0}{}%x1b"),
    ("a pseudo-function's name", "(idle)"),
    ("blanks", "   "),
    ("nothing", ""),
];

#[test]
fn there_are_at_least_forty_and_each_is_another() {
    let names = all();
    let different: std::collections::BTreeSet<&str> = names.iter().map(|name| &*name.json).collect();
    assert!(names.len() >= 40 && different.len() == names.len());
}
