//! Small habits: headers, no `unwrap`, nothing unfinished, tests that are honest.

use crate::Breach;
use crate::source_file::{Kind, SourceFile, Token};

/// The one file of the tests that may sleep.
const WAITING: &str = "tests/support/wait.rs";

/// Written apart, so that this file keeps its own rule.
const UNFINISHED_NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const UNFINISHED_MACROS: &[&str] = &["todo", "dbg", "unimplemented"];

/// The rule that a module begins with `//!`.
pub fn module_header(file: &SourceFile) -> Vec<Breach> {
    if file.text.starts_with("//!") {
        return vec![];
    }
    vec![Breach::new(
        file,
        1,
        "no `//!` on the first line",
        "say what the module is for, what not, and who calls it",
    )]
}

/// The rule that code does not `unwrap`.
pub fn no_unwrap(file: &SourceFile) -> Vec<Breach> {
    let remedy = "return an error, or `expect` an invariant that this file can prove";
    let calls = file.code.windows(2).filter(|pair| pair[0].is_mark('.') && pair[1].is_word("unwrap"));
    calls.map(|pair| Breach::new(file, pair[1].line, "`unwrap` outside of tests", remedy)).collect()
}

/// The rule that nothing is left for later in the code itself.
pub fn nothing_unfinished(file: &SourceFile) -> Vec<Breach> {
    let remedy = "finish it, or open an issue and take the note out";
    let lines = file.text.lines().enumerate();
    let noted = lines.filter_map(|(index, line)| Some((index + 1, unfinished_note(line)?)));
    let notes = noted.map(|(line, note)| Breach::new(file, line, format!("`{note}`"), remedy));
    let macros = [&file.code, &file.tests].into_iter().flat_map(|tokens| tokens.windows(2)).filter(|pair| {
        pair[1].is_mark('!') && pair[0].word().is_some_and(|word| UNFINISHED_MACROS.contains(&word))
    });
    notes.chain(macros.map(|pair| Breach::new(file, pair[0].line, "an unfinished place", remedy))).collect()
}

/// The rule that no test is ignored, none is passed by any panic at all, and none blocks its thread.
pub fn honest_tests(file: &SourceFile) -> Vec<Breach> {
    let mut breaches = vec![];
    for tokens in [&file.code, &file.tests] {
        let opened =
            tokens.windows(3).filter(|three| three[0].is_mark('#') && three[1].kind == Kind::Open('['));
        for three in opened.filter(|three| three[2].is_word("ignore") || three[2].is_word("should_panic")) {
            let remedy = "run it always: require_node! and its like skip loudly; compare errors by value";
            breaches.push(Breach::new(file, three[2].line, "a test that need not pass", remedy));
        }
    }
    let slept = sleeps(&file.tests).filter(|_| file.path != WAITING);
    breaches.extend(slept.map(|token| Breach::new(file, token.line, "a test sleeps", SLEEP_REMEDY)));
    breaches
}

/// The rule that integration tests do not sleep anywhere but in one place.
pub fn no_sleep(file: &SourceFile) -> Vec<Breach> {
    if file.path == WAITING {
        return vec![];
    }
    sleeps(&file.code).map(|token| Breach::new(file, token.line, "a test sleeps", SLEEP_REMEDY)).collect()
}

const SLEEP_REMEDY: &str =
    "wait for the condition with a deadline (tests/support/wait.rs), or step the test's clock";

/// Calls of anything called `sleep`; `import::sleep` alone does no harm.
fn sleeps(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    let calls = tokens.windows(2).filter(|pair| pair[0].is_word("sleep") && pair[1].kind == Kind::Open('('));
    calls.map(|pair| &pair[0])
}

fn unfinished_note(line: &str) -> Option<&'static str> {
    let is_word = |note: &&&str| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == **note);
    UNFINISHED_NOTES.iter().find(is_word).copied()
}

fn places(path: &str, text: &str, rule: fn(&SourceFile) -> Vec<Breach>) -> Vec<String> {
    rule(&SourceFile::parse(path, text)).into_iter().map(|breach| breach.place).collect()
}

#[test]
fn unwrap_is_found_in_code_and_allowed_in_tests() {
    assert_eq!(places("src/a.rs", "fn f() {\n    x.unwrap();\n}", no_unwrap), ["src/a.rs:2"]);
    assert!(places("src/a.rs", "#[cfg(test)]\nmod tests { fn f() { x.unwrap() } }", no_unwrap).is_empty());
}

#[test]
fn unfinished_places_are_found() {
    let note = format!("// {}: later\nfn f() {{ {}!() }}", UNFINISHED_NOTES[0], UNFINISHED_MACROS[0]);
    assert_eq!(places("src/a.rs", &note, nothing_unfinished), ["src/a.rs:1", "src/a.rs:2"]);
}

#[test]
fn tests_that_sleep_or_need_not_pass_are_found() {
    let text =
        "#[cfg(test)]\nmod tests {\n    #[test]\n    #[ignore]\n    fn f() { std::thread::sleep(x) }\n}";
    assert_eq!(places("src/a.rs", text, honest_tests), ["src/a.rs:4", "src/a.rs:5"]);
    assert_eq!(places("tests/a.rs", "fn f() { thread::sleep(x) }", no_sleep), ["tests/a.rs:1"]);
    assert!(places(WAITING, "fn f() { thread::sleep(x) }", no_sleep).is_empty());
}

#[test]
fn a_missing_header_is_found() {
    assert_eq!(places("src/a.rs", "fn f() {}", module_header), ["src/a.rs:1"]);
    assert!(places("src/a.rs", "//! What it is for.\n", module_header).is_empty());
}
