//! Names that run-time compilers write into perf maps: what they tell about a function beside its name.
//!
//! V8 writes `KIND:TIERname file:line:column` (`JS:*fib /srv/app.js:1:13`; `LazyCompile:` and `Function:`
//! in older versions), and `Builtin:Name` for what is its own; Python writes `py::name:file`. Linux's
//! `tools/perf/Documentation/jit-interface.txt` states the file; the names are each compiler's own.

use crate::profile::{Frame, FrameKind, clean_name, clean_path};

/// What V8 calls code that was made of JavaScript.
const SCRIPTS: [&str; 6] = ["JS:", "LazyCompile:", "Function:", "Script:", "Eval:", "Interpreter:"];
/// What V8 calls code of its own; the names after it are of the engine.
const ENGINE: [&str; 7] =
    ["Builtin:", "BytecodeHandler:", "Stub:", "Handler:", "RegExp:", "WasmToJS:", "JSToWasm:"];
/// Marks of the compiler that made a piece of code: interpreter, baseline, middle tiers, optimised.
const TIERS: [char; 5] = ['~', '^', '*', '+', '\''];

/// The frame of a name as V8 wrote it; none for the names of others.
pub(super) fn frame(name: &str) -> Option<Frame> {
    if let Some(python) = name.strip_prefix("py::") {
        return Some(python_frame(python));
    }
    // Two colons are a C++ class that is called as V8 calls a kind of code.
    let after = |prefix: &&str| name.strip_prefix(*prefix).filter(|rest| !rest.starts_with(':'));
    if let Some(engine) = ENGINE.iter().find_map(after) {
        return Some(Frame::named(&clean_name(engine), FrameKind::Builtin));
    }
    let script = SCRIPTS.iter().find_map(after)?;
    Some(script_frame(script.strip_prefix(TIERS).unwrap_or(script)))
}

/// Python writes `py::name:file`.
fn python_frame(text: &str) -> Frame {
    let (name, file) = text.split_once(':').unwrap_or((text, ""));
    Frame::at(&clean_name(name), &clean_path(file), 0, 0, FrameKind::Native)
}

fn script_frame(text: &str) -> Frame {
    let (place, column) = number_cut(text);
    let (place, line) = number_cut(place);
    // One number is a line.
    let (line, column) = if line == 0 { (column, 0) } else { (line, column) };
    if line == 0 {
        return Frame::named(&clean_name(text), FrameKind::Js);
    }
    // The name may have spaces in it (`get size`), a path begins with `/` or a scheme.
    let cut = [" /", " file:", " node:"].iter().filter_map(|start| place.find(start)).min();
    let (name, file) = match cut.or_else(|| place.rfind(' ')) {
        Some(at) => (&place[..at], place[at + 1..].trim_start_matches("file://")),
        None => ("", place),
    };
    let kind = if file.starts_with("node:") { FrameKind::Builtin } else { FrameKind::Js };
    Frame::at(&clean_name(name), &clean_path(file), line, column, kind)
}

/// The text before the last `:NUMBER`, and the number; 0 if there is none.
fn number_cut(text: &str) -> (&str, u32) {
    let cut = text.rsplit_once(':').and_then(|(before, number)| Some((before, number.parse().ok()?)));
    cut.unwrap_or((text, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_v8_give_function_and_place() {
        let js = |name, file, line, column| Frame::at(name, file, line, column, FrameKind::Js);
        for (text, expected) in [
            ("JS:*fib /srv/app.js:1:13", js("fib", "/srv/app.js", 1, 13)),
            ("LazyCompile:~Store.put /srv/app.js:3:18", js("Store.put", "/srv/app.js", 3, 18)),
            ("LazyCompile:*old /srv/app.js:7", js("old", "/srv/app.js", 7, 0)),
            ("Function:^get size file:///srv/a b/app.js:2:1", js("get size", "/srv/a b/app.js", 2, 1)),
            ("JS:^ /srv/app.js:1:1", js("(anonymous)", "/srv/app.js", 1, 1)),
            ("JS:~", Frame::named("(anonymous)", FrameKind::Js)),
            ("JS:~native array.js", Frame::named("native array.js", FrameKind::Js)),
            (
                "JS:~job.ondone node:internal/crypto/pbkdf2:52:16",
                Frame::at("job.ondone", "node:internal/crypto/pbkdf2", 52, 16, FrameKind::Builtin),
            ),
            ("Builtin:ArrayMap", Frame::named("ArrayMap", FrameKind::Builtin)),
            ("BytecodeHandler:Add", Frame::named("Add", FrameKind::Builtin)),
        ] {
            assert_eq!(frame(text), Some(expected), "{text}");
        }
        let python = Frame::at("serve", "/srv/app.py", 0, 0, FrameKind::Native);
        assert_eq!(frame("py::serve:/srv/app.py"), Some(python));
        assert_eq!(frame("std::vector::push"), None);
        assert_eq!(frame("Function::apply(int)"), None);
        assert_eq!(frame("Interpreter"), None);
    }
}
