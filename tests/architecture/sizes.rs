//! How long files and functions may be. Test code does not count.

use crate::Breach;
use crate::source_file::SourceFile;

/// A file has fewer lines than this.
const FILE_LINES: usize = 500;
/// A function has fewer lines than this, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 80;
/// Half of all functions have fewer lines than this.
pub const MEDIAN_LINES: usize = 15;

/// The rule for files.
pub fn file(file: &SourceFile) -> Vec<Breach> {
    let lines = file.text.lines().count() - file.test_lines.min(file.text.lines().count());
    if lines < FILE_LINES {
        return vec![];
    }
    let what = format!("{lines} lines without tests, the limit is {FILE_LINES}");
    vec![Breach::new(file, 1, what, "find the second concept in it and give that a file of its own")]
}

/// The rule for functions.
pub fn functions(file: &SourceFile) -> Vec<Breach> {
    let long = file.functions().into_iter().filter(|function| function.length >= FUNCTION_LINES);
    let breach = |function: crate::source_file::Function| {
        let what =
            format!("`{}` has {} lines, the limit is {FUNCTION_LINES}", function.name, function.length);
        Breach::new(
            file,
            function.line,
            what,
            "look for the missing noun: a type whose methods are the parts",
        )
    };
    long.map(breach).collect()
}

/// The median length of all functions.
pub fn median_function(files: &[SourceFile]) -> usize {
    let mut lengths: Vec<usize> =
        files.iter().flat_map(SourceFile::functions).map(|function| function.length).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() / 2).copied().unwrap_or(0)
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let code = "// a line\n".repeat(FILE_LINES);
    assert_eq!(file(&SourceFile::parse("src/a.rs", &code)).len(), 1);
    let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{code}}}\n");
    assert!(file(&SourceFile::parse("src/a.rs", &tests)).is_empty());
}

#[test]
fn a_long_function_is_found() {
    let body = "    g();\n".repeat(FUNCTION_LINES - 2);
    let breaches = functions(&SourceFile::parse("src/a.rs", &format!("fn f() {{\n{body}}}\nfn g();\n")));
    assert_eq!(breaches.len(), 1);
    assert_eq!(breaches[0].place, "src/a.rs:1");
}
