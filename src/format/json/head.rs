//! The beginning of a JSON file, by which formats are told apart: its keys, however it is cut off.

/// Deeper keys are not looked at.
const DEEPEST: usize = 5;

/// The keys in the beginning of a file.
pub(in crate::format) struct Head {
    /// Paths such as `nodes[].callFrame`, in order; those of values that are text with their text.
    keys: Vec<(String, String)>,
}

impl Head {
    /// Looks through the beginning of a file; nothing is found in what is not JSON.
    pub fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut scan = Scan { bytes, at: 0, keys: Vec::new() };
        scan.run();
        Self { keys: scan.keys }
    }

    /// Whether there is such a key.
    pub fn has(&self, path: &str) -> bool {
        self.keys.iter().any(|(key, _)| key == path)
    }

    /// Whether there is such a key with a text like that.
    pub fn says(&self, path: &str, like: impl Fn(&str) -> bool) -> bool {
        self.keys.iter().any(|(key, text)| key == path && like(text))
    }
}

/// An object or a list that is open.
struct Level {
    is_object: bool,
    /// Length of the path without the key at hand.
    path: usize,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    keys: Vec<(String, String)>,
}

impl Scan<'_> {
    /// Goes on to the end, or to the first byte that is not JSON.
    fn run(&mut self) {
        let mut path = String::new();
        let mut levels: Vec<Level> = Vec::new();
        let mut is_key = false;
        while let Some(byte) = self.next() {
            match byte {
                b'{' | b'[' => {
                    let is_object = byte == b'{';
                    path.push_str(if is_object { "" } else { "[]" });
                    levels.push(Level { is_object, path: path.len() });
                    is_key = is_object;
                }
                b'}' | b']' => {
                    if levels.pop().is_none_or(|level| level.is_object != (byte == b'}')) {
                        return;
                    }
                    is_key = false;
                }
                b',' => {
                    let Some(level) = levels.last() else { return };
                    path.truncate(level.path);
                    is_key = level.is_object;
                }
                b'"' => {
                    let text = self.string();
                    if !is_key {
                        self.say(text);
                    } else if let Some(level) = levels.last() {
                        path.truncate(level.path);
                        path.push_str(if path.is_empty() { "" } else { "." });
                        path.push_str(&text);
                        self.key(&path, levels.len());
                        is_key = false;
                    }
                }
                b':' | b' ' | b'\t' | b'\r' | b'\n' => {}
                b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E' if !levels.is_empty() => {}
                _ => return,
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte
    }

    /// What stands before the closing quote; escapes stay as they are.
    fn string(&mut self) -> String {
        let from = self.at;
        while let Some(byte) = self.next() {
            match byte {
                b'"' => break,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        let end = self.at.saturating_sub(1).clamp(from, self.bytes.len().max(from));
        String::from_utf8_lossy(self.bytes.get(from..end).unwrap_or_default()).into_owned()
    }

    fn key(&mut self, path: &str, depth: usize) {
        if depth <= DEEPEST {
            self.keys.push((path.to_owned(), String::new()));
        }
    }

    /// The text of the last key.
    fn say(&mut self, text: String) {
        if let Some((_, said)) = self.keys.last_mut()
            && said.is_empty()
        {
            *said = text;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_at_their_places_wherever_the_file_is_cut() {
        let text = br#" {"a":{"b":"x\"y"},"list":[{"c":1.5e3,"d":null},{"e":[]}],"last":"cut o"#;
        let head = Head::of(text);
        for path in ["a", "a.b", "list", "list[].c", "list[].d", "list[].e", "last"] {
            assert!(head.has(path), "{path}");
        }
        assert!(head.says("a.b", |text| text == r#"x\"y"#) && head.says("last", |text| text == "cut o"));
        assert!(!head.has("b") && !head.has("x"));
        for cut in 0..text.len() {
            Head::of(&text[..cut]);
        }
        assert!(Head::of(br#"[{"ph":"M"},"#).says("[].ph", |ph| ph == "M"));
    }

    #[test]
    fn what_is_no_json_has_no_keys() {
        for text in ["main;work 3", "", "\"a\":1", "}{\"a\":1}", "%{\"a\":1}"] {
            assert!(!Head::of(text.as_bytes()).has("a"), "{text}");
        }
    }
}
