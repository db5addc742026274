//! What frames are called in files, and what a name and a file tell about a frame's kind.
//!
//! Writing and reading use the same rules, so only frames that break them need a remark in the file.

use crate::profile::{Frame, FrameKind};
use std::borrow::Cow;

pub(super) const ANONYMOUS: &str = "(anonymous)";
/// Stands for what a file refers to and does not have.
pub(super) const UNKNOWN: &str = "[unknown]";
/// Holds values that have no stack.
pub(super) const OTHER: &str = "(other)";

/// Names that are kinds of their own, whoever wrote the file.
const SPECIAL: [(&str, FrameKind); 8] = [
    ("(garbage collector)", FrameKind::Gc),
    ("Garbage Collection", FrameKind::Gc),
    ("(program)", FrameKind::Program),
    ("(idle)", FrameKind::Idle),
    ("(truncated)", FrameKind::Truncated),
    ("(frames left out)", FrameKind::Truncated),
    (OTHER, FrameKind::Other),
    (UNKNOWN, FrameKind::Other),
];
const JS_ENDINGS: [&str; 10] = ["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx", "vue", "svelte"];
const NATIVE_ENDINGS: [&str; 12] = ["go", "rs", "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "s", "S", "zig"];
const RUNTIMES: [&str; 4] = ["node", "nodejs", "deno", "bun"];

/// The name of a frame in a file: anonymous functions are told apart by their place, because viewers
/// merge equal names.
pub(super) fn written_name(frame: &Frame) -> Cow<'_, str> {
    match (&*frame.name == ANONYMOUS, frame.line, frame.column) {
        (false, ..) | (true, 0, _) => Cow::Borrowed(&frame.name),
        (true, line, 0) => format!("(anonymous:L#{line})").into(),
        (true, line, column) => format!("(anonymous:L#{line}:C#{column})").into(),
    }
}

/// The line and column (0 if absent) in a name that [`written_name`] made.
pub(super) fn anonymous_place(name: &str) -> Option<(u32, u32)> {
    let place = name.strip_prefix("(anonymous:L#")?.strip_suffix(')')?;
    match place.split_once(":C#") {
        Some((line, column)) => Some((line.parse().ok()?, column.parse().ok()?)),
        None => Some((place.parse().ok()?, 0)),
    }
}

/// The kind that a frame with this name and file usually has in this executable or library.
pub(super) fn kind_of(name: &str, file: &str, mapping: &str) -> FrameKind {
    if file.is_empty() {
        let special = SPECIAL.iter().find(|(special, _)| *special == name).map(|(_, kind)| *kind);
        return special.unwrap_or_else(|| {
            if is_runtime(mapping) { FrameKind::Builtin } else { kernel_or_native(mapping) }
        });
    }
    if ["node:", "deno:", "bun:", "ext:"].iter().any(|scheme| file.starts_with(scheme)) {
        return FrameKind::Builtin;
    }
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    if JS_ENDINGS.contains(&ending) {
        return FrameKind::Js;
    }
    if !NATIVE_ENDINGS.contains(&ending) && is_runtime(mapping) {
        return FrameKind::Js;
    }
    kernel_or_native(mapping)
}

fn is_runtime(mapping: &str) -> bool {
    RUNTIMES.contains(&mapping.rsplit('/').next().unwrap_or_default())
}

fn kernel_or_native(mapping: &str) -> FrameKind {
    let kernel = mapping.starts_with("[kernel") || mapping.ends_with("vmlinux");
    if kernel { FrameKind::Kernel } else { FrameKind::Native }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_anonymous_functions_carry_their_place_and_give_it_back() {
        for (line, column, name) in
            [(0, 0, "(anonymous)"), (12, 0, "(anonymous:L#12)"), (12, 34, "(anonymous:L#12:C#34)")]
        {
            let frame = Frame::at(ANONYMOUS, "/a.js", line, column, FrameKind::Js);
            assert_eq!(written_name(&frame), name);
            assert_eq!(anonymous_place(name).unwrap_or((0, 0)), (line, column));
        }
        assert_eq!(anonymous_place("(anonymous:L#99999999999)"), None);
        assert_eq!(anonymous_place("(anonymous:L#1:C#x)"), None);
    }

    #[test]
    fn kinds_follow_from_name_file_and_mapping() {
        for (name, file, mapping, kind) in [
            ("f", "/srv/app.js", "/usr/bin/node", FrameKind::Js),
            ("f", "/srv/app.ts", "", FrameKind::Js),
            ("eval", "evalmachine.<anonymous>", "/usr/bin/node", FrameKind::Js),
            ("readSync", "node:fs", "", FrameKind::Builtin),
            ("sort", "", "/usr/bin/node", FrameKind::Builtin),
            ("(idle)", "", "/usr/bin/node", FrameKind::Idle),
            ("(garbage collector)", "", "", FrameKind::Gc),
            ("(idle)", "/srv/app.js", "", FrameKind::Js),
            ("main.main", "/go/src/main.go", "/bin/server", FrameKind::Native),
            ("uv_run", "../deps/uv/src/core.c", "/usr/bin/node", FrameKind::Native),
            ("do_syscall_64", "", "[kernel.kallsyms]", FrameKind::Kernel),
            ("malloc", "", "/lib/libc.so.6", FrameKind::Native),
        ] {
            assert_eq!(kind_of(name, file, mapping), kind, "{name} {file} {mapping}");
        }
    }
}
