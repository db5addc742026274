//! A function as V8 names it, and as everybody else does: a plain path, places from 1, a kind.
//!
//! Common to CPU and heap profiles. Every name of the target passes the cleaning door here.

use std::borrow::Cow;

use serde::Deserialize;

use crate::format::json::text;
use crate::profile::{Frame, FrameKind, clean_name, clean_path};

/// What the script names of all our snippets begin with.
pub const SNIPPET_URL_PREFIX: &str = "flametop:";

/// The name of our own snippets in a profile: our cost is shown, not hidden.
pub const OURS: &str = "(flametop)";

/// `Runtime.CallFrame`: lines and columns from 0, -1 where there is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallFrame<'a> {
    #[serde(borrow, deserialize_with = "text")]
    function_name: Cow<'a, str>,
    #[serde(borrow, default)]
    script_id: ScriptId<'a>,
    #[serde(borrow, default, deserialize_with = "text")]
    url: Cow<'a, str>,
    #[serde(default = "nowhere")]
    line_number: i64,
    #[serde(default = "nowhere")]
    column_number: i64,
}

/// A script's id: text in the protocol, a number in what Node 26 writes itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum ScriptId<'a> {
    Number(i64),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl Default for ScriptId<'_> {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl ScriptId<'_> {
    /// Whether there is no script: native code, or no code at all.
    fn is_none(&self) -> bool {
        match self {
            Self::Number(id) => *id == 0,
            Self::Text(id) => matches!(&**id, "" | "0"),
        }
    }
}

fn nowhere() -> i64 {
    -1
}

impl<'a> CallFrame<'a> {
    /// A function by its parts: the script's id, line and column from 0.
    pub fn new(name: Cow<'a, str>, script: i64, url: Cow<'a, str>, line: i64, column: i64) -> Self {
        let script_id = ScriptId::Number(script);
        Self { function_name: name, script_id, url, line_number: line, column_number: column }
    }

    /// The frame that the rest of flametop knows.
    pub fn to_frame(&self) -> Frame {
        if let Some(kind) = self.state() {
            return Frame::named(&self.function_name, kind);
        }
        let kind = self.kind();
        let name = if self.url.starts_with(SNIPPET_URL_PREFIX) {
            OURS.into()
        } else {
            clean_name(&self.function_name)
        };
        let file = clean_path(&plain_path(&self.url));
        Frame { name, file, line: from_one(self.line_number), column: from_one(self.column_number), kind }
    }

    /// What V8 was doing outside any function. A function may call itself `(idle)`, but it has a script.
    fn state(&self) -> Option<FrameKind> {
        if !self.is_native() {
            return None;
        }
        match &*self.function_name {
            "(program)" => Some(FrameKind::Program),
            "(idle)" => Some(FrameKind::Idle),
            "(garbage collector)" => Some(FrameKind::Gc),
            _ => None,
        }
    }

    fn is_native(&self) -> bool {
        self.url.is_empty() && self.script_id.is_none()
    }

    fn kind(&self) -> FrameKind {
        if self.url.starts_with("wasm:") {
            FrameKind::Native
        } else if self.is_native()
            || self.url.starts_with("node:")
            || self.url.starts_with(SNIPPET_URL_PREFIX)
        {
            FrameKind::Builtin
        } else {
            FrameKind::Js
        }
    }
}

fn from_one(zero_based: i64) -> u32 {
    u32::try_from(zero_based.saturating_add(1)).unwrap_or(0)
}

/// A script's address as a user knows it: `file://` gone and decoded, queries (they may hold secrets) cut.
fn plain_path(url: &str) -> Cow<'_, str> {
    let has_scheme = url.split_once("://").is_some();
    let end = if has_scheme { url.find(['?', '#']).unwrap_or(url.len()) } else { url.len() };
    match url[..end].strip_prefix("file://") {
        Some(path) => percent_decoded(path),
        // A script that carries itself in its address would fill the screen with itself.
        None if url.starts_with("data:") => Cow::Borrowed("data:"),
        None => Cow::Borrowed(&url[..end]),
    }
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if let Some(byte) = escape_at(bytes, at) {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = bytes.get(at..at + 3)? else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(*high)? * 16 + digit(*low)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(json: &str) -> Frame {
        serde_json::from_str::<CallFrame<'_>>(json).expect("a call frame").to_frame()
    }

    #[test]
    fn places_count_from_one_and_paths_are_plain() {
        let frame = frame(
            r#"{"functionName":"f","scriptId":"9","url":"file:///srv/a%20b/%C3%BC.mjs?v=s3cret","lineNumber":3,"columnNumber":0}"#,
        );
        assert_eq!(frame, Frame::at("f", "/srv/a b/ü.mjs", 4, 1, FrameKind::Js));
    }

    #[test]
    fn kinds_are_told_by_script_and_not_by_name_alone() {
        let kind = |name: &str, id: &str, url: &str| {
            frame(&format!(r#"{{"functionName":"{name}","scriptId":"{id}","url":"{url}"}}"#)).kind
        };
        assert_eq!(kind("(idle)", "0", ""), FrameKind::Idle);
        assert_eq!(kind("(program)", "0", ""), FrameKind::Program);
        assert_eq!(kind("(garbage collector)", "0", ""), FrameKind::Gc);
        assert_eq!(kind("(idle)", "7", "file:///a.js"), FrameKind::Js);
        assert_eq!(kind("run", "0", ""), FrameKind::Builtin);
        assert_eq!(kind("evaluated", "12", ""), FrameKind::Js);
        assert_eq!(kind("open", "3", "node:fs"), FrameKind::Builtin);
        assert_eq!(kind("wasm-function[3]", "8", "wasm://wasm/4a"), FrameKind::Native);
    }

    #[test]
    fn our_snippets_say_whose_they_are_and_hostile_names_are_cleaned() {
        let ours = frame(
            r#"{"functionName":"","scriptId":"5","url":"flametop:poll","lineNumber":1,"columnNumber":2}"#,
        );
        assert_eq!((&*ours.name, ours.kind), (OURS, FrameKind::Builtin));
        let hostile = frame(r#"{"functionName":"\u001b[2J","scriptId":"5","url":"file:///%1b%zz%4"}"#);
        assert_eq!((&*hostile.name, &*hostile.file), ("␛[2J", "/␛%zz%4"));
        assert_eq!((hostile.line, hostile.column), (0, 0));
        let numbered = frame(r#"{"functionName":"f","scriptId":7,"url":"","lineNumber":1,"columnNumber":2}"#);
        assert_eq!(numbered.kind, FrameKind::Js);
    }

    #[test]
    fn half_a_surrogate_pair_costs_its_name_and_nothing_more() {
        let half = frame(r#"{"functionName":"a\ud83d\u0041","scriptId":"5","url":"file:///\ude00.js"}"#);
        assert!(half.name.starts_with("a\u{fffd}") && half.name.ends_with('A'), "{half:?}");
        assert!(half.file.ends_with(".js"), "{half:?}");
        let whole = frame(r#"{"functionName":"\ud83d\ude00","scriptId":"5","url":""}"#);
        assert_eq!(&*whole.name, "\u{1f600}");
        assert!(serde_json::from_str::<CallFrame<'_>>(r#"{"functionName":7}"#).is_err());
    }

    #[test]
    fn anonymous_functions_differ_by_place() {
        let at = |line: u32| {
            frame(&format!(
                r#"{{"functionName":"","scriptId":"5","url":"file:///a.js","lineNumber":{line},"columnNumber":1}}"#
            ))
        };
        assert_eq!(&*at(1).name, "(anonymous)");
        assert_ne!(at(1), at(2));
    }
}
