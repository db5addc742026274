//! Who may import whom: the layers of the crate, the places of outside crates, purity, `unsafe`.

use crate::Breach;
use crate::source_file::{CodePath, SourceFile};

/// From the bottom up: a module may import those of the lines above its own.
const LAYERS: &[&[&str]] = &[
    &["profile", "files", "planted"],
    &["feed", "gauges", "format"],
    &["record", "session", "guard"],
    &["source", "sink", "report", "app", "theme", "config", "demo"],
    &["view"],
    &["engine"],
    &["cli"],
    &["main"],
];

/// The few imports within a layer, each with its reason.
const WITHIN_LAYER: &[(&str, &str, &str)] = &[
    ("feed", "gauges", "a feed carries gauge readings"),
    ("format", "feed", "an export names the target it is of"),
    ("demo", "source", "the demo profiles itself with the source's pprof server"),
    ("config", "app", "configured keys name actions"),
    ("config", "theme", "the configuration names a theme"),
];

/// Outside crates that only some modules may know.
const CONFINED: &[(&str, &[&str])] = &[
    ("ratatui", &["view", "theme", "engine/terminal"]),
    ("tui_tree_widget", &["view"]),
    ("crossterm", &["engine"]),
    ("tokio", &["engine", "source", "sink", "cli", "demo"]),
    ("tokio_tungstenite", &["source"]),
    ("futures_util", &["engine", "source", "sink", "demo"]),
    ("hyper", &["source", "sink", "demo"]),
    ("hyper_util", &["source", "sink", "demo"]),
    ("http_body_util", &["source", "sink", "demo"]),
    ("prost", &["format"]),
    ("inferno", &["format"]),
    ("sysinfo", &["source/discover", "source/procstat"]),
    ("rusqlite", &["record"]),
    ("sha2", &["report"]),
    ("data_encoding", &["report"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("anyhow", &["cli", "main"]),
    ("pprof", &["source/this_process", "demo"]),
];

/// Modules that take all they need as arguments.
const PURE: &[&str] = &["profile", "feed", "gauges", "session", "app", "view"];

/// What pure modules may not name.
const IMPURE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["rustix"],
    &["tokio"],
];

/// Files that may hold `unsafe`, each with its reason.
const UNSAFE_FILES: &[(&str, &str)] = &[(
    "src/source/this_process/heap.rs",
    "a global allocator and its stack walk are unsafe by their nature",
)];

/// The rule that imports within the crate point down.
pub fn imports(file: &SourceFile) -> Vec<Breach> {
    let Some(own) = file.module().first().cloned() else {
        return vec![];
    };
    if layer(&own).is_none() {
        let remedy = "add the module to LAYERS in tests/architecture/layers.rs, where it belongs";
        return vec![Breach::new(file, 1, format!("`{own}` has no layer"), remedy)];
    }
    file.paths().iter().filter_map(|path| import(file, &own, path)).collect()
}

/// The rule that an outside crate is known in its places only.
pub fn outside_crates(file: &SourceFile) -> Vec<Breach> {
    file.paths().iter().filter_map(|path| outside_crate(file, path)).collect()
}

/// The rule that pure modules neither do input or output nor read a clock.
pub fn purity(file: &SourceFile) -> Vec<Breach> {
    if !PURE.iter().any(|place| is_in(file, place)) {
        return vec![];
    }
    let remedy = "take the value as an argument, or return an effect that the engine performs";
    let impure = file.paths().into_iter().filter(|path| is_impure(&path.segments));
    impure
        .map(|path| {
            Breach::new(
                file,
                path.line,
                format!("a pure module names `{}`", path.segments.join("::")),
                remedy,
            )
        })
        .collect()
}

/// The rule that `unsafe` is kept to listed files.
pub fn unsafe_code(file: &SourceFile) -> Vec<Breach> {
    if UNSAFE_FILES.iter().any(|(listed, _)| *listed == file.path) {
        return vec![];
    }
    let remedy = "use a safe call (rustix has most), or list the file with its reason in UNSAFE_FILES";
    let words = file.code.iter().filter(|token| token.is_word("unsafe"));
    words.map(|token| Breach::new(file, token.line, "`unsafe` outside of the listed files", remedy)).collect()
}

/// Rows of [`UNSAFE_FILES`] that are not needed any more.
pub fn stale_unsafe_rows(files: &[SourceFile]) -> Vec<Breach> {
    let needed = |listed: &str| {
        let file = files.iter().find(|file| file.path == listed);
        file.is_some_and(|file| file.code.iter().any(|token| token.is_word("unsafe")))
    };
    let stale = UNSAFE_FILES.iter().filter(|(listed, _)| !needed(listed));
    let breach = |(listed, _): &(&str, &str)| Breach {
        place: (*listed).to_owned(),
        what: "holds no `unsafe`".to_owned(),
        remedy: "take its row out of UNSAFE_FILES in tests/architecture/layers.rs",
    };
    stale.map(breach).collect()
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn import(file: &SourceFile, own: &str, path: &CodePath) -> Option<Breach> {
    let (root, rest) = path.segments.split_first()?;
    let other = rest.first().filter(|_| root == "crate" || root == "flametop")?;
    if other == own || may_import(own, other) {
        return None;
    }
    let what = format!("`{own}` imports `{}`", path.segments.join("::"));
    let remedy = match layer(other) {
        None => "import it from the module it is defined in, not from the crate's root",
        Some(_) => {
            "move what both need down, or pass it in from above (LAYERS in tests/architecture/layers.rs)"
        }
    };
    Some(Breach::new(file, path.line, what, remedy))
}

fn may_import(own: &str, other: &str) -> bool {
    let down = matches!((layer(own), layer(other)), (Some(own), Some(other)) if other < own);
    down || WITHIN_LAYER.iter().any(|(from, to, _)| (*from, *to) == (own, other))
}

fn outside_crate(file: &SourceFile, path: &CodePath) -> Option<Breach> {
    let name = path.segments.first()?;
    let (_, places) = CONFINED.iter().find(|(confined, _)| confined == name)?;
    if places.iter().any(|place| is_in(file, place)) || file.declares_module(name) {
        return None;
    }
    let what = format!("`{name}` is for {} only", places.join(", "));
    Some(Breach::new(file, path.line, what, "put what needs it there, behind a type of our own"))
}

/// `engine/terminal` holds `engine/terminal.rs`, `engine/terminal/..` and `engine/terminal_writer.rs`.
fn is_in(file: &SourceFile, place: &str) -> bool {
    let rest = file.path.strip_prefix("src/").and_then(|path| path.strip_prefix(place));
    rest.is_some_and(|rest| rest.starts_with(['/', '.', '_']))
}

fn is_impure(segments: &[String]) -> bool {
    let reads_clock = segments
        .windows(2)
        .any(|pair| matches!(pair[0].as_str(), "Instant" | "SystemTime") && pair[1] == "now");
    let starts_with = |prefix: &&[&str]| {
        segments.len() >= prefix.len() && prefix.iter().zip(segments).all(|(named, own)| own == named)
    };
    reads_clock || IMPURE.iter().any(starts_with)
}

fn breached(path: &str, text: &str, rule: fn(&SourceFile) -> Vec<Breach>) -> Vec<String> {
    rule(&SourceFile::parse(path, text)).into_iter().map(|breach| breach.place).collect()
}

#[test]
fn an_import_that_points_up_is_found() {
    assert_eq!(
        breached("src/profile/fold.rs", "\nuse crate::{view::Shown, profile::Row};", imports),
        ["src/profile/fold.rs:2"]
    );
    assert_eq!(breached("src/session/mod.rs", "use super::engine::Tick;", imports), ["src/session/mod.rs:1"]);
    assert_eq!(breached("src/engine/mod.rs", "use crate::Fold;", imports), ["src/engine/mod.rs:1"]);
    assert_eq!(breached("src/misc/mod.rs", "", imports), ["src/misc/mod.rs:1"]);
    assert!(
        breached("src/view/mod.rs", "use crate::{app::App, profile::Fold}; use super::feed::Feed;", imports)
            .is_empty()
    );
}

#[test]
fn an_outside_crate_out_of_place_is_found() {
    assert_eq!(
        breached("src/app/mod.rs", "fn f(key: crossterm::event::KeyCode) {}", outside_crates),
        ["src/app/mod.rs:1"]
    );
    assert!(breached("src/engine/input.rs", "use crossterm::event::KeyCode;", outside_crates).is_empty());
    assert!(breached("src/format/mod.rs", "mod pprof; fn f() { pprof::read() }", outside_crates).is_empty());
}

#[test]
fn a_pure_module_that_reads_is_found() {
    assert_eq!(breached("src/app/mod.rs", "fn f() { Instant::now(); std::fs::read(x); }", purity).len(), 2);
    assert!(breached("src/engine/mod.rs", "fn f() { Instant::now(); }", purity).is_empty());
}

#[test]
fn unsafe_out_of_place_is_found() {
    assert_eq!(breached("src/app/mod.rs", "fn f() { unsafe { g() } }", unsafe_code), ["src/app/mod.rs:1"]);
}
