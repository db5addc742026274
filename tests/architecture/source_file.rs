//! A source file as the rules need it: tokens with lines, functions, and paths resolved to modules.
//!
//! It works on tokens, not on a syntax tree, so code inside macros (`select!`, `matches!`) is seen too.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A file of Rust.
pub struct SourceFile {
    /// Relative to the repository, as `src/view/shown.rs`.
    pub path: String,
    /// The text as it is.
    pub text: String,
    /// All tokens but those of test code.
    pub code: Vec<Token>,
    /// The tokens of test code.
    pub tests: Vec<Token>,
    /// How many lines are test code.
    pub test_lines: usize,
}

/// A token with its line, counted from 1. Groups are opened and closed by tokens of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub line: usize,
}

/// What a token is, as far as a rule may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word: a name or a keyword.
    Word(String),
    /// One character of punctuation; `::` is two.
    Mark(char),
    /// `(`, `[`, `{`, or blank for an invisible group.
    Open(char),
    /// The end of the group that opened with this character.
    Close(char),
    /// A number, a string, a character.
    Literal,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name, without its type.
    pub name: String,
    /// The line of `fn`.
    pub line: usize,
    /// From `fn` to the closing brace.
    pub length: usize,
}

/// A path as written, `use` groups taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct CodePath {
    /// `["crate", "profile", "Fold"]`; `super` and `self` are resolved to `crate`.
    pub segments: Vec<String>,
    /// Its line.
    pub line: usize,
}

impl SourceFile {
    /// Reads a file; one that rustc would not take either fails the test.
    pub fn parse(path: &str, text: &str) -> SourceFile {
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path} is not Rust: {error}"));
        let mut file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
            code: vec![],
            tests: vec![],
            test_lines: 0,
        };
        if file.is_test_file() {
            file.test_lines = text.lines().count();
            flatten(stream, &mut file.tests);
        } else {
            file.split(stream);
        }
        file
    }

    /// The module the file is, from the crate's root: `["view", "shown"]`; empty for `lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let place = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = place.split('/').map(str::to_owned).collect();
        if module.last().is_some_and(|last| last == "mod" || last == "lib") {
            module.pop();
        }
        module
    }

    /// The functions outside of test code.
    pub fn functions(&self) -> Vec<Function> {
        (0..self.code.len()).filter_map(|index| function_at(&self.code, index)).collect()
    }

    /// The paths outside of test code.
    pub fn paths(&self) -> Vec<CodePath> {
        let mut reader =
            PathReader { tokens: &self.code, module: self.module(), inline: vec![], paths: vec![] };
        reader.read_all();
        reader.paths
    }

    /// True when the file declares `mod name`, so that `name::x` is not an outside crate.
    pub fn declares_module(&self, name: &str) -> bool {
        self.code.windows(2).any(|pair| pair[0].is_word("mod") && pair[1].is_word(name))
    }

    /// `mod tests;` keeps its file beside the code it tests.
    fn is_test_file(&self) -> bool {
        let module = self.module();
        self.path.starts_with("src/") && module.iter().any(|part| part == "tests")
    }

    /// Deals the tokens out to code and tests, on every level.
    fn split(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut index = 0;
        while index < trees.len() {
            let test_end = test_item_end(&trees, index);
            if let Some(end) = test_end {
                let last = &trees[end - 1];
                self.test_lines += last.span().end().line + 1 - trees[index].span().start().line;
                flatten(trees[index..end].iter().cloned().collect(), &mut self.tests);
                index = end;
                continue;
            }
            match &trees[index] {
                TokenTree::Group(group) => self.split_group(group),
                tree => self.code.extend(leaf(tree)),
            }
            index += 1;
        }
    }

    fn split_group(&mut self, group: &Group) {
        let mark = delimiter(group);
        self.code.push(Token { kind: Kind::Open(mark), line: group.span_open().start().line });
        self.split(group.stream());
        self.code.push(Token { kind: Kind::Close(mark), line: group.span_close().end().line });
    }
}

impl Token {
    /// True for this word.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }

    /// True for this mark.
    pub fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }

    /// The word, if it is one.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }
}

/// Where the item ends that `#[cfg(test)]` at `index` takes out; `None` if there is no such attribute.
fn test_item_end(trees: &[TokenTree], index: usize) -> Option<usize> {
    let (mut end, is_test) = attribute_at(trees, index)?;
    if !is_test {
        return None;
    }
    while let Some((next, _)) = attribute_at(trees, end) {
        end = next;
    }
    let is_last = |tree: &TokenTree| match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(mark) => mark.as_char() == ';',
        _ => false,
    };
    let length = trees[end..].iter().position(is_last).map_or(trees.len() - end, |last| last + 1);
    Some(end + length)
}

/// The end of an attribute at `index`, and whether it means "only in tests".
fn attribute_at(trees: &[TokenTree], index: usize) -> Option<(usize, bool)> {
    match (trees.get(index)?, trees.get(index + 1)?) {
        (TokenTree::Punct(mark), TokenTree::Group(group))
            if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
        {
            let text: String = group.stream().to_string().split_whitespace().collect();
            let is_test = text == "test" || text == "cfg(test)" || text.starts_with("cfg(all(test");
            Some((index + 2, is_test))
        }
        _ => None,
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        if let TokenTree::Group(group) = &tree {
            let mark = delimiter(group);
            tokens.push(Token { kind: Kind::Open(mark), line: group.span_open().start().line });
            flatten(group.stream(), tokens);
            tokens.push(Token { kind: Kind::Close(mark), line: group.span_close().end().line });
        }
        tokens.extend(leaf(&tree));
    }
}

fn leaf(tree: &TokenTree) -> Option<Token> {
    let kind = match tree {
        TokenTree::Ident(ident) => Kind::Word(ident.to_string()),
        TokenTree::Punct(punct) => Kind::Mark(punct.as_char()),
        TokenTree::Literal(_) => Kind::Literal,
        TokenTree::Group(_) => return None,
    };
    Some(Token { kind, line: tree.span().start().line })
}

fn delimiter(group: &Group) -> char {
    match group.delimiter() {
        Delimiter::Parenthesis => '(',
        Delimiter::Bracket => '[',
        Delimiter::Brace => '{',
        Delimiter::None => ' ',
    }
}

/// The index of the token that closes the group opened at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len() - 1
}

/// The function whose `fn` is at `index`; a declaration without a body is none.
fn function_at(tokens: &[Token], index: usize) -> Option<Function> {
    let name = tokens.get(index + 1).filter(|_| tokens[index].is_word("fn"))?.word()?;
    let mut at = index + 2;
    while at < tokens.len() && !tokens[at].is_mark(';') {
        if tokens[at].kind == Kind::Open('{') {
            let line = tokens[index].line;
            let length = tokens[closing(tokens, at)].line + 1 - line;
            return Some(Function { name: name.to_owned(), line, length });
        }
        at = if matches!(tokens[at].kind, Kind::Open(_)) { closing(tokens, at) + 1 } else { at + 1 };
    }
    None
}

/// Walks over tokens and collects paths.
struct PathReader<'a> {
    tokens: &'a [Token],
    module: Vec<String>,
    /// Modules written out in the file that the walk is in: name and index of the closing brace.
    inline: Vec<(String, usize)>,
    paths: Vec<CodePath>,
}

impl PathReader<'_> {
    fn read_all(&mut self) {
        let mut index = 0;
        while index < self.tokens.len() {
            self.inline.retain(|(_, end)| index < *end);
            index = match self.tokens[index].word() {
                Some("use") => self.read_use(index + 1, &[]),
                Some("mod") => self.enter_module(index),
                Some(_) if !self.follows_separator(index) => self.read_path(index),
                _ => index + 1,
            };
        }
    }

    fn enter_module(&mut self, index: usize) -> usize {
        let name = self.tokens.get(index + 1).and_then(Token::word);
        if let Some(name) = name
            && self.tokens.get(index + 2).is_some_and(|token| token.kind == Kind::Open('{'))
        {
            self.inline.push((name.to_owned(), closing(self.tokens, index + 2)));
        }
        index + 2
    }

    /// A path outside of `use`; a lone word is none.
    fn read_path(&mut self, start: usize) -> usize {
        let (segments, end) = self.segments(start);
        if segments.len() > 1 {
            self.push(segments, self.tokens[start].line);
        }
        end.max(start + 1)
    }

    /// A tree of `use` from `start` on, under `prefix`; returns the index after it.
    fn read_use(&mut self, start: usize, prefix: &[String]) -> usize {
        let mut index = start;
        // A leading `::`, as in `use ::tokio::spawn`.
        while self.tokens.get(index).is_some_and(|token| token.is_mark(':')) {
            index += 1;
        }
        let (own, end) = self.segments(index);
        let path = [prefix, &own].concat();
        if self.tokens.get(end).is_some_and(|token| token.kind == Kind::Open('{')) {
            return self.read_use_group(end, &path);
        }
        if let Some(token) = self.tokens.get(index) {
            self.push(path, token.line);
        }
        end.max(start + 1)
    }

    fn read_use_group(&mut self, open: usize, prefix: &[String]) -> usize {
        let close = closing(self.tokens, open);
        let mut index = open + 1;
        while index < close {
            index = self.read_use(index, prefix);
            while index < close && !self.tokens[index].is_mark(',') {
                index += 1;
            }
            index += 1;
        }
        close + 1
    }

    /// `a::b::c` from `start` on, and the index after it and after a trailing `::`.
    fn segments(&self, start: usize) -> (Vec<String>, usize) {
        let mut segments = vec![];
        let mut index = start;
        while let Some(word) = self.tokens.get(index).and_then(Token::word) {
            segments.push(word.to_owned());
            index += 1;
            let separated = self.tokens[index.min(self.tokens.len())..].iter().take(2);
            if separated.filter(|token| token.is_mark(':')).count() < 2 {
                break;
            }
            index += 2;
        }
        (segments, index)
    }

    fn follows_separator(&self, index: usize) -> bool {
        index >= 2 && self.tokens[index - 2..index].iter().all(|token| token.is_mark(':'))
    }

    fn push(&mut self, segments: Vec<String>, line: usize) {
        let segments = self.resolve(segments);
        self.paths.push(CodePath { segments, line });
    }

    /// Turns `self::x` and `super::x` into `crate::..::x`.
    fn resolve(&self, segments: Vec<String>) -> Vec<String> {
        let ups = segments.iter().take_while(|segment| *segment == "super" || *segment == "self").count();
        if ups == 0 {
            return segments;
        }
        let supers = segments[..ups].iter().filter(|segment| *segment == "super").count();
        let mut module =
            [self.module.clone(), self.inline.iter().map(|(name, _)| name.clone()).collect()].concat();
        module.truncate(module.len().saturating_sub(supers));
        [&["crate".to_owned()], &module[..], &segments[ups..]].concat()
    }
}

#[test]
fn use_groups_and_relative_paths_are_taken_apart() {
    let text = "use crate::{profile::{Fold, ids}, feed};\nuse super::rows::Row;\nfn f() { super::super::super::view::draw(x); vec.len() }";
    let paths = SourceFile::parse("src/app/update/zoom.rs", text).paths();
    let found: Vec<String> = paths.iter().map(|path| path.segments.join("::")).collect();
    let wanted = [
        "crate::profile::Fold",
        "crate::profile::ids",
        "crate::feed",
        "crate::app::update::rows::Row",
        "crate::view::draw",
    ];
    assert_eq!(found, wanted);
    assert_eq!(paths[4].line, 3);
}

#[test]
fn test_code_is_set_apart() {
    let text =
        "fn f() {\n    x\n}\n\n#[cfg(test)]\nmod tests {\n    use crate::cli::Args;\n    fn g() {}\n}\n";
    let file = SourceFile::parse("src/profile/fold.rs", text);
    assert_eq!(file.test_lines, 5);
    assert!(file.paths().is_empty());
    assert_eq!(file.functions(), [Function { name: "f".to_owned(), line: 1, length: 3 }]);
}

#[test]
fn code_inside_macros_is_seen() {
    let text = "fn f() { tokio::select! { _ = crate::engine::tick() => {} } }";
    let paths = SourceFile::parse("src/source/x.rs", text).paths();
    assert!(paths.iter().any(|path| path.segments == ["crate", "engine", "tick"]));
}
