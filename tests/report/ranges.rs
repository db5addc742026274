//! The law of ranges: every range, sample type and thread comes to what the session says, stack by stack.

use crate::browser::Scheme;
use crate::support::runtimes::require_chromium;
use crate::worlds::{self, Dice};
use crate::{Opened, open};
use flametop::profile::{CallTree, Nanos, NodeId, Span, Thread};
use flametop::session::{Range, Scope, Selection, Session};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Self values by the names of a stack.
type Stacks = BTreeMap<String, i64>;

/// What the session says of a selection.
fn expected(session: &Session, selection: &Selection) -> Stacks {
    let mut stacks = Stacks::new();
    let Some(selected) = session.select(selection) else { return stacks };
    let values = selected.fold.self_values(selected.column);
    for (node, value) in selected.fold.nodes().iter().zip(values).filter(|(_, value)| **value != 0) {
        *stacks.entry(path(session.tree(), *node)).or_default() += value;
    }
    stacks
}

fn path(tree: &CallTree, mut node: NodeId) -> String {
    let mut names = Vec::new();
    while node != CallTree::ROOT {
        names.push(tree.frames().get(tree.frame(node)).name.to_string());
        node = tree.parent(node);
    }
    names.reverse();
    if names.is_empty() { "(other)".into() } else { names.join(";") }
}

/// What the page says of it, in the form of folded stacks.
fn shown(folded: &str) -> Stacks {
    let mut stacks = Stacks::new();
    for line in folded.lines().filter(|line| !line.is_empty()) {
        let (stack, value) = line.rsplit_once(' ').expect("a stack and its value");
        *stacks.entry(stack.into()).or_default() += value.parse::<i64>().expect("a whole number");
    }
    stacks
}

/// The folded stacks of many selections, asked for at once: each a range in nanoseconds from the start, a
/// kind and a thread.
fn ask(opened: &Opened, selections: &[(u64, u64, usize, i64)]) -> Vec<Stacks> {
    let list = json!(selections);
    let script = format!(
        "{list}.map(([start, end, kind, thread]) => {{
            flametop.change({{range: {{start, end}}, kind, thread, idle: true}});
            return flametop.folded;
        }})"
    );
    let answers = opened.browser.eval(&script);
    answers.as_array().expect("a list").iter().map(|text| shown(text.as_str().unwrap_or_default())).collect()
}

fn kinds_of(opened: &Opened) -> Vec<String> {
    let kinds = opened.browser.eval("flametop.report.kinds.map((kind) => kind.name)");
    kinds.as_array().expect("a list").iter().map(|kind| kind.as_str().unwrap_or_default().into()).collect()
}

fn span(start: u64, end: u64) -> Span {
    let at = |offset| worlds::moment(0) + Nanos(offset);
    Span::between(at(start), at(end))
}

#[test]
fn any_range_of_any_kind_comes_to_what_the_session_says() {
    let chromium = require_chromium!();
    for (name, events) in [("ranges", worlds::server(40, 20..23)), ("two-processes", worlds::two_processes())]
    {
        let opened = open(&chromium, name, &events, Scheme::Light);
        let kinds = kinds_of(&opened);
        let mut dice = Dice(11);
        let mut selections = vec![(0, 40_000_000_000, 0, -1), (3_100_000_000, 3_200_000_000, 1, -1)];
        for _ in 0..60 {
            let (a, b) =
                (u64::from(dice.below(40_000)) * 1_000_000, u64::from(dice.below(40_000)) * 1_000_000);
            selections.push((a.min(b), a.max(b), dice.below(kinds.len() as u32) as usize, -1));
        }
        let mut told = 0;
        for (selection, stacks) in selections.iter().zip(ask(&opened, &selections)) {
            let (start, end, kind, _) = *selection;
            let range = Range::Span(span(start, end));
            let selection = Selection { range, kind: kinds[kind].as_str().into(), scope: Scope::All };
            let expected = expected(opened.report.session(), &selection);
            told += usize::from(!expected.is_empty());
            assert_eq!(stacks, expected, "{name}: {selection:?}");
        }
        assert!(told > selections.len() / 2, "most of these ranges hold something");
        opened.assert_quiet();
    }
}

#[test]
fn a_thread_alone_comes_to_what_the_session_says() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "threads", &worlds::two_processes(), Scheme::Light);
    let kinds = kinds_of(&opened);
    let session = opened.report.session();
    let threads = opened.browser.eval("flametop.report.threads");
    let threads: &Vec<Value> = threads.as_array().expect("a list");
    assert_eq!(threads.len(), 4);
    for (at, row) in threads.iter().enumerate() {
        let pid = row["pid"].as_u64().unwrap_or_default() as u32;
        let tid = row["tid"].as_str().and_then(|tid| tid.parse().ok()).expect("a thread id");
        let thread = Thread { pid, tid, name: row["name"].as_str().unwrap_or_default().into() };
        let scope = Scope::Thread(flametop::feed::SourceId((pid - 100) as u16), thread);
        for (kind, name) in kinds.iter().enumerate() {
            let [stacks] = &ask(&opened, &[(2_000_000_000, 25_000_000_000, kind, at as i64)])[..] else {
                panic!("one answer")
            };
            let range = Range::Span(span(2_000_000_000, 25_000_000_000));
            let selection = Selection { range, kind: name.as_str().into(), scope: scope.clone() };
            assert!(!stacks.is_empty());
            assert_eq!(*stacks, expected(session, &selection), "{selection:?}");
        }
    }
}

#[test]
fn dragging_over_the_charts_folds_the_flame_anew() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "drag", &worlds::server(60, 30..33), Scheme::Light);
    let browser = &opened.browser;
    browser.key("z");
    let total = |browser: &crate::Browser| {
        browser.eval("Number(document.getElementById('total').dataset.exact)").as_f64()
    };
    let whole = total(browser);
    browser.drag((500.0, 120.0), (620.0, 130.0));
    let [start, end] = ["start", "end"].map(|edge| {
        browser.eval(&format!("flametop.state.range.{edge}")).as_u64().expect("whole nanoseconds")
    });
    assert!(end - start > 5_000_000_000 && end - start < 10_000_000_000, "{start}..{end}");
    let selection = Selection { range: Range::Span(span(start, end)), kind: "cpu".into(), scope: Scope::All };
    let selected = opened.report.session().select(&selection).expect("windows are there");
    assert_eq!(total(browser), Some(selected.fold.total(selected.column) as f64));
    browser.key("0");
    assert_eq!(total(browser), whole);
    browser.click(500.0, 120.0);
    assert!(browser.shown("range").contains("1 window,"), "{}", browser.shown("range"));
    opened.assert_quiet();
}
