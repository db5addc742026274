//! The house test: the shape of the code, read from the sources, with the place and the remedy of
//! every breach. The rules are tables: `layers.rs` (who may import whom), `sizes.rs`, `habits.rs`.
//!
//! Code under `#[cfg(test)]` may import what it likes and may be as long as it needs.

mod habits;
mod layers;
mod sizes;
mod source_file;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use source_file::SourceFile;

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    place: String,
    what: String,
    remedy: &'static str,
}

impl Breach {
    fn new(file: &SourceFile, line: usize, what: impl Into<String>, remedy: &'static str) -> Breach {
        Breach { place: format!("{}:{line}", file.path), what: what.into(), remedy }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    {}", self.place, self.what, self.remedy)
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let found = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => rust_files(&path),
        path => vec![path],
    });
    let mut files: Vec<PathBuf> =
        found.filter(|path| path.extension().is_some_and(|kind| kind == "rs")).collect();
    files.sort();
    files
}

fn read(dir: &str) -> Vec<SourceFile> {
    rust_files(&repository().join(dir)).iter().map(|path| read_one(path)).collect()
}

fn read_one(path: &Path) -> SourceFile {
    let name = path.strip_prefix(repository()).unwrap_or(path).display().to_string();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("failed to read {name}: {error}"));
    SourceFile::parse(&name, &text)
}

#[track_caller]
fn assert_none(breaches: &[Breach]) {
    let list: Vec<String> = breaches.iter().map(ToString::to_string).collect();
    assert!(breaches.is_empty(), "{} broken rules:\n{}\n", breaches.len(), list.join("\n"));
}

#[track_caller]
fn assert_kept(dir: &str, rule: fn(&SourceFile) -> Vec<Breach>) {
    let breaches: Vec<Breach> = read(dir).iter().flat_map(rule).collect();
    assert_none(&breaches);
}

#[test]
fn imports_point_down() {
    assert_kept("src", layers::imports);
}

#[test]
fn outside_crates_stay_in_their_places() {
    assert_kept("src", layers::outside_crates);
}

#[test]
fn pure_modules_do_no_input_or_output_and_read_no_clock() {
    assert_kept("src", layers::purity);
}

#[test]
fn unsafe_stays_in_the_listed_files() {
    assert_kept("src", layers::unsafe_code);
    assert_none(&layers::stale_unsafe_rows(&read("src")));
}

#[test]
fn files_are_short() {
    assert_kept("src", sizes::file);
}

#[test]
fn functions_are_short() {
    assert_kept("src", sizes::functions);
}

#[test]
fn most_functions_are_very_short() {
    let median = sizes::median_function(&read("src"));
    assert!(
        median < sizes::MEDIAN_LINES,
        "the median function has {median} lines, the limit is {}",
        sizes::MEDIAN_LINES
    );
}

#[test]
fn modules_say_what_they_are_for() {
    assert_kept("src", habits::module_header);
    assert_kept("tests", habits::module_header);
    assert_kept("benches", habits::module_header);
}

#[test]
fn code_does_not_unwrap() {
    assert_kept("src", habits::no_unwrap);
}

#[test]
fn nothing_is_left_unfinished() {
    assert_kept("src", habits::nothing_unfinished);
    assert_kept("tests", habits::nothing_unfinished);
    assert_kept("benches", habits::nothing_unfinished);
}

#[test]
fn tests_wait_for_conditions_and_are_all_run() {
    assert_kept("src", habits::honest_tests);
    assert_kept("tests", habits::honest_tests);
    assert_kept("tests", habits::no_sleep);
}
