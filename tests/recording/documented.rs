//! What README says of the tables of a recording is so, and the queries in it answer.

use crate::directory;
use crate::sample::{events, write};
use crate::support::runtimes::sqlite_or_skip;
use flametop::record::Place;
use rusqlite::Connection;
use std::io::{Seek as _, Write as _};
use std::process::Command;

fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    std::fs::read_to_string(path).expect("README.md is there")
}

/// Table, column and type of every row in README's description.
fn described(readme: &str) -> Vec<[String; 3]> {
    let (_, rest) = readme.split_once("<!-- recording:begin -->").expect("begins");
    let (block, _) = rest.split_once("<!-- recording:end -->").expect("ends");
    let mut table = String::new();
    let mut columns = Vec::new();
    for line in block.lines() {
        if let Some(heading) = line.strip_prefix("#### `") {
            heading.split('`').next().unwrap_or_default().clone_into(&mut table);
        } else if let Some(row) = line.strip_prefix("| `") {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 5, "{line}");
            assert!(cells[3].ends_with('.'), "not a sentence: {line}");
            columns.push([table.clone(), cells[0].trim_matches('`').into(), cells[1].into()]);
        }
    }
    columns
}

/// The code blocks of a language.
fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    readme.split(begin.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn every_column_of_every_table_is_described_and_no_other() {
    let directory = directory();
    let path = write(&Place::File(directory.path().join("x.ftrec")), &events(2));
    let connection = Connection::open(path).expect("opens");
    let sql = "SELECT tables.name, columns.name, columns.type FROM sqlite_schema AS tables, \
               pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite%'";
    let mut statement = connection.prepare(sql).expect("is SQL");
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).expect("runs");
    let mut written: Vec<[String; 3]> = rows.collect::<Result<_, _>>().expect("are texts");
    let mut described = described(&readme());
    written.sort();
    described.sort();
    assert_eq!(described, written);
}

#[test]
fn the_queries_of_the_documentation_answer() {
    let directory = directory();
    let path = write(&Place::File(directory.path().join("x.ftrec")), &events(12));
    let connection = Connection::open(path).expect("opens");
    let readme = readme();
    let answer = |query: &str| {
        let mut statement = connection.prepare(query).expect("is SQL");
        let columns = statement.column_count();
        let cells =
            |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect::<Result<Vec<_>, _>>();
        let rows = statement.query_map([], cells).expect("runs");
        rows.collect::<Result<Vec<Vec<rusqlite::types::Value>>, _>>().expect("answers")
    };
    let queries = blocks(&readme, "sql");
    assert_eq!(queries.len(), 2);
    let windows = answer(queries[0]);
    assert_eq!(windows.len(), 10, "of twelve windows the ten that were asked for");
    let text = |text: &str| rusqlite::types::Value::Text(text.into());
    assert!(
        windows.iter().any(|row| row[1] == text("2023-11-14 22:13:20") && row[3] == 9.into()),
        "{windows:?}"
    );
    let gauges = answer(queries[1]);
    let rss = [text("rss"), 12.into(), 1e8.into(), 100_000_005.5.into(), 100_000_011.0.into()];
    assert!(gauges.len() == 2 && gauges.contains(&rss.to_vec()), "{gauges:?}");
}

#[test]
fn the_shell_of_sqlite_answers_them_too() {
    let Some(shell) = sqlite_or_skip() else { return };
    let directory = directory();
    write(&Place::File(directory.path().join("x.ftrec")), &events(12));
    let readme = readme();
    for query in blocks(&readme, "sql").into_iter().chain(blocks(&readme, "sqlite3")) {
        let mut script = tempfile::tempfile().expect("a file");
        script.write_all(query.as_bytes()).and_then(|()| script.rewind()).expect("is written");
        let mut command = Command::new(&shell);
        command.args(["-readonly", "x.ftrec"]).current_dir(directory.path()).stdin(script);
        let output = command.output().expect("it runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.is_empty() && !output.stdout.is_empty(), "{query}: {told}");
    }
    let window = std::fs::read(directory.path().join("window.pb.gz")).expect("it was taken out");
    assert_eq!(window[..2], [0x1f, 0x8b], "it is gzipped");
}
