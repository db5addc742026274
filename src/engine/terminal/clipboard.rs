//! Copying over SSH: OSC 52, which the user's own terminal puts on the user's own clipboard.

/// Terminals refuse more than about this many bytes of base64.
const LIMIT: usize = 74_000;

/// The sequence that puts `text` on the clipboard; none when it is too long. Inside tmux it is
/// wrapped so that tmux hands it on.
pub fn copy_sequence(text: &str, in_tmux: bool) -> Option<Vec<u8>> {
    let encoded = base64(text.as_bytes());
    if encoded.len() > LIMIT {
        return None;
    }
    let plain = format!("\x1b]52;c;{encoded}\x07");
    let wrapped = if in_tmux { format!("{plain}\x1bPtmux;\x1b{plain}\x1b\\") } else { plain };
    Some(wrapped.into_bytes())
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let index = (word >> (18 - 6 * at)) & 63;
            out.push(if at <= chunk.len() { ALPHABET[index as usize] as char } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_as_the_rfc_says() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn what_terminals_refuse_is_not_sent() {
        assert!(copy_sequence(&"x".repeat(100_000), false).is_none());
        assert_eq!(copy_sequence("f", false).as_deref(), Some(&b"\x1b]52;c;Zg==\x07"[..]));
    }
}
