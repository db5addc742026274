//! Text of JavaScript, which is not always text elsewhere.

use serde::de::{Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A string in which one half of a surrogate pair may stand alone: V8 says `\ud800`. A function of such
/// a name must not cost the whole file. For `deserialize_with`; `null` is empty.
pub(in crate::format) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Cow<'de, str>, D::Error> {
    struct Text;
    impl<'de> Visitor<'de> for Text {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
            Ok(String::from_utf8_lossy(bytes))
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
            Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
        }
    }
    // As bytes, for those are given as they are.
    from.deserialize_bytes(Text)
}
