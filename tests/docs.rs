//! What README says in tables is what the registries hold. `UPDATE_DOCS=1 cargo test --test docs`
//! writes the tables anew.

use flametop::app::{ACTIONS, key_name};
use flametop::format::FORMATS;
use flametop::gauges::{GAUGES, GaugeUnit};
use flametop::source::KINDS;
use std::path::Path;

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let mut out = line(&head) + &line(&vec!["---".into(); head.len()]);
    rows.for_each(|row| out += &line(&row));
    out
}

fn keys() -> String {
    let code = |key: &flametop::app::Key| format!("`{}`", key_name(*key).replace('|', "\\|"));
    table(
        &["key", "action", "what it does"],
        ACTIONS.iter().map(|spec| {
            let keys: Vec<String> = spec.keys.iter().map(code).collect();
            vec![keys.join(" "), spec.name.into(), spec.help.into()]
        }),
    )
}

fn kinds() -> String {
    table(
        &["kind", "what it watches", "for example"],
        KINDS.iter().map(|kind| {
            let spec = kind.spec();
            vec![spec.name.into(), spec.summary.into(), format!("`flametop {}`", spec.example)]
        }),
    )
}

fn formats() -> String {
    let yes = |is: bool| if is { "yes" } else { "" }.to_string();
    table(
        &["format", "file name", "read", "written", "what it is"],
        FORMATS.iter().map(|format| {
            let spec = format.spec();
            let ending = format!("`.{}`", spec.extension);
            vec![spec.name.into(), ending, yes(spec.reads), yes(spec.writes), spec.summary.into()]
        }),
    )
}

fn gauges() -> String {
    let unit = |unit| match unit {
        GaugeUnit::Ratio => "ratio",
        GaugeUnit::Bytes => "bytes",
        GaugeUnit::Seconds => "seconds",
        GaugeUnit::Count => "count",
    };
    table(
        &["gauge", "unit", "what it is", "metric"],
        GAUGES.iter().map(|gauge| {
            let metric = format!("`{}`", gauge.metric);
            vec![gauge.label.into(), unit(gauge.unit).into(), gauge.help.into(), metric]
        }),
    )
}

/// The text with what stands between the marks of `name` replaced.
fn with_block(text: &str, name: &str, block: &str) -> String {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("README has no {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("README has no {end}"));
    format!("{before}{begin}{block}{end}{after}")
}

#[test]
fn readme_tables_are_the_registries() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("README.md is there");
    let blocks = [("keys", keys()), ("kinds", kinds()), ("formats", formats()), ("gauges", gauges())];
    let fresh = blocks.iter().fold(text.clone(), |text, (name, block)| with_block(&text, name, block));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &fresh).expect("README.md can be written");
    } else {
        assert!(text == fresh, "README.md is behind the registries: UPDATE_DOCS=1 cargo test --test docs");
    }
}

#[test]
fn readme_opens_with_the_two_commands() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))
        .expect("README.md is there");
    let opening: Vec<&str> = text.lines().take(14).collect();
    for command in ["cargo run --release -- demo", "tests/all"] {
        assert!(opening.iter().any(|line| line.starts_with(command)), "{command}");
    }
}
