//! Functions as V8 writes them: places from 0, files as addresses.

use crate::format::names::ANONYMOUS;
use crate::profile::{Frame, FrameKind};
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;

/// `Runtime.CallFrame` to be written.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::format) struct CallFrameOut<'a> {
    function_name: &'a str,
    script_id: String,
    url: Cow<'a, str>,
    line_number: i64,
    column_number: i64,
}

impl<'a> CallFrameOut<'a> {
    /// V8's name for the root of a tree.
    pub fn root() -> Self {
        let (line_number, column_number) = (-1, -1);
        Self { function_name: "(root)", script_id: "0".into(), url: "".into(), line_number, column_number }
    }

    /// A frame; `script` is its file's number, from 1.
    pub fn new(frame: &'a Frame, script: u32) -> Self {
        let is_code = matches!(frame.kind, FrameKind::Js) || !frame.file.is_empty();
        Self {
            function_name: if &*frame.name == ANONYMOUS { "" } else { &frame.name },
            script_id: if is_code { script.to_string() } else { "0".into() },
            url: url(&frame.file),
            line_number: i64::from(frame.line) - 1,
            column_number: i64::from(frame.column) - 1,
        }
    }
}

/// The numbers of files, from 1 in the order of their first functions.
#[derive(Default)]
pub(in crate::format) struct Scripts<'a> {
    numbers: FxHashMap<&'a str, u32>,
}

impl<'a> Scripts<'a> {
    /// The number of a file.
    pub fn number(&mut self, file: &'a str) -> u32 {
        let next = self.numbers.len() as u32 + 1;
        *self.numbers.entry(file).or_insert(next)
    }
}

/// The address of a file.
fn url(file: &str) -> Cow<'_, str> {
    if !file.starts_with('/') {
        return Cow::Borrowed(file);
    }
    let mut url = String::with_capacity(file.len() + 8);
    url.push_str("file://");
    for byte in file.bytes() {
        match byte {
            b'%' | b'?' | b'#' | b'\\' | 0..=b' ' | 0x7f.. => {
                // Writing to a string cannot fail.
                let _ = write!(url, "%{byte:02X}");
            }
            _ => url.push(char::from(byte)),
        }
    }
    Cow::Owned(url)
}

#[cfg(test)]
mod tests {
    use super::super::call_frame::CallFrame;
    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for frame in [
            Frame::at("f", "/srv/a b/ü?#%20.js", 4, 1, FrameKind::Js),
            Frame::at("(anonymous)", "/srv/a.js", 20, 0, FrameKind::Js),
            Frame::at("readSync", "node:fs", 7, 3, FrameKind::Builtin),
            Frame::named("(garbage collector)", FrameKind::Gc),
            Frame::named("(idle)", FrameKind::Idle),
            Frame::named("sort", FrameKind::Builtin),
            Frame::named("evaluated", FrameKind::Js),
        ] {
            let json = serde_json::to_string(&CallFrameOut::new(&frame, 3)).expect("it can be written");
            assert_eq!(serde_json::from_str::<CallFrame<'_>>(&json).expect("a call frame").to_frame(), frame);
        }
    }
}
